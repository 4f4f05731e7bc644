"""The values that travel between the rooms. All are frozen; arrays in them are read-only."""

from core.types.arrays import BitDepth, BoolArray, FloatArray, Plane, read_only
from core.types.fusion import (
    FEATURES,
    RECONSTRUCTIONS,
    DeviceChoice,
    FusionRequest,
    FusionResult,
)
from core.types.image import Image, ImageHeader, SourcePair
from core.types.palette import Palette, PaletteTable
from core.types.series import SeriesHeader, SliceSource
from core.types.volume import Affine, Modality, Volume

__all__ = [
    "FEATURES",
    "RECONSTRUCTIONS",
    "Affine",
    "BitDepth",
    "BoolArray",
    "DeviceChoice",
    "FloatArray",
    "FusionRequest",
    "FusionResult",
    "Image",
    "ImageHeader",
    "Modality",
    "Palette",
    "PaletteTable",
    "Plane",
    "SeriesHeader",
    "SliceSource",
    "SourcePair",
    "Volume",
    "read_only",
]

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
from core.types.notices import NETWORK_NOTICE, RESEARCH_NOTICE, notice_for
from core.types.pair_transform import PairTransform, SourceSide, TransformOrigin, Verdict
from core.types.palette import Palette, PaletteTable
from core.types.series import SeriesHeader, SliceSource
from core.types.transform import (
    KIND_NAMES,
    TRANSFORM_KINDS,
    Matrix,
    Points,
    Transform,
    TransformKind,
    TransformParts,
)
from core.types.volume import Affine, Modality, Volume, spans_space

__all__ = [
    "FEATURES",
    "KIND_NAMES",
    "NETWORK_NOTICE",
    "RECONSTRUCTIONS",
    "RESEARCH_NOTICE",
    "TRANSFORM_KINDS",
    "Affine",
    "BitDepth",
    "BoolArray",
    "DeviceChoice",
    "FloatArray",
    "FusionRequest",
    "FusionResult",
    "Image",
    "ImageHeader",
    "Matrix",
    "Modality",
    "PairTransform",
    "Palette",
    "PaletteTable",
    "Plane",
    "Points",
    "SeriesHeader",
    "SliceSource",
    "SourcePair",
    "SourceSide",
    "Transform",
    "TransformKind",
    "TransformOrigin",
    "TransformParts",
    "Verdict",
    "Volume",
    "notice_for",
    "read_only",
    "spans_space",
]

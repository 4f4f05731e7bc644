"""What the room of regions does on worker threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from app.fuse.slice_view import OpenVolumes
from app.fuse.study_tasks import measured_volumes
from app.regions.view_plane import picture_affine
from core.errors import RegionError
from core.geometry.grids import VoxelGrid
from core.progress import Progress
from core.regions import (
    MeasuredSource,
    MeasuredSources,
    Region,
    RegionFigures,
    RegionMask,
    ThresholdRegion,
    find_voxels,
    measure_regions,
)
from core.types import Affine, FloatArray, Image, SourcePair, Volume

_LUMA = (0.299, 0.587, 0.114)
"""BT.601."""

Measured: TypeAlias = OpenVolumes | SourcePair
"""What regions are on: volumes with their own voxels, or the pair of pictures on screen."""


@dataclass(frozen=True, eq=False)
class RegionMeasurement:
    """A region with its figures on each source.

    Attributes:
        figures: of A, then of B.
        mask: of a threshold region, the voxels that were found, of the source that was searched;
            else None.
        grid: of ``mask``, in the millimetres of the region.
    """

    region: Region
    figures: tuple[RegionFigures, ...]
    mask: RegionMask | None = None
    grid: VoxelGrid | None = None


@dataclass(frozen=True, eq=False)
class RegionAnswer:
    """Measurements, and the sources as they were prepared for them, to be given back next time."""

    sources: MeasuredSources
    measurements: tuple[RegionMeasurement, ...]


def measure(
    subject: Measured,
    sources: MeasuredSources | None,
    regions: Sequence[Region],
    progress: Progress,
) -> RegionAnswer:
    """The figures of regions.

    Args:
        sources: those of ``subject``, where they are known from an earlier call.

    Raises:
        Cancelled: by ``progress``.
    """
    sources = sources or measured_sources(subject)
    found = measure_regions(regions, sources, progress)
    count = len(sources.sides)
    measurements = []
    for place, region in enumerate(regions):
        mask, grid = _voxels(region, sources)
        of_region = found[place * count : (place + 1) * count]
        measurements.append(RegionMeasurement(region, of_region, mask, grid))
    return RegionAnswer(sources, tuple(measurements))


def _voxels(region: Region, sources: MeasuredSources) -> tuple[RegionMask | None, VoxelGrid | None]:
    if not isinstance(region, ThresholdRegion):
        return None, None
    try:
        found = find_voxels(region, sources, region.side)
        return found.mask, sources.grid(region, region.side)
    except RegionError:  # its figures say why
        return None, None


def measured_sources(subject: Measured) -> MeasuredSources:
    """The sources of volumes on their native voxels, or of pictures in grey levels."""
    if isinstance(subject, OpenVolumes):
        return measured_volumes(subject)
    affine = picture_affine(subject)
    a, b = (MeasuredSource(_of_picture(image, affine)) for image in (subject.a, subject.b))
    return MeasuredSources(a, b)


def _of_picture(image: Image, affine: Affine) -> Volume:
    """A picture as one layer of voxels; colours are measured as luma."""
    data: FloatArray = image.data[..., 0]
    if image.data.shape[2] == 3:
        data = np.asarray(image.data @ np.array(_LUMA, np.float32), np.float32)
    mask = None if image.mask is None else image.mask[np.newaxis]
    volume = Volume(data=data[np.newaxis], affine=affine, modality="MR", unit=image.unit)
    return replace(volume, mask=mask)

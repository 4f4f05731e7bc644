"""How regions are measured; in the compute process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from weakref import WeakKeyDictionary

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
from core.types.luma import LUMA_WEIGHTS

_prepared: WeakKeyDictionary[SourcePair, MeasuredSources] = WeakKeyDictionary()
"""Of pictures that are measured again and again, while a region is dragged."""

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


Asked: TypeAlias = MeasuredSources | SourcePair
"""What is sent of them: of volumes without those that A was resampled to."""


def asked_of(subject: Measured) -> Asked:
    """What :func:`measure` needs of what regions are on."""
    return measured_volumes(subject) if isinstance(subject, OpenVolumes) else subject


def measure(
    asked: Asked, regions: Sequence[Region], progress: Progress
) -> tuple[RegionMeasurement, ...]:
    """The figures of regions; in the compute process.

    Raises:
        Cancelled: by ``progress``.
    """
    sources = measured_sources(asked)
    found = measure_regions(regions, sources, progress)
    count = len(sources.sides)
    measurements = []
    for place, region in enumerate(regions):
        mask, grid = _voxels(region, sources)
        of_region = found[place * count : (place + 1) * count]
        measurements.append(RegionMeasurement(region, of_region, mask, grid))
    return tuple(measurements)


def _voxels(region: Region, sources: MeasuredSources) -> tuple[RegionMask | None, VoxelGrid | None]:
    if not isinstance(region, ThresholdRegion):
        return None, None
    try:
        found = find_voxels(region, sources, region.side)
        return found.mask, sources.grid(region, region.side)
    except RegionError:  # its figures say why
        return None, None


def measured_sources(asked: Asked) -> MeasuredSources:
    """The sources of volumes on their native voxels, or of pictures in grey levels."""
    if isinstance(asked, MeasuredSources):
        return asked
    known = _prepared.get(asked)
    if known is None:
        affine = picture_affine(asked)
        a, b = (MeasuredSource(_of_picture(image, affine)) for image in (asked.a, asked.b))
        known = _prepared[asked] = MeasuredSources(a, b)
    return known


def _of_picture(image: Image, affine: Affine) -> Volume:
    """A picture as one layer of voxels; colours are measured as luma."""
    data: FloatArray = image.data[..., 0]
    if image.data.shape[2] == 3:
        data = np.asarray(image.data @ LUMA_WEIGHTS, np.float32)
    mask = None if image.mask is None else image.mask[np.newaxis]
    volume = Volume(data=data[np.newaxis], affine=affine, modality="MR", unit=image.unit)
    return replace(volume, mask=mask)

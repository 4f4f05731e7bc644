"""What a region holds: figures of the native voxels of each source, never of the fused picture.

A figure without a value has a reason instead. All are computed in double precision:

=============  ===================================================================================
volume         voxels times the volume of one, in ml
mean, SD       of the voxels; the SD with n - 1
minimum, …     those of single voxels
peak           see :mod:`core.regions.peak`; of PET and SPECT, and where the kind is not known
MTV            of threshold regions, on the source that was searched: their volume
TLG            MTV times the mean in SUV
=============  ===================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from core.errors import Message, RegionError
from core.progress import NullProgress, Progress
from core.regions.masks import RegionMask
from core.regions.parts import PatientPoint
from core.regions.peak import peak_of
from core.regions.shapes import Region, ThresholdRegion
from core.regions.sources import (
    FoundVoxels,
    MeasuredSource,
    MeasuredSources,
    find_voxels,
    why_no_suv,
)
from core.types import FloatArray, Modality, SourceSide, Volume

if TYPE_CHECKING:
    # It brings pydicom, which the window is not to wait for.
    from core.units.suv import SuvDerivation

_Values: TypeAlias = FloatArray
_Voxel: TypeAlias = tuple[int, int, int]
_Statistic: TypeAlias = Callable[[_Values], float]

_AT_ONCE = 1 << 20
_ANATOMICAL = ("CT", "MR")
_NOTHING = Message("no voxel reaches the threshold")


@dataclass(frozen=True)
class Figure:
    """A number with its unit, or why there is none.

    Attributes:
        value: None where it is not defined.
        unit: of the value; "" where it has none.
        reason: why there is no value; "" where there is one.
    """

    value: float | None
    unit: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RegionFigures:
    """The figures of one region on one source.

    Attributes:
        region: what was measured.
        side: the source.
        modality, title: of the source; nothing of the patient.
        unit: of its values, "" where they have none (MR).
        voxels: how many were counted.
        volume … tlg: see the table of this module.
        threshold: the least value that counted, in the unit of the source that was searched.
        maximum_at, peak_at: patient mm of the source; None where there is no such figure.
        suv: how the values became SUV, or what stands in the way; None for all but PET in DICOM.
        problem: why there are no figures at all; else None.
        notes: what is to be known of them, one sentence each.
    """

    region: Region
    side: SourceSide
    modality: Modality
    title: str
    unit: str
    voxels: int
    volume: Figure
    mean: Figure
    sd: Figure
    minimum: Figure
    maximum: Figure
    peak: Figure
    mtv: Figure
    tlg: Figure
    threshold: Figure
    maximum_at: PatientPoint | None = None
    peak_at: PatientPoint | None = None
    suv: SuvDerivation | None = None
    problem: RegionError | None = None
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, Figure]:
        """All of them by name, in the order of tables."""
        return {name: getattr(self, name) for name in FIGURES}


FIGURES = ("volume", "mean", "sd", "minimum", "maximum", "peak", "mtv", "tlg", "threshold")
"""Names of the figures, in the order of tables."""
FIGURE_NAMES: dict[str, Message] = {
    "volume": Message("Volume"),
    "mean": Message("Mean"),
    "sd": Message("SD"),
    "minimum": Message("Minimum"),
    "maximum": Message("Maximum"),
    "peak": Message("Peak (1 cm³)"),
    "mtv": Message("MTV"),
    "tlg": Message("TLG"),
    "threshold": Message("Threshold"),
}
"""In words for a person."""


def measure_regions(
    regions: Sequence[Region], sources: MeasuredSources, progress: Progress | None = None
) -> tuple[RegionFigures, ...]:
    """The figures of each region on each source, in the order of the regions, A first.

    Args:
        regions: shapes and threshold regions.
        sources: as they were read.
        progress: told of regions; may cancel.

    Raises:
        Cancelled: by ``progress``.
    """
    progress = progress or NullProgress()
    found = []
    for index, region in enumerate(regions):
        progress.check()
        progress.report(index, len(regions), Message("Measuring regions"))
        found += [measure_region(region, sources, side, progress) for side in sources.sides]
    progress.report(len(regions), len(regions), Message("Measuring regions"))
    return tuple(found)


def measure_region(
    region: Region,
    sources: MeasuredSources,
    side: SourceSide,
    progress: Progress | None = None,
) -> RegionFigures:
    """The figures of a region on one source; where it cannot be measured, the reason in each.

    Raises:
        RegionError: there is no such source. Cancelled: by ``progress``.
    """
    source = sources.source(side)
    try:
        found = find_voxels(region, sources, side, progress)
    except RegionError as error:
        return _without(region, source, side, error)
    return _Measuring(region, source, side, found, tuple(sources.notes())).figures(
        progress or NullProgress()
    )


def _without(
    region: Region, source: MeasuredSource, side: SourceSide, error: RegionError
) -> RegionFigures:
    none = Figure(None, "", error.why)
    volume = source.volume
    return RegionFigures(
        region=region, side=side, modality=volume.modality, title=volume.title, unit=volume.unit,
        voxels=0, volume=none, mean=none, sd=none, minimum=none, maximum=none, peak=none, mtv=none,
        tlg=none, threshold=none, suv=source.suv, problem=error,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Measuring:
    """One region on one source."""

    region: Region
    source: MeasuredSource
    side: SourceSide
    found: FoundVoxels
    notes: tuple[str, ...]

    def figures(self, progress: Progress) -> RegionFigures:
        """All of them."""
        volume, mask = self.volume, self.found.mask
        values = volume.data[mask.block][mask.voxels]
        mean = self._of(values, lambda one: float(one.mean(dtype=np.float64)))
        peak, peak_at, passed = self._peak(values, progress)
        amount = Figure(values.size * _voxel_volume(volume), "ml")
        mtv = self._mtv(amount)
        return RegionFigures(
            region=self.region,
            side=self.side,
            modality=volume.modality,
            title=volume.title,
            unit=volume.unit,
            voxels=values.size,
            volume=amount,
            mean=mean,
            sd=self._sd(values),
            minimum=self._of(values, lambda one: float(one.min())),
            maximum=self._of(values, lambda one: float(one.max())),
            peak=peak,
            mtv=mtv,
            tlg=self._tlg(mtv, mean),
            threshold=self._threshold(),
            maximum_at=self._place(_highest(volume, mask)) if values.size else None,
            peak_at=peak_at,
            suv=self.source.suv,
            notes=(*self._notes(passed, values, peak), *self.notes),
        )

    @property
    def volume(self) -> Volume:
        """Of the source."""
        return self.source.volume

    def _of(self, values: _Values, figure: _Statistic) -> Figure:
        if not values.size:
            return self._undefined(_NOTHING)
        return Figure(figure(values), self.volume.unit)

    def _undefined(self, reason: Message) -> Figure:
        return Figure(None, "", reason)

    def _sd(self, values: _Values) -> Figure:
        if values.size == 1:
            return self._undefined(Message("a single voxel has no SD"))
        return self._of(values, _deviation)

    def _peak(self, values: _Values, progress: Progress) -> tuple[Figure, PatientPoint | None, int]:
        if not values.size:
            return self._undefined(_NOTHING), None, 0
        if self.volume.modality in _ANATOMICAL:
            return self._undefined(Message("a peak is of PET and SPECT")), None, 0
        found = peak_of(self.volume, self.found.mask, progress)
        if found is None:
            why = Message("a sphere of 1 cm³ would reach beyond what was measured")
            return self._undefined(why), None, 0
        value, voxel, passed = found
        return Figure(value, self.volume.unit), self._place(voxel), passed

    def _place(self, voxel: _Voxel) -> PatientPoint:
        x, y, z = self.volume.affine[:3, :3] @ np.array(voxel) + self.volume.affine[:3, 3]
        return float(x), float(y), float(z)

    def _mtv(self, amount: Figure) -> Figure:
        if not isinstance(self.region, ThresholdRegion):
            return self._undefined(Message("MTV is the volume above a threshold"))
        if self.volume.modality in _ANATOMICAL:
            return self._undefined(Message("MTV is of PET and SPECT"))
        if self.side != self.region.side:
            return self._undefined(Message("MTV is of the source that the threshold is of"))
        if self.found.is_open:
            return self._undefined(Message("the region reaches beyond what was measured"))
        return amount

    def _tlg(self, mtv: Figure, mean: Figure) -> Figure:
        if mtv.value is None:
            return self._undefined(Message("there is no MTV: {0}", Message.plain(mtv.reason)))
        if not self.volume.unit.startswith("SUV"):
            return self._undefined(why_no_suv(self.source))
        # Nothing above the threshold: no volume, and no glycolysis in it.
        return Figure(mtv.value * (mean.value or 0.0), f"{self.volume.unit}·ml")

    def _threshold(self) -> Figure:
        if self.found.least is None or not isinstance(self.region, ThresholdRegion):
            return self._undefined(Message("the region has no threshold"))
        if self.side != self.region.side:
            return self._undefined(Message("the threshold is of the other source"))
        return Figure(self.found.least, self.volume.unit)

    def _notes(self, passed: int, values: _Values, peak: Figure) -> Iterator[Message]:
        if self.found.mask.is_cut:
            yield Message(
                "The region goes on beyond the field of view: the figures are of what lies within."
            )
        if self.found.unmeasured:
            yield Message.plural(
                "{0} voxel of it holds no data and is left out.",
                "{0} voxels of it hold no data and are left out.",
                self.found.unmeasured,
            )
        if passed:
            yield Message.plural(
                "The peak leaves out {0} voxel around which 1 cm³ was not measured.",
                "The peak leaves out {0} voxels around which 1 cm³ was not measured.",
                passed,
            )
        if peak.value is not None and peak.value > values.max() * (1 + 1e-6):
            yield Message("The peak exceeds the maximum: what is beside the region is higher.")


def _voxel_volume(volume: Volume) -> float:
    """In ml."""
    return abs(float(np.linalg.det(volume.affine[:3, :3]))) / 1000


def _deviation(values: _Values) -> float:
    """The SD with n - 1, of two values or more; without a copy in double precision."""
    mean, total = float(values.mean(dtype=np.float64)), 0.0
    for first in range(0, values.size, _AT_ONCE):
        total += float(((values[first : first + _AT_ONCE].astype(np.float64) - mean) ** 2).sum())
    return math.sqrt(total / (values.size - 1))


def _highest(volume: Volume, mask: RegionMask) -> _Voxel:
    """The (i, j, k) of the first voxel that holds the maximum."""
    values = np.where(mask.voxels, volume.data[mask.block], -np.inf)
    at = np.unravel_index(int(np.argmax(values)), values.shape)
    k, j, i = (int(one) + start for one, start in zip(at, mask.start, strict=True))
    return i, j, k

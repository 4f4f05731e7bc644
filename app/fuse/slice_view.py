"""The slice of two volumes that is on screen."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.geometry.grids import grid_of
from core.geometry.planes import PlaneAxes, PlaneName, axes_of
from core.geometry.probe import value_at
from core.windows import Window

if TYPE_CHECKING:
    from core.fusion.slices import Consent, VolumePair
    from core.io.volumes import Acceptance
    from core.types import SeriesHeader, Volume
    from core.units.suv import SuvDerivation

    Accepted = Acceptance | Consent
    """What a person may accept of a pair that is otherwise refused."""

Point = tuple[float, float, float]
"""A place in the patient: x, y, z in mm (LPS)."""


@dataclass(frozen=True, eq=False)
class OpenVolumes:
    """Two volumes that are looked at slice by slice.

    Attributes:
        key: the first file of each series, which identify the pair in the list of pairs.
        names: what the two series are called; no names of persons.
        pair: both volumes on the grid of B.
        native_a: A as it was read: its values are those to be shown as numbers.
        marks: entries of a stamp that identify the pair, whatever slice is shown.
        extents: of A and B, the values of the lowest and the highest code on the screen.
        palettes: of A and B, names of those that they are first shown in.
        derivations: of A and B, how values became SUV, or why not; None where that is no question.
        frames: which of their volumes A and B are, from 0.
        series: A and B as they were listed.
        accepted: what a person has accepted of them.
    """

    key: tuple[Path, Path]
    names: tuple[str, str]
    pair: VolumePair
    native_a: Volume
    _: KW_ONLY
    marks: tuple[tuple[str, int, int], ...]
    series: tuple[SeriesHeader, SeriesHeader]
    extents: tuple[Window, Window]
    palettes: tuple[str, str] = ("grey", "grey")
    derivations: tuple[SuvDerivation | None, SuvDerivation | None] = (None, None)
    frames: tuple[int, int] = (0, 0)
    accepted: tuple[Accepted, ...] = ()

    @property
    def frame_counts(self) -> tuple[int, int]:
        """How many volumes the series of A and B hold."""
        a, b = self.series
        return a.frames, b.frames

    @property
    def notes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is odd about A and B; which frames they are is said elsewhere."""
        a, b = (
            tuple(note for note in volume.notes if note != series.frame_note(frame))
            for volume, series, frame in zip(self.native, self.series, self.frames, strict=True)
        )
        return a, b

    @property
    def native(self) -> tuple[Volume, Volume]:
        """Both volumes with the voxels that were measured."""
        return self.native_a, self.pair.b

    @property
    def is_registered(self) -> bool:
        """Whether it is known how both volumes lie to each other."""
        from core.geometry.alignment import Alignment

        return self.pair.alignment not in (Alignment.NOT_REGISTERED, Alignment.APART)

    @property
    def are_apart(self) -> bool:
        """Whether both share no place, so that A is moved only to be seen."""
        from core.geometry.alignment import Alignment

        return self.pair.alignment is Alignment.APART

    def place_in_a(self, point: Point) -> Point:
        """What of the original A is shown at a place of B, in mm of A."""
        by = self.pair.drawn_by
        return point if by is None else _point(by.apply([point])[0])

    @property
    def are_of_two_patients(self) -> bool:
        """Whether a person has accepted a pair of two patients."""
        a, b = (volume.patient for volume in self.native)
        return bool(a and b and a != b)

    def axes(self, plane: PlaneName) -> PlaneAxes:
        """How the volumes are looked at in a plane."""
        return axes_of(grid_of(self.pair.b), plane)


@dataclass(frozen=True, eq=False)
class SliceView:
    """One slice of them.

    Attributes:
        index: of the slice in ``plane``, from 0.
        point: the place that the planes are linked by; it lies in the slice.
        lone: the only source that has data in this slice; None where both have.
        is_marked: whether a person chose ``point``, so that it is shown.
    """

    volumes: OpenVolumes
    plane: PlaneName
    index: int
    point: Point
    lone: Literal["a", "b"] | None = None
    _: KW_ONLY
    is_marked: bool = False

    @cached_property
    def axes(self) -> PlaneAxes:
        """Of its plane."""
        return self.volumes.axes(self.plane)

    @property
    def count(self) -> int:
        """How many slices the plane has."""
        return self.axes.shape[0]

    @property
    def can_be_fused(self) -> bool:
        """Whether both have data in this slice that may be laid over each other."""
        return self.lone is None and not self.volumes.are_apart

    @property
    def position(self) -> float:
        """Millimetres along the normal of the plane."""
        return self.axes.offset_of(self.index)

    @property
    def aspect(self) -> float:
        """Height of a pixel divided by its width."""
        _between, row, column = self.axes.spacing
        return row / column

    @property
    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """Identifies this slice of this pair among all results."""
        return (*self.volumes.marks, (self.plane, self.index, 0))

    @property
    def pixel(self) -> tuple[float, float]:
        """Column and row of ``point``, not rounded."""
        column, row, _index = self.axes.position_of(self.point)
        return float(column), float(row)

    def point_at(self, column: float, row: float) -> Point:
        """The place of a pixel of this slice in the patient."""
        x, y, z = (float(value) for value in self.axes.point_of(column, row, self.index))
        return x, y, z

    def values_at(self, point: Point) -> tuple[float | None, float | None]:
        """What A and B measured there; None outside of their fields of view."""
        a, b = self.volumes.native
        return value_at(a, self.volumes.place_in_a(point)), value_at(b, point)

    def at(self, index: int) -> SliceView:
        """Another slice of the same plane, at the same column and row."""
        index = min(max(index, 0), self.count - 1)
        point = self.axes.point_of(*self.pixel, index)
        return replace(self, index=index, point=_point(point), lone=None)

    def in_plane(self, plane: PlaneName) -> SliceView:
        """The slice of another plane that ``point`` lies in."""
        index = _nearest(self.volumes.axes(plane), self.point)
        return replace(self, plane=plane, index=index, lone=None)

    def of(self, volumes: OpenVolumes) -> SliceView:
        """The same slice of other frames of the same series."""
        return replace(self, volumes=volumes, lone=None)

    def through(self, point: Point) -> SliceView:
        """The same slice with another point in it."""
        return replace(self, point=point, is_marked=True)


def middle_slice(volumes: OpenVolumes, plane: PlaneName = "axial") -> SliceView:
    """The middle slice of B."""
    axes = volumes.axes(plane)
    slices, rows, columns = axes.shape
    point = axes.point_of((columns - 1) / 2, (rows - 1) / 2, slices // 2)
    return SliceView(volumes, plane, slices // 2, _point(point))


def _nearest(axes: PlaneAxes, point: Point) -> int:
    index = round(float(axes.position_of(point)[2]))
    return min(max(index, 0), axes.shape[0] - 1)


def _point(values: object) -> Point:
    x, y, z = (float(value) for value in values)  # type: ignore[attr-defined]
    return x, y, z

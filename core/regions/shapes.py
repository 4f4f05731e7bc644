"""Regions, distances and angles as values: shapes in patient millimetres, with a name.

Every value names the frame of reference that its millimetres are of ("" where the files name none)
and is the same whatever grid it is later measured on. All lengths are mm, all points (x, y, z) LPS.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from core.errors import Message
from core.geometry.grids import Coordinates
from core.geometry.planes import PlaneAxes
from core.regions.marks import AngleMark, DistanceLine
from core.regions.parts import (
    LONGEST_NAME,
    SMALLEST,
    PatientPoint,
    PlanePoint,
    checked_coordinate,
    checked_length,
    checked_lengths,
    checked_number,
    checked_point,
    invalid,
    set_name,
)
from core.types import SourceSide

ThresholdKind = Literal["value", "share", "suv"]
"""At least a value in a unit, a share of the maximum within the sphere, or an SUV of any kind."""

THRESHOLD_KINDS: tuple[ThresholdKind, ...] = get_args(ThresholdKind)
MOST_CORNERS = 10_000
_EDGE = 1e-6
"""Millimetres by which a place may lie outside of a border and count as inside."""
_UNIT = 1e-6


@dataclass(frozen=True)
class DrawingPlane:
    """Where a flat region was drawn.

    Attributes:
        origin: a point of the plane; the centre of an ellipse or a rectangle.
        across: unit vector along which u grows; for a slice, along its rows.
        down: unit vector at a right angle to it along which v grows.
        thickness: of the slab around the plane, in mm; None for one layer of voxels of whatever
            grid is measured: in each column of voxels across the plane the one nearest to it.
    """

    origin: PatientPoint
    across: PatientPoint
    down: PatientPoint
    thickness: float | None = None

    def __post_init__(self) -> None:
        for name in ("origin", "across", "down"):
            object.__setattr__(self, name, checked_point(getattr(self, name)))
        across, down = np.array(self.across), np.array(self.down)
        lengths = abs(np.linalg.norm(across) - 1), abs(np.linalg.norm(down) - 1), abs(across @ down)
        if max(lengths) > _UNIT:
            raise invalid(Message("the directions of its plane are not at right angles"))
        if self.thickness is not None:
            object.__setattr__(self, "thickness", checked_length(self.thickness))

    @classmethod
    def of_slice(
        cls, axes: PlaneAxes, place: Sequence[float], thickness: float | None = None
    ) -> DrawingPlane:
        """The plane of a slice on show, its origin at ``place``.

        Args:
            axes: how the slice is looked at.
            place: (column, row, slice), which need not be whole.
            thickness: see :class:`DrawingPlane`.
        """
        column, row, index = place
        across = axes.affine[:3, 0] / np.linalg.norm(axes.affine[:3, 0])
        down = axes.affine[:3, 1] - (axes.affine[:3, 1] @ across) * across
        down = down / np.linalg.norm(down)
        origin = axes.point_of(column, row, index)
        return cls(checked_point(origin), checked_point(across), checked_point(down), thickness)

    @property
    def normal(self) -> PatientPoint:
        """Unit vector across the plane: right-handed with ``across`` and ``down``."""
        return checked_point(np.cross(self.across, self.down))

    def coordinates(self, points: npt.ArrayLike) -> Coordinates:
        """…×3 (u, v, distance along the normal) in mm of …×3 points in patient mm."""
        turn = np.array([self.across, self.down, self.normal])
        return np.asarray((np.asarray(points, np.float64) - np.array(self.origin)) @ turn.T)

    def point_of(self, u: float, v: float, distance: float = 0.0) -> PatientPoint:
        """Patient mm of a place of the plane; the inverse of :meth:`coordinates`."""
        turn = np.array([self.across, self.down, self.normal])
        return checked_point(np.array(self.origin) + np.array([u, v, distance]) @ turn)


@dataclass(frozen=True)
class EllipseRegion:
    """An ellipse around the origin of its plane, its half axes along ``across`` and ``down``.

    Attributes:
        name: for people; nothing of the patient.
        plane: where it lies.
        half_axes: in mm.
        frame_of_reference: UID that the millimetres are of; "" for unknown.
    """

    name: str
    plane: DrawingPlane
    half_axes: PlanePoint
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        object.__setattr__(self, "half_axes", checked_lengths(self.half_axes))

    @property
    def area(self) -> float:
        """In mm²."""
        return math.pi * self.half_axes[0] * self.half_axes[1]

    @property
    def extent(self) -> PlanePoint:
        """The greatest u and v, in mm; the least are their negatives."""
        return self.half_axes

    def covers(self, u: Coordinates, v: Coordinates) -> npt.NDArray[np.bool_]:
        """Whether places of the plane, in mm from its origin, lie in it; the border does."""
        first, second = (one + _EDGE for one in self.half_axes)
        return np.asarray((u / first) ** 2 + (v / second) ** 2 <= 1)


@dataclass(frozen=True)
class RectangleRegion:
    """A rectangle around the origin of its plane, its sides along ``across`` and ``down``.

    Attributes as of :class:`EllipseRegion`; ``half_sides`` in mm.
    """

    name: str
    plane: DrawingPlane
    half_sides: PlanePoint
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        object.__setattr__(self, "half_sides", checked_lengths(self.half_sides))

    @property
    def area(self) -> float:
        """In mm²."""
        return 4 * self.half_sides[0] * self.half_sides[1]

    @property
    def extent(self) -> PlanePoint:
        """See :attr:`EllipseRegion.extent`."""
        return self.half_sides

    def covers(self, u: Coordinates, v: Coordinates) -> npt.NDArray[np.bool_]:
        """See :meth:`EllipseRegion.covers`."""
        first, second = (one + _EDGE for one in self.half_sides)
        return np.asarray((np.abs(u) <= first) & (np.abs(v) <= second))


@dataclass(frozen=True)
class PolygonRegion:
    """A closed outline drawn by hand; where it crosses itself, what is enclosed an odd number of
    times is inside.

    Attributes as of :class:`EllipseRegion`; ``corners``: at least three (u, v) in mm from the
    origin of the plane, the last one joined to the first.
    """

    name: str
    plane: DrawingPlane
    corners: tuple[PlanePoint, ...]
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        if not 3 <= len(self.corners) <= MOST_CORNERS:
            raise invalid(
                Message("an outline has 3 to {0} corners, not {1}", MOST_CORNERS, len(self.corners))
            )
        corners = tuple((checked_coordinate(u), checked_coordinate(v)) for u, v in self.corners)
        object.__setattr__(self, "corners", corners)
        at = np.array(corners)
        if np.ptp(at, axis=0).min() < SMALLEST:
            raise invalid(Message("its outline encloses nothing"))

    @property
    def area(self) -> float:
        """In mm², of an outline that does not cross itself."""
        u, v = np.array(self.corners).T
        return abs(float(u @ np.roll(v, -1) - v @ np.roll(u, -1))) / 2

    @property
    def extent(self) -> PlanePoint:
        """See :attr:`EllipseRegion.extent`."""
        most = np.abs(np.array(self.corners)).max(axis=0)
        return float(most[0]), float(most[1])

    def covers(self, u: Coordinates, v: Coordinates) -> npt.NDArray[np.bool_]:
        """See :meth:`EllipseRegion.covers`; the border counts on one of two sides alone, so that
        two outlines with a common side share no place.
        """
        inside = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.bool_)
        corners = self.corners
        for (u1, v1), (u2, v2) in zip(corners, (*corners[1:], corners[0]), strict=True):
            if v1 == v2:
                continue
            crossed = (v1 <= v) != (v2 <= v)
            inside ^= crossed & (u < u1 + (v - v1) * ((u2 - u1) / (v2 - v1)))
        return inside


@dataclass(frozen=True)
class SphereRegion:
    """A sphere.

    Attributes:
        name, frame_of_reference: as of :class:`EllipseRegion`.
        centre: patient mm.
        radius: mm.
    """

    name: str
    centre: PatientPoint
    radius: float
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        object.__setattr__(self, "centre", checked_point(self.centre))
        object.__setattr__(self, "radius", checked_length(self.radius))

    def holds(self, points: Coordinates) -> npt.NDArray[np.bool_]:
        """Whether each of …×3 points in patient mm lies in it; the surface does."""
        apart = points - np.array(self.centre)
        squares = np.einsum("...i,...i->...", apart, apart)
        return np.asarray(squares <= (self.radius + _EDGE) ** 2)


@dataclass(frozen=True)
class Threshold:
    """The least value of voxels that count.

    Attributes:
        kind: what ``value`` is.
        value: in ``unit`` (“value”), from 0 to 1 of the maximum (“share”), or an SUV (“suv”).
        unit: of “value”: that of the volume, "" for values without one.
    """

    kind: ThresholdKind
    value: float
    unit: str = ""

    def __post_init__(self) -> None:
        if self.kind not in THRESHOLD_KINDS:
            raise invalid(Message("there is no threshold “{0}”", self.kind))
        value = checked_number(self.value)
        if self.kind == "share" and not 0 < value <= 1:
            raise invalid(Message("a share of the maximum lies between 0 and 100 %"))
        if self.kind == "suv" and value <= 0:
            raise invalid(Message("an SUV to compare with lies above 0"))
        if self.kind != "value" and self.unit:
            raise invalid(Message("only a value has a unit"))
        object.__setattr__(self, "value", value)

    @property
    def label(self) -> Message:
        """“≥ 41 % of maximum”, “SUV ≥ 2.5”, “≥ 12000 Bq/mL”, for a person."""
        if self.kind == "share":
            return Message("≥ {0:g} % of maximum", 100 * self.value)
        if self.kind == "suv":
            return Message("SUV ≥ {0:g}", self.value)
        if self.unit:
            return Message("≥ {0:g} {1}", self.value, self.unit)
        return Message("≥ {0:g}", self.value)

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class ThresholdRegion:
    """The voxels of one source within a sphere whose value reaches a threshold.

    On the grid of the other source it is the same place: a voxel belongs to it whose centre lies in
    one of those voxels.

    Attributes:
        sphere: what is searched; its name and frame of reference are those of the region.
        threshold: what is searched for.
        side: the source whose values are compared, A by custom the functional one.
    """

    sphere: SphereRegion
    threshold: Threshold
    side: SourceSide = "a"

    def __post_init__(self) -> None:
        if self.side not in ("a", "b"):
            raise invalid(Message("there is no source “{0}”", self.side))

    @property
    def name(self) -> str:
        """Of the region."""
        return self.sphere.name

    @property
    def frame_of_reference(self) -> str:
        """UID that the millimetres are of; "" for unknown."""
        return self.sphere.frame_of_reference


FlatRegion: TypeAlias = EllipseRegion | RectangleRegion | PolygonRegion
"""Drawn on a plane."""
Region: TypeAlias = FlatRegion | SphereRegion | ThresholdRegion
"""What has figures of the voxels in it."""
Annotation: TypeAlias = Region | DistanceLine | AngleMark
"""What a person draws and names."""


def is_region(one: Annotation) -> bool:
    """Whether it holds voxels; distances and angles do not."""
    return not isinstance(one, (DistanceLine, AngleMark))


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, with a number behind it where it is one of ``taken``."""
    names, name, number = set(taken), wanted, 2
    while name in names:
        ending = f" {number}"
        name, number = wanted[: LONGEST_NAME - len(ending)] + ending, number + 1
    return name

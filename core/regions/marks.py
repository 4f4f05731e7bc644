"""Distances and angles as values, in patient millimetres, with a name."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np

from core.errors import Message
from core.regions.parts import SMALLEST, PatientPoint, checked_point, invalid, set_name


@dataclass(frozen=True)
class DistanceLine:
    """The straight line between two points.

    Attributes:
        name, frame_of_reference: as of :class:`core.regions.shapes.EllipseRegion`.
        start, end: patient mm.
    """

    name: str
    start: PatientPoint
    end: PatientPoint
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        object.__setattr__(self, "start", checked_point(self.start))
        object.__setattr__(self, "end", checked_point(self.end))

    @property
    def length(self) -> float:
        """In mm."""
        return math.dist(self.start, self.end)


@dataclass(frozen=True)
class AngleMark:
    """The angle at a vertex between two arms.

    Attributes:
        name, frame_of_reference: as of :class:`core.regions.shapes.EllipseRegion`.
        first, vertex, second: patient mm; neither arm is without a length.
    """

    name: str
    first: PatientPoint
    vertex: PatientPoint
    second: PatientPoint
    _: KW_ONLY
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        set_name(self)
        for name in ("first", "vertex", "second"):
            object.__setattr__(self, name, checked_point(getattr(self, name)))
        arms = math.dist(self.first, self.vertex), math.dist(self.second, self.vertex)
        if min(arms) < SMALLEST:
            raise invalid(Message("an arm of the angle has no length"))

    @property
    def degrees(self) -> float:
        """From 0 to 180."""
        one, other = (np.subtract(end, self.vertex) for end in (self.first, self.second))
        # Exact near 0 and 180 too, where the arc cosine is not.
        across = float(np.linalg.norm(np.cross(one, other)))
        return math.degrees(math.atan2(across, float(one @ other)))

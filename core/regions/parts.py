"""Checked parts of regions, distances and angles: names, points and lengths in millimetres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import Message, RegionError

PatientPoint = tuple[float, float, float]
PlanePoint = tuple[float, float]
"""(u, v) in mm along a row and down a column of a drawing plane, from its origin."""
LARGEST = 2000.0
"""Millimetres that a shape may measure or lie away from the origin times ten."""
SMALLEST = 1e-3
"""Millimetres that a shape measures at least."""
LONGEST_NAME = 64
"""Characters, as a segmentation can hold."""


def set_name(one: Any) -> None:
    """Replace the name of a new value by one without superfluous blanks.

    Raises:
        RegionError: it is none.
    """
    name = " ".join(one.name.split()) if isinstance(one.name, str) else ""
    if not 0 < len(name) <= LONGEST_NAME:
        raise invalid(Message("its name has 1 to {0} characters", LONGEST_NAME))
    object.__setattr__(one, "name", name)


def checked_number(value: object) -> float:
    """A finite number. Raises: RegionError: it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise invalid(Message("{0} is not a number", value))
    if not math.isfinite(value):
        raise invalid(Message("{0} is not a number", value))
    return float(value)


def checked_coordinate(value: object) -> float:
    """Millimetres within the reach of scanners. Raises: RegionError: they are not."""
    number = checked_number(value)
    if abs(number) > 10 * LARGEST:
        raise invalid(Message("{0:g} mm lies outside of any scanner", number))
    return number


def checked_point(values: Sequence[object] | npt.NDArray[np.float64]) -> PatientPoint:
    """A point in patient mm. Raises: RegionError: it is none."""
    if len(values) != 3:
        raise invalid(Message("a point has three coordinates"))
    x, y, z = (checked_coordinate(value) for value in values)
    return x, y, z


def checked_length(value: object) -> float:
    """A size in mm. Raises: RegionError: it is none."""
    number = checked_number(value)
    if not SMALLEST <= number <= LARGEST:
        raise invalid(Message("{0:g} mm is no size of a region", number))
    return number


def checked_lengths(values: Sequence[object]) -> PlanePoint:
    """Two sizes in mm. Raises: RegionError: they are not."""
    if len(values) != 2:
        raise invalid(Message("a flat region has two sizes"))
    first, second = (checked_length(value) for value in values)
    return first, second


def invalid(why: Message) -> RegionError:
    """The error about a region that cannot be."""
    return RegionError(Message("The region"), why, Message("Draw it again, or correct the file."))

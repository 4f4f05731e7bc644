"""Curves that grow during a run, and their smoothing, reduction and export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from core.io.csv_cells import csv_text

Numbers = npt.NDArray[np.float64]

_FIRST_ROOM = 256


class Curve:
    """A named curve: pairs of step and value, in ascending order of steps."""

    def __init__(self) -> None:
        self._steps = np.empty(_FIRST_ROOM)
        self._values = np.empty(_FIRST_ROOM)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def steps(self) -> Numbers:
        """Steps so far; a view that is not changed by later points."""
        return self._steps[: self._count]

    @property
    def values(self) -> Numbers:
        """Values so far, of the same length as :attr:`steps`."""
        return self._values[: self._count]

    def add(self, step: float, value: float) -> None:
        """Add a point. A step that exists already (in a resumed run) replaces all from there on."""
        if self._count and step <= self._steps[self._count - 1]:
            self._count = int(np.searchsorted(self.steps, step))
        if self._count == len(self._steps):
            room = np.empty(max(_FIRST_ROOM, self._count))
            self._steps = np.concatenate([self._steps, room])
            self._values = np.concatenate([self._values, room])
        self._steps[self._count], self._values[self._count] = step, value
        self._count += 1

    def fill(self, steps: Numbers, values: Numbers) -> None:
        """Replace all points; those with NaN or infinite values are left out."""
        good = np.isfinite(values)
        self._steps, self._values = steps[good].copy(), values[good].copy()
        self._count = len(self._steps)

    def at(self, step: float) -> float | None:
        """The value at the point nearest to ``step``, or None without points."""
        if not self._count:
            return None
        place = int(np.searchsorted(self.steps, step))
        around = [k for k in (place - 1, place) if 0 <= k < self._count]
        return float(self._values[min(around, key=lambda k: abs(self._steps[k] - step))])


class CurveStore:
    """Curves by name, in the order they first appeared."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def __getitem__(self, name: str) -> Curve:
        return self._curves[name]

    def add(self, step: float, values: Mapping[str, float]) -> None:
        """Add a point to every curve in ``values``."""
        for name, value in values.items():
            self._curves.setdefault(name, Curve()).add(step, value)

    def fill(self, name: str, steps: Numbers, values: Numbers) -> None:
        """Replace all points; those with NaN or infinite values are left out."""
        self._curves.setdefault(name, Curve()).fill(steps, values)


def smoothed(values: Numbers, span: int) -> Numbers:
    """The trailing mean of up to ``span`` values at every point."""
    if span <= 1 or len(values) < 2:
        return values
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - span)
    mean: Numbers = (sums[ends] - sums[starts]) / (ends - starts)
    return mean


def reduced(
    steps: Numbers, values: Numbers, low: float, high: float, columns: int
) -> tuple[Numbers, Numbers]:
    """The part of a curve between two steps, reduced for display.

    Each of ``columns`` equal intervals is represented by its minimum and maximum, in their order,
    so that no peak is lost. One point beyond either end continues the line.
    """
    first = max(0, int(np.searchsorted(steps, low)) - 1)
    last = min(len(steps), int(np.searchsorted(steps, high, side="right")) + 1)
    steps, values = steps[first:last], values[first:last]
    each = len(values) // max(1, columns)
    if each < 3:
        return steps, values
    whole = len(values) // each * each
    blocks = values[:whole].reshape(-1, each)
    starts = np.arange(len(blocks)) * each
    ends = np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1)
    ends.sort(axis=1)
    places = np.concatenate([(starts[:, None] + ends).ravel(), np.arange(whole, len(values))])
    return steps[places], values[places]


def as_csv(groups: Mapping[str, CurveStore]) -> str:
    """All curves as CSV: one row per step, one column ``group/name`` per curve.

    A field is empty where the curve has no point at that step.
    """
    columns = {
        f"{group}/{name}": dict(
            zip(curves[name].steps.tolist(), curves[name].values.tolist(), strict=True)
        )
        for group, curves in groups.items()
        for name in curves
    }
    steps = sorted({step for points in columns.values() for step in points})
    rows: list[list[str]] = [["step", *columns]]
    for step in steps:
        cells = (f"{points[step]:.9g}" if step in points else "" for points in columns.values())
        rows.append([f"{step:.0f}", *cells])
    return csv_text(rows)

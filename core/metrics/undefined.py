"""The value of a metric that is not defined on a picture, and means that leave it out."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan, nan
from typing import NamedTuple

UNDEFINED = nan
"""Returned by a metric that has no value on a picture, such as a correlation with a constant one.

It is NaN and thus unequal to itself: test for it with :func:`math.isnan`."""


class DefinedMean(NamedTuple):
    """Mean of the defined values; NaN if there are none.

    ``defined``: how many were averaged. ``undefined``: how many were left out.
    """

    mean: float
    defined: int
    undefined: int


def mean_defined(values: Iterable[float]) -> DefinedMean:
    """Mean of ``values`` without those that are undefined (NaN), which are counted."""
    every = list(values)
    defined = [value for value in every if not isnan(value)]
    mean = sum(defined) / len(defined) if defined else UNDEFINED
    return DefinedMean(mean, len(defined), len(every) - len(defined))


def ratio(numerator: float, denominator: float) -> float:
    """``numerator / denominator``, or :data:`UNDEFINED` where the denominator is zero."""
    return float(numerator / denominator) if denominator != 0 else UNDEFINED

"""Kinds of arrays."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.float64]
"""One channel in double precision, H×W."""
BitDepth = Literal[8, 16, 32]
"""8 and 16: unsigned integers on file. 32: floating point on file."""

AnyArray = TypeVar("AnyArray", FloatArray, BoolArray, Plane)


def read_only(array: AnyArray) -> AnyArray:
    """A view of ``array`` that cannot be written to."""
    view: AnyArray = array.view()
    view.flags.writeable = False
    return view

"""Volumes are lined up by their frame of reference alone, and never across patients."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.alignment import Alignment, lined_up
from core.types import Volume


def volume(frame: str, patient: str) -> Volume:
    data = np.zeros((2, 2, 2), np.float32)
    return Volume(data=data, affine=np.eye(4), frame_of_reference=frame, patient=patient)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (("1.2", "p"), ("1.2", "p"), Alignment.AS_ACQUIRED),
        (("1.2", ""), ("1.2", "p"), Alignment.AS_ACQUIRED),
        (("1.2", "p"), ("1.2", "q"), Alignment.NOT_REGISTERED),
        (("1.2", "p"), ("1.3", "p"), Alignment.NOT_REGISTERED),
        (("", "p"), ("", "p"), Alignment.NOT_REGISTERED),
    ],
)
def test_lined_up(a, b, expected) -> None:
    assert lined_up(volume(*a), volume(*b)) is expected
    assert lined_up(volume(*b), volume(*a)) is expected

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.errors import Cancelled
from core.progress import NullProgress
from core.registration.blocks import BlockGrid, match_blocks
from core.registration.features import features
from tests.core.registration.scenes import texture

_ALL = np.ones((200, 240), np.bool_)
_GRID = BlockGrid(32, 24, 5)


def _maps(dx: float, dy: float) -> tuple[np.ndarray, np.ndarray]:
    grey = texture(240, 200)
    place = np.array([[1, 0, -dx], [0, 1, -dy]], np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(grey, place, (240, 200), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return features(grey, _ALL, "direction"), features(moved, _ALL, "direction")


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (2, -3), (1.4, 0.3)])
def test_blocks_are_found_where_they_went(dx, dy):
    fixed, moving = _maps(dx, dy)
    matches = match_blocks(fixed, moving, _ALL, _GRID, NullProgress())
    shifts = matches.displacements.shifts * matches.displacements.unit
    np.testing.assert_allclose(np.median(shifts, axis=0), [dx, dy], atol=0.1)
    assert matches.offered == len(shifts) == 7 * 9
    assert matches.similarity.min() > 0.7


def test_edges_are_known_across_and_not_along():
    grey = np.zeros((200, 240), np.float32)
    grey[:, 100:] = 1
    grey += 0.001 * texture(240, 200)
    found = features(grey, _ALL, "direction", 2.0)
    matches = match_blocks(found, found, _ALL, _GRID, NullProgress())
    centres = matches.displacements.points * matches.displacements.unit + [119.5, 99.5]
    at_edge = np.abs(centres[:, 0] - 100) < 10
    across, down = matches.displacements.information[at_edge].mean(axis=0).diagonal()
    assert across > 3 * down


def test_blocks_without_data_or_content_are_not_offered():
    fixed, moving = _maps(0, 0)
    valid = _ALL.copy()
    valid[:, :120] = False
    assert match_blocks(fixed, moving, valid, _GRID, NullProgress()).offered < 7 * 6
    nothing = match_blocks(np.zeros_like(fixed), moving, _ALL, _GRID, NullProgress())
    assert nothing.offered == len(nothing.displacements) == 0


def test_cancelling_is_heard():
    class Stop(NullProgress):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        match_blocks(*_maps(0, 0), _ALL, _GRID, Stop())

"""A window with a pair whose sources do not lie on each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.shell.main_window import MainWindow
from tests.app.acts import idle
from tests.app.conftest import write_png

SHIFT = (8, 4)
"""Pixels by which the second picture of the pair is to be moved right and down."""


def scene(width: int, height: int) -> np.ndarray:
    """Structure of several sizes, H×W uint8."""
    random = np.random.default_rng(11)
    total = np.zeros((height, width), np.float32)
    for size in (3, 9, 21):
        noise = random.standard_normal((height, width)).astype(np.float32)
        soft = cv2.GaussianBlur(noise, (0, 0), size / 3)
        total += soft / soft.std()
    return np.clip(128 + 35 * total, 0, 255).astype(np.uint8)


@pytest.fixture
def shifted(qtbot, window, tmp_path) -> MainWindow:
    """A pair of 200×160 pixels, shifted by :data:`SHIFT`, opened and fused."""
    whole = scene(240, 200)
    x, y = SHIFT
    a = write_png(tmp_path / "s" / "one.png", whole[20:180, 20:220])
    b = write_png(tmp_path / "s" / "two.png", whole[20 + y : 180 + y, 20 + x : 220 + x])
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    return window

"""The Batch workspace of a window, and folders for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.batch.controller import BatchController
from app.batch.page import BatchPage
from app.pairs.edits import key_of
from app.shell.main_window import MainWindow
from tests.app.conftest import write_png
from tests.junk import make_junk

WAIT = 20_000


@pytest.fixture
def page(window: MainWindow) -> BatchPage:
    """The page, on show; the task is PET and MRI, whose model waits at the engine's gate."""
    window.workspaces.show_page("batch")
    found = window.workspaces.page("batch")
    assert isinstance(found, BatchPage)
    return found


def make_pairs(folder: Path, number: int, size: tuple[int, int] = (16, 12)) -> Path:
    """``number`` pairs in a/ and b/, every picture another."""
    rng = np.random.default_rng(3)
    for side in "ab":
        for index in range(number):
            pixels = rng.integers(0, 256, (size[1], size[0]), dtype=np.uint8)
            write_png(folder / side / f"p{index:03}.png", pixels)
    return folder


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Six pairs."""
    return make_pairs(tmp_path / "study", 6)


@pytest.fixture
def junkyard(tmp_path: Path) -> Path:
    """Three good pairs among everything that can be wrong with a folder."""
    make_junk(tmp_path / "yard")
    return tmp_path / "yard"


def planned(qtbot, batch: BatchController):
    """Until names have been made from pairs and choices."""
    return qtbot.waitSignal(
        batch.planned_changed, timeout=WAIT, check_params_cb=lambda: not batch.is_planning
    )


def over(qtbot, batch: BatchController):
    """Until a run has ended and the page shows what could be done next."""
    return qtbot.waitSignals([batch.ended, batch.planned_changed], timeout=WAIT)


def states(batch: BatchController) -> dict[str, str]:
    """State of every active pair by name."""
    assert batch.pairing is not None
    return {m.name: batch.rows[key_of(m)].state for m in batch.pairing.active}


def when(qtbot, batch: BatchController, there: Callable[[], bool]):
    """Until rows are as ``there`` wants them."""
    return qtbot.waitSignal(
        batch.rows_changed, timeout=WAIT, check_params_cb=lambda _keys: there()
    )  # fmt: skip

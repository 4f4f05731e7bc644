"""Deep grey pairs: black and white follow the task they are fused by; exchanged and resampled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.fuse.results import ONE_CAMERA, RESAMPLED, swapped_stamp
from app.pairs.edits import key_of
from tests.app.acts import WAIT, fuse_and_hold, idle
from tests.app.conftest import gradient, write_png

DIM, BRIGHT = (1000.0, 1510.0), (1000.0, 3040.0)
"""Ranges of the two pictures of ``deep``: steps of 2 and of 8 from 1000 on."""


def ramp(step: int) -> np.ndarray:
    """1000, 1000 + step, … in 256 columns."""
    row = 1000 + step * np.arange(256)
    return np.repeat(row[None], 48, axis=0).astype(np.uint16)


@pytest.fixture
def deep(tmp_path: Path) -> tuple[Path, Path]:
    """Counts of 16 bits whose names speak of no task."""
    a = write_png(tmp_path / "deep" / "first.png", ramp(2))
    return a, write_png(tmp_path / "deep" / "second.png", ramp(8))


def windows(window) -> tuple[tuple[float, float], tuple[float, float]]:
    pair = window.session.sources.pair
    return pair.a.window, pair.b.window


def test_one_camera_has_one_black_and_white_from_the_first_fusion_on(qtbot, window, engine, deep):
    window.session.set_task("mef")
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    assert windows(window) == (BRIGHT, BRIGHT)
    assert (engine.requests[-1].pair.a.window, engine.requests[-1].pair.b.window) == (
        BRIGHT,
        BRIGHT,
    )


@pytest.mark.parametrize("other", ["mef", "mff"])
def test_another_task_reads_a_deep_pair_again_and_fuses_nothing_by_itself(
    qtbot, window, engine, deep, other
):
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    assert windows(window) == (DIM, BRIGHT)
    asked, first = len(engine.requests), window.session.outcome
    with idle(qtbot, window):
        window.controller.set_task(other)
    assert windows(window) == (BRIGHT, BRIGHT)
    assert window.view.panes["a"].canvas.scene.first.window == BRIGHT
    assert len(engine.requests) == asked
    assert window.session.outcome is None
    with idle(qtbot, window):
        QTest.keyClick(window, Qt.Key.Key_Return)
    assert engine.requests[-1].pair.a.window == BRIGHT
    assert window.session.outcome.result.task == other
    assert not window.session.is_stale
    # Back again, with what was fused then.
    with idle(qtbot, window):
        window.controller.set_task("mif")
    assert windows(window) == (DIM, BRIGHT)
    assert window.session.outcome is not None
    assert window.session.outcome.result is first.result
    assert not window.session.is_stale


def test_between_two_tasks_of_one_kind_and_for_eight_bits_nothing_is_read(
    qtbot, window, deep, files
):
    window.session.set_task("mef")
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    pair = window.session.sources.pair
    window.controller.set_task("mff")
    assert window.session.sources.pair is pair
    assert window.session.is_stale
    with idle(qtbot, window):
        window.controller.open_pair(*files, task_known=True)
    pair = window.session.sources.pair
    window.controller.set_task("mif")
    assert window.session.sources.pair is pair
    assert window.session.running is None


def test_a_window_chosen_by_hand_stays_over_a_change_of_the_task(qtbot, window, deep):
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    window.view.set_window("a", (1200.0, 1400.0))
    with idle(qtbot, window):
        window.controller.set_task("mef")
    assert windows(window) == (BRIGHT, BRIGHT)
    assert window.session.windows == ((1200.0, 1400.0), BRIGHT)


def test_a_task_chosen_while_the_pair_is_read_counts(qtbot, window, engine, deep):
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
        assert window.session.sources.is_loading
        window.controller.set_task("mef")
    assert windows(window) == (BRIGHT, BRIGHT)
    assert [request.task for request in engine.requests][-1] == "mef"
    assert engine.requests[-1].pair.a.window == BRIGHT


def test_a_task_chosen_while_it_is_fused_ends_that_fusion(qtbot, window, engine, deep):
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    fuse_and_hold(qtbot, window, engine)
    with idle(qtbot, window):
        window.controller.set_task("mef")
        engine.gate.set()
    assert windows(window) == (BRIGHT, BRIGHT)
    assert window.session.outcome is None


@pytest.mark.parametrize("by_hand", ["mef", "mif"])
def test_the_offered_task_reads_anew(qtbot, window, engine, tmp_path, by_hand):
    under, over = ("pet_1", "mri_1") if by_hand == "mef" else ("x_underexposed", "x_overexposed")
    a = write_png(tmp_path / f"{under}.png", ramp(2))
    b = write_png(tmp_path / f"{over}.png", ramp(8))
    window.controller.set_task(by_hand)
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    shared, own = (BRIGHT, BRIGHT), (DIM, BRIGHT)
    assert windows(window) == (shared if by_hand == "mef" else own)
    assert window.session.outcome is None
    with idle(qtbot, window):
        window.view.notice.answered.emit("switch_task")
    assert windows(window) == (own if by_hand == "mef" else shared)
    assert window.session.outcome.result.task == ("mif" if by_hand == "mef" else "mef")
    assert engine.requests[-1].pair.a.window == windows(window)[0]


def test_one_side_replaced_gives_the_other_its_own_black_and_white_back(
    qtbot, window, deep, tmp_path
):
    window.session.set_task("mef")
    with idle(qtbot, window):
        window.controller.open_pair(*deep)
    colour = np.stack([gradient(256, 48)] * 2 + [gradient(256, 48)[:, ::-1]], -1)
    third = write_png(tmp_path / "deep" / "third.png", colour)
    with idle(qtbot, window):
        window.controller.replace_side("b", third)
    assert windows(window) == (DIM, (0, 255))


# --- exchanged and resampled -------------------------------------------------------------------


def test_a_stamp_turned_twice_is_itself():
    a, b = ("/a.png", 1, 2), ("/b.png", 3, 4)
    for marks in ((), (RESAMPLED["b"],), (ONE_CAMERA,), (RESAMPLED["b"], ONE_CAMERA)):
        stamp = (a, b, *marks)
        turned = swapped_stamp(stamp)
        assert turned[:2] == (b, a)
        assert swapped_stamp(turned) == stamp
    assert swapped_stamp((a, b, RESAMPLED["b"])) == (b, a, RESAMPLED["a"])
    assert swapped_stamp(None) is None


@pytest.fixture
def resampled(qtbot, window, tmp_path):
    """A listed pair of two sizes, B brought onto A; and its files."""
    a = write_png(tmp_path / "study" / "pet_1.png", gradient(64, 48))
    b = write_png(tmp_path / "study" / "mri_1.png", gradient(32, 24)[:, ::-1])
    with idle(qtbot, window):
        window.pairs.add([tmp_path / "study"])
    with idle(qtbot, window):
        window.view.card.action.click()
    assert window.session.sources.b.image.size == (64, 48)
    return window, a, b


def test_exchanging_a_resampled_pair_keeps_its_row_and_its_badge(qtbot, resampled):
    window, a, b = resampled
    key = key_of(window.pairs.matches[0])
    assert window.pairs.current == key
    window.controller.swap()
    assert window.pairs.current is None
    assert window.session.sources.paths == (b, a)
    assert window.watch._entries()[0][0] == str(b)
    window.controller.swap()
    assert window.pairs.current == key
    assert window.pairs.state(key).badge == "fused"


def test_an_exchanged_resampled_pair_is_read_again_as_it_is(qtbot, resampled, engine):
    window, a, b = resampled
    window.controller.swap()
    before = window.session.sources.pair
    with idle(qtbot, window):
        window.controller.reload()
    sources = window.session.sources
    assert sources.paths == (b, a)
    assert sources.pair is not before
    assert sources.a.image.size == sources.b.image.size == (64, 48)
    np.testing.assert_array_equal(sources.pair.a.data, before.a.data)
    assert engine.requests[-1].pair.a.origin == b
    assert window.session.outcome.pair is sources.pair


def test_one_side_of_a_resampled_pair_replaced_takes_the_other_from_its_file(
    qtbot, resampled, tmp_path
):
    window, _a, b = resampled
    small = write_png(tmp_path / "study" / "pet_9.png", gradient(32, 24))
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT), idle(qtbot, window):
        window.controller.replace_side("a", small)
    assert window.session.sources.paths == (small, b)
    assert window.session.sources.b.image.size == (32, 24)
    assert window.session.problem is None

"""Whatever is done in whatever order: nothing of another pair is ever shown, saved or exported."""

from __future__ import annotations

import random
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.fuse import source_tasks
from app.pairs.edits import key_of
from app.shell.main_window import MainWindow
from core.progress import Progress
from tests.app.acts import WAIT, idle
from tests.app.conftest import write_png

COUNT = 20


def level(number: int) -> int:
    """The one grey of picture A of a pair; B has it plus one hundred."""
    return 5 * number


@pytest.fixture
def slow(monkeypatch) -> None:
    """Reading takes a while, another one for each pair."""
    real, pause = source_tasks.load_sources, random.Random(5)

    def load(a: object, b: object, progress: Progress, **how: object) -> object:
        end = time.monotonic() + pause.uniform(0.0, 0.03)
        while time.monotonic() < end:
            time.sleep(0.002)
            if pause.random() < 0.7:  # some reads are past the point where they could be stopped
                progress.check()
        return real(a, b, progress, **how)

    monkeypatch.setattr(source_tasks, "load_sources", load)


@pytest.fixture
def many(qtbot, window, tmp_path, slow) -> MainWindow:
    """Twenty pairs, each of one grey of its own; every seventh is damaged, the first is open."""
    for number in range(COUNT):
        grey = np.full((24, 32), level(number), np.uint8)
        a = write_png(tmp_path / "study" / f"pet_{number:02d}.png", grey)
        write_png(tmp_path / "study" / f"mri_{number:02d}.png", grey + 100)
        if number % 7 == 6:
            a.write_bytes(a.read_bytes()[:40])
    with idle(qtbot, window):
        window.pairs.add([tmp_path / "study"])
    return window


def number_of(path: Path | None) -> int:
    assert path is not None
    return int(path.stem[-2:])


def assert_one_pair(window: MainWindow) -> None:
    """All that is on show is of the pair that is selected."""
    session = window.session
    selected = number_of(session.sources.paths[0])
    assert selected == number_of(session.sources.paths[1])
    if window.pairs.current is not None:
        assert number_of(window.pairs.current[0]) == selected
    for name, more in (("a", 0), ("b", 100)):
        scene = window.view.panes[name].canvas.scene
        if scene is not None:
            assert int(scene.first.image.levels[0].max()) == level(selected) + more
        assert f"_{selected:02d}" in window.view.panes[name].info.text()
    for result in session.results:
        assert result.pair is session.sources.pair
        assert number_of(result.pair.a.origin) == selected
    fused = window.view.panes["fused"].canvas.scene
    assert (fused is None) == (session.outcome is None)
    if session.outcome is not None:
        wanted = (2 * level(selected) + 100) / 2 / 255
        value = float(session.outcome.result.fused.mean())
        assert abs(value - wanted) < 0.03 or abs(value - wanted - 0.05) < 0.03
    problem = session.problem
    if problem is not None and problem.path is not None:
        assert number_of(problem.path) == selected


@pytest.mark.parametrize("seed", range(4))
def test_random_hands(qtbot, many, engine, seed):
    hand = random.Random(seed)
    keys = [key_of(match) for match in many.pairs.matches]
    acts = (
        lambda: many.pairs.open(hand.choice(keys)),
        lambda: many.pairs.open(hand.choice(keys)),
        lambda: QTest.keyClick(many, Qt.Key.Key_PageDown),
        lambda: QTest.keyClick(many, Qt.Key.Key_PageUp),
        lambda: QTest.keyClick(many, Qt.Key.Key_Return),
        lambda: QTest.keyClick(many, Qt.Key.Key_Escape),
        many.controller.reload,
        many.controller.cancel,
        lambda: many.controller.set_task(hand.choice(("mif", "mef", "ivif"))),
        engine.gate.clear,
        engine.gate.set,
    )
    for _ in range(60):
        hand.choice(acts)()
        assert_one_pair(many)
        qtbot.wait(hand.choice((0, 0, 1, 5, 20)))
        assert_one_pair(many)
    engine.gate.set()
    with idle(qtbot, many):
        many.pairs.open(keys[3])
    qtbot.wait(50)
    assert_one_pair(many)
    assert many.session.sources.pair is not None
    assert number_of(many.session.sources.pair.a.origin) == 3


def test_twenty_pairs_in_a_row_end_with_the_last_one(qtbot, many):
    keys = [key_of(match) for match in many.pairs.matches]
    with idle(qtbot, many):
        for key in keys:
            many.pairs.open(key)
            QTest.keyClick(many, Qt.Key.Key_Return)
            assert_one_pair(many)
    assert_one_pair(many)
    assert number_of(many.session.outcome.pair.a.origin) == COUNT - 1
    assert not many.session.outcome.is_preview


def test_what_is_saved_is_of_the_pair_it_was_asked_for(qtbot, many, tmp_path):
    keys = [key_of(match) for match in many.pairs.matches]
    with idle(qtbot, many):
        many.pairs.open(keys[2])
    asked = many.session.outcome
    out = tmp_path / "two.png"
    with qtbot.waitSignal(many.controller.saved, timeout=WAIT):
        many.controller.save(out, asked)
        many.pairs.open(keys[9])
    stored = cv2.imread(str(out), cv2.IMREAD_GRAYSCALE)
    expected = round((2 * level(2) + 100) / 2 + 0.05 * 255)
    assert abs(int(np.median(stored)) - expected) <= 1


@pytest.mark.parametrize("when", ["reading", "fusing"])
def test_the_window_may_be_closed_at_any_time(qtbot, many, engine, when):
    keys = [key_of(match) for match in many.pairs.matches]
    if when == "fusing":
        engine.gate.clear()
        many.pairs.open(keys[1])
        qtbot.waitUntil(lambda: many.session.sources.pair is not None, timeout=WAIT)
    else:
        many.pairs.open(keys[1])
    said: list[object] = []
    many.session.outcome_changed.connect(lambda: said.append("outcome"))
    many.session.problem_changed.connect(lambda: said.append("problem"))
    many.close()
    engine.gate.set()
    qtbot.wait(30)
    assert said == []

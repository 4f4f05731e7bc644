"""All results of a pair side by side: which panes there are, what they show, and how they move."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtTest import QTest

from app.fuse.results_board import ResultsBoard, columns_for
from app.shell.main_window import MainWindow
from tests.app.acts import WAIT, idle
from tests.app.conftest import gradient, write_png

METHODS = ("average", "guided", "A net", "B net", "C net")


@pytest.fixture
def board(window: MainWindow, qtbot, tmp_path: Path) -> ResultsBoard:
    """A pair of 96×64 pixels with five results of different grey values, side by side."""
    pair = [write_png(tmp_path / f"{side}.png", gradient(96, 64)) for side in "ab"]
    results = tuple(
        (name, write_png(tmp_path / name / "p.png", np.full((64, 96), 40 * place, np.uint8)))
        for place, name in enumerate(METHODS, 1)
    )
    window.show()
    with idle(qtbot, window):
        window.controller.open_fused_results(*pair, results, "ivif")
    qtbot.waitUntil(lambda: len(window.session.results) == len(METHODS), timeout=WAIT)
    window.actions_.side_by_side.trigger()
    return window.view.results


def key(window: MainWindow, method: str) -> str:
    return next(f"result:{r.key}" for r in window.session.results if r.result.method == method)


def test_every_result_has_a_pane_with_its_image_and_its_method(board, window):
    assert board.isVisible()
    assert not window.view.board.isVisible()
    assert list(board.panes)[:2] == ["a", "b"]
    assert len(board.panes) == 2 + len(METHODS)
    for place, method in enumerate(METHODS, 1):
        pane = board.panes[key(window, method)]
        assert method.lower() in pane.title.text().lower()
        assert pane.isVisible()
        assert "Research use only" in pane.canvas.badge
        shown = pane.canvas.image
        assert np.unique(shown.levels[0] / shown.top) == pytest.approx(40 * place / 255, abs=1e-3)


def test_all_panes_share_zoom_and_position(board, window):
    first = board.panes[key(window, "average")].canvas
    first.camera.zoom_about(QPointF(20, 20), 3.0)
    corners = {
        tuple(np.round((p.canvas.camera.scale(), p.canvas.link.centre.x()), 6))
        for p in board.panes.values()
    }
    assert len(corners) == 1
    assert not window.view.link.fitted
    assert window.view.panes["fused"].canvas.camera.scale() == first.camera.scale()


def test_a_click_puts_a_result_on_screen_and_marks_its_pane(board, window):
    wanted = key(window, "A net")
    QTest.mouseClick(board.panes[wanted].canvas, Qt.MouseButton.LeftButton)
    assert window.session.outcome.result.method == "A net"
    assert [n for n, pane in board.panes.items() if pane.property("active")] == [wanted]
    assert window.view.active.name == "fused"
    QTest.mouseClick(board.panes["b"].canvas, Qt.MouseButton.LeftButton)
    assert window.session.outcome.result.method == "A net"
    assert [n for n, pane in board.panes.items() if pane.property("active")] == ["b"]


def test_one_pane_is_shown_alone_and_all_again(board, window):
    board.panes[key(window, "guided")].maximise_button.click()
    assert window.session.outcome.result.method == "guided"
    assert not board.isVisible()
    assert window.view.panes["fused"].isVisible()
    window.actions_.maximise.trigger()
    assert board.isVisible()


def test_a_window_dragged_in_one_pane_is_that_of_all_results(board, window):
    board.panes[key(window, "guided")].canvas.window_dragged.emit(QPointF(90, 0), True)
    low, high = window.session.display.fused.window
    assert (low, high) != (0.0, 1.0)
    windows = {board.panes[key(window, m)].canvas.scene.first.window for m in METHODS}
    assert windows == {(low, high)}


def test_results_come_and_go(board, window):
    gone = key(window, "B net")
    window.session.remove_result(gone.removeprefix("result:"))
    assert gone not in board.panes
    assert len(board.panes) == 1 + len(METHODS)


def test_the_command_toggles_the_layout(board, window):
    action = window.actions_.side_by_side
    assert action.isChecked()
    assert action.isEnabled()
    action.trigger()
    assert window.session.display.layout == "all"
    assert not board.isVisible()
    assert not board.panes
    assert window.view.board.isVisible()


def test_the_command_needs_a_result(window):
    assert not window.actions_.side_by_side.isEnabled()


@pytest.mark.parametrize(
    ("count", "room", "image", "columns"),
    [
        (7, QSize(1000, 700), (256, 256), 4),
        (12, QSize(1000, 700), (256, 256), 4),
        (4, QSize(1000, 300), (256, 256), 4),
        (4, QSize(300, 1000), (256, 256), 1),
        (12, QSize(320, 700), (256, 256), 2),
        (3, QSize(100, 700), (0, 0), 1),
    ],
)
def test_columns_show_the_images_largest(count, room, image, columns):
    assert columns_for(count, room, image) == columns

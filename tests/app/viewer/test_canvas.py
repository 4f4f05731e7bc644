"""Linked zoom and pan, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QAbstractEventDispatcher, QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.viewer.canvas import Canvas
from app.viewer.pyramid import rendered_image
from app.viewer.view_link import MOST_PIXELS, ViewLink


@pytest.fixture
def pair(qtbot):
    link = ViewLink()
    canvases = [Canvas(link), Canvas(link)]
    for canvas, size in zip(canvases, ((212, 112), (412, 412)), strict=True):
        qtbot.addWidget(canvas)
        canvas.resize(*size)
        canvas.set_image(rendered_image(np.full((100, 200, 1), 0.5, np.float32)))
        canvas.show()
    link.set_size((200, 100))
    return canvases


def wheel(canvas: Canvas, at: QPointF, notches: int) -> None:
    event = QWheelEvent(
        at,
        canvas.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def test_fit_leaves_a_margin_of_six_on_each_canvas_alone(pair):
    assert pair[0].camera.scale() == pytest.approx(1.0)
    assert pair[1].camera.scale() == pytest.approx(2.0)
    assert pair[0].camera.to_image(QPointF(106, 56)) == QPointF(100, 50)


def test_wheel_keeps_the_point_under_the_pointer_and_moves_the_other_canvas(pair):
    at = QPointF(56, 31)
    before = pair[0].camera.to_image(at)
    wheel(pair[0], at, 3)
    after = pair[0].camera.to_image(at)
    assert (after - before).manhattanLength() < 1e-9
    assert pair[0].camera.scale() == pytest.approx(1.25**3)
    assert pair[1].camera.scale() == pair[0].camera.scale()
    middle = [c.camera.to_image(QPointF(c.width() / 2, c.height() / 2)) for c in pair]
    assert middle[0] == middle[1]


def test_drag_moves_both_by_the_same_picture_distance(qtbot, pair):
    wheel(pair[0], QPointF(106, 56), 4)
    start = pair[1].camera.to_image(QPointF(206, 206))
    qtbot.mousePress(pair[0], Qt.MouseButton.MiddleButton, pos=QPoint(100, 50))
    qtbot.mouseMove(pair[0], QPoint(110, 45))
    qtbot.mouseRelease(pair[0], Qt.MouseButton.MiddleButton, pos=QPoint(110, 45))
    moved = pair[1].camera.to_image(QPointF(206, 206)) - start
    assert moved.x() == pytest.approx(-10 / pair[0].camera.scale())
    assert moved.y() == pytest.approx(5 / pair[0].camera.scale())


def test_double_click_fits_again(qtbot, pair):
    wheel(pair[0], QPointF(10, 10), 5)
    qtbot.mouseDClick(pair[1], Qt.MouseButton.LeftButton)
    assert [canvas.camera.scale() for canvas in pair] == pytest.approx([1.0, 2.0])


def test_zoom_has_limits(pair):
    wheel(pair[0], QPointF(50, 50), 200)
    assert pair[0].camera.scale() == MOST_PIXELS
    wheel(pair[0], QPointF(50, 50), -400)
    assert pair[0].camera.scale() == pytest.approx(0.5)


def test_pointer_is_shared_and_ends_outside(qtbot, pair):
    seen = []
    pair[0]._link.pointer_changed.connect(seen.append)
    qtbot.mouseMove(pair[0], QPoint(6 + 3, 6 + 7))
    qtbot.mouseMove(pair[0], QPoint(2, 2))
    assert seen == [QPoint(3, 7), None]


def test_magnified_pixels_are_sharp_squares(qtbot):
    link = ViewLink()
    canvas = Canvas(link)
    qtbot.addWidget(canvas)
    canvas.resize(92, 92)
    board = np.zeros((2, 2, 3), np.float32)
    board[0, 0] = board[1, 1] = 1
    canvas.set_image(rendered_image(board))
    link.set_size((2, 2))
    canvas.show()
    canvas.grab()
    image = canvas.grab().toImage()
    # 40 screen pixels each, from (6, 6); look just beside the inner edges.
    for x, y, value in ((44, 44, 255), (47, 44, 0), (44, 47, 0), (47, 47, 255)):
        assert image.pixelColor(x, y).red() == value


def test_minified_fine_pattern_is_grey_not_moire(qtbot):
    link = ViewLink()
    canvas = Canvas(link)
    qtbot.addWidget(canvas)
    canvas.resize(212, 212)
    board = (np.indices((1600, 1600)).sum(axis=0) % 2).astype(np.float32)[..., None]
    canvas.set_image(rendered_image(board))
    link.set_size((1600, 1600))
    canvas.show()
    image = canvas.grab().toImage()
    values = {image.pixelColor(x, y).red() for x in range(20, 140, 7) for y in range(20, 150, 7)}
    assert values <= {127, 128, 129}


def test_keys_zoom_and_pan(qtbot, pair):
    qtbot.keyClick(pair[0], Qt.Key.Key_Plus)
    assert pair[1].camera.scale() == pytest.approx(1.25)
    before = pair[0].camera.to_image(QPointF(0, 0))
    qtbot.keyClick(pair[0], Qt.Key.Key_Right)
    assert pair[0].camera.to_image(QPointF(0, 0)).x() - before.x() == pytest.approx(32 / 1.25)


def test_one_pixel_picture_and_empty_canvas_paint(qtbot):
    link = ViewLink()
    canvas = Canvas(link)
    qtbot.addWidget(canvas)
    canvas.resize(150, 110)
    canvas.set_placeholder("Nothing yet")
    canvas.grab()
    canvas.camera.zoom_steps(1)
    canvas.camera.one_to_one()
    canvas.set_image(rendered_image(np.ones((1, 1, 1), np.float32)))
    link.set_size((1, 1))
    assert canvas.grab().toImage().pixelColor(75, 55).red() == 255


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_what_is_said_again_is_not_painted_again(qtbot, pair):
    canvas = pair[0]
    again = (
        lambda: canvas.set_badge("research"),
        lambda: canvas.set_dimmed(True),
        lambda: canvas.set_waiting(True, "reading"),
        lambda: canvas.set_placeholder("here"),
        lambda: canvas.set_aids(True, True),
    )
    settle()
    for say in again:
        paints = Paints(canvas)
        say()
        qtbot.waitUntil(lambda paints=paints: paints.count == 1)
        say()
        settle()
        assert paints.count == 1


class Turns(QObject):
    """In which turn of the event loop each of some widgets was painted."""

    def __init__(self, widgets: list[Canvas]) -> None:
        super().__init__()
        self.turn, self.painted = 0, []
        QAbstractEventDispatcher.instance().awake.connect(self._begin)
        for widget in widgets:
            widget.installEventFilter(self)

    def _begin(self) -> None:
        self.turn += 1

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted.append((watched, self.turn))
        return False


def settle() -> None:
    """Let every canvas have its turn."""
    for _ in range(5):
        QTest.qWait(2)


def test_what_work_brings_is_painted_pane_by_pane_what_a_hand_does_at_once(qtbot, pair):
    settle()
    turns = Turns(pair)
    for canvas in pair:
        canvas.set_image(rendered_image(np.full((100, 200, 1), 0.2, np.float32)))
        canvas.set_dimmed(True)  # asks once more: it is painted once all the same
    qtbot.waitUntil(lambda: len(turns.painted) == 2)
    settle()
    (first, when), (second, later) = turns.painted
    assert [first, second] == pair
    assert when < later
    turns.painted.clear()
    pair[0].camera.one_to_one()
    qtbot.waitUntil(lambda: len(turns.painted) == 2)
    assert len({turn for _, turn in turns.painted}) == 1


def test_a_canvas_that_goes_before_its_turn_is_passed_over(qtbot):
    link = ViewLink()
    gone, stays = Canvas(link), Canvas(link)
    qtbot.addWidget(stays)
    stays.show()
    settle()
    paints = Paints(stays)
    gone.set_badge("research")
    stays.set_badge("research")
    shiboken6.delete(gone)
    qtbot.waitUntil(lambda: paints.count == 1)

"""A window with regions being drawn, and the mouse on its panes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.regions.commands import Measuring
from app.shell.main_window import MainWindow
from app.viewer.canvas import Canvas
from tests.app.acts import WAIT
from tests.app.fuse.conftest import study

__all__ = ["study"]

Place = tuple[float, float]
_PLAIN = Qt.KeyboardModifier.NoModifier


def on_widget(canvas: Canvas, place: Place) -> QPoint:
    """Where a place of the image lies, the centre of the first pixel being (0, 0)."""
    return canvas.camera.to_widget(QPointF(place[0] + 0.5, place[1] + 0.5)).toPoint()


def drag(canvas: Canvas, start: Place, end: Place, between: Sequence[Place] = ()) -> None:
    """Drag with the left button from place to place of the image."""
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, pos=on_widget(canvas, start))
    for place in (*between, end):
        QTest.mouseMove(canvas, on_widget(canvas, place))
        QApplication.processEvents()
    QTest.mouseRelease(canvas, left, pos=on_widget(canvas, end))


def press(canvas: Canvas, key: Qt.Key, held: Qt.KeyboardModifier = _PLAIN) -> None:
    """Press a key on a canvas."""
    QTest.keyClick(canvas, key, held)


def measured(qtbot, window: MainWindow) -> None:
    """Wait until the figures of all regions are known."""
    qtbot.waitUntil(lambda: window.measuring.measurements.all is not None, timeout=WAIT)


@pytest.fixture
def measuring(study) -> Measuring:
    """Regions of the made-up study; the panel is open."""
    study.actions_.regions.trigger()
    assert study.measuring.state.is_active
    return study.measuring

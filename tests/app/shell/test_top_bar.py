"""The top bar has room for what is in it, in both languages."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.engine import EngineInfo
from app.shell.main_window import MainWindow
from app.shell.top_bar import TopBar
from core.packs.registry import Catalogue
from core.tasks import TASKS
from core.types import DeviceChoice
from tests.app.standin import StandInMethod


@pytest.fixture(params=["en", "de"])
def language(request) -> str:
    if request.param == "de":
        request.getfixturevalue("german")
    return request.param


@pytest.fixture
def bar(qtbot, engine, samples, language) -> TopBar:
    """That of a window with the packs that are delivered, and the longest of their titles."""
    window = MainWindow(lambda: engine, samples, "mif")
    qtbot.addWidget(window)
    packs = [
        (entry.manifest.task, entry.manifest.name, entry.manifest.title)
        for entry in Catalogue().scan()[0]
    ]
    methods = {
        task: tuple(StandInMethod(n, title, "pack") for t, n, title in packs if t == task)
        for task in TASKS
    }
    window.session.set_engine(EngineInfo(DeviceChoice("cpu", "CPU", "for tests"), methods))
    window.resize(1024, 768)
    window.show()
    QApplication.processEvents()
    return window.top_bar


def test_nothing_is_cut_on_1024_pixels(bar):
    shown = [bar.tasks, bar.methods, bar.chip, *bar.findChildren(QAbstractButton)]
    for task in TASKS:
        bar.window().session.set_task(task)
        QApplication.processEvents()
        assert bar.window().width() == 1024
        for button in bar.findChildren(QAbstractButton):
            assert button.width() >= button.sizeHint().width(), button.accessibleName()
        assert bar.methods.shown_text() == bar.methods.currentText() != ""
        assert bar.tasks.width() >= bar.tasks.sizeHint().width()
        assert bar.chip.width() >= bar.chip.sizeHint().width()
        boxes = sorted((widget.geometry() for widget in shown), key=lambda box: box.left())
        assert boxes[0].left() >= 0
        assert boxes[-1].right() < bar.width() <= 1024
        assert all(one.right() < next_.left() for one, next_ in itertools.pairwise(boxes))


def test_words_come_back_where_there_is_room_and_long_names_end_in_an_ellipsis(bar):
    assert not bar.shows_texts
    bar.window().resize(1400, 800)
    QApplication.processEvents()
    assert bar.shows_texts
    for button in bar.findChildren(QAbstractButton):
        assert button.width() >= button.sizeHint().width()
        assert button.accessibleName()
    assert bar.methods.shown_text() == bar.methods.currentText()
    bar.window().resize(1024, 768)
    QApplication.processEvents()
    assert not bar.shows_texts
    bar.methods.addItem("a pack of my own with a very long name " * 4, "mine")
    bar.methods.setCurrentIndex(bar.methods.count() - 1)
    assert bar.methods.shown_text().endswith("…")


class Stirring(QObject):
    """Counts what is laid out and painted."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Paint):
            self.seen += 1
        return False


@pytest.mark.parametrize("width", [1024, 1600])
@pytest.mark.parametrize("page", ["fuse", "batch", "train", "evaluate"])
def test_a_window_comes_to_rest_and_neither_lays_out_nor_paints(qtbot, bar, page, width):
    window = bar.window()
    window.resize(width, 800)
    window.workspaces.show_page(page)

    def stirred() -> int:
        stirring = Stirring()
        QApplication.instance().installEventFilter(stirring)
        for _ in range(50):
            QApplication.processEvents()
        QApplication.instance().removeEventFilter(stirring)
        return stirring.seen

    # What never comes to rest keeps laying out in each of them, some hundred times.
    qtbot.waitUntil(lambda: stirred() <= 10, timeout=10_000)


def test_words_are_measured_anew_in_another_font(bar):
    bar.window().resize(1300, 800)
    QApplication.processEvents()
    assert bar.shows_texts
    bar.setStyleSheet("QToolButton { font-size: 30px; }")
    QApplication.processEvents()
    assert not bar.shows_texts
    bar.setStyleSheet("QToolButton { font-size: 8px; }")
    QApplication.processEvents()
    assert bar.shows_texts

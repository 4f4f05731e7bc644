"""Narrow windows: names, reasons and numbers stay readable."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QLineEdit

from app.fuse.info_tab import InfoTab
from app.fuse.recon_pane import ReconPane
from app.fuse.welcome import Welcome
from app.viewer.overlays import share_width
from app.viewer.pane import Pane
from app.viewer.tools import paint_placeholder
from app.viewer.view_link import ViewLink
from app.widgets import theme
from app.widgets.elided_label import ElidedLabel
from tests.app.acts import idle
from tests.app.conftest import gradient, write_png
from tests.app.widgets.test_theme import contrast

REASON = (
    "The file ends in the middle of its pixels: 90 of 4,312 bytes are there. It was probably cut "
    "while it was copied, and nothing can be shown of it."
)


def row_height(tab: InfoTab, line: int) -> int:
    item = tab.topLevelItem(0).child(line)
    return tab.visualItemRect(item).height()


def test_a_long_reason_is_read_whole_in_a_narrow_dock(qtbot):
    tab = InfoTab()
    qtbot.addWidget(tab)
    tab.resize(230, 400)
    tab.show_rows([("A", [("File", "pet.png"), ("Reason", REASON)])])
    tab.show()
    QApplication.processEvents()
    one = row_height(tab, 0)
    room = tab.columnWidth(1)
    wanted = tab.fontMetrics().boundingRect(
        0, 0, room - 8, 9999, int(Qt.TextFlag.TextWordWrap), REASON
    )
    assert wanted.height() > 4 * one, "of several lines"
    assert row_height(tab, 1) >= wanted.height() - tab.fontMetrics().lineSpacing()
    narrow = row_height(tab, 1)
    tab.resize(700, 400)
    QApplication.processEvents()
    assert row_height(tab, 1) < narrow / 2
    assert row_height(tab, 0) == one


def test_names_of_entries_leave_most_of_the_width_to_what_they_stand_for(qtbot):
    tab = InfoTab()
    qtbot.addWidget(tab)
    tab.resize(230, 400)
    tab.show()
    tab.show_rows([("A", [("File", "pet.png")])])
    QApplication.processEvents()
    assert tab.columnWidth(0) < 0.3 * tab.viewport().width()
    tab.show_rows([("A", [("A very long name of an entry of these", "pet.png")])])
    QApplication.processEvents()
    assert tab.columnWidth(0) == round(0.4 * tab.viewport().width())
    assert row_height(tab, 0) > 1.5 * tab.fontMetrics().height()


def test_the_title_of_a_pane_gives_way_to_the_name_in_it(qtbot):
    pane = Pane("a", ViewLink())
    qtbot.addWidget(pane)
    pane.set_title("PET / SPECT / CT")
    pane.set_info("patient_12_040.png · 256×256 · 8 bit", "patient_12_040.png", "patient_12_040")
    pane.resize(600, 200)
    pane.show()
    QApplication.processEvents()
    assert pane.title.width() >= pane.title.sizeHint().width()
    assert pane.info.shown_text(pane.info.width()).endswith("8 bit")
    pane.resize(260, 200)
    QApplication.processEvents()
    assert pane.info.shown_text(pane.info.width()).startswith("patient_12_040.png")
    assert 0 < pane.title.width() < pane.title.sizeHint().width()
    # Nothing in it: the title has all the room.
    pane.set_info("")
    QApplication.processEvents()
    assert pane.title.width() >= pane.title.sizeHint().width()


def test_of_a_name_that_does_not_fit_its_number_is_read_and_not_its_suffix(qtbot):
    label = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    label.setText("good_pet_slice_040.png · 8 bit", "good_pet_slice_040.png", "good_pet_slice_040")
    room = label.fontMetrics().horizontalAdvance("good_p…_040")
    said = label.shown_text(room + 2)
    assert said.endswith("040")
    assert said.startswith("go")
    assert label.shown_text(10_000) == label.toolTip() == "good_pet_slice_040.png · 8 bit"


def test_two_reconstructions_are_told_apart_where_their_titles_are_cut(qtbot):
    pane = ReconPane("recon_b", ViewLink())
    qtbot.addWidget(pane)
    pane.set_title("Reconstruction B")
    assert pane.title.shown_text(90).endswith("B")
    assert "…" in pane.title.shown_text(90)


def test_a_long_name_is_written_whole_where_a_picture_will_be(qtbot, qapp):
    """It has no spaces to break at: it is broken anywhere, and not cut at both ends."""

    def ink(width: int) -> tuple[int, int]:
        image = QImage(width, 300, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        painter = QPainter(image)
        paint_placeholder(painter, QRect(0, 0, width, 300), "W" * 30 + ".png", waiting=False)
        painter.end()
        rows = [
            y for y in range(300) if any(image.pixelColor(x, y).value() > 60 for x in range(width))
        ]
        columns = [
            x for x in range(width) if any(image.pixelColor(x, y).value() > 60 for y in range(300))
        ]
        assert min(columns) >= 4
        assert max(columns) < width - 4
        return min(rows), max(rows)

    wide, narrow = ink(900), ink(150)
    assert narrow[1] - narrow[0] > 2 * (wide[1] - wide[0])


def test_names_are_seen_in_the_smallest_window(qtbot, window, tmp_path):
    window.resize(1024, 768)
    a = write_png(tmp_path / "good_pet_slice_040.png", gradient(64, 48))
    b = write_png(tmp_path / "good_mri_slice_040.png", gradient(64, 48))
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    for name in ("a", "b"):
        info = window.view.panes[name].info
        assert "040" in info.shown_text(info.width()), info.shown_text(info.width())


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_field_that_takes_nothing_looks_so(qtbot, look):
    theme.set_appearance(look)
    try:
        grounds = []
        for enabled in (True, False):
            field = QLineEdit()
            qtbot.addWidget(field)
            field.setEnabled(enabled)
            field.resize(120, 30)
            image = field.grab().toImage()
            grounds.append(image.pixelColor(60, 15))
        raised, window = theme.colours().raised, theme.colours().window
        assert [ground.name() for ground in grounds] == [raised, window]
        assert contrast(grounds[1], theme.QColor(theme.colours().muted)) >= 4.5
    finally:
        theme.set_appearance("system")


@pytest.mark.parametrize("mode", ["overlay", "difference"])
def test_comparing_in_the_smallest_window_takes_no_room_from_the_docks(qtbot, opened, mode):
    opened.resize(1024, 768)
    QApplication.processEvents()
    before = {name: dock.width() for name, dock in opened.docks.items()}
    display = opened.session.display
    opened.session.set_display(display.with_compare(mode=mode, overlaid=True))
    QApplication.processEvents()
    bar = opened.view.bar
    assert {name: dock.width() for name, dock in opened.docks.items()} == before
    assert bar.results.width() >= 100
    number = "0,25" if mode == "difference" else "50 %"
    assert number.replace(",", ".") in bar.slider.toolTip()
    assert not bar.slider_label.isVisible()
    opened.resize(1500, 800)
    QApplication.processEvents()
    assert bar.slider_label.isVisible()
    assert bar.slider_label.text() in bar.slider.toolTip()
    opened.session.set_display(display)
    assert not bar.slider_label.isVisible()


@pytest.mark.parametrize("width", [332, 400, 470, 700, 1000])
def test_buttons_of_the_start_are_read_whole(qtbot, german, width):
    welcome = Welcome()
    qtbot.addWidget(welcome)
    welcome.resize(width, 700)
    welcome.show()
    qtbot.wait(1)
    for button in (welcome.open, welcome.folder, welcome.sample):
        assert button.width() >= button.sizeHint().width(), button.text()
        right = button.mapTo(welcome.viewport(), button.rect().bottomRight()).x()
        assert right < welcome.viewport().width()


@pytest.mark.parametrize(
    ("widths", "room", "spaces"),
    [
        ((20, 70), 100, [50, 80]),  # both whole
        ((30, 90), 100, [50, 70]),  # the short one whole
        ((90, 30), 100, [70, 50]),
        ((60, 70), 100, [50, 50]),
        ((150,), 100, [100]),  # alone
        ((), 100, []),
    ],
)
def test_names_on_a_picture_leave_each_other_what_they_do_not_need(widths, room, spaces):
    assert share_width(widths, room) == spaces
    assert sum(min(w, s) for w, s in zip(widths, spaces, strict=True)) <= room

"""What is written can be read: contrasts of the colours, and of what is painted with them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolButton,
    QToolTip,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.fuse.pairs_list_model import PairModel, PairRow
from app.viewer.number_box import CountBox, NumberBox
from app.widgets import theme
from app.widgets.forms import centre_labels

READABLE, VISIBLE = 4.5, 3.0
"""Least contrasts of text and of lines (WCAG 2.1, AA)."""


def luminance(colour: QColor) -> float:
    """Relative luminance by WCAG 2.1."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast(QColor("#000000"), QColor("#ffffff")) == pytest.approx(21.0)
    assert contrast(QColor("#767676"), QColor("#ffffff")) == pytest.approx(4.54, abs=0.01)


GROUNDS = ("window", "surface", "raised")
TEXTS = ("text", "muted", "accent", "error_border", "good", "warn")
PAIRS = [
    *product(TEXTS, GROUNDS),
    *product(("on_accent",), ("accent", "accent_hover")),
    ("on_accent", "error_border"),
    ("notice_text", "notice"),
    ("text", "error"),
    ("error_border", "error"),
    ("notice_text", "surface"),
    ("text", "border"),  # a button held down
]


@pytest.mark.parametrize("now", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize(("written", "on"), PAIRS)
def test_colours_that_meet_can_be_told_apart(now, written, on):
    assert contrast(QColor(getattr(now, written)), QColor(getattr(now, on))) >= READABLE


# --- what is painted ------------------------------------------------------------------------------


@pytest.fixture(params=["dark", "light"])
def look(request, qapp) -> Iterator[str]:
    theme.set_appearance(request.param)
    yield request.param
    theme.set_appearance("system")


def painted(widget: QWidget, box: QRect | None = None) -> float:
    """Contrast of the most frequent colour in a part of a widget and the one farthest from it."""
    QApplication.processEvents()
    part = box if box is not None else widget.rect().adjusted(4, 4, -4, -4)
    # Taken from the whole window: many widgets have no background of their own.
    place = QRect(widget.mapTo(widget.window(), part.topLeft()), part.size())
    image = widget.window().grab(place).toImage().convertToFormat(QImage.Format.Format_RGB32)
    counts: dict[int, int] = {}
    for y, x in product(range(image.height()), range(image.width())):
        value = image.pixel(x, y)
        counts[value] = counts.get(value, 0) + 1
    ground = QColor(max(counts, key=lambda value: counts[value]))
    return max(contrast(QColor(value), ground) for value in counts)


@pytest.fixture
def page(qtbot, look) -> Iterator[QVBoxLayout]:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    dialog.resize(420, 320)
    layout = QVBoxLayout(dialog)
    # Takes the focus, whose ring would be what is seen.
    layout.addWidget(QPushButton("first"))
    dialog.show()
    yield layout
    dialog.close()


def test_every_row_of_a_boxs_list_can_be_read(qtbot, page):
    box = QComboBox()
    box.addItems(["WWWW", "MMMM", "HHHH"])
    model = box.model()
    model.item(2).setEnabled(False)
    page.addWidget(box)
    box.showPopup()
    view = box.view()
    for chosen, row in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 0)):
        view.setCurrentIndex(model.index(chosen, 0))
        # Without the row's frame: a line around it is no text.
        row_box = view.visualRect(model.index(row, 0)).adjusted(3, 3, -3, -3)
        assert painted(view.viewport(), row_box) >= READABLE, (chosen, row)
        image = view.viewport().grab(row_box).toImage()
        ground = QColor(image.pixel(1, 1))
        accent = QColor(theme.colours().accent)
        assert (contrast(ground, accent) < 1.05) == (chosen == row)
    box.hidePopup()


@pytest.mark.parametrize("selected", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_rows_of_lists_trees_and_tables_can_be_read(page, selected, enabled):
    tree, rows, table = QTreeWidget(), QListWidget(), QTableWidget(1, 1)
    for view in (tree, rows, table):
        page.addWidget(view)
    QTreeWidgetItem(tree, ["MMMM"]).setDisabled(not enabled)
    rows.addItem("MMMM")
    table.setItem(0, 0, QTableWidgetItem("MMMM"))
    for view in (tree, rows, table):
        view.setEnabled(enabled or view is tree)
        index = view.model().index(0, 0)
        if selected:
            view.selectionModel().select(index, view.selectionModel().SelectionFlag.Select)
        assert painted(view.viewport(), view.visualRect(index).adjusted(1, 1, -1, -1)) >= READABLE


def fields() -> list[QWidget]:
    line, empty, area = QLineEdit("MMMM"), QLineEdit(), QPlainTextEdit("MMMM")
    empty.setPlaceholderText("MMMM")
    box = QComboBox()
    box.addItem("MMMM")
    hint, warning = QLabel("MMMM"), QLabel("MMMM")
    hint.setObjectName("hint")
    warning.setProperty("warns", True)
    fuse = QPushButton("MMMM")
    fuse.setObjectName("fuseButton")
    checked = QToolButton()
    checked.setText("MMMM")
    checked.setCheckable(True)
    checked.setChecked(True)
    return [
        line, empty, area, box, CountBox(), NumberBox(), QDoubleSpinBox(), hint, warning, fuse,
        checked, QPushButton("MMMM"), QCheckBox("MMMM"), QRadioButton("MMMM"), QLabel("MMMM"),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(15))
@pytest.mark.parametrize("enabled", [True, False])
def test_fields_buttons_and_labels_can_be_read(page, number, enabled):
    widget = fields()[number]
    widget.setEnabled(enabled)
    page.addWidget(widget)
    assert painted(widget) >= READABLE


def test_selected_text_can_be_read(page):
    for widget in (QLineEdit("MMMMMMMMMM"), QPlainTextEdit("MMMMMMMMMM")):
        page.addWidget(widget)
        widget.selectAll()
        accent, on = (QColor(getattr(theme.colours(), n)) for n in ("accent", "on_accent"))
        QApplication.processEvents()
        assert widget.palette().highlight().color() == accent
        assert widget.palette().highlightedText().color() == on


def test_tabs_menus_and_tooltips_can_be_read(qtbot, page):
    tabs = QTabWidget()
    tabs.addTab(QWidget(), "MMMM")
    tabs.addTab(QWidget(), "WWWW")
    page.addWidget(tabs)
    for place in range(2):
        assert painted(tabs.tabBar(), tabs.tabBar().tabRect(place).adjusted(2, 2, -2, -5)) >= 4.5
    menu = QMenu()
    qtbot.addWidget(menu)
    first, off = menu.addAction("MMMM"), menu.addAction("WWWW")
    off.setEnabled(False)
    menu.popup(QPoint(0, 0))
    assert painted(menu, menu.actionGeometry(first)) >= READABLE
    assert painted(menu, menu.actionGeometry(off)) >= READABLE
    menu.setActiveAction(first)
    assert painted(menu, menu.actionGeometry(first)) >= READABLE
    menu.hide()
    palette = QToolTip.palette()
    assert contrast(palette.toolTipText().color(), palette.toolTipBase().color()) >= READABLE


def test_the_ring_about_what_has_the_focus_can_be_seen(page):
    line = QLineEdit()
    page.addWidget(line)
    line.setFocus()
    QApplication.processEvents()
    image = line.window().grab().toImage()
    corner = line.mapTo(line.window(), QPoint(line.width() // 2, 0))
    ring, ground = image.pixelColor(corner), image.pixelColor(corner - QPoint(0, 3))
    assert contrast(ring, ground) >= VISIBLE


# --- room -----------------------------------------------------------------------------------------


def left_of_ink(widget: QWidget) -> int:
    """Pixels between the left edge of a field's inside and the first letter."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    middle = range(image.height() // 2 - 4, image.height() // 2 + 5)
    ground = QColor(image.pixel(3, image.height() // 2))
    for x in range(2, image.width()):
        if any(contrast(QColor(image.pixel(x, y)), ground) > 2 for y in middle):
            return x
    raise AssertionError("there is no text")


def test_texts_of_all_fields_begin_at_the_same_place(page):
    line, box, count, number = QLineEdit("8"), QComboBox(), CountBox(), NumberBox()
    box.addItem("8")
    count.setValue(8)
    number.setValue(8)
    for widget in (line, box, count, number):
        page.addWidget(widget)
    QApplication.processEvents()
    heights = {widget.height() for widget in (line, box, count, number)}
    assert max(heights) - min(heights) <= 3
    begins = [left_of_ink(widget) for widget in (line, box, count, number)]
    assert min(begins) >= 6
    assert max(begins) - min(begins) <= 3


def test_badges_of_pairs_follow_the_theme(qtbot, qapp):
    theme.set_appearance("light")
    rows = [PairRow((f"a{n}", f"b{n}"), f"n{n}", "", "f") for n in range(4)]
    states = dict(
        zip([row.key for row in rows], ("check", "fused", "failed", "ready"), strict=True)
    )
    model = PairModel(lambda key: (states[key], "", ""))
    model.set_rows(rows)
    qtbot.waitUntil(lambda: model.is_complete)
    seen = {}
    for look in ("light", "dark"):
        theme.set_appearance(look)
        model.refresh_colours()
        for row in rows[:3]:
            colour = model.itemFromIndex(model.index_of(row.key)).foreground().color()
            assert contrast(colour, QColor(theme.colours().surface)) >= READABLE
            seen.setdefault(row.key, set()).add(colour.name())
    assert all(len(colours) == 2 for colours in seen.values())
    theme.set_appearance("system")


def test_names_stand_at_half_the_height_of_their_fields(page):
    form = QFormLayout()
    page.addLayout(form)
    fields = [QLineEdit("8"), QComboBox(), NumberBox()]
    for field in fields:
        form.addRow("HHHH", field)
    centre_labels(form)
    QApplication.processEvents()
    for field in fields:
        label = form.labelForField(field)
        assert abs(label.geometry().center().y() - field.geometry().center().y()) <= 1


def test_names_stand_beside_the_first_line_of_fields_with_more_below(page):
    form = QFormLayout()
    page.addLayout(form)
    lines, text = [], QLabel("one\ntwo\nthree")
    text.setWordWrap(True)
    for below in (20, 120):
        field, line, more = QWidget(), QLineEdit(), QLabel("more")
        more.setFixedHeight(below)
        column = QVBoxLayout(field)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(line)
        column.addWidget(more)
        form.addRow("HHHH", field)
        lines.append((field, line))
    form.addRow("HHHH", text)
    centre_labels(form)
    QApplication.processEvents()
    for field, line in lines:
        label = form.labelForField(field)
        middle = line.mapTo(field.parentWidget(), line.rect().center()).y()
        assert abs(label.geometry().center().y() - middle) <= 1
    label = form.labelForField(text)
    assert label.geometry().top() == text.geometry().top()
    assert label.alignment() & Qt.AlignmentFlag.AlignTop


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_sign_of_a_button_that_is_pressed_in_is_seen_on_its_fill(qapp, look):
    theme.set_appearance(look)
    button = QToolButton()
    button.setCheckable(True)
    theme.set_icon(button, "tune-variant")
    now = theme.colours()
    for state, ground in ((QIcon.State.On, now.accent), (QIcon.State.Off, now.raised)):
        image = button.icon().pixmap(32, 32, QIcon.Mode.Normal, state).toImage()
        points = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        ink = max(points, key=lambda colour: colour.alpha())
        assert contrast(QColor(ink.name()), QColor(ground)) >= VISIBLE, state
    theme.set_appearance("system")

"""The window by keyboard alone and for those who hear it: names, reach, and where the focus is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)

from app.commands.palette import CommandPalette
from app.commands.shortcut_editor import ShortcutEditor
from app.commands.shortcut_sheet import ShortcutSheet
from app.shell.main_window import MainWindow
from app.viewer.canvas import Canvas

_CONTROLS = (
    QAbstractButton,
    QComboBox,
    QAbstractSpinBox,
    QAbstractSlider,
    QLineEdit,
    QAbstractItemView,
    QTabBar,
    Canvas,
)


def inside_another_control(widget: QWidget) -> bool:
    """A part of a control (the field of a spin box, a scroll bar) is not one of its own."""
    parent = widget.parentWidget()
    while parent is not None and not parent.isWindow():
        if isinstance(parent, _CONTROLS):
            return True
        parent = parent.parentWidget()
    return False


def made_by_qt(widget: QWidget) -> bool:
    """Scroll buttons, dock title buttons and the like, which Qt makes and names or hides."""
    return widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar)


def controls(root: QWidget) -> Iterator[QWidget]:
    """Everything in a window that a person can work with now."""
    for widget in root.findChildren(QWidget):
        if (
            isinstance(widget, _CONTROLS)
            and widget.isVisibleTo(root)
            and not inside_another_control(widget)
            and not made_by_qt(widget)
            and widget.window() is root
        ):
            yield widget


def name_of(widget: QWidget) -> str:
    """What a screen reader says."""
    if widget.accessibleName():
        return widget.accessibleName()
    return widget.text() if isinstance(widget, QAbstractButton) else ""


def described(widget: QWidget) -> str:
    """A widget, so that its maker finds it."""
    chain = []
    here: QWidget | None = widget
    while here is not None:
        chain.append(f"{type(here).__name__}({here.objectName()})")
        here = here.parentWidget()
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{text!r} " + " < ".join(chain[:4])


TABS = range(4)


@pytest.fixture(params=TABS)
def whole(request, opened: MainWindow) -> MainWindow:
    """The window with a pair, a result, a card, and one of the inspector's tabs in front."""
    opened.services.notices.show_disclaimer()
    tabs = opened.inspector
    tabs.setCurrentIndex(request.param)
    opened.resize(1600, 1000)
    QApplication.processEvents()
    return opened


def test_every_control_says_what_it_is(whole):
    nameless = [described(w) for w in controls(whole) if not name_of(w).strip()]
    assert nameless == []


def test_every_enabled_control_is_reached_by_tab(qtbot, whole):
    whole.activateWindow()
    qtbot.waitUntil(whole.isActiveWindow)
    found = [w for w in controls(whole) if w.isEnabled() and not _is_member_of_a_group(w)]
    wanted = set(found)
    # From a canvas in the middle the way would end at another one than the tab was made for.
    found[0].setFocus()
    reached: set[QWidget] = set()
    for _ in range(400):
        focus = QApplication.focusWidget()
        if focus is None or focus in reached:
            break
        reached.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    # A composite takes the focus by one of its parts.
    proxies = {w for w in wanted if any(w.isAncestorOf(r) for r in reached)}
    missed = [described(w) for w in wanted - reached - proxies]
    assert missed == []


def _is_member_of_a_group(widget: QWidget) -> bool:
    """Of buttons that exclude each other Tab reaches the chosen one, arrows the others."""
    if not isinstance(widget, QAbstractButton) or widget.isChecked():
        return False
    return widget.autoExclusive() or (widget.group() is not None and widget.group().exclusive())


def test_where_the_focus_is_can_be_seen(qtbot, whole):
    whole.activateWindow()
    qtbot.waitUntil(whole.isActiveWindow)
    unseen = []
    for widget in controls(whole):
        if not widget.isEnabled() or not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            continue
        whole.setFocus()
        QApplication.processEvents()
        before = _around(whole, widget)
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if _around(whole, widget) == before:
            unseen.append(described(widget))
    assert unseen == []


def _around(window: QWidget, widget: QWidget) -> object:
    """The widget's pixels as they are on the window."""
    corner = widget.mapTo(window, QPoint(0, 0))
    image = window.grab().toImage()
    ratio = image.devicePixelRatio()
    size = widget.size() * ratio
    return image.copy(
        round(corner.x() * ratio), round(corner.y() * ratio), size.width(), size.height()
    )


def test_every_menu_entry_has_a_name_and_every_menu_a_mnemonic(opened):
    for entry in opened.menuBar().actions():
        if entry.isVisible():
            assert "&" in entry.text(), entry.text()
            menu = entry.menu()
            assert isinstance(menu, QMenu)
            for action in menu.actions():
                assert action.isSeparator() or action.text().strip()


@pytest.mark.parametrize("kind", [ShortcutSheet, ShortcutEditor, CommandPalette])
def test_dialogs_are_named_and_reached_throughout(qtbot, opened, kind):
    dialog: QDialog = kind(opened.actions_, opened)
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.waitUntil(dialog.isActiveWindow)
    found = list(controls(dialog))
    assert found
    assert [described(w) for w in found if not name_of(w).strip()] == []
    for widget in found:
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, described(widget)
    dialog.reject()

"""The top bar: task, method, Fuse, and the most used commands.

Where it is too narrow, the buttons lose their texts before the name of the method is elided.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.commands.actions import Actions
from app.fuse.state import FuseState
from app.i18n.translate import translate
from app.widgets.device_chip import DeviceChip
from app.widgets.elided_label import ElidedComboBox
from core.tasks import TASKS

TIP = Qt.ItemDataRole.ToolTipRole
_SIGN = Qt.ToolButtonStyle.ToolButtonIconOnly
_BOTH = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
_RESIZES_WORDS = {QEvent.Type.FontChange, QEvent.Type.StyleChange}
_LEAST_LETTERS, _WIDEST_METHOD = 16, 340


class TopBar(QFrame):
    """Shows and changes task and method of a session."""

    task_chosen = Signal(str)
    method_chosen = Signal(str)

    def __init__(self, session: FuseState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self._session = session
        self.tasks = QComboBox()
        self.tasks.setAccessibleName(self.tr("Task"))
        for task in TASKS.values():
            self.tasks.addItem(translate(task.title), task.name)
            index = self.tasks.count() - 1
            self.tasks.setItemData(index, translate(task.description), TIP)
        self.methods = ElidedComboBox(_LEAST_LETTERS)
        self.methods.setAccessibleName(self.tr("Method"))
        self.methods.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.methods.setMaximumWidth(_WIDEST_METHOD)
        self.chip = DeviceChip()
        self.fuse_button = _push_button(actions.fuse)
        self.fuse_button.setObjectName("fuseButton")
        self._lay_out(actions)
        self.tasks.activated.connect(lambda: self.task_chosen.emit(self.tasks.currentData()))
        self.methods.activated.connect(lambda: self.method_chosen.emit(self.methods.currentData()))
        session.task_changed.connect(self._show_task)
        session.task_changed.connect(self._show_methods)
        session.method_changed.connect(self._show_methods)
        session.engine_changed.connect(self._show_engine)
        self._show_task()
        self._show_methods()

    def _lay_out(self, actions: Actions) -> None:
        self._buttons = [
            _tool_button(actions.open, self.tr("Open")),
            _tool_button(actions.swap, self.tr("Swap")),
            _tool_button(actions.save, self.tr("Save")),
            _tool_button(actions.export, self.tr("Export", "menu")),
            _tool_button(actions.fit, self.tr("Fit", "button")),
        ]
        self._texts_width = _texts_width(self._buttons)
        *files, fit = self._buttons
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.tasks)
        layout.addWidget(self.methods, 20)
        layout.addWidget(self.fuse_button)
        layout.addSpacing(10)
        for button in files:
            layout.addWidget(button)
        layout.addSpacing(10)
        layout.addWidget(fit)
        layout.addWidget(_tool_button(actions.one_to_one, "1:1"))
        layout.addStretch(1)
        layout.addWidget(self.chip)

    # --- layout ----------------------------------------------------------------------------

    @property
    def shows_texts(self) -> bool:
        """True where the buttons have texts beside their icons."""
        return self._buttons[0].toolButtonStyle() == _BOTH

    def minimumSizeHint(self) -> QSize:
        """The size with all buttons reduced to their icons."""
        least = super().minimumSizeHint()
        return least - QSize(self._texts_width if self.shows_texts else 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the buttons' texts where they fit."""
        super().resizeEvent(event)
        self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        """Measure the texts again after a change of font or style."""
        super().changeEvent(event)
        if event.type() in _RESIZES_WORDS:
            self._texts_width = _texts_width(self._buttons)
            self._make_room()

    def _make_room(self) -> None:
        method = min(self.methods.width_of_choice(), _WIDEST_METHOD)
        bare = self.minimumSizeHint().width() - self.methods.minimumSizeHint().width() + method
        words = self.width() >= bare + self._texts_width
        if words != self.shows_texts:
            for button in self._buttons:
                button.setToolButtonStyle(_BOTH if words else _SIGN)

    def _show_task(self) -> None:
        self.tasks.setCurrentIndex(self.tasks.findData(self._session.task.name))
        self.tasks.setToolTip(translate(self._session.task.description))

    def _show_methods(self) -> None:
        session = self._session
        with QSignalBlocker(self.methods):
            self.methods.clear()
            was_pack = False
            for method in session.methods:
                if was_pack and method.kind != "pack":
                    self.methods.insertSeparator(self.methods.count())
                was_pack = method.kind == "pack"
                self.methods.addItem(translate(method.title), method.name)
                self.methods.setItemData(self.methods.count() - 1, translate(method.summary), TIP)
            if session.method and self.methods.findData(session.method) < 0:
                self.methods.addItem(Path(session.method).name, session.method)
                tip = session.method
                self.methods.setItemData(self.methods.count() - 1, tip, TIP)
            if not self.methods.count():
                self.methods.addItem(self.tr("Default model"), "")
            index = self.methods.findData(session.resolved_method())
            self.methods.setCurrentIndex(max(index, 0))
        tip = self.methods.currentData(TIP)
        self.methods.setToolTip(tip or self.tr("The model or classical method that fuses"))
        self._make_room()

    def _show_engine(self) -> None:
        self.chip.show_device(self._session.engine.device if self._session.engine else None)
        self._show_methods()


def _texts_width(buttons: Sequence[QToolButton]) -> int:
    """Width of all texts in px.

    Must not be called during layout: a button whose style is changed to measure it requests a new
    layout, which would recurse endlessly.
    """
    return sum(_width(button, _BOTH) - _width(button, _SIGN) for button in buttons)


def _width(button: QToolButton, style: Qt.ToolButtonStyle) -> int:
    """Width of a button in a style, in px."""
    now = button.toolButtonStyle()
    if now == style:
        return button.sizeHint().width()
    with QSignalBlocker(button):
        button.setToolButtonStyle(style)
        width = button.sizeHint().width()
        button.setToolButtonStyle(now)
    return width


def _push_button(action: QAction) -> QPushButton:
    button = QPushButton(action.icon(), action.text())
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.objectName())
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    action.changed.connect(lambda: button.setIcon(action.icon()))
    # The shortcuts in the tooltip may change.
    action.changed.connect(lambda: button.setToolTip(action.toolTip()))
    return button


def _tool_button(action: QAction, text: str) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setText(text)
    button.setIconSize(QSize(18, 18))
    button.setAccessibleName(action.objectName())
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    action.changed.connect(lambda: button.setText(text))
    return button

"""Task, method, Fuse, and what else one reaches for, in one row."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.actions import Actions
from app.session import Session
from app.widgets.device_chip import DeviceChip
from app.words import spoken
from core.tasks import TASKS

TIP = Qt.ItemDataRole.ToolTipRole


class TopBar(QFrame):
    """Shows and changes task and method of a session."""

    task_chosen = Signal(str)
    method_chosen = Signal(str)

    def __init__(self, session: Session, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topBar")
        self._session = session
        self.tasks = QComboBox()
        self.tasks.setAccessibleName(self.tr("Task"))
        for task in TASKS.values():
            self.tasks.addItem(spoken(task.title), task.name)
            index = self.tasks.count() - 1
            self.tasks.setItemData(index, spoken(task.description), TIP)
        self.methods = QComboBox()
        self.methods.setAccessibleName(self.tr("Method"))
        self.methods.setMinimumContentsLength(16)
        adjust = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.methods.setSizeAdjustPolicy(adjust)
        self.methods.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.methods.setMaximumWidth(340)
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
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(6)
        layout.addWidget(self.tasks)
        layout.addWidget(self.methods, 1)
        layout.addWidget(self.fuse_button)
        layout.addSpacing(10)
        layout.addWidget(_tool_button(actions.open, self.tr("Open")))
        layout.addWidget(_tool_button(actions.swap, self.tr("Swap")))
        layout.addWidget(_tool_button(actions.save, self.tr("Save")))
        layout.addWidget(_tool_button(actions.export, self.tr("Export")))
        layout.addSpacing(10)
        layout.addWidget(_tool_button(actions.fit, self.tr("Fit")))
        layout.addWidget(_tool_button(actions.one_to_one, "1:1"))
        layout.addStretch(1)
        layout.addWidget(self.chip)

    def _show_task(self) -> None:
        self.tasks.setCurrentIndex(self.tasks.findData(self._session.task.name))
        self.tasks.setToolTip(spoken(self._session.task.description))

    def _show_methods(self) -> None:
        session = self._session
        with QSignalBlocker(self.methods):
            self.methods.clear()
            was_pack = False
            for method in session.methods:
                if was_pack and method.kind != "pack":
                    self.methods.insertSeparator(self.methods.count())
                was_pack = method.kind == "pack"
                self.methods.addItem(spoken(method.title), method.name)
                self.methods.setItemData(self.methods.count() - 1, method.summary, TIP)
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

    def _show_engine(self) -> None:
        self.chip.show_device(self._session.engine.device if self._session.engine else None)
        self._show_methods()


def _push_button(action: QAction) -> QPushButton:
    button = QPushButton(action.icon(), action.text())
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.objectName())
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    action.changed.connect(lambda: button.setIcon(action.icon()))
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

"""The bottom bar of the Batch workspace: progress of the run, and buttons that control it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme
from app.widgets.elided_label import ElidedLabel


class RunBar(QFrame):
    """A progress bar with buttons. It knows nothing of batches."""

    start = Signal()
    pause = Signal()
    resume = Signal()
    cancel = Signal()
    retry = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ElidedLabel()
        self.text.setAccessibleName(self.tr("State of the batch"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the batch"))
        self.start_button = self._button(self.tr("Start"), "play", self.start, "on_accent")
        self.start_button.setObjectName("fuseButton")
        self.pause_button = self._button(self.tr("Pause"), "pause", self.pause)
        self.resume_button = self._button(self.tr("Resume"), "play", self.resume)
        self.cancel_button = self._button(self.tr("Cancel"), "close", self.cancel)
        self.cancel_button.setToolTip(self.tr("Stop; what is done stays done"))
        self.retry_button = self._button(self.tr("Retry failed"), "refresh", self.retry)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addWidget(self.text)
        words.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(words, 1)
        layout.addSpacing(8)
        self._buttons = (
            self.retry_button,
            self.cancel_button,
            self.pause_button,
            self.resume_button,
            self.start_button,
        )
        for button in self._buttons:
            layout.addWidget(button)

    def _button(self, text: str, icon: str, pressed: object, role: str = "text") -> QPushButton:
        button = QPushButton(text)
        theme.set_icon(button, icon, role)
        button.clicked.connect(pressed)
        return button

    def show_phase(
        self, phase: str, *, can_start: bool, has_more: bool, goes_on: bool, failed: int
    ) -> None:
        """Show the buttons that apply.

        Args:
            phase: of the controller.
            can_start: whether a run can be started.
            has_more: whether some rows have not ended yet.
            goes_on: whether starting resumes an earlier run.
            failed: number of rows that can be retried.
        """
        is_on = phase in ("running", "paused", "stopping")
        had_focus = any(button.hasFocus() for button in self._buttons)
        self.start_button.setText(self.tr("Go on") if goes_on else self.tr("Start"))
        self.start_button.setVisible(not is_on and (has_more or not failed))
        self.start_button.setEnabled(can_start and has_more)
        self.pause_button.setVisible(phase == "running")
        self.resume_button.setVisible(phase == "paused")
        self.cancel_button.setVisible(is_on)
        self.cancel_button.setEnabled(phase != "stopping")
        self.retry_button.setVisible(not is_on and failed > 0)
        self.retry_button.setEnabled(can_start)
        # Keep the keyboard focus among the buttons when the focused one is hidden.
        there = [button for button in self._buttons if not button.isHidden()]
        if had_focus and there and not any(button.hasFocus() for button in there):
            there[-1].setFocus()

    def show_progress(self, done: float, total: float, text: str) -> None:
        """Show progress; a ``total`` of 0 means unknown."""
        self.bar.setRange(0, max(int(total), 0))
        self.bar.setValue(int(done))
        self.text.setText(text)

    def show_idle(self, text: str) -> None:
        """Show ``text`` and an empty bar."""
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.text.setText(text)

"""The foot of the window: values under the pointer, or work under way with Cancel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from app.session import Session
from app.widgets.device_chip import short_device
from app.widgets.elided import ElidedLabel
from core.types import FloatArray


class Status(QStatusBar):
    """Shows the running state and the pixel readout of a session."""

    cancel_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setSizeGripEnabled(False)
        self.stage = ElidedLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.setToolTip(self.tr("Stop (Esc)"))
        self.cancel.clicked.connect(self.cancel_requested)
        self.readout = QLabel()
        self.readout.setAccessibleName(self.tr("Values under the pointer"))
        self.addWidget(self.stage, 1)
        self.addWidget(self.bar)
        self.addWidget(self.cancel)
        self.addPermanentWidget(self.readout)
        session.running_changed.connect(self._show_running)
        session.outcome_changed.connect(self._show_outcome)
        self._show_running()

    def _show_running(self) -> None:
        running = self._session.running
        for widget in (self.bar, self.cancel):
            widget.setVisible(running is not None)
        if running is None:
            self.stage.setText("")
            self._show_outcome()
            return
        known = running.total > 0
        share = 100 * running.done / running.total if known else 0
        self.bar.setRange(0, 100 if known else 0)
        self.bar.setValue(int(share))
        stage = running.stage[:1].upper() + running.stage[1:]
        self.stage.setText(f"{stage} – {share:.0f} %" if known else stage)
        self.cancel.setEnabled(not running.cancelling)

    def _show_outcome(self) -> None:
        outcome = self._session.outcome
        if self._session.running is None and outcome is not None:
            device = short_device(outcome.result.device)
            text = self.tr("Done in {0} s: {1}, {2}")
            self.stage.setText(text.format(f"{outcome.seconds:.1f}", outcome.method_title, device))

    def show_saved(self, path: Path) -> None:
        """Say where the picture went."""
        self.stage.setText(self.tr("Saved {0}").format(path))

    def show_pixel(self, pixel: QPoint | None) -> None:
        """Show position and values of A, B and the fused picture; None clears."""
        if pixel is None:
            self.readout.setText("")
            return
        x, y = pixel.x(), pixel.y()
        parts = [f"x {x}  y {y}"]
        sources = self._session.sources
        for letter, side in (("A", sources.a), ("B", sources.b)):
            if side is not None:
                unit = f" {side.image.unit}" if side.image.unit else ""
                parts.append(f"{letter} {_value_at(side.image.data, x, y)}{unit}")
        if self._session.outcome is not None:
            value = _value_at(self._session.outcome.result.fused, x, y, ".3f")
            parts.append(self.tr("Fused {0}").format(value))
        self.readout.setText("     ".join(parts))


def _value_at(data: FloatArray, x: int, y: int, form: str = ".6g") -> str:
    if not (0 <= y < data.shape[0] and 0 <= x < data.shape[1]):
        return "–"
    values = data[y, x]
    if np.all(values == values[0]):
        values = values[:1]
    return " ".join(format(float(value), form) for value in values)

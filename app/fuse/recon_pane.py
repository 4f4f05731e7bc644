"""A pane for a reconstruction, or for its difference to the source."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink


class ReconPane(Pane):
    """A pane with a toggle for the signed difference to its source."""

    residual_chosen = Signal(bool)

    def __init__(self, name: str, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(name, link, parent)
        # The titles of the two panes differ in the last letter only.
        self.title.set_mode(Qt.TextElideMode.ElideMiddle)
        # The number is at the end of “PSNR 53.4 dB”.
        self.info.set_mode(Qt.TextElideMode.ElideLeft)
        self.residual = QToolButton()
        self.residual.setText("Δ")
        self.residual.setCheckable(True)
        tip = self.tr("Show the difference between source and reconstruction")
        self.residual.setToolTip(tip)
        self.residual.setAccessibleName(tip)
        self.residual.toggled.connect(self.residual_chosen)
        self.header.insertWidget(self.header.indexOf(self.maximise_button), self.residual)

    def show_residual(self, on: bool) -> None:
        """Set the toggle without emitting a signal."""
        with QSignalBlocker(self.residual):
            self.residual.setChecked(on)

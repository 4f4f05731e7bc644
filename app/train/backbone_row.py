"""The form row for the DINOv3 weights: the downloaded file, or another one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.train.download_card import DownloadCard
from app.train.state import TrainState


class BackboneRow(QWidget):
    """Path of the file, buttons to choose or download one, a note, and the download card."""

    file_chosen = Signal(str)
    """Path, or "" for the downloaded file."""
    offer_requested = Signal()
    fetch_requested = Signal()
    cancel_requested = Signal()
    dismissed = Signal()

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._dialog: QFileDialog | None = None
        self.path = QLineEdit()
        self.path.setAccessibleName(self.tr("DINOv3 file"))
        self.path.editingFinished.connect(self._entered)
        self.browse = QPushButton(self.tr("Choose…"))
        self.browse.clicked.connect(self._ask)
        self.download = QPushButton(self.tr("Download…"))
        self.download.setToolTip(self.tr("Shows source, size and licence first"))
        self.download.clicked.connect(self.offer_requested)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.card = DownloadCard(state)
        self.card.fetch_requested.connect(self.fetch_requested)
        self.card.cancel_requested.connect(self.cancel_requested)
        self.card.dismissed.connect(self.dismissed)
        line = QHBoxLayout()
        line.addWidget(self.path, 1)
        line.addWidget(self.browse)
        line.addWidget(self.download)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self.note)
        column.addWidget(self.card)
        self.setFocusProxy(self.path)
        state.fetch_changed.connect(self._show)
        state.capabilities_changed.connect(self._show)
        state.settings_changed.connect(self._show)
        self._show()

    def _entered(self) -> None:
        text = self.path.text().strip()
        if text != str(self._state.settings.get("backbone") or ""):
            self.file_chosen.emit(text)

    def _show(self) -> None:
        offer = self._state.offer
        stored = offer is not None and bool(offer.sha256)
        file = str(self._state.settings.get("backbone") or "")
        if not self.path.hasFocus():
            self.path.setText(file)
        self.path.setPlaceholderText(
            offer.file.name if offer is not None and stored else self.tr("no file chosen")
        )
        self.download.setVisible(not stored)
        self.download.setEnabled(offer is not None and self._state.fetch is None)
        fault = self._state.faults.get("backbone", "")
        self.note.setProperty("warns", bool(fault))
        self.note.setObjectName("" if fault else "hint")
        self.note.setText(self._words(fault, stored and not file))
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)

    def _words(self, fault: str, fetched: bool) -> str:
        offer = self._state.offer
        if fault:
            return f"{fault[:1].upper()}{fault[1:]}."
        if fetched and offer is not None:
            text = self.tr("The downloaded file is used (sha256 {0}…). It is not changed.")
            return text.format(offer.sha256[:12])
        return self.tr("Used as it is; it is not changed and not put into the result.")

    def _ask(self) -> None:
        dialog = self._dialog = QFileDialog(self, self.tr("File with the DINOv3 weights"))
        weights, every = self.tr("Weights"), self.tr("All files")
        dialog.setNameFilters([f"{weights} (*.safetensors *.pth)", f"{every} (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.file_chosen)
        dialog.open()

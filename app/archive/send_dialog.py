"""The dialog that sends DICOM files to an archive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.archive.service import ArchiveService, follow
from app.archive.tasks import ArchiveListing
from app.archive.work_row import WorkRow
from app.i18n.translate import translate
from app.widgets.cards import Card
from app.widgets.forms import centre_labels
from core.errors import FusionError

if TYPE_CHECKING:
    from core.archive import SentFile

_MOST_REASONS = 3


class SendDialog(QDialog):
    """Sends nothing before Send is pressed."""

    set_up_wanted = Signal()
    """Archives are to be set up."""

    def __init__(
        self, service: ArchiveService, path: Path | None = None, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            path: file or folder to send; None to ask for a folder.
        """
        super().__init__(parent)
        self._service = service
        self._warnings: dict[str, str] = {}
        self._done = self._total = 0
        """Files of what is being sent."""
        self.setWindowTitle(self.tr("Send to archive"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(560)
        self.archive = QComboBox()
        self.archive.setAccessibleName(self.tr("Archive"))
        self.set_up = QPushButton(self.tr("Set up archives…"))
        self.path = QLineEdit("" if path is None else str(path))
        self.path.setAccessibleName(self.tr("File or folder"))
        self.browse = QPushButton(self.tr("Choose…"))
        self.warning, self.message = QLabel(), Card(closable=True)
        self.warning.setObjectName("hint")
        self.warning.setWordWrap(True)
        self.work = WorkRow()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.go = self.buttons.addButton(self.tr("Send"), QDialogButtonBox.ButtonRole.ActionRole)
        for button in (self.set_up, self.browse):
            button.setAutoDefault(False)
        self._lay_out()
        self.set_up.clicked.connect(self.set_up_wanted)
        self.browse.clicked.connect(self._choose)
        self.go.clicked.connect(self._send)
        self.buttons.rejected.connect(self.reject)
        self.archive.currentTextChanged.connect(self._archive_chosen)
        self.path.textChanged.connect(self._update)
        self.work.ended.connect(self._update)
        self.finished.connect(lambda _: self.work.stop())
        service.listed.connect(self._listed)
        self._update()
        service.refresh()

    def _lay_out(self) -> None:
        there, what = QHBoxLayout(), QHBoxLayout()
        there.addWidget(self.archive, 1)
        there.addWidget(self.set_up)
        what.addWidget(self.path, 1)
        what.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(self.tr("Archive"), there)
        form.addRow(self.tr("File or folder"), what)
        centre_labels(form)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.warning)
        layout.addWidget(self.message)
        layout.addWidget(self.work)
        layout.addWidget(self.buttons)

    def _choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder of DICOM files"), self.path.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.path.setText)
        dialog.open()

    def _listed(self, listing: ArchiveListing) -> None:
        self._warnings = {row.form.name: row.warning for row in listing.rows}
        wanted = self.archive.currentText()
        self.archive.clear()
        self.archive.addItems(list(self._warnings))
        self.archive.setCurrentText(wanted)
        if not listing.rows:
            text = self.tr("No archive is set up yet. Nothing is connected before one is.")
            self.message.show_message(text)
        self._update()

    def _archive_chosen(self, name: str) -> None:
        self.warning.setText(self._warnings.get(name, ""))
        self.warning.setVisible(bool(self.warning.text()))

    def _update(self) -> None:
        ready = bool(self.archive.currentText() and self.path.text().strip())
        self.go.setEnabled(ready and not self.work.busy)

    def _send(self) -> None:
        path = Path(self.path.text().strip()).expanduser()
        self.message.hide()
        self._done = self._total = 0
        job = self._service.send(self.archive.currentText(), (path,))
        job.progress.connect(self._progressed)
        job.cancelled.connect(self._cancelled)
        follow(job, self._sent, self._failed)
        self.work.watch(job, self.tr("Sending…"))
        self._update()

    def reject(self) -> None:
        """Close; while something is sent, cancel that first and say how far it was."""
        if self.work.busy:
            self.work.stop()
        else:
            super().reject()

    def _progressed(self, done: float, total: float, _stage: str) -> None:
        self._done, self._total = int(done), int(total)

    def _cancelled(self) -> None:
        text = self.tr("Cancelled. Nothing was sent.")
        if self._done:
            text = self.tr(
                "Cancelled. {0} of {1} files are in the archive, where the series is not complete: "
                "send it again, or have it deleted there."
            )
        self.message.show_message(text.format(self._done, self._total))

    def _sent(self, sent: tuple[SentFile, ...]) -> None:
        taken = sum(one.state != "failed" for one in sent)
        text = self.tr("{0} of {1} files are in the archive.").format(taken, len(sent))
        reasons = list(dict.fromkeys(translate(one.why) for one in sent if one.why))
        shown = [f"{reason}." for reason in reasons[:_MOST_REASONS]]
        self.message.show_message(" ".join((text, *shown)))

    def _failed(self, error: FusionError) -> None:
        self.message.show_message(translate(error.message))

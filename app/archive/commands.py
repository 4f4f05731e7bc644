"""The commands about archives, and the offer to send what was exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.archive.node_dialog import NodeDialog
from app.archive.search_dialog import ArchiveDialog
from app.archive.send_dialog import SendDialog
from app.archive.service import ArchiveService
from app.archive.tasks import ArchiveListing
from app.widgets.cards import Card

_DICOM_SUFFIX = ".dcm"


class Archiving(QObject):
    """Opens the dialogs; none of them blocks the window."""

    def __init__(
        self,
        window: QWidget,
        *,
        search: QAction,
        send: QAction,
        take: Callable[[list[Path]], None],
        ask: Callable[[str, str, Sequence[tuple[str, str]]], Card],
    ) -> None:
        """
        Args:
            window: parent of the dialogs.
            search, send: the commands.
            take: opens files and folders.
            ask: shows a card in the window: name, text, buttons.
        """
        super().__init__(window)
        self._window = window
        self._take, self._ask = take, ask
        self.service = ArchiveService(self)
        self.search_dialog: ArchiveDialog | None = None
        self.send_dialog: SendDialog | None = None
        self.node_dialog: NodeDialog | None = None
        search.triggered.connect(self.show_search)
        send.triggered.connect(lambda: self.show_send())

    def show_search(self) -> None:
        """Open the search."""
        dialog = self.search_dialog = ArchiveDialog(self.service, self._window)
        dialog.set_up_wanted.connect(lambda: self.show_nodes(dialog))
        dialog.open_wanted.connect(lambda folder: self._take([folder]))
        dialog.open()

    def show_send(self, path: Path | None = None) -> None:
        """Open the dialog that sends."""
        dialog = self.send_dialog = SendDialog(self.service, path, self._window)
        dialog.set_up_wanted.connect(lambda: self.show_nodes(dialog))
        dialog.open()

    def show_nodes(self, parent: QWidget) -> None:
        """Open the dialog in which archives are set up."""
        self.node_dialog = NodeDialog(self.service, parent)
        self.node_dialog.open()

    def offer(self, paths: tuple[Path, ...]) -> None:
        """Offer to send what was exported, where it is DICOM and an archive is set up."""
        if len(paths) != 1 or paths[0].suffix not in ("", _DICOM_SUFFIX):
            return
        self.service.refresh().finished.connect(lambda found: self._offer(paths[0], found))

    def _offer(self, path: Path, listing: ArchiveListing) -> None:
        if listing.rows:
            answers = (("send", self.tr("Send to archive…")), ("no", self.tr("No, thanks")))
            card = self._ask("send", self.tr("Exported to {0}").format(path), answers)
            card.answered.connect(lambda answer: self._answered(answer, path))

    def _answered(self, answer: str, path: Path) -> None:
        if answer == "send":
            self.show_send(path)

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
        self.service.shutdown()

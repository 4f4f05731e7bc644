"""The left dock: connects the list of pairs with thumbnails, the pair table and the disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.fuse.pairs import Pairs
from app.fuse.pairs_list_model import THUMB, PairModel, PairRow
from app.fuse.pairs_list_view import PairList
from app.pairs.edits import PairKey, key_of
from app.pairs.table import PairDialog
from app.pairs.thumbnails import ThumbnailLoader

if TYPE_CHECKING:
    from core.pairing.plan import Match

_WATCHED = 64
"""Greatest number of folders to watch."""
_SETTLE_MS = 300
"""A folder is checked after this long without changes."""


class PairsDock(QWidget):
    """The content of the left dock."""

    dropped = Signal(object)
    """list[Path]"""

    def __init__(self, pairs: Pairs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pairs = pairs
        self.model = PairModel(self._state_of)
        self.list = PairList(self.model)
        self.thumbs = ThumbnailLoader(THUMB, self)
        self.dialog: PairDialog | None = None
        self.folder_dialog: QFileDialog | None = None
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(pairs.check_files)
        self._watcher.directoryChanged.connect(lambda _folder: self._settle.start())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.list.thumb_wanted.connect(self.thumbs.want)
        self.thumbs.ready.connect(self.model.set_thumb)
        pairs.is_listed = lambda match: self.model.passes(self._row(match))
        pairs.plan_changed.connect(self._show_plan)
        pairs.note_changed.connect(lambda: self.list.show_note(pairs.note))
        pairs.state_changed.connect(self.model.refresh)
        pairs.current_changed.connect(lambda: self.list.show_current(pairs.current))
        self.list.chosen.connect(pairs.open)
        self.list.files_dropped.connect(self.dropped)
        self.list.review_requested.connect(self.review)
        self.list.open_requested.connect(self.ask_folder)

    def shutdown(self) -> None:
        """Wait for the threads."""
        self._settle.stop()
        self.thumbs.shutdown()
        self._pairs.shutdown()

    def _state_of(self, key: PairKey) -> tuple[str, str, str]:
        state = self._pairs.state(key)
        return state.badge, state.why, state.laid

    def _row(self, match: Match) -> PairRow:
        folder = str(match.folder) if match.folder.parts else self.tr("Pairs")
        return PairRow(key_of(match), match.name, match.reason, folder)

    def _show_plan(self) -> None:
        matches = self._pairs.matches
        # Rows are made one by one, as they are listed.
        self.model.set_rows(map(self._row, matches))
        plan = self._pairs.plan
        self.list.show_counts(len(matches), len(plan.leftovers) if plan is not None else 0)
        self.list.show_note(self._pairs.note)
        self.list.show_current(self._pairs.current)
        # In its own turn of the event loop: it takes long for thousands of pairs.
        QTimer.singleShot(0, self, self._watch)

    def _watch(self) -> None:
        old = self._watcher.directories()
        if old:
            self._watcher.removePaths(old)
        wanted = [folder for folder in self._pairs.folders[:_WATCHED] if Path(folder).is_dir()]
        if wanted:
            self._watcher.addPaths(wanted)

    def review(self) -> None:
        """Show the table of pairs."""
        if self._pairs.plan is None:
            return
        self.dialog = PairDialog(self._pairs.plan, self.window())
        self.dialog.accepted.connect(self._reviewed)
        self.dialog.open()

    def _reviewed(self) -> None:
        if self.dialog is not None:
            self._pairs.set_plan(self.dialog.plan)

    def ask_folder(self) -> None:
        """Ask for a folder of pairs."""
        self.folder_dialog = QFileDialog(self.window(), self.tr("Open a folder of pairs"))
        self.folder_dialog.setFileMode(QFileDialog.FileMode.Directory)
        self.folder_dialog.filesSelected.connect(
            lambda names: self.dropped.emit([Path(name) for name in names])
        )
        self.folder_dialog.open()

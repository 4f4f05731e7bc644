"""Folders and their pairs as a tree. Nothing is made for rows that are not looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

Index = QModelIndex | QPersistentModelIndex
Key = tuple[Path, Path]

THUMB = 30
_NO_PARENT = QModelIndex()
_BADGES = {
    "ready": ("#8d97a5", "○"),
    "check": ("#e0b040", "?"),
    "fused": ("#4caf72", "✓"),
    "failed": ("#e06a70", "!"),
    "missing": ("#e06a70", "✕"),
}


@dataclass(frozen=True)
class PairRow:
    """One pair: what tells it apart, its name, why it is one, and how it is getting on."""

    key: Key
    name: str
    reason: str


@dataclass
class _Folder:
    name: str
    rows: list[PairRow] = field(default_factory=list)


class PairModel(QAbstractItemModel):
    """A two-level tree. Small pictures are asked for when a row is painted."""

    thumb_wanted = Signal(object)
    """A key."""

    def __init__(self, state: Callable[[Key], tuple[str, str]]) -> None:
        super().__init__()
        self._state = state
        self._all: list[_Folder] = []
        self._shown: list[_Folder] = []
        self._places: dict[Key, tuple[int, int]] = {}
        self._filter = ""
        self._thumbs: dict[Key, QPixmap] = {}
        self._blank = QPixmap(2 * THUMB + 2, THUMB)
        self._blank.fill(QColor(128, 128, 128, 40))

    # --- content ---------------------------------------------------------------------------

    def set_rows(self, folders: Sequence[tuple[str, Sequence[PairRow]]]) -> None:
        """List other pairs, by folder."""
        self._all = [_Folder(name, list(rows)) for name, rows in folders]
        known = {row.key for folder in self._all for row in folder.rows}
        self._thumbs = {key: thumb for key, thumb in self._thumbs.items() if key in known}
        self._apply()

    def set_filter(self, text: str) -> None:
        """Show only pairs whose name, folder or files contain ``text``."""
        self._filter = text.strip().casefold()
        self._apply()

    def _apply(self) -> None:
        self.beginResetModel()
        if not self._filter:
            self._shown = self._all
        else:
            kept = (_Folder(f.name, [r for r in f.rows if self._fits(f, r)]) for f in self._all)
            self._shown = [folder for folder in kept if folder.rows]
        self._places = {
            pair.key: (place, row)
            for place, folder in enumerate(self._shown)
            for row, pair in enumerate(folder.rows)
        }
        self.endResetModel()

    def _fits(self, folder: _Folder, row: PairRow) -> bool:
        words = (folder.name, row.name, row.key[0].name, row.key[1].name)
        return any(self._filter in word.casefold() for word in words)

    def has_thumb(self, key: Key) -> bool:
        """True when the pair's small picture is there (or cannot be made)."""
        return key in self._thumbs

    def set_thumb(self, key: Key, a: QImage | None, b: QImage | None) -> None:
        """Take the small pictures of a pair."""
        both = QPixmap(self._blank.size())
        both.fill(QColor(0, 0, 0, 0))
        painter = QPainter(both)
        for image, left in ((a, 0), (b, THUMB + 2)):
            if image is not None:
                x = left + (THUMB - image.width()) // 2
                painter.drawImage(x, (THUMB - image.height()) // 2, image)
        painter.end()
        self._thumbs[key] = both
        self.touch(key)

    def touch(self, key: Key) -> None:
        """A pair looks different now."""
        index = self.index_of(key)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def index_of(self, key: Key | None) -> QModelIndex:
        """Where a pair is shown."""
        place = self._places.get(key) if key is not None else None
        return self.createIndex(place[1], 0, place[0] + 1) if place is not None else QModelIndex()

    def key_at(self, index: Index) -> Key | None:
        """The pair of an index; None for a folder."""
        if not index.isValid() or index.internalId() == 0:
            return None
        return self._shown[index.internalId() - 1].rows[index.row()].key

    # --- the tree --------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index = _NO_PARENT) -> QModelIndex:
        """A folder below the root (id 0), a pair below a folder (id: the folder's place + 1)."""
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, index: Index = _NO_PARENT) -> QModelIndex:  # type: ignore[override]
        """The folder of a pair."""
        if not index.isValid() or index.internalId() == 0:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, 0)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Folders, or pairs of a folder."""
        if not parent.isValid():
            return len(self._shown)
        return len(self._shown[parent.row()].rows) if parent.internalId() == 0 else 0

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """One."""
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name, small picture, badge."""
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(3 * THUMB, THUMB + 4)
        if index.internalId() == 0:
            folder = self._shown[index.row()]
            if role == Qt.ItemDataRole.DisplayRole:
                return f"{folder.name} ({len(folder.rows)})"
            return None
        row = self._shown[index.internalId() - 1].rows[index.row()]
        return self._pair_data(row, role)

    def _pair_data(self, row: PairRow, role: int) -> object:
        if role == Qt.ItemDataRole.DecorationRole:
            if row.key not in self._thumbs:
                self.thumb_wanted.emit(row.key)
                return self._blank
            return self._thumbs[row.key]
        badge, why = self._state(row.key)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{_BADGES[badge][1]} {row.name}"
        if role == Qt.ItemDataRole.ForegroundRole and badge != "ready":
            return QColor(_BADGES[badge][0])
        if role == Qt.ItemDataRole.ToolTipRole:
            files = f"A: {row.key[0].name}\nB: {row.key[1].name}"
            return "\n".join(part for part in (files, row.reason, why) if part)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {badge}"
        return None

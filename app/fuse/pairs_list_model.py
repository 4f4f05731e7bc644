"""Folders and their pairs as a tree.

The view paints, lays out and scrolls without calling Python, as each call may have to wait for a
worker thread to release the interpreter lock. Rows are therefore standard items. Long lists are
inserted a few rows per turn of the event loop, limited by time, as every call into Qt may wait too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from time import perf_counter
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QSize, Qt, QTimer
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPainter,
    QPixmap,
    QStandardItem,
    QStandardItemModel,
)

from app.i18n.translate import translate
from app.pairs.edits import PairKey
from app.widgets import theme
from app.widgets.plain_table import ModelIndex

THUMB = 30
MOST_ROWS, LEAST_ROWS = 100, 5
"""Rows inserted per turn of the event loop, at most and at least."""
_TURN = 0.0025
"""Seconds after which no more than the least number of rows is inserted in a turn."""
_NUMBER = Qt.ItemDataRole.UserRole
"""Role of the index of a pair among all rows; folders have none."""
_BADGES = {
    "ready": ("muted", "○"),
    "check": ("warn", "?"),
    "fused": ("good", "✓"),
    "failed": ("error_border", "!"),
    "missing": ("error_border", "✕"),
}
"""Theme colour and symbol of each badge."""
_LAID = "↔"
"""Beside the badge of a pair whose sources are laid on each other by a transform."""


class PairRow(NamedTuple):
    """One pair: key, name, reason for the match, and title of its folder."""

    key: PairKey
    name: str
    reason: str
    folder: str


def _blank_item() -> QStandardItem:
    item = QStandardItem()
    item.setEditable(False)
    item.setSizeHint(QSize(3 * THUMB, THUMB + 4))
    return item


class PairModel(QStandardItemModel):
    """A two-level tree of the pairs that pass the filter."""

    def __init__(
        self, state: Callable[[PairKey], tuple[str, str, str]], parent: QObject | None = None
    ) -> None:
        """
        Args:
            state: returns badge and reason of a pair, and how its sources are laid on each other.
        """
        super().__init__(parent)
        self._state = state
        self._all: list[PairRow] = []
        self._rest: Iterator[PairRow] = iter(())
        """Rows that have not been taken yet."""
        self._place = 0
        """Index of the next row to insert."""
        self._items: dict[PairKey, QStandardItem] = {}
        self._folders: dict[str, QStandardItem] = {}
        self._filter = ""
        self._thumbs: dict[PairKey, QPixmap] = {}
        self._blank = QPixmap(2 * THUMB + 2, THUMB)
        self._blank.fill(QColor(128, 128, 128, 40))
        self._next = QTimer(self)
        self._next.setInterval(1)
        self._next.timeout.connect(self._list_some)

    # --- content ---------------------------------------------------------------------------

    def set_rows(self, rows: Iterable[PairRow]) -> None:
        """List other pairs; rows are taken from the iterable as they are inserted.

        If they begin with the rows listed already, only the others are inserted.
        """
        given = iter(rows)
        known = list(islice(given, len(self._all)))
        if known == self._all:
            self._rest = given
            self._go_on()
        else:
            self._all, self._rest = [], chain(known, given)
            self._list()

    def set_filter(self, text: str) -> None:
        """Show only pairs whose name, folder or files contain ``text``."""
        self._filter = text.strip().casefold()
        self._list()

    @property
    def is_complete(self) -> bool:
        """True once all rows are inserted."""
        return not self._next.isActive()

    def _list(self) -> None:
        self._items.clear()
        self._folders.clear()
        self.clear()
        self._place = 0
        self._go_on()

    def _go_on(self) -> None:
        self._next.start()
        self._list_some()

    def _list_some(self) -> None:
        """Insert the next rows that pass the filter."""
        self._all.extend(islice(self._rest, max(0, self._place + MOST_ROWS - len(self._all))))
        found: dict[str, list[QStandardItem]] = {}
        end, least, last = perf_counter() + _TURN, self._place + LEAST_ROWS, self._place + MOST_ROWS
        while self._place < min(last, len(self._all)):
            row = self._all[self._place]
            if self.passes(row):
                found.setdefault(row.folder, []).append(self._item(self._place, row))
            self._place += 1
            if self._place >= least and perf_counter() > end:
                break
        self._put(found)
        if self._place == len(self._all) < last:
            self._next.stop()
            known = {row.key for row in self._all} if self._thumbs else set()
            self._thumbs = {key: thumb for key, thumb in self._thumbs.items() if key in known}

    def _put(self, found: Mapping[str, list[QStandardItem]]) -> None:
        """Append items to folders, given by their titles."""
        fresh = []
        for name, items in found.items():
            folder = self._folders.get(name)
            if folder is None:
                folder = self._folders[name] = _blank_item()
                fresh.append(folder)
            folder.appendRows(items)
            folder.setText(f"{name} ({folder.rowCount()})")
        if fresh:
            self.invisibleRootItem().appendRows(fresh)

    def passes(self, row: PairRow) -> bool:
        """Whether a row passes the filter."""
        if not self._filter:
            return True
        words = (row.folder, row.name, row.key[0].name, row.key[1].name)
        return any(self._filter in word.casefold() for word in words)

    def _item(self, number: int, row: PairRow) -> QStandardItem:
        item = self._items[row.key] = _blank_item()
        item.setData(number, _NUMBER)
        item.setData(self._thumbs.get(row.key, self._blank), Qt.ItemDataRole.DecorationRole)
        self._update_badge(item, row)
        return item

    def _update_badge(self, item: QStandardItem, row: PairRow) -> None:
        """Show the badge of a pair."""
        badge, _, laid = self._state(row.key)
        role, sign = _BADGES[badge]
        item.setText(f"{sign}{_LAID if laid else ''} {row.name}")
        item.setAccessibleText(", ".join(part for part in (row.name, badge, laid) if part))
        if badge != "ready":
            item.setForeground(QColor(getattr(theme.colours(), role)))
        elif item.foreground() != QBrush():
            item.setData(None, Qt.ItemDataRole.ForegroundRole)

    # --- thumbnails ----------------------------------------------------------------------

    def has_thumb(self, key: PairKey) -> bool:
        """True if the pair has a thumbnail, or none can be made."""
        return key in self._thumbs

    def set_thumb(self, key: PairKey, a: QImage | None, b: QImage | None) -> None:
        """Set the thumbnails of a pair."""
        both = QPixmap(self._blank.size())
        both.fill(QColor(0, 0, 0, 0))
        painter = QPainter(both)
        for image, left in ((a, 0), (b, THUMB + 2)):
            if image is not None:
                x = left + (THUMB - image.width()) // 2
                painter.drawImage(x, (THUMB - image.height()) // 2, image)
        painter.end()
        self._thumbs[key] = both
        item = self._items.get(key)
        if item is not None:
            item.setData(both, Qt.ItemDataRole.DecorationRole)

    # --- single rows -----------------------------------------------------------------------

    def refresh(self, key: PairKey) -> None:
        """Update the badge of a pair."""
        item = self._items.get(key)
        if item is not None:
            self._update_badge(item, self._all[item.data(_NUMBER)])
            if item.toolTip():
                item.setToolTip("")
                self.ensure_tool_tip(key)

    def refresh_colours(self) -> None:
        """Update all badges to the colours of the current theme."""
        for item in self._items.values():
            row = self._all[item.data(_NUMBER)]
            if self._state(row.key)[0] != "ready":
                self._update_badge(item, row)

    def ensure_tool_tip(self, key: PairKey) -> None:
        """Set the tool tip of a pair; called for visible rows only, as there may be thousands."""
        item = self._items.get(key)
        if item is not None and not item.toolTip():
            row = self._all[item.data(_NUMBER)]
            files = f"A: {key[0].name}\nB: {key[1].name}"
            parts = (files, translate(row.reason), *self._state(key)[1:])
            item.setToolTip("\n".join(part for part in parts if part))

    def index_of(self, key: PairKey | None) -> QModelIndex:
        """The index of a pair; an invalid one if it is not listed."""
        item = self._items.get(key) if key is not None else None
        return item.index() if item is not None else QModelIndex()

    def key_at(self, index: ModelIndex) -> PairKey | None:
        """The pair of an index; None for a folder."""
        number = index.data(_NUMBER) if index.isValid() else None
        return self._all[number].key if number is not None else None

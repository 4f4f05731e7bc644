"""Folders and their pairs as a tree.

The view draws, lays out and scrolls without asking Python anything: on a busy machine each question
is a wait for a thread that works. Rows are therefore real items; of long lists, some are put in per
turn of the event loop. Each call into Qt may be such a wait as well, so a turn ends by the clock.
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
SLICE, FEW = 100, 5
"""Rows put in per turn of the event loop, at most and at least."""
_TURN = 0.0025
"""Seconds after which a turn takes no more than the least."""
_NUMBER = Qt.ItemDataRole.UserRole
"""Role of a pair's place among all rows; a folder has none."""
_BADGES = {
    "ready": ("muted", "○"),
    "check": ("warn", "?"),
    "fused": ("good", "✓"),
    "failed": ("error_border", "!"),
    "missing": ("error_border", "✕"),
}
"""Colour of the theme, and sign."""


class PairRow(NamedTuple):
    """One pair: what tells it apart, its name, why it is one, and the title it is listed under."""

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
    """A two-level tree of what passes the filter."""

    def __init__(
        self, state: Callable[[PairKey], tuple[str, str]], parent: QObject | None = None
    ) -> None:
        """
        Args:
            state: how a pair is getting on: its badge, and why.
        """
        super().__init__(parent)
        self._state = state
        self._all: list[PairRow] = []
        self._rest: Iterator[PairRow] = iter(())
        """Rows that were not asked for yet."""
        self._place = 0
        """Of the row that is looked at next."""
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
        """List other pairs; they are asked for as they are listed.

        Where they begin with those that are listed, the others are put behind them.
        """
        told = iter(rows)
        known = list(islice(told, len(self._all)))
        if known == self._all:
            self._rest = told
            self._go_on()
        else:
            self._all, self._rest = [], chain(known, told)
            self._list()

    def set_filter(self, text: str) -> None:
        """Show only pairs whose name, folder or files contain ``text``."""
        self._filter = text.strip().casefold()
        self._list()

    @property
    def is_complete(self) -> bool:
        """True once every row that is to be shown is there."""
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
        """Look at the next rows, and put in those that pass."""
        self._all.extend(islice(self._rest, max(0, self._place + SLICE - len(self._all))))
        found: dict[str, list[QStandardItem]] = {}
        end, least, last = perf_counter() + _TURN, self._place + FEW, self._place + SLICE
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
        """Put items below the folders of these titles."""
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
        """Whether the filter lets a row be seen."""
        if not self._filter:
            return True
        words = (row.folder, row.name, row.key[0].name, row.key[1].name)
        return any(self._filter in word.casefold() for word in words)

    def _item(self, number: int, row: PairRow) -> QStandardItem:
        item = self._items[row.key] = _blank_item()
        item.setData(number, _NUMBER)
        item.setData(self._thumbs.get(row.key, self._blank), Qt.ItemDataRole.DecorationRole)
        self._dress(item, row)
        return item

    def _dress(self, item: QStandardItem, row: PairRow) -> None:
        """Say how a pair is getting on."""
        badge, _ = self._state(row.key)
        role, sign = _BADGES[badge]
        item.setText(f"{sign} {row.name}")
        item.setAccessibleText(f"{row.name}, {badge}")
        if badge != "ready":
            item.setForeground(QColor(getattr(theme.colours(), role)))
        elif item.foreground() != QBrush():
            item.setData(None, Qt.ItemDataRole.ForegroundRole)

    # --- small images --------------------------------------------------------------------

    def has_thumb(self, key: PairKey) -> bool:
        """True when the pair's small image is there (or cannot be made)."""
        return key in self._thumbs

    def set_thumb(self, key: PairKey, a: QImage | None, b: QImage | None) -> None:
        """Take the small images of a pair."""
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

    # --- places ----------------------------------------------------------------------------

    def touch(self, key: PairKey) -> None:
        """A pair is getting on in another way now."""
        item = self._items.get(key)
        if item is not None:
            self._dress(item, self._all[item.data(_NUMBER)])
            if item.toolTip():
                item.setToolTip("")
                self.explain(key)

    def dress_again(self) -> None:
        """Show all badges in the colours that the theme has now."""
        for item in self._items.values():
            row = self._all[item.data(_NUMBER)]
            if self._state(row.key)[0] != "ready":
                self._dress(item, row)

    def explain(self, key: PairKey) -> None:
        """Have a pair say what it is; asked for those that are looked at, of thousands."""
        item = self._items.get(key)
        if item is not None and not item.toolTip():
            row = self._all[item.data(_NUMBER)]
            files = f"A: {key[0].name}\nB: {key[1].name}"
            said = (files, translate(row.reason), self._state(key)[1])
            item.setToolTip("\n".join(part for part in said if part))

    def index_of(self, key: PairKey | None) -> QModelIndex:
        """Where a pair is shown."""
        item = self._items.get(key) if key is not None else None
        return item.index() if item is not None else QModelIndex()

    def key_at(self, index: ModelIndex) -> PairKey | None:
        """The pair of an index; None for a folder."""
        number = index.data(_NUMBER) if index.isValid() else None
        return self._all[number].key if number is not None else None

"""The table of a batch: pairs with their sizes, results, states and notes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QByteArray,
    QMimeData,
    QModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap

from app.pairs.edits import PairKey
from app.pairs.table import PairTable
from app.widgets import theme
from app.widgets.plain_table import ModelIndex

A, B, WHY, FOLDER, SIZE, ALIGN, RESULT, STATE, LOST, NOTE = range(10)
THUMB = 30
_NO_PARENT = QModelIndex()
_ROWS_TYPE = "application/x-unifusion-rows"
_THUMBS_KEPT = 400
# Constants, since Qt asks for the flags of every cell when all are selected.
_PLAIN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_PAIR = _PLAIN | Qt.ItemFlag.ItemIsDragEnabled
_TICKED = _PAIR | Qt.ItemFlag.ItemIsUserCheckable


@dataclass(frozen=True)
class RowText:
    """What a row shows besides its files.

    Attributes:
        size: of the images. result: name of the fused image. state: in one or two words.
        align: how the pair is laid on each other; own_align: its own choice, "" for that of all.
        detail: error or notes, in full.
        severity: "", "success", "error" or "warning".
        output: file of the fused image, once it exists.
        lost: what the result loses of both sources; is_lost: whether that is an alarm.
        resampled: whether B is resampled where its size differs from that of A; else None.
    """

    size: str = ""
    result: str = ""
    state: str = ""
    detail: str = ""
    severity: str = ""
    _: KW_ONLY
    align: str = ""
    own_align: str = ""
    output: Path | None = None
    lost: str = ""
    is_lost: bool = False
    resampled: bool | None = None


@dataclass(frozen=True)
class _EmptyPlan:
    """A plan without pairs."""

    matches: tuple[Any, ...] = ()
    leftovers: tuple[Any, ...] = ()


class BatchTable(PairTable):
    """Pairs, then unpaired files in red; with check boxes, dragging and thumbnails."""

    ticked = Signal(object, bool)
    """Rows, and whether to include them."""
    moved = Signal(object, int)
    """Rows, and the row to move them before."""
    thumb_wanted = Signal(object)
    """A pair of paths without a thumbnail yet; see :meth:`set_thumb`."""

    def __init__(
        self, describe: Callable[[Any], RowText], is_troubled: Callable[[Any], bool]
    ) -> None:
        """
        Args:
            describe: gives the texts of a match.
            is_troubled: tells whether the row of a match needs attention.
        """
        super().__init__(_EmptyPlan())
        self._describe, self._is_troubled = describe, is_troubled
        self._places: dict[PairKey, int] = {}
        self._thumbs: OrderedDict[PairKey, QIcon] = OrderedDict()
        self._unread: set[PairKey] = set()
        """Pairs whose thumbnail lacks an image that could not be read."""
        self._blanks = (_blank(1), _blank(2))
        self.is_locked = False
        """True during a run: rows can be moved, but not changed."""

    # --- content ---------------------------------------------------------------------------

    def show_plan(self, plan: Any) -> bool:
        """Show another plan; None is an empty one. The model is only reset if its rows differ.

        Returns:
            Whether the model was reset, so that its selection is lost.
        """
        plan = _EmptyPlan() if plan is None else plan
        self._places = {(m.a, m.b): row for row, m in enumerate(plan.matches)}
        same = len(plan.matches) == len(self.plan.matches) and plan.leftovers == self.plan.leftovers
        if not same:
            self.set_plan(plan)
            return True
        self.plan = plan
        self.touch_all()
        return False

    def touch_all(self) -> None:
        """Update all rows."""
        if self.rowCount():
            last = self.index(self.rowCount() - 1, NOTE)
            self.dataChanged.emit(self.index(0, 0), last)

    def touch(self, keys: Sequence[PairKey]) -> None:
        """Update the rows of pairs, with one signal for each run of adjacent rows."""
        rows = sorted(row for key in keys if (row := self._places.get(key)) is not None)
        for first, last in adjacent_runs(rows):
            self.dataChanged.emit(self.index(first, 0), self.index(last, NOTE))

    def row_of(self, key: PairKey) -> int | None:
        """The row of a pair; None if it is not in the table."""
        return self._places.get(key)

    def match_at(self, row: int) -> Any:
        """The pair of a row; None for an unpaired file."""
        return self.plan.matches[row] if 0 <= row < len(self.plan.matches) else None

    def text_at(self, row: int) -> RowText:
        """The texts of a row."""
        match = self.match_at(row)
        return self._describe(match) if match is not None else RowText()

    def is_troubled(self, row: int) -> bool:
        """Whether the row needs attention."""
        match = self.match_at(row)
        if match is None:
            return True
        return self._is_troubled(match)

    def set_thumb(self, key: PairKey, first: QImage | None, second: QImage | None) -> None:
        """Store thumbnails: of A and B under (A, B), of a result under (file, Path())."""
        images = [first] if key[1] == Path() else [first, second]
        pixmap = QPixmap(len(images) * (THUMB + 2) - 2, THUMB)
        pixmap.fill(QColor(0, 0, 0, 0))
        painter = QPainter(pixmap)
        for place, image in enumerate(images):
            if image is not None:
                left = place * (THUMB + 2) + (THUMB - image.width()) // 2
                painter.drawImage(left, (THUMB - image.height()) // 2, image)
        painter.end()
        self._thumbs[key] = QIcon(pixmap)
        (self._unread.add if None in images else self._unread.discard)(key)
        while len(self._thumbs) > _THUMBS_KEPT:
            self._thumbs.popitem(last=False)
        if key[1] != Path():
            self.touch([key])
        elif self.rowCount():
            last = self.index(self.rowCount() - 1, RESULT)
            self.dataChanged.emit(self.index(0, RESULT), last)

    def forget_thumbs(self, key: PairKey, output: Path) -> None:
        """Drop the thumbnails of a pair whose result was written, so that they are made again."""
        self._thumbs.pop((output, Path()), None)
        if key in self._unread:
            self._unread.discard(key)
            self._thumbs.pop(key, None)

    # --- the model -------------------------------------------------------------------------

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """A, B, reason, folder, size, registration, result, state, what is lost, note."""
        return NOTE + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if section < SIZE or orientation != Qt.Orientation.Horizontal:
            return super().headerData(section, orientation, role)
        if role == Qt.ItemDataRole.DisplayRole:
            titles = (
                self.tr("Size"),
                self.tr("Registration"),
                self.tr("Result"),
                self.tr("State"),
                self.tr("Lost"),
                self.tr("Note"),
            )
            return titles[section - SIZE]
        return None

    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        """Pairs can be checked and dragged; nothing can be dropped onto a row."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        if index.row() >= len(self.plan.matches):
            return _PLAIN
        return _TICKED if index.column() == A and not self.is_locked else _PAIR

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, check states, colours, thumbnails."""
        row, column = index.row(), index.column()
        if row >= len(self.plan.matches):
            return self._leftover_data(index, role)
        match = self.plan.matches[row]
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(60, THUMB + 4)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(match, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(match, column)
        if column < SIZE:
            return super().data(index, role)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            text = self._describe(match)
            note = text.detail
            if role == Qt.ItemDataRole.DisplayRole:
                note = _without_folders(note, match)
            cells = (text.size, text.align, text.result, text.state, text.lost, note)
            return cells[column - SIZE]
        return None

    def _leftover_data(self, index: ModelIndex, role: int) -> object:
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme.colours().error_border)
        if index.column() < SIZE:
            return super().data(index, role)
        if role == Qt.ItemDataRole.DisplayRole and index.column() == STATE:
            return self.tr("Not paired")
        return None

    def _decoration(self, match: Any, column: int) -> object:
        if column == A:
            return self._thumb((match.a, match.b))
        if column == RESULT:
            output = self._describe(match).output
            return self._thumb((output, Path())) if output is not None else None
        return None

    def _thumb(self, key: PairKey) -> QIcon:
        found = self._thumbs.get(key)
        if found is None:
            self.thumb_wanted.emit(key)
            return self._blanks[key[1] != Path()]
        self._thumbs.move_to_end(key)
        return found

    def _colour(self, match: Any, column: int) -> object:
        now = theme.colours()
        if match.excluded:
            return QColor(now.muted)
        if column == ALIGN:
            return None if self._describe(match).own_align else QColor(now.muted)
        if column == LOST:
            return QColor(now.notice_text) if self._describe(match).is_lost else None
        if column == WHY and not match.sure and self._is_troubled(match):
            return QColor(now.notice_text)
        if column in (STATE, NOTE):
            severity = self._describe(match).severity
            if column == NOTE and severity == "success":
                return None  # notes on a result are no warning
            roles = {
                "error": now.error_border,
                "success": now.accent,
                "warning": now.notice_text,
            }
            return QColor(roles[severity]) if severity in roles else None
        return None

    def setData(
        self, index: ModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Emit ``ticked`` for a check box; the model itself is not changed."""
        row = index.row()
        if role != Qt.ItemDataRole.CheckStateRole or self.match_at(row) is None or self.is_locked:
            return False
        used = value in (Qt.CheckState.Checked, Qt.CheckState.Checked.value)
        self.ticked.emit([row], used)
        return True

    # --- dragging --------------------------------------------------------------------------

    def supportedDropActions(self) -> Qt.DropAction:
        """Move only."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """The type of :meth:`mimeData`."""
        return [_ROWS_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The numbers of the dragged rows."""
        rows = sorted({index.row() for index in indexes if self.match_at(index.row())})
        data = QMimeData()
        data.setData(_ROWS_TYPE, QByteArray(",".join(map(str, rows)).encode()))
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: ModelIndex
    ) -> bool:
        """Emit ``moved``; returns False, so that the view removes no rows."""
        text = bytes(data.data(_ROWS_TYPE).data()).decode()
        if text:
            place = row if row >= 0 else len(self.plan.matches)
            self.moved.emit(
                [int(part) for part in text.split(",")], min(place, len(self.plan.matches))
            )
        return False


def adjacent_runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last row of every run of adjacent rows; ``rows`` are ascending."""
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at] > rows[at - 1] + 1:
            yield rows[start], rows[at - 1]
            start = at


class FilteredTable(QSortFilterProxyModel):
    """Filters the rows of the table, by attention needed and by name."""

    def __init__(self, table: BatchTable) -> None:
        super().__init__()
        self._table = table
        self._only_troubled, self._words = False, ""
        self.setDynamicSortFilter(False)
        self.setSourceModel(table)

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set."""
        return self._only_troubled or bool(self._words)

    def places(self, rows: Sequence[int]) -> list[int]:
        """Rows of this model for ``rows`` of the table, without hidden ones."""
        if not self.is_filtered:
            return [row for row in rows if 0 <= row < self.rowCount()]
        mapped = (self.mapFromSource(self._table.index(row, 0)) for row in rows)
        return [index.row() for index in mapped if index.isValid()]

    def set_only_troubled(self, only: bool) -> None:
        """Show only rows that need attention, or all."""
        self._only_troubled = only
        self._filter()

    def set_words(self, text: str) -> None:
        """Show only rows whose name, folder or file names contain ``text``, whatever the case."""
        self._words = text.strip().casefold()
        self._filter()

    def _filter(self) -> None:
        # Changed rows, of which there may be thousands, are filtered again only where it matters.
        self.setDynamicSortFilter(self.is_filtered)
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: ModelIndex) -> bool:
        """Whether the filters let a row through."""
        if self._only_troubled and not self._table.is_troubled(row):
            return False
        if not self._words:
            return True
        match = self._table.match_at(row)
        if match is None:
            return self._words in str(self._table.plan.leftovers[row - _count(self._table)].path)
        text = f"{match.folder} {match.name} {match.a.name} {match.b.name}"
        return self._words in text.casefold()


def _blank(images: int) -> QIcon:
    """Placeholder for ``images`` thumbnails side by side."""
    pixmap = QPixmap(images * (THUMB + 2) - 2, THUMB)
    pixmap.fill(QColor(128, 128, 128, 40))
    return QIcon(pixmap)


def _without_folders(text: str, match: Any) -> str:
    """``text`` with “A” or “B” for the file name in front, and file names for whole paths."""
    for side, path in (("A", match.a), ("B", match.b)):
        for name in (str(path), path.name):
            text = f"{side}{text[len(name) :]}" if text.startswith(f"{name}:") else text
        text = text.replace(str(path), path.name)
    return text


def _count(table: BatchTable) -> int:
    return len(table.plan.matches)

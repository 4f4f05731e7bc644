"""The pre-flight table: every pair, its subset, and why some are excluded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QColor

from app.i18n.translate import translate
from app.train.view_models import PreflightRow
from app.widgets import theme
from app.widgets.plain_table import ModelIndex

_NO_PARENT = QModelIndex()


class PairRows(QAbstractTableModel):
    """Rows of a :class:`app.train.view_models.DataReport`; excluded ones come first."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[PreflightRow, ...] = ()

    def show_rows(self, rows: Sequence[PreflightRow], *, only_problems: bool = False) -> None:
        """Replace the rows."""
        order = {"problem": 0, "validation": 1, "train": 2}
        kept = (row for row in rows if row.part == "problem" or not only_problems)
        self.beginResetModel()
        self.rows = tuple(sorted(kept, key=lambda row: (order[row.part], row.group, row.name)))
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of columns: name, part, group, note."""
        return 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            titles = (self.tr("Pair"), self.tr("Use"), self.tr("Belongs to"), self.tr("Note"))
            return titles[section]
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, and the colour of excluded rows."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.name, self._use(row), row.group, translate(row.reason))[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return translate(row.reason) or row.name
        if role == Qt.ItemDataRole.ForegroundRole:
            now = theme.colours()
            if row.part == "problem":
                return QColor(now.error_border)
            if row.part == "validation" and index.column() == 1:
                return QColor(now.accent)
        return None

    def _use(self, row: PreflightRow) -> str:
        return {
            "train": self.tr("to learn from"),
            "validation": self.tr("to check with"),
            "problem": self.tr("left out"),
        }[row.part]

"""The table of an ablation: variants, their components, and mean ± SD of every metric."""

from __future__ import annotations

import math

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QFont

from app.evaluate.ablation_tasks import AblationTable, ScoreCell, VariantRow
from app.i18n.numbers import number
from app.i18n.translate import translate
from app.widgets.plain_table import ModelIndex

_NO_PARENT = QModelIndex()
_FIXED = 6
"""Columns before the scores: variant, four components, runs."""


class AblationRows(QAbstractTableModel):
    """One row per variant, from the finished runs; the best mean of a column is bold."""

    def __init__(self) -> None:
        super().__init__()
        self.table: AblationTable | None = None

    def show_table(self, table: AblationTable | None) -> None:
        """Replace the rows; None removes them."""
        self.beginResetModel()
        self.table = table
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of variants with a finished run."""
        return 0 if parent.isValid() or self.table is None else len(self.table.rows)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Variant, four components, runs, and the metrics."""
        return _FIXED + (len(self.table.metrics) if self.table is not None else 0)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation != Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        encoder = self.table is not None and self.table.encoder
        fixed = (
            self.tr("Variant"),
            self.tr("Adapter"),
            self.tr("Encoder") if encoder else "DINOv3",
            self.tr("Reconstruction"),
            self.tr("Two levels"),
            self.tr("Runs"),
        )
        if section < _FIXED or self.table is None:
            return fixed[section]
        name = self.table.metrics[section - _FIXED]
        return self.tr("Reconstruction, dB") if name == "reconstruction_psnr" else name

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts; the font of the best means."""
        if self.table is None:
            return None
        row, column = self.table.rows[index.row()], index.column()
        cell = row.cells[column - _FIXED] if column >= _FIXED else None
        if role == Qt.ItemDataRole.DisplayRole:
            return _score(cell) if cell is not None else _fixed(row, column)
        if role == Qt.ItemDataRole.FontRole and cell is not None and cell.best:
            font = QFont()
            font.setBold(True)
            return font
        return None


def _fixed(row: VariantRow, column: int) -> str:
    if column == 0:
        return translate(row.title)
    if column == _FIXED - 1:
        return number(row.runs)
    return "✓" if row.checks[column - 1] else "–"


def _score(cell: ScoreCell) -> str:
    if math.isnan(cell.mean):
        return "–"
    mean = number(cell.mean, f".{cell.digits}f")
    return mean if math.isnan(cell.sd) else f"{mean} ± {number(cell.sd, f'.{cell.digits}f')}"

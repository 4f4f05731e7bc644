"""A table to read and to choose rows in: no grid, thin rows, the last column takes the rest."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QHeaderView, QTableView

ModelIndex = QModelIndex | QPersistentModelIndex
"""What Qt passes where a model is asked for a cell."""


def plain_table(model: QAbstractItemModel, widths: Sequence[int]) -> QTableView:
    """A view on ``model`` whose first columns have ``widths`` in pixels.

    Tab leaves it for the next control; the arrow keys move in it.
    """
    table = QTableView()
    table.setModel(model)
    table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(24)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setStretchLastSection(True)
    for column, width in enumerate(widths):
        table.setColumnWidth(column, width)
    return table

"""The view of the table of a batch: column widths, keys, dragging."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.batch.table_model import (
    ALIGN,
    FOLDER,
    LOST,
    NOTE,
    RESULT,
    SIZE,
    STATE,
    THUMB,
    WHY,
    A,
    B,
    FilteredTable,
)

_WIDTHS = {
    A: 200,
    B: 116,
    STATE: 108,
    SIZE: 84,
    ALIGN: 110,
    LOST: 136,
    NOTE: 130,
    WHY: 132,
    RESULT: 150,
    FOLDER: 80,
}

_NAME_MORE = 110
"""Pixels that a column of file names is widened by, at most."""


class _MiddleElision(QStyledItemDelegate):
    """Elides file names in the middle, since those of one series differ at their ends."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Set the elide mode."""
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class BatchView(QTableView):
    """A table whose rows are moved by dragging or Alt+Up and Alt+Down."""

    move_requested = Signal(int)
    """Rows up (-1) or down (1)."""
    exclude_requested = Signal()
    open_requested = Signal()
    """Enter was pressed."""

    def __init__(self, shown: FilteredTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_spread = False
        self.setModel(shown)
        self.setAccessibleName(self.tr("Pairs of the batch and files without partner"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(False)
        self.setWordWrap(False)
        self.names = _MiddleElision(self)
        for column in (A, B, RESULT):
            self.setItemDelegateForColumn(column, self.names)
        self.setIconSize(QSize(2 * THUMB + 2, THUMB))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(THUMB + 6)
        header = self.horizontalHeader()
        # With the selection model of the table it would ask every selected cell for its flags.
        header.setSelectionModel(QItemSelectionModel(shown, header))
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for place, (column, width) in enumerate(_WIDTHS.items()):
            self.setColumnWidth(column, width)
            header.moveSection(header.visualIndex(column), place)
        header.setStretchLastSection(True)
        self.setColumnHidden(ALIGN, True)
        self.setColumnHidden(LOST, True)

    def showEvent(self, event: QShowEvent) -> None:
        """Distribute spare width to the columns whose texts are elided first; once."""
        super().showEvent(event)
        there = [c for c in _WIDTHS if not self.isColumnHidden(c)]
        room = self.viewport().width() - sum(_WIDTHS[column] for column in there)
        if room > 0 and not self._is_spread:
            self._is_spread = True
            for column in (A, B, NOTE):
                most = room if column == NOTE else _NAME_MORE
                self.setColumnWidth(column, _WIDTHS[column] + min(most, room // 3))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt+Up and Alt+Down move rows, Delete excludes them, Enter opens one."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and key in steps:
            self.move_requested.emit(steps[key])
        elif key == Qt.Key.Key_Delete:
            self.exclude_requested.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_requested.emit()
        else:
            super().keyPressEvent(event)

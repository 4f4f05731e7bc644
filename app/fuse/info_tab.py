"""Details of sources and result, in two columns."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.widgets.plain_table import ModelIndex

Rows = list[tuple[str, list[tuple[str, str]]]]


_NAMES, _ROOM = 0.4, 6
"""Largest share of the width that names may take; padding of a name in pixels."""


class _WrappingDelegate(QStyledItemDelegate):
    """Makes rows as tall as their wrapped text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        hint = super().sizeHint(option, index)
        tree = option.widget
        if not isinstance(tree, QTreeWidget):
            return hint
        if not index.parent().isValid():
            return hint + QSize(0, 4)
        style, metrics = tree.style(), tree.fontMetrics()
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, tree) + 1
        indent = 2 * tree.indentation() if index.column() == 0 else 0
        room = max(tree.columnWidth(index.column()) - indent - 2 * margin, 1)
        flags = int(Qt.TextFlag.TextWordWrap)
        words = metrics.boundingRect(0, 0, room, 1 << 20, flags, str(index.data()))
        return QSize(hint.width(), max(words.height(), metrics.height()) + 2)


class InfoTab(QTreeWidget):
    """Groups of names and values; the current row can be copied."""

    became_visible = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names_width = 0
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(8)
        self.setWordWrap(True)
        # The beginning and the file name are the most useful parts of a long path.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setItemDelegate(_WrappingDelegate(self))
        self.setAccessibleName(self.tr("Information"))
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        self.header().setMinimumSectionSize(1)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        # Text wraps differently in another width.
        self.header().sectionResized.connect(lambda *_: self.scheduleDelayedItemsLayout())
        copy = QShortcut(QKeySequence.StandardKey.Copy, self)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self._copy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Distribute the width over the columns."""
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Give the names the width they need, up to a share: values are longer."""
        width, most = self._names_width, round(_NAMES * self.viewport().width())
        self.header().resizeSection(0, max(min(width, most), 1))

    def showEvent(self, event: QShowEvent) -> None:
        """Emit ``became_visible``."""
        super().showEvent(event)
        self.became_visible.emit()

    def show_rows(self, rows: Rows) -> None:
        """Show groups of rows."""
        self.clear()
        names = [name for _title, lines in rows for name, _value in lines]
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in names), default=0)
        self._names_width = widest + self.indentation() * 2 + _ROOM
        self._share_width()
        for title, lines in rows:
            group = QTreeWidgetItem([title])
            group.setFlags(Qt.ItemFlag.ItemIsEnabled)
            font = group.font(0)
            font.setBold(True)
            group.setFont(0, font)
            self.addTopLevelItem(group)
            group.setFirstColumnSpanned(True)
            for name, value in lines:
                item = QTreeWidgetItem([name, value])
                item.setToolTip(1, value)
                for column in (0, 1):
                    item.setTextAlignment(column, Qt.AlignmentFlag.AlignTop)
                group.addChild(item)
            group.setExpanded(True)

    def value_of(self, group: str, name: str) -> str:
        """The value of a row, or ""."""
        exactly = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
        for item in self.findItems(name, exactly):
            head: QTreeWidgetItem | None = item.parent()
            if head is not None and head.text(0) == group:
                return item.text(1)
        return ""

    def _copy(self) -> None:
        item = self.currentItem()
        if item is not None:
            QGuiApplication.clipboard().setText(
                "\t".join(filter(None, (item.text(0), item.text(1))))
            )

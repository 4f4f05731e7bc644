"""What is known of the sources and the result, in two columns."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

Rows = list[tuple[str, list[tuple[str, str]]]]


class InfoTab(QTreeWidget):
    """Groups of name and value; the chosen line can be copied."""

    needed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(8)
        self.setWordWrap(True)
        # Of a path that is too long, the file and where it begins tell most.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName(self.tr("Information"))
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self._copy)

    def showEvent(self, event: QShowEvent) -> None:
        """Now somebody looks."""
        super().showEvent(event)
        self.needed.emit()

    def show_rows(self, rows: Rows) -> None:
        """Show groups of lines."""
        self.clear()
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
                item.setTextAlignment(0, Qt.AlignmentFlag.AlignTop)
                group.addChild(item)
            group.setExpanded(True)

    def value_of(self, group: str, name: str) -> str:
        """The value of a line, or ""."""
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

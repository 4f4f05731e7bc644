"""The Info tab: details of sources and result, and the way to all tags of series."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.fuse.info_tab import InfoTab, Rows


class InfoPage(QWidget):
    """The rows, and below them a button where these are of series."""

    became_visible = Signal()
    tags_requested = Signal()
    """All tags of the series on show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = InfoTab()
        self.rows.became_visible.connect(self.became_visible)
        self.tags = QPushButton(self.tr("All tags…"))
        self.tags.clicked.connect(self.tags_requested)
        self.tags.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.rows, 1)
        layout.addWidget(self.tags)

    def show_rows(self, rows: Rows, *, of_series: bool) -> None:
        """Show groups of rows."""
        self.rows.show_rows(rows)
        self.tags.setVisible(of_series)

    def value_of(self, group: str, name: str) -> str:
        """The value of a row, or ""."""
        return self.rows.value_of(group, name)

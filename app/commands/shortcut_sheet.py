"""The list of all shortcuts and mouse gestures (F1)."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.commands.registry import CommandRegistry, native
from app.viewer.gestures import align_gestures, image_gestures, other_gestures, region_gestures


class ShortcutSheet(QDialog):
    """Lists the shortcuts of a registry by group."""

    edit_requested = Signal()

    def __init__(self, registry: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        page = QWidget()
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(20, 12, 20, 12)
        self._grid.setHorizontalSpacing(32)
        for group, commands in registry.groups().items():
            rows = [(registry.title(c.id), native(registry.keys_of(c.id))) for c in commands]
            self._add(group, [row for row in rows if row[1]])
        self._add(self.tr("In a picture"), image_gestures())
        self._add(self.tr("While A and B are aligned"), align_gestures())
        self._add(self.tr("While regions are drawn"), region_gestures())
        self._add(self.tr("With the mouse elsewhere"), other_gestures())
        scroll = QScrollArea()
        scroll.setAccessibleName(self.tr("Keyboard shortcuts"))
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        change = buttons.addButton(self.tr("Change…"), QDialogButtonBox.ButtonRole.ActionRole)
        change.clicked.connect(self.edit_requested)
        change.clicked.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 12)
        layout.addWidget(scroll, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 0, 12, 0)
        foot.addWidget(buttons)
        layout.addLayout(foot)
        self._grid.setColumnStretch(0, 3)
        self._grid.setColumnStretch(1, 2)
        self.resize(560, 620)

    def rows(self) -> dict[str, str]:
        """Listed shortcuts by command."""
        cells = {}
        for row in range(self._grid.rowCount()):
            pair = [self._grid.itemAtPosition(row, column) for column in (0, 1)]
            shown = [item.widget() for item in pair if item is not None]
            texts = [label.text() for label in shown if isinstance(label, QLabel)]
            if len(texts) == 2:
                cells[texts[0]] = texts[1]
        return cells

    def _add(self, group: str, rows: list[tuple[str, str]]) -> None:
        if not rows:
            return
        heading = QLabel(group)
        heading.setObjectName("paneTitle")
        at = self._grid.rowCount()
        self._grid.addWidget(heading, at, 0, 1, 2)
        for offset, (name, keys) in enumerate(rows, 1):
            for column, text in enumerate((name, keys)):
                label = QLabel(text)
                label.setWordWrap(True)
                self._grid.addWidget(label, at + offset, column)

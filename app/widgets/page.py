"""What every workspace page is to the window that holds it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


class Page(QWidget):
    """One workspace beside Fuse. It looks after its own work and threads."""

    busy_changed = Signal()
    """Work began or ended; see :attr:`busy`."""
    title_changed = Signal(str)
    """The title of the page's tab, such as the name with the share done."""

    @property
    def busy(self) -> str:
        """What is under way, as a person would say it ("Fusing 120 pairs"), or ""."""
        return ""

    def shutdown(self) -> None:
        """Stop work at a point from which it can go on, and wait for its threads."""


class Placeholder(Page):
    """Says what a workspace will do, and how to do it today."""

    def __init__(self, title: str, text: str, command: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading = QLabel(title)
        heading.setObjectName("pageTitle")
        self.text = QLabel(text)
        self.text.setWordWrap(True)
        self.command = QLabel(command)
        self.command.setObjectName("command")
        self.command.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(48, 48, 48, 48)
        layout.setSpacing(12)
        layout.addWidget(heading)
        layout.addWidget(self.text)
        layout.addWidget(self.command, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)

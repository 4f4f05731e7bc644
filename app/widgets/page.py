"""The base class of workspace pages."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget


class Page(QWidget):
    """A workspace other than Fuse. It owns its work and threads."""

    busy_changed = Signal()
    """Work started or ended; see :attr:`busy`."""
    title_changed = Signal(str)
    """New title of the page's tab, such as the name with the progress."""

    @property
    def busy(self) -> str:
        """Description of the work under way ("Fusing 120 pairs"), or ""."""
        return ""

    def shutdown(self) -> None:
        """Stop work where it can be resumed, and wait for the threads."""


class Placeholder(Page):
    """A page for a workspace without a GUI, with the command line to use instead."""

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

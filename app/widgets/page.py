"""The base class of workspace pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Page(QWidget):
    """A workspace other than Fuse. It owns its work and threads."""

    busy_changed = Signal()
    """Work started or ended; see :attr:`busy`."""
    title_changed = Signal(str)
    """New title of the page's tab, such as the name with the progress."""

    commands_changed = Signal()
    """Other commands are available; see :attr:`commands`."""

    @property
    def commands(self) -> Mapping[str, Callable[[], object]]:
        """The commands of the window that the page carries out now, by name."""
        return {}

    @property
    def busy(self) -> str:
        """Description of the work under way ("Fusing 120 pairs"), or ""."""
        return ""

    def shutdown(self) -> None:
        """Stop work where it can be resumed, and wait for the threads."""

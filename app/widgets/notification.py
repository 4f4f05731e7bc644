"""Tells a person who looks elsewhere that something has ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QStyle, QSystemTrayIcon, QWidget


class Notice(QObject):
    """A system notification where there is one; else the window asks for attention."""

    clicked = Signal()
    """The notification, or its icon."""

    def __init__(self, window: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self.tray = QSystemTrayIcon
        """What stands for the system's tray."""
        self._icon: QSystemTrayIcon | None = None

    @property
    def has_place(self) -> bool:
        """Whether the system has a place for icons of programs without a window."""
        return self.tray.isSystemTrayAvailable()

    def stay(self, tip: str) -> None:
        """Show an icon the person can find the program by."""
        if self.has_place:
            icon = self._shown()
            icon.setToolTip(tip)

    def tell(self, title: str, text: str) -> None:
        """Say one thing, once."""
        if self.has_place and self.tray.supportsMessages():
            self._shown().showMessage(title, text)
        else:
            QApplication.alert(self._window)

    def go(self) -> None:
        """Take the icon away."""
        if self._icon is not None:
            self._icon.hide()

    def _shown(self) -> QSystemTrayIcon:
        if self._icon is None:
            image = self._window.windowIcon()
            if image.isNull():
                image = self._window.style().standardIcon(QStyle.StandardPixmap.SP_ComputerIcon)
            self._icon = self.tray(image, self)
            self._icon.messageClicked.connect(self.clicked)
            self._icon.activated.connect(lambda _reason: self.clicked.emit())
        self._icon.show()
        return self._icon

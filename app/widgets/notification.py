"""Notifications about finished work for users of other windows."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QStyle, QSystemTrayIcon, QWidget


class SystemNotification(QObject):
    """Shows system notifications; without a system tray, alerts the window instead."""

    clicked = Signal()
    """The notification or the tray icon was clicked."""

    def __init__(self, window: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self.tray = QSystemTrayIcon
        """Class of the tray icon, replaceable in tests."""
        self._icon: QSystemTrayIcon | None = None

    @property
    def has_tray(self) -> bool:
        """Whether there is a system tray."""
        return self.tray.isSystemTrayAvailable()

    def show_icon(self, tip: str) -> None:
        """Show a tray icon for the hidden program."""
        if self.has_tray:
            icon = self._shown()
            icon.setToolTip(tip)

    def notify(self, title: str, text: str) -> None:
        """Show a notification."""
        if self.has_tray and self.tray.supportsMessages():
            self._shown().showMessage(title, text)
        else:
            QApplication.alert(self._window)

    def hide_icon(self) -> None:
        """Hide the tray icon."""
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

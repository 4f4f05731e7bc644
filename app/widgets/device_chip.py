"""A label for the computing device, with the reason for its choice as tooltip."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.i18n.translate import translate
from core.types import DeviceChoice


def short_device(device: DeviceChoice) -> str:
    """The device's label without the part in brackets."""
    return translate(device.label).partition(" (")[0]


class DeviceChip(QLabel):
    """A small rounded label; focusable, so that screen readers read the reason."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("deviceChip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.show_device(None)

    def show_device(self, device: DeviceChoice | None) -> None:
        """Show a device; None: not known yet."""
        if device is None:
            label, reason = self.tr("Device…"), self.tr("The engine is starting.")
        else:
            label = short_device(device)
            reason = f"{translate(device.label)}: {translate(device.reason)}"
        self.setText(label)
        self.setToolTip(reason)
        self.setAccessibleName(self.tr("Device: {0}. {1}").format(label, reason))

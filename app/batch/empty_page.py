"""The Batch workspace before there are pairs: where to drop folders, and which layouts work."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.drop import DropZone


class EmptyPage(QWidget):
    """A drop zone with a short explanation, in the middle of the page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        image = QLabel()
        theme.set_icon(image, "folder-multiple-image", "muted")
        title = QLabel(self.tr("Drop a folder, get a folder"))
        title.setObjectName("pageTitle")
        text = QLabel(
            self.tr(
                "Drop folders or files here: one folder with a/ and b/, two folders, or names that "
                "differ in one word, such as scan1_PET and scan1_MRI. You see every pair, and why "
                "it is one, before anything is fused."
            )
        )
        text.setWordWrap(True)
        text.setObjectName("hint")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.zone = DropZone()
        self.zone.setObjectName("welcomeZone")
        self.zone.setAcceptDrops(True)
        self.zone.setFixedSize(560, 210)
        inside = QVBoxLayout(self.zone)
        inside.setContentsMargins(32, 20, 32, 20)
        inside.setSpacing(8)
        inside.addStretch(1)
        for widget in (image, title):
            inside.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(text)
        inside.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(self.zone, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)

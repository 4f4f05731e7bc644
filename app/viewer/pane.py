"""A titled pane: what it is, what is in it, what to know about it, and the image."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewer.canvas import Canvas
from app.viewer.pyramid import RenderedImage
from app.viewer.scene import Scene
from app.viewer.view_link import ViewLink
from app.widgets import theme
from app.widgets.drop import DropZone
from app.widgets.elided_label import ElidedLabel

_SHORT = 56
"""Pixels of a title that gives way to nothing."""
_ANY = 16_777_215
"""No maximum, as Qt has it."""


class Pane(DropZone):
    """Header with title, info and tags; below it the canvas."""

    maximise_requested = Signal()

    def __init__(self, name: str, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setObjectName("pane")
        self.title = ElidedLabel()
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.title.setObjectName("paneTitle")
        self.info = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.info.setObjectName("paneInfo")
        self.canvas = Canvas(link)
        self._tags: dict[str, QLabel] = {}
        self.maximise_button = self._make_maximise_button()
        self.header = QHBoxLayout()
        self.header.setContentsMargins(8, 3, 4, 3)
        self.header.setSpacing(6)
        self.header.addWidget(self.title)
        self.header.addWidget(self.info, 1)
        self.header.addWidget(self.maximise_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        # Panes are equal whatever their headers hold.
        layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self.setMinimumSize(150, 120)
        layout.setSpacing(0)
        layout.addLayout(self.header)
        layout.addWidget(self.canvas, 1)

    def _make_maximise_button(self) -> QToolButton:
        button = QToolButton()
        theme.set_icon(button, "arrow-expand", "muted")
        button.setAccessibleName(self.tr("Maximise pane"))
        button.clicked.connect(self.maximise_requested)
        return button

    def show_key(self, key: str) -> None:
        """Name the key that maximises a pane; "" for none."""
        text = self.tr("Show this pane alone, or all again")
        self.maximise_button.setToolTip(f"{text} ({key})" if key else text)

    def set_active(self, active: bool) -> None:
        """Mark this as the pane that keys work on."""
        self.setProperty("active", active)
        self.style().unpolish(self)
        self.style().polish(self)

    def set_title(self, title: str) -> None:
        """Name the pane."""
        self.title.setText(title)
        self._share_room()
        self.canvas.setAccessibleName(title)

    def set_info(self, info: str, name: str = "", short: str = "") -> None:
        """Say what is in it; ``name`` is the beginning that is to be read in any case, ``short`` as
        much of that as tells most.
        """
        self.info.setText(info, name, short)
        self._share_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the header anew."""
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Where title and name do not both fit, the title keeps a third of the room, or more if the
        name leaves it: of two panes of one kind the name tells more.
        """
        wanted, name = self.title.sizeHint().width(), self.info.width_of_name()
        items = [self.header.itemAt(place) for place in range(self.header.count())]
        widgets = [w for item in items if item is not None and (w := item.widget()) is not None]
        shown = [w for w in widgets if not w.isHidden()]
        others = sum(w.sizeHint().width() for w in shown if w not in (self.title, self.info))
        margins = self.header.contentsMargins()
        room = self.contentsRect().width() - margins.left() - margins.right() - others
        room -= self.header.spacing() * (len(shown) - 1)
        most = max(room - name, room // 3, min(wanted, _SHORT))
        self.title.setMaximumWidth(most if name and most < wanted else _ANY)

    def set_image(self, image: RenderedImage | None) -> None:
        """Show an image, or the placeholder."""
        self.canvas.set_image(image)

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene, or the placeholder."""
        self.canvas.set_scene(scene)

    def set_tag(self, kind: str, text: str, tip: str = "") -> None:
        """Show a small tag in the header; an empty text takes it away."""
        label = self._tags.get(kind)
        if label is None:
            label = self._tags[kind] = QLabel()
            label.setProperty("tag", kind)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.header.insertWidget(self.header.indexOf(self.info), label)
        label.setText(text)
        label.setToolTip(tip)
        label.setVisible(bool(text))
        self._share_room()

    def tag(self, kind: str) -> str:
        """The text of a tag on show, or ""."""
        label = self._tags.get(kind)
        return label.text() if label is not None and not label.isHidden() else ""

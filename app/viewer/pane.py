"""A canvas with a header."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
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
"""Width, in pixels, that a title always keeps."""
_ANY = 16_777_215
"""QWIDGETSIZE_MAX: no maximum."""


class Pane(DropZone):
    """A header with title, tags and info, and a canvas below it."""

    maximise_requested = Signal()
    tag_clicked = Signal(str)
    """The kind of a tag that was clicked."""

    def __init__(
        self,
        name: str,
        link: ViewLink,
        parent: QWidget | None = None,
        *,
        canvas: Canvas | None = None,
    ) -> None:
        """
        Args:
            canvas: one of another class, for ``link``; None for the usual one.
        """
        super().__init__(parent)
        self.name = name
        self.setObjectName("pane")
        self.title = ElidedLabel()
        self.title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.title.setObjectName("paneTitle")
        self.info = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.info.setObjectName("paneInfo")
        self.canvas = canvas or Canvas(link)
        self._tags: dict[str, _Tag] = {}
        self.maximise_button = self._make_maximise_button()
        self.header = QHBoxLayout()
        self.header.setContentsMargins(8, 3, 4, 3)
        self.header.setSpacing(6)
        self.header.addWidget(self.title)
        self.header.addWidget(self.info, 1)
        self.header.addWidget(self.maximise_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        # Panes have equal sizes whatever their headers contain.
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
        """Set the key that the maximise button mentions; "" for none."""
        text = self.tr("Show this pane alone, or all again")
        self.maximise_button.setToolTip(f"{text} ({key})" if key else text)

    def set_active(self, active: bool) -> None:
        """Mark this as the pane that keys apply to, or not."""
        self.setProperty("active", active)
        self.style().unpolish(self)
        self.style().polish(self)

    def set_title(self, title: str) -> None:
        """Set the title."""
        self.title.setText(title)
        self._share_width()
        self.canvas.setAccessibleName(title)

    def set_info(self, info: str, name: str = "", short: str = "") -> None:
        """Describe the content.

        Args:
            info: the whole text.
            name: its beginning, which is elided last.
            short: the most important part of ``name``.
        """
        self.info.setText(info, name, short)
        self._share_width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Distribute the width of the header."""
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Limit the title if it does not fit beside the name of the content.

        It keeps a third of the width, or more if the name leaves it: the name is more specific.
        Tags are shortened before the title is.
        """
        wanted, name = self.title.sizeHint().width(), self.info.width_of_name()
        for tag in self._tags.values():
            tag.shorten(False)
        room = self._room_beside_tags()
        if room < wanted:
            for tag in self._tags.values():
                tag.shorten(True)
            room = self._room_beside_tags()
        most = max(room - name, room // 3, min(wanted, _SHORT))
        self.title.setMaximumWidth(most if name and most < wanted else _ANY)

    def _room_beside_tags(self) -> int:
        """Pixels for title and info."""
        items = [self.header.itemAt(place) for place in range(self.header.count())]
        widgets = [w for item in items if item is not None and (w := item.widget()) is not None]
        shown = [w for w in widgets if not w.isHidden()]
        others = sum(w.sizeHint().width() for w in shown if w not in (self.title, self.info))
        margins = self.header.contentsMargins()
        room = self.contentsRect().width() - margins.left() - margins.right() - others
        return room - self.header.spacing() * (len(shown) - 1)

    def set_image(self, image: RenderedImage | None) -> None:
        """Show an image in its own window; None for the placeholder."""
        self.canvas.set_image(image)

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene; None for the placeholder."""
        self.canvas.set_scene(scene)

    def set_tag(self, kind: str, text: str, tip: str = "", short: str = "") -> None:
        """Show a tag in the header; an empty text hides it.

        Args:
            short: what is shown where the title has no room beside the text; "" for the text.
        """
        label = self._tags.get(kind)
        if label is None:
            label = self._tags[kind] = _Tag()
            label.clicked.connect(lambda: self.tag_clicked.emit(kind))
            label.setProperty("tag", kind)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.header.insertWidget(self.header.indexOf(self.info), label)
        label.set_texts(text, short)
        label.setToolTip(tip)
        label.setVisible(bool(text))
        self._share_width()

    def tag(self, kind: str) -> str:
        """The text of a visible tag, or ""."""
        label = self._tags.get(kind)
        return label.whole if label is not None and not label.isHidden() else ""


class _Tag(QLabel):
    """A label that can be clicked; commands do the same by key."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.whole = self._short = ""

    def set_texts(self, whole: str, short: str) -> None:
        """Set the text and what stands for it where room is scarce."""
        self.whole, self._short = whole, short or whole
        self.setText(whole)
        self.setAccessibleName(whole)

    def shorten(self, on: bool) -> None:
        """Show the short text, or the whole one."""
        self.setText(self._short if on else self.whole)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Emit ``clicked``."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()

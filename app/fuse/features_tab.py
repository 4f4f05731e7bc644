"""The channels of an adapter's feature map as a grid of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewer.display_state import FeatureView

THUMB = 72


class FeaturesTab(QWidget):
    """Selects adapter, view and channel; ``became_visible`` asks for thumbnails."""

    view_chosen = Signal(object)
    """A :class:`app.viewer.display_state.FeatureView`."""
    enlarge_requested = Signal()
    became_visible = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = FeatureView()
        self.adapters = {
            "a": self._button("A", self.tr("Features of source A")),
            "b": self._button("B", self.tr("Features of source B")),
        }
        self.modes = {
            "pca": self._button(
                self.tr("Colours"), self.tr("Main directions of both adapters as colours")
            ),
            "mean": self._button(self.tr("Mean"), self.tr("Average of all channels")),
            "channel": self._button(self.tr("Channel"), self.tr("One channel alone")),
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        for buttons in (self.adapters, self.modes):
            group = QButtonGroup(self)
            row = QHBoxLayout()
            for button in buttons.values():
                group.addButton(button)
                row.addWidget(button)
            row.addStretch(1)
            layout.addLayout(row)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.grid = QListWidget()
        self.grid.setViewMode(QListWidget.ViewMode.IconMode)
        self.grid.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.grid.setMovement(QListWidget.Movement.Static)
        self.grid.setUniformItemSizes(True)
        self.grid.setIconSize(QSize(THUMB, THUMB))
        self.grid.setSpacing(4)
        self.grid.setAccessibleName(self.tr("Feature channels; Enter enlarges"))
        self.grid.itemClicked.connect(self._enlarge)
        self.grid.itemActivated.connect(self._enlarge)
        layout.addWidget(self.note)
        layout.addWidget(self.grid, 1)
        for adapter, button in self.adapters.items():
            button.clicked.connect(lambda _=False, adapter=adapter: self._choose(adapter=adapter))
        for mode, button in self.modes.items():
            button.clicked.connect(lambda _=False, mode=mode: self._choose(mode=mode))
        self.show_view(self._view)
        self.show_thumbs((), available=False)

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setCheckable(True)
        return button

    def show_view(self, view: FeatureView) -> None:
        """Show a view as selected."""
        self._view = view
        self.adapters[view.adapter].setChecked(True)
        self.modes[view.mode].setChecked(True)
        with QSignalBlocker(self.grid):
            self.grid.setCurrentRow(view.channel if view.mode == "channel" else -1)

    def show_thumbs(self, thumbs: Sequence[QImage], *, available: bool) -> None:
        """Show thumbnails of the channels; ``available`` is False for a result without features."""
        self.grid.clear()
        for index, image in enumerate(thumbs):
            item = QListWidgetItem(QIcon(QPixmap.fromImage(image)), str(index))
            item.setToolTip(self.tr("Channel {0}: click to enlarge").format(index))
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            self.grid.addItem(item)
        for button in (*self.adapters.values(), *self.modes.values()):
            button.setEnabled(available)
        self.grid.setVisible(available)
        self.note.setText(
            self.tr("What the network made of each source. Equal colours mean equal features.")
            if available
            else self.tr("Only models have features. Fuse with a model to see them.")
        )
        self.show_view(self._view)

    def showEvent(self, event: QShowEvent) -> None:
        """Emit ``became_visible``."""
        super().showEvent(event)
        self.became_visible.emit()

    def _choose(self, adapter: str = "", mode: str = "") -> None:
        old = self._view
        self.view_chosen.emit(
            FeatureView(adapter or old.adapter, mode or old.mode, old.channel)  # type: ignore[arg-type]
        )

    def _enlarge(self, item: QListWidgetItem) -> None:
        self.view_chosen.emit(FeatureView(self._view.adapter, "channel", self.grid.row(item)))
        self.enlarge_requested.emit()

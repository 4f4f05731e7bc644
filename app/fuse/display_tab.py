"""Window, histogram and palette of A, B or the fused image."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.viewer.colormaps import PALETTES
from app.viewer.display_state import MAX_RANGE_FACTOR
from app.viewer.histogram_view import HistogramView
from app.viewer.number_box import NumberBox
from app.viewer.pyramid import RenderedImage
from app.viewer.rendering import upright_bar
from app.viewer.window_presets import percentile_window
from app.widgets.forms import centre_labels
from core.windows import Window

_TARGETS = ("a", "b", "fused")


class DisplayTab(QWidget):
    """Shows and changes the display of one of three images."""

    target_changed = Signal(str)
    window_chosen = Signal(str, object, bool)
    """Pane, window (None for the image's own), settled."""
    palette_chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.target = "a"
        self._image: RenderedImage | None = None
        self._window: Window = (0.0, 1.0)
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        row = QHBoxLayout()
        for name, text in zip(_TARGETS, ("A", "B", self.tr("Fused")), strict=True):
            row.addWidget(self._target_button(name, text))
        row.addStretch(1)
        self.histogram = HistogramView()
        self.histogram.window_dragged.connect(
            lambda low, high, done: self.window_chosen.emit(self.target, (low, high), done)
        )
        self.low = self._number(self.tr("Low end of the window"))
        self.high = self._number(self.tr("High end of the window"))
        self.level = self._number(self.tr("Level: middle of the window"))
        self.width_ = self._number(self.tr("Width of the window"))
        self.palette_ = QComboBox()
        self.palette_.setAccessibleName(self.tr("Palette"))
        self.palette_.setMinimumContentsLength(8)
        for name in PALETTES:
            self.palette_.addItem(_swatch(name), self._palette_title(name), name)
        self.palette_.activated.connect(
            lambda: self.palette_chosen.emit(self.target, self.palette_.currentData())
        )
        self.palette_note = QLabel(self.tr("A colour picture keeps its own colours."))
        self.palette_note.setWordWrap(True)
        self.palette_note.setObjectName("hint")
        self.unit = QLabel()
        self.unit.setObjectName("hint")
        self._lay_out(row)
        # Keep the exact value of an end that was not edited; its box may round it.
        self.low.valueChanged.connect(lambda low: self._ends_typed(low, self._window[1]))
        self.high.valueChanged.connect(lambda high: self._ends_typed(self._window[0], high))
        self.level.valueChanged.connect(lambda level: self._level_typed(level, self._width))
        self.width_.valueChanged.connect(lambda width: self._level_typed(self._level, width))
        self.buttons["a"].setChecked(True)
        self.show_image(None, (0.0, 1.0), "grey")

    def _target_button(self, name: str, text: str) -> QToolButton:
        button = self.buttons[name] = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setAccessibleName(self.tr("Display of {0}").format(text))
        button.clicked.connect(lambda: self.choose(name))
        self._group.addButton(button)
        return button

    def _number(self, name: str) -> NumberBox:
        box = NumberBox()
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.setKeyboardTracking(False)
        box.setMinimumWidth(70)
        return box

    def _lay_out(self, row: QHBoxLayout) -> None:
        auto = QPushButton(self.tr("Auto"))
        auto.setToolTip(self.tr("The middle 98 % of the pixels"))
        auto.clicked.connect(self._auto)
        whole = QPushButton(self.tr("Whole range"))
        whole.setToolTip(self.tr("All values that the file can hold"))
        whole.clicked.connect(self._whole)
        own = QPushButton(self.tr("Reset"))
        own.setToolTip(self.tr("The window that the file came with"))
        own.clicked.connect(lambda: self.window_chosen.emit(self.target, None, True))
        self._choices = (auto, whole, own)
        presets = QGridLayout()
        presets.addWidget(auto, 0, 0)
        presets.addWidget(whole, 0, 1)
        presets.addWidget(own, 1, 0, 1, 2)
        form = QFormLayout()
        form.setHorizontalSpacing(10)
        form.addRow(self.tr("Low"), self.low)
        form.addRow(self.tr("High"), self.high)
        form.addRow(self.tr("Level"), self.level)
        form.addRow(self.tr("Width"), self.width_)
        form.addRow(self.tr("Palette"), self.palette_)
        centre_labels(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addLayout(row)
        layout.addWidget(self.histogram)
        layout.addWidget(self.unit)
        layout.addLayout(presets)
        layout.addLayout(form)
        layout.addWidget(self.palette_note)
        layout.addStretch(1)

    def _palette_title(self, name: str) -> str:
        titles = {
            "grey": self.tr("Grey"),
            "inverted": self.tr("Inverted grey"),
            "hot_iron": self.tr("Hot iron"),
            "hot_metal_blue": self.tr("Hot metal blue"),
            "pet": self.tr("PET"),
            "pet_20_step": self.tr("PET 20 step"),
            "rainbow": self.tr("Rainbow"),
            "viridis": self.tr("Viridis"),
            "inferno": self.tr("Inferno"),
        }
        return titles[name]

    # --- state to screen -------------------------------------------------------------------

    def choose(self, target: str) -> None:
        """Select another of the three images."""
        if target != self.target and target in _TARGETS:
            self.target = target
            self.buttons[target].setChecked(True)
            self.target_changed.emit(target)

    def show_image(self, shown: RenderedImage | None, window: Window, palette: str) -> None:
        """Show an image's histogram, window and palette; None for no image."""
        if shown is not self._image or shown is None:
            self._image = shown
            self._set_ranges(shown)
        self._window = window
        self.histogram.show_counts(shown.histogram if shown is not None else None, window)
        low, high = window
        for box, value in (
            (self.low, low),
            (self.high, high),
            (self.level, (low + high) / 2),
            (self.width_, high - low),
        ):
            with QSignalBlocker(box):
                box.setValue(value)
        with QSignalBlocker(self.palette_):
            self.palette_.setCurrentIndex(self.palette_.findData(palette))
        coloured = shown is not None and shown.is_colour
        self.palette_.setEnabled(shown is not None and not coloured)
        self.palette_note.setVisible(coloured)
        for widget in (self.low, self.high, self.level, self.width_, *self._choices):
            widget.setEnabled(shown is not None)
        unit = shown.unit if shown is not None else ""
        fused = self.tr("0–1, no unit")
        self.unit.setText(fused if self.target == "fused" else self.tr("Unit: {0}").format(unit))
        self.unit.setVisible(bool(unit) or self.target == "fused")

    def _set_ranges(self, shown: RenderedImage | None) -> None:
        low, high = shown.extent if shown is not None else (0.0, 1.0)
        size = (high - low) or 1.0
        decimals = 0 if size >= 255 else max(3, 3 - math.floor(math.log10(size)))
        away = 2 * MAX_RANGE_FACTOR * size
        least = 0.0 if shown is not None and shown.has_floor else low - away
        for box in (self.low, self.high, self.level, self.width_):
            with QSignalBlocker(box):
                box.setDecimals(decimals)
                box.setRange(least, high + away)
                box.setSingleStep(1 if decimals == 0 else size / 100)
        with QSignalBlocker(self.width_):
            self.width_.setRange(10.0**-decimals, away)

    # --- requests --------------------------------------------------------------------------

    @property
    def _level(self) -> float:
        return (self._window[0] + self._window[1]) / 2

    @property
    def _width(self) -> float:
        return self._window[1] - self._window[0]

    def _ends_typed(self, low: float, high: float) -> None:
        if low < high:
            self.window_chosen.emit(self.target, (low, high), True)

    def _level_typed(self, level: float, width: float) -> None:
        self.window_chosen.emit(self.target, (level - width / 2, level + width / 2), True)

    def _whole(self) -> None:
        if self._image is not None:
            self.window_chosen.emit(self.target, self._image.extent, True)

    def _auto(self) -> None:
        if self._image is not None:
            window = percentile_window(self._image, 1, 99)
            self.window_chosen.emit(self.target, window, True)


def _swatch(name: str) -> QIcon:
    bar = upright_bar(name).scaled(
        14, 14, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    return QIcon(QPixmap.fromImage(bar))

"""The choice of a threshold: a share of the maximum, an SUV or a value, and of which source."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewer.number_box import NumberBox
from app.widgets.elided_label import ShrinkingComboBox
from core.regions import Threshold
from core.types import SourceSide

_DEFAULTS = {"share": 41.0, "suv": 2.5, "value": 100.0}
_MOST = 1e7


class ThresholdForm(QWidget):
    """Two rows: the kind, then number and source."""

    chosen = Signal(object, str)
    """A :class:`core.regions.Threshold`, and “a” or “b”."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._units = {"a": "", "b": ""}
        self.kind, self.side = ShrinkingComboBox(6, 200), ShrinkingComboBox(6, 200)
        self.kind.setAccessibleName(self.tr("Kind of threshold"))
        self.kind.setToolTip(self.tr("What a voxel has to reach to be counted"))
        self.side.setAccessibleName(self.tr("Source of the threshold"))
        self.side.setToolTip(self.tr("The source whose voxels are compared"))
        self.value = NumberBox()
        self.value.setKeyboardTracking(False)
        self.value.setAccessibleName(self.tr("Threshold"))
        for letter in "ab":
            self.side.addItem(self.tr("of {0}").format(letter.upper()), letter)
        self.offer_kinds(has_suv=True)
        numbers = QHBoxLayout()
        numbers.addWidget(self.value, 1)
        numbers.addWidget(self.side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.kind)
        layout.addLayout(numbers)
        self.kind.activated.connect(self._kind_chosen)
        self.side.activated.connect(lambda: self._choose())
        self.value.valueChanged.connect(lambda: self._choose())

    def offer_kinds(self, *, has_suv: bool) -> None:
        """List the kinds; SUV where a source may have it."""
        kinds = [("share", self.tr("Share of the maximum"))]
        kinds += [("suv", self.tr("SUV at least"))] if has_suv else []
        kinds += [("value", self.tr("Value at least"))]
        if [name for name, _ in kinds] == [self.kind.itemData(n) for n in range(self.kind.count())]:
            return
        with QSignalBlocker(self.kind):
            self.kind.clear()
            for name, text in kinds:
                self.kind.addItem(text, name)

    def show_threshold(
        self, threshold: Threshold, side: SourceSide, units: tuple[str, str]
    ) -> None:
        """Show a threshold.

        Args:
            units: of the values of A and B.
        """
        self._units = dict(zip("ab", units, strict=True))
        for combo, data in ((self.kind, threshold.kind), (self.side, side)):
            with QSignalBlocker(combo):
                combo.setCurrentIndex(max(combo.findData(data), 0))
        with QSignalBlocker(self.value):
            self._set_range()
            shown = 100 * threshold.value if threshold.kind == "share" else threshold.value
            self.value.setValue(shown)

    def _set_range(self) -> None:
        kind = self.kind.currentData()
        unit = self._units.get(self.side.currentData(), "")
        self.value.setDecimals(0 if kind == "share" else 2)
        self.value.setSingleStep(1.0 if kind == "share" else 0.1)
        low = {"share": 1.0, "suv": 0.01}.get(kind, -_MOST)
        self.value.setRange(low, 100.0 if kind == "share" else _MOST)
        self.value.setSuffix(" %" if kind == "share" else f" {unit}".rstrip())

    def _kind_chosen(self) -> None:
        with QSignalBlocker(self.value):
            self._set_range()
            self.value.setValue(_DEFAULTS[self.kind.currentData()])
        self._choose()

    def _choose(self) -> None:
        kind, side = self.kind.currentData(), self.side.currentData()
        value = self.value.value() / 100 if kind == "share" else self.value.value()
        unit = self._units[side] if kind == "value" else ""
        self.chosen.emit(Threshold(kind, value, unit), side)

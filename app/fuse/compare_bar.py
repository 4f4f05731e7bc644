"""The row above the panes: results of the pair, layout and compare mode."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QTabBar, QWidget

from app.i18n.numbers import number
from app.viewer.display_state import COMPARE_MODES, LAYOUTS, Compare, Layout
from app.widgets.elided_label import ShrinkingComboBox

_WIDEST = 150
_WIDE = 640
"""Least width, in pixels, at which all texts fit."""
_SLIDING = ("overlay", "difference")


class CompareBar(QWidget):
    """Result tabs at the left; layout, compare mode, its operands and its slider at the right."""

    result_chosen = Signal(str)
    result_closed = Signal(str)
    compare_chosen = Signal(object)
    """A :class:`app.viewer.display_state.Compare`."""
    compare_settled = Signal(object)
    """The same, when the slider was released."""
    layout_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._compare = Compare()
        self._mode_only = False
        self.results = QTabBar()
        self.results.setObjectName("resultTabs")
        self.results.setAccessibleName(self.tr("Results of this pair"))
        self.results.setDrawBase(False)
        self.results.setExpanding(False)
        self.results.setElideMode(Qt.TextElideMode.ElideRight)
        self.results.setTabsClosable(True)
        # However many results there are, the bar does not grow.
        self.results.setUsesScrollButtons(True)
        # Keep the space when there are no results, or the boxes beside it would grow into it.
        policy = self.results.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.results.setSizePolicy(policy)
        self.results.currentChanged.connect(self._choose_result)
        self.results.tabCloseRequested.connect(
            lambda index: self.result_closed.emit(self.results.tabData(index))
        )
        self.layouts = self._combo(self.tr("Layout"), self._layout_items(), letters=1)
        self.mode = self._combo(self.tr("Compare"), self._mode_items(), letters=7)
        self.first = self._combo(self.tr("First picture"), [])
        self.second = self._combo(self.tr("Second picture"), [])
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setFixedWidth(56)
        self.slider.valueChanged.connect(self._slide)
        self.slider.sliderReleased.connect(lambda: self.compare_settled.emit(self._compare))
        self.slider_label = QLabel()
        self.layouts.activated.connect(lambda: self.layout_chosen.emit(self.layouts.currentData()))
        for combo in (self.mode, self.first, self.second):
            combo.activated.connect(self._choose_compare)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.results, 1)
        for widget in (self.first, self.second, self.slider_label, self.slider):
            layout.addWidget(widget)
        layout.addWidget(self.mode)
        layout.addWidget(self.layouts)
        self.show_compare(self._compare)
        self._keep_height()

    def _keep_height(self) -> None:
        """Be as tall as with closable tabs, or the first result would resize every pane."""
        sample = QTabBar(self)
        sample.setObjectName(self.results.objectName())
        sample.setTabsClosable(True)
        sample.addTab("X")
        sample.ensurePolished()
        self.setMinimumHeight(sample.sizeHint().height())
        sample.setParent(None)
        sample.deleteLater()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the tab height of another style or font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._keep_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the value of the slider if there is space for it."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """In a narrow bar, hide the value of the slider, which is also in its tool tip."""
        self.slider_label.setVisible(self._compare.mode in _SLIDING and self.width() >= _WIDE)

    def _combo(self, name: str, items: list[tuple[str, str]], letters: int = 2) -> QComboBox:
        combo = ShrinkingComboBox(letters, _WIDEST)
        combo.setAccessibleName(name)
        combo.setToolTip(name)
        for data, text in items:
            combo.addItem(text, data)
        return combo

    def _mode_items(self) -> list[tuple[str, str]]:
        texts = (
            self.tr("No compare"),
            self.tr("Curtain"),
            self.tr("Blink"),
            self.tr("Checkerboard"),
            self.tr("Difference"),
            self.tr("Overlay"),
        )
        return list(zip(COMPARE_MODES, texts, strict=True))

    def _layout_items(self) -> list[tuple[str, str]]:
        texts = (
            self.tr("1 All six"),
            self.tr("2 Row"),
            self.tr("3 Large"),
            self.tr("4 Alone"),
            self.tr("5 Planes"),
            self.tr("6 Results"),
        )
        return list(zip(LAYOUTS, texts, strict=True))

    # --- state to screen -------------------------------------------------------------------

    def show_results(self, results: list[tuple[str, str, str]], selected: str) -> None:
        """List results as (key, title, tool tip); ``selected`` is the key of the one on screen."""
        with QSignalBlocker(self.results):
            while self.results.count() > len(results):
                self.results.removeTab(self.results.count() - 1)
            for index, (key, title, tip) in enumerate(results):
                if index >= self.results.count():
                    self.results.addTab(title)
                self.results.setTabText(index, title)
                self.results.setTabData(index, key)
                self.results.setTabToolTip(index, tip)
                if key == selected:
                    self.results.setCurrentIndex(index)
        self.results.setTabsClosable(len(results) > 1)
        self.results.setVisible(bool(results) and not self._mode_only)

    def show_operands(self, operands: list[tuple[str, str]]) -> None:
        """List what can be compared, as (operand, name)."""
        for combo, chosen in (
            (self.first, self._compare.first),
            (self.second, self._compare.second),
        ):
            with QSignalBlocker(combo):
                combo.clear()
                for data, text in operands:
                    combo.addItem(text, data)
                combo.setCurrentIndex(combo.findData(chosen))

    def show_compare(self, compare: Compare) -> None:
        """Show compare settings."""
        self._compare = compare
        on = compare.mode != "off"
        for combo, value in (
            (self.mode, compare.mode),
            (self.first, compare.first),
            (self.second, compare.second),
        ):
            with QSignalBlocker(combo):
                combo.setCurrentIndex(combo.findData(value))
        for combo in (self.first, self.second):
            combo.setVisible(on and not self._mode_only)
        self.slider.setVisible(compare.mode in _SLIDING)
        self._make_room()
        with QSignalBlocker(self.slider):
            if compare.mode == "difference":
                name, text = self.tr("Range of the difference"), f"±{number(compare.span, '.2f')}"
                self.slider.setValue(round(compare.span * 100))
            else:
                name, text = self.tr("Opacity"), f"{compare.opacity * 100:.0f} %"
                self.slider.setValue(round(compare.opacity * 100))
        self.slider.setAccessibleName(name)
        self.slider.setToolTip(f"{name}: {text}")
        self.slider_label.setText(text)

    def show_mode_only(self, only: bool) -> None:
        """Show the compare mode alone: what is compared, and where, is given."""
        self._mode_only = only
        self.layouts.setVisible(not only)
        self.results.setVisible(self.results.count() > 0 and not only)
        self.show_compare(self._compare)

    def show_layout(self, layout: Layout) -> None:
        """Show a layout."""
        with QSignalBlocker(self.layouts):
            self.layouts.setCurrentIndex(self.layouts.findData(layout))

    # --- requests --------------------------------------------------------------------------

    def _choose_result(self, index: int) -> None:
        if index >= 0 and self.results.tabData(index):
            self.result_chosen.emit(self.results.tabData(index))

    def _choose_compare(self) -> None:
        old = self._compare
        chosen = Compare(
            self.mode.currentData(),
            self.first.currentData() or old.first,
            second=self.second.currentData() or old.second,
            position=old.position,
            opacity=old.opacity,
            overlaid=True,
            span=old.span,
        )
        self.compare_settled.emit(chosen)

    def _slide(self, value: int) -> None:
        old = self._compare
        opacity, span = old.opacity, old.span
        if old.mode == "difference":
            span = max(value, 1) / 100
        else:
            opacity = value / 100
        changed = Compare(
            old.mode,
            old.first,
            second=old.second,
            position=old.position,
            opacity=opacity,
            overlaid=old.overlaid,
            span=span,
        )
        dragging = self.slider.isSliderDown()
        (self.compare_chosen if dragging else self.compare_settled).emit(changed)

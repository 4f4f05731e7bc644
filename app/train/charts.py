"""The charts of a run side by side, with common smoothing, axis scale, zoom and export."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.train.chart import Chart
from app.train.state import TrainState
from app.widgets import theme
from app.widgets.elided_label import ElidedLabel

_SPANS = (1, 5, 10, 20, 50, 100, 200, 500)
_BITS = frozenset(("MI", "EN"))
_DECIBELS = frozenset(("reconstruction_psnr", "PSNR"))
_GREY_LEVELS = frozenset(("SF", "SD", "AG"))
"""Metrics in grey levels; all others are dimensionless, between about 0 and 2."""


class Charts(QWidget):
    """Losses or learning rates at the left, validation metrics at the right."""

    image_requested = Signal(object, object)
    """QImage and path of the file to write."""
    table_requested = Signal(object)
    """Path of the CSV file to write."""

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._dialog: QFileDialog | None = None
        self.losses = Chart(
            self.tr("Losses"),
            scale=self.tr("Upper loss (weighted)"),
            right_curves=frozenset(("lower",)),
            right_scale=self.tr("Lower loss (weighted)"),
        )
        self.rates = Chart(self.tr("Learning rates"), scale=self.tr("Rate per step"))
        self.scores = Chart(
            self.tr("Scores on the pairs to check with"),
            hidden=_GREY_LEVELS,
            scale=self.tr("Score (no unit)"),
            right_curves=_BITS,
            right_scale=self.tr("Mutual information (bits)"),
            draws=lambda name: name not in _DECIBELS,
        )
        self.reconstruction = Chart(
            self.tr("Reconstruction of the pairs to check with"),
            scale=self.tr("PSNR (dB)"),
            draws=lambda name: name in _DECIBELS,
        )
        self.which = _Pages(
            self.tr("What the left chart shows"),
            ((self.tr("Losses"), self.losses), (self.tr("Learning rates"), self.rates)),
        )
        self.judged = _Pages(
            self.tr("What the right chart shows"),
            (
                (self.tr("Fused"), self.scores),
                (self.tr("Reconstruction"), self.reconstruction),
            ),
            self.tr("higher is better"),
        )
        self._make_tools()
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        # Else the axis titles of the two charts would touch.
        self.which.setContentsMargins(0, 0, 6, 0)
        self.judged.setContentsMargins(6, 0, 0, 0)
        split.addWidget(self.which)
        split.addWidget(self.judged)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([500, 500])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(split, 1)
        layout.addLayout(self._tools)
        self._connect()

    @property
    def all(self) -> tuple[Chart, ...]:
        """All charts."""
        return (self.losses, self.rates, self.scores, self.reconstruction)

    def _make_tools(self) -> None:
        self.smooth = QSlider(Qt.Orientation.Horizontal)
        self.smooth.setRange(0, len(_SPANS) - 1)
        self.smooth.setFixedWidth(110)
        self.smooth.setAccessibleName(self.tr("Smoothing"))
        self.smooth.setToolTip(
            self.tr("Draw the mean of the last points; they stay as faint lines")
        )
        self.span = QLabel(self.tr("off"))
        self.span.setMinimumWidth(60)
        self.span.setObjectName("hint")
        self.log = QCheckBox(self.tr("Logarithmic"))
        self.zoom = QToolButton()
        self.zoom.setText(self.tr("Whole run"))
        self.zoom.setToolTip(
            self.tr("Drag a box in a chart to look closer; this shows all of it again")
        )
        theme.set_icon(self.zoom, "fit-to-screen-outline")
        self.export = QToolButton()
        self.export.setText(self.tr("Export"))
        theme.set_icon(self.export, "export")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export)
        menu.addAction(self.tr("Charts as a picture…"), self._ask_image)
        menu.addAction(self.tr("Numbers as a table (CSV)…"), self._ask_table)
        self.export.setMenu(menu)
        for button in (self.zoom, self.export):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        label = QLabel(self.tr("Smoothing"))
        label.setBuddy(self.smooth)
        self._tools = QHBoxLayout()
        self._tools.setSpacing(8)
        for widget in (label, self.smooth, self.span, self.log):
            self._tools.addWidget(widget)
        self._tools.addStretch(1)
        self._tools.addWidget(self.zoom)
        self._tools.addWidget(self.export)

    def _connect(self) -> None:
        state = self._state
        self.smooth.valueChanged.connect(self._smoothed)
        self.log.toggled.connect(self._set_log)
        self.zoom.clicked.connect(self._whole)
        for chart in self.all:
            chart.step_hovered.connect(self._point)
        state.curves_replaced.connect(self._replace)
        state.curves_changed.connect(self._refresh)
        state.run_progress_changed.connect(self._mark_best)
        self._replace()

    # --- display ---------------------------------------------------------------------------

    def _replace(self) -> None:
        state = self._state
        for chart, curves in zip(
            self.all, (state.losses, state.rates, state.scores, state.scores), strict=True
        ):
            chart.show_curves(curves)
        self._show_reconstruction()

    def _show_reconstruction(self) -> None:
        """Show the reconstruction chart only for networks with reconstruction metrics."""
        self.judged.tabs.setTabVisible(1, any(name in _DECIBELS for name in self._state.scores))

    def _mark_best(self) -> None:
        for chart in (self.scores, self.reconstruction):
            chart.mark_best(self._state.run_progress.best_step)

    def _refresh(self) -> None:
        self._show_reconstruction()
        for chart in self.all:
            if chart.isVisible():
                chart.refresh()

    def _smoothed(self, place: int) -> None:
        span = _SPANS[place]
        text = self.tr("{0} points").format(span) if span > 1 else self.tr("off")
        self.span.setText(text)
        self.losses.set_smoothing(span)

    def _set_log(self, log: bool) -> None:
        self.losses.set_log(log)
        self.rates.set_log(log)

    def _whole(self) -> None:
        for chart in self.all:
            chart.show_all()

    def _point(self, step: float | None) -> None:
        """Show the crosshair of all charts at the same step."""
        for chart in self.all:
            if chart.isVisible():
                chart.show_crosshair(step)

    # --- export ----------------------------------------------------------------------------

    def image(self) -> QImage:
        """Image of the charts as shown."""
        return self.grab().toImage()

    def _ask_image(self) -> None:
        self._ask(self.tr("Save the charts"), "PNG (*.png)", "png", self._send_image)

    def _ask_table(self) -> None:
        self._ask(self.tr("Save the numbers"), "CSV (*.csv)", "csv", self.table_requested.emit)

    def _send_image(self, name: str) -> None:
        self.image_requested.emit(self.image(), name)

    def _ask(self, title: str, kind: str, suffix: str, then: object) -> None:
        dialog = self._dialog = QFileDialog(self, title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([kind])
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(f"{self._state.name or 'training'}.{suffix}")
        dialog.fileSelected.connect(then)
        dialog.open()


class _Pages(QWidget):
    """Tabs of charts."""

    def __init__(self, title: str, charts: Sequence[tuple[str, Chart]], remark: str = "") -> None:
        """
        Args:
            title: accessible name. charts: charts by the title of their tab.
            remark: text beside the tabs.
        """
        super().__init__()
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setFixedHeight(28)
        self.tabs.setAccessibleName(title)
        stack = QStackedWidget()
        for name, chart in charts:
            self.tabs.addTab(name)
            stack.addWidget(chart)
        self.tabs.currentChanged.connect(stack.setCurrentIndex)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        about = ElidedLabel(remark)
        about.setObjectName("hint")
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.tabs)
        line.addWidget(about, 1)
        layout.addLayout(line)
        layout.addWidget(stack, 1)

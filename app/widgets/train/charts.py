"""The charts of a run side by side, with what they share: smoothing, axis, zoom, export."""

from __future__ import annotations

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

from app import theme
from app.training.state import TrainState
from app.widgets.train.chart import Chart

_SPANS = (1, 5, 10, 20, 50, 100, 200, 500)


class Charts(QWidget):
    """Losses or learning rates at the left, validation figures at the right."""

    picture_requested = Signal(object, object)
    """QImage, and the name of the file to write."""
    table_requested = Signal(object)
    """Name of the CSV file to write."""

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._dialog: QFileDialog | None = None
        self.losses = Chart(
            self.tr("Losses"),
            scale=self.tr("Upper loss (weighted)"),
            apart=frozenset(("lower",)),
            scale_apart=self.tr("Lower loss (weighted)"),
        )
        self.rates = Chart(self.tr("Learning rates"), scale=self.tr("Rate per step"))
        self.figures = Chart(
            self.tr("Figures on the pairs to check with"),
            quiet=_not_alike(),
            scale=self.tr("Figure (no unit)"),
            apart=_not_alike(),
            scale_apart=self.tr("MI (bits), reconstruction (dB)"),
        )
        self.which = QTabBar()
        self.which.setDrawBase(False)
        self.which.setExpanding(False)
        self.which.setAccessibleName(self.tr("What the left chart shows"))
        self.which.addTab(self.tr("Losses"))
        self.which.addTab(self.tr("Learning rates"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.losses)
        self._stack.addWidget(self.rates)
        self.which.currentChanged.connect(self._stack.setCurrentIndex)
        self._make_tools()
        left, right = QWidget(), QWidget()
        caption = QLabel(self.tr("How good it is (higher is better)"))
        caption.setObjectName("paneTitle")
        for side, top, below in ((left, self.which, self._stack), (right, caption, self.figures)):
            column = QVBoxLayout(side)
            # Axis titles of the two charts would touch.
            column.setContentsMargins(*((0, 0, 6, 0) if side is left else (6, 0, 0, 0)))
            column.setSpacing(4)
            top.setFixedHeight(28)
            column.addWidget(top)
            column.addWidget(below, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(right)
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
        """Every chart."""
        return (self.losses, self.rates, self.figures)

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
        menu.addAction(self.tr("Charts as a picture…"), self._ask_picture)
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
            chart.pointed.connect(self._point)
        state.curves_replaced.connect(self._replace)
        state.curves_changed.connect(self._refresh)
        state.live_changed.connect(lambda: self.figures.mark_best(state.live.best_step))
        self._replace()

    # --- showing ---------------------------------------------------------------------------

    def _replace(self) -> None:
        state = self._state
        for chart, curves in zip(self.all, (state.losses, state.rates, state.figures), strict=True):
            chart.show_curves(curves)

    def _refresh(self) -> None:
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
            chart.whole()

    def _point(self, step: float | None) -> None:
        """One pointer for all charts: what was it like at that step?"""
        for chart in self.all:
            if chart.isVisible():
                chart.point_at(step)

    # --- export ----------------------------------------------------------------------------

    def image(self) -> QImage:
        """The charts as they are on screen."""
        return self.grab().toImage()

    def _ask_picture(self) -> None:
        self._ask(self.tr("Save the charts"), "PNG (*.png)", "png", self._send_picture)

    def _ask_table(self) -> None:
        self._ask(self.tr("Save the numbers"), "CSV (*.csv)", "csv", self.table_requested.emit)

    def _send_picture(self, name: str) -> None:
        self.picture_requested.emit(self.image(), name)

    def _ask(self, title: str, kind: str, suffix: str, then: object) -> None:
        dialog = self._dialog = QFileDialog(self, title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([kind])
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(f"{self._state.name or 'training'}.{suffix}")
        dialog.fileSelected.connect(then)
        dialog.open()


def _not_alike() -> frozenset[str]:
    """Figures of another magnitude than the rest, hidden until somebody asks for them."""
    return frozenset(("MI", "reconstruction_psnr", "PSNR", "SF", "SD", "AG", "EN"))

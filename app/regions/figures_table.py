"""The figures of one region: a row for each, a column for each source."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.i18n.numbers import localised
from app.i18n.translate import tr, translate
from core.regions import FIGURE_NAMES, Figure, RegionFigures, ThresholdRegion
from core.units.readout import shown_value

_OF_THRESHOLDS = ("mtv", "tlg", "threshold")
_OF_PICTURES = ("volume", "mean", "sd", "minimum", "maximum", "threshold")

_MOST = 16_777_215
"""Pixels: as wide as a widget may be."""


def rows_of(figures: Sequence[RegionFigures], *, is_picture: bool) -> tuple[str, ...]:
    """Names of the figures that a region can have."""
    names = tuple(_OF_PICTURES if is_picture else FIGURE_NAMES)
    if figures and isinstance(figures[0].region, ThresholdRegion):
        return names
    return tuple(name for name in names if name not in _OF_THRESHOLDS)


def heading_of(figures: RegionFigures) -> str:
    """The letter of the source, and below it the unit of its values, a dash for none."""
    return f"{figures.side.upper()}\n{figures.unit or '–'}"


def row_title(name: str, *, is_picture: bool) -> str:
    """The name of a figure, with its unit where that is not the one of the values."""
    if name == "volume" and is_picture:
        return tr("Area (pixels)")
    title = translate(FIGURE_NAMES[name])
    return f"{title} (ml)" if name in ("volume", "mtv") else title


def cell_text(name: str, figures: RegionFigures, *, is_picture: bool) -> tuple[str, str]:
    """The number as text, and the reason where there is none."""
    if name == "volume" and is_picture and figures.problem is None:
        return localised(f"{figures.voxels:,d}"), ""
    figure: Figure = figures.figures[name]
    if figure.value is None:
        return "–", translate(figure.reason)
    # SUV has two decimals, whatever the unit in the heading is.
    unit = figure.unit.partition("·")[0]
    text = shown_value(figure.value, unit).removesuffix(unit).strip()
    return localised(text), ""


class FiguresTable(QTableWidget):
    """Shows the figures of one region."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Figures of the selected region"))
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        across.setHighlightSections(False)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        down.setHighlightSections(False)
        down.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        down.setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_figures(self, figures: Sequence[RegionFigures], *, is_picture: bool = False) -> None:
        """Show figures of A and B; empty for none."""
        names = rows_of(figures, is_picture=is_picture) if figures else ()
        self.setRowCount(len(names))
        self.setColumnCount(len(figures))
        for column, one in enumerate(figures):
            head = QTableWidgetItem(heading_of(one))
            head.setToolTip(one.title)
            self.setHorizontalHeaderItem(column, head)
        for row, name in enumerate(names):
            title = row_title(name, is_picture=is_picture)
            self.setVerticalHeaderItem(row, QTableWidgetItem(title))
            for column, one in enumerate(figures):
                text, reason = cell_text(name, one, is_picture=is_picture)
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                unit = one.figures[name].unit
                item.setToolTip(reason or f"{text} {unit}".strip())
                self.setItem(row, column, item)
        self._fit_height()
        self._fit_width()

    def _fit_width(self) -> None:
        """No figure is cut: “1,019.…” would be read as another number. Titles of rows give way."""
        columns = range(self.columnCount())
        widest = max((self.sizeHintForColumn(column) for column in columns), default=0)
        down = self.verticalHeader()
        down.setMaximumWidth(_MOST)
        room = self.width() - self.columnCount() * widest - 2 * self.frameWidth()
        down.setMaximumWidth(min(max(room, 0), down.sizeHint().width()) if widest else _MOST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the new width."""
        super().resizeEvent(event)
        self._fit_width()

    def _fit_height(self) -> None:
        """All rows are seen: the panel scrolls, not the table in it."""
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(rows + self.horizontalHeader().sizeHint().height() + 4)

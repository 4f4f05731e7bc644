"""The panel of regions: tools, the list, figures of the selected one, and what to do with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.fuse.state import FuseState
from app.i18n.numbers import localised
from app.i18n.translate import translate, translate_error
from app.regions.editing import TOOLS
from app.regions.figures_table import FiguresTable
from app.regions.measurements import RegionMeasurements
from app.regions.outlines import size_of
from app.regions.state import RegionsState
from app.regions.threshold_form import ThresholdForm
from app.regions.view_plane import view_plane
from app.widgets import theme
from app.widgets.cards import text_label
from core.regions import Annotation, ThresholdRegion
from core.units.readout import shown_value

_ICONS = {
    "select": "cursor-default-outline",
    "ellipse": "ellipse-outline",
    "rectangle": "rectangle-outline",
    "freehand": "draw",
    "sphere": "sphere",
    "threshold": "circle-opacity",
    "distance": "ruler",
    "angle": "angle-acute",
}
_PER_ROW = 4
_LEAST_ROWS, _MOST_ROWS = 3, 8


class RegionsPanel(QWidget):
    """Shows a :class:`RegionsState` with its figures; requests go to the state and the commands."""

    region_chosen = Signal(str)
    """Name of a region that was chosen in the list: it should be seen."""

    def __init__(
        self,
        session: FuseState,
        state: RegionsState,
        measurements: RegionMeasurements,
        tools: Mapping[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            tools: the command of each tool.
        """
        super().__init__(parent)
        self._session = session
        self._state = state
        self._measurements = measurements
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(8)
        self._add_tools(tools)
        self._add_list()
        self._add_figures()
        self._add_end()
        self.column.addStretch(1)
        state.edited.connect(self._show)
        state.view_changed.connect(self._show)
        measurements.changed.connect(self._show)
        session.sources_changed.connect(self._show)
        self._show()

    # --- parts -----------------------------------------------------------------------------

    def _add_tools(self, tools: Mapping[str, QAction]) -> None:
        self.tools: dict[str, QToolButton] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for place, name in enumerate(TOOLS):
            button = self.tools[name] = QToolButton()
            button.setCheckable(True)
            button.setSizePolicy(self.sizePolicy().Policy.Expanding, self.sizePolicy().Policy.Fixed)
            theme.set_icon(button, _ICONS[name])
            action = tools[name]
            button.setAccessibleName(action.iconText())
            button.setToolTip(action.toolTip())
            action.changed.connect(
                lambda action=action, button=button: button.setToolTip(action.toolTip())
            )
            button.clicked.connect(lambda _=False, action=action: action.trigger())
            grid.addWidget(button, *divmod(place, _PER_ROW))
        self.threshold = ThresholdForm()
        self.threshold.chosen.connect(self._state.set_threshold)
        self.column.addLayout(grid)
        self.column.addWidget(self.threshold)

    def _add_list(self) -> None:
        self.hint = text_label()
        self.hint.setObjectName("hint")
        self.list = RegionList()
        self.list.setAccessibleName(self.tr("Regions"))
        self.list.currentCellChanged.connect(lambda *_: self._choose())
        self.list.itemChanged.connect(self._rename)
        self.list.removed.connect(lambda: self._state.remove(self._state.selected))
        self.column.addWidget(self.hint)
        self.column.addWidget(self.list)

    def _add_figures(self) -> None:
        self.figures = FiguresTable()
        self.notes = text_label()
        self.notes.setObjectName("hint")
        self.column.addWidget(self.figures)
        self.column.addWidget(self.notes)

    def _add_end(self) -> None:
        self.end = QWidget()
        """Buttons to be shown below the rest, whatever its height."""
        self.delete = QPushButton(self.tr("Delete"))
        self.delete.setToolTip(self.tr("Delete the selected region"))
        self.delete.clicked.connect(lambda: self._state.remove(self._state.selected))
        self.more = QPushButton(self.tr("Export"))
        self.more.setToolTip(self.tr("Copy the table, or write it or the regions into a file"))
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.setToolTip(self.tr("Leave the regions as they are"))
        self.close_button.clicked.connect(lambda: self._state.set_active(False))
        row = QHBoxLayout(self.end)
        row.setContentsMargins(8, 4, 8, 8)
        for button in (self.delete, self.more, self.close_button):
            row.addWidget(button)

    def set_exports(self, *actions: QAction) -> None:
        """Offer these below the button for exports."""
        menu = QMenu(self.more)
        menu.addActions(list(actions))
        self.more.setMenu(menu)

    # --- state to screen -------------------------------------------------------------------

    def _show(self) -> None:
        state = self._state
        for name, button in self.tools.items():
            button.setChecked(name == state.tool)
        rows = [(one.name, self._value(one)) for one in state.regions]
        names = [name for name, _value in rows]
        self.list.show_rows(rows, names.index(state.selected) if state.selected in names else -1)
        self.list.setVisible(bool(rows))
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))
        self._show_threshold()
        self._show_figures()
        self.delete.setEnabled(state.chosen is not None)
        self.more.setEnabled(bool(rows))

    @property
    def _is_picture(self) -> bool:
        return self._session.sources.slice is None

    def _hint(self) -> str:
        plane = view_plane(self._session.sources)
        if plane is None:
            return self.tr("Open a pair to measure it.")
        picture = self.tr(
            "Pictures are measured in pixels, not in millimetres, and in grey levels or the unit "
            "of their file."
        )
        if self._state.regions:
            return "" if plane.has_mm else picture
        text = self.tr(
            "Choose a shape and draw it on any pane, or press Enter to put it. Arrow keys move it, "
            "with Ctrl they resize it."
        )
        return text if plane.has_mm else f"{text}\n{picture}"

    def _value(self, region: Annotation) -> str:
        """Distances and angles themselves; of regions the mean of A."""
        plane = view_plane(self._session.sources)
        size = size_of(region, "" if plane is None else plane.unit)
        if size:
            return size
        found = self._measurements.of(region)
        if found is None:
            return "…"
        mean = found.figures[0].mean
        return "–" if mean.value is None else localised(shown_value(mean.value, mean.unit))

    def _show_threshold(self) -> None:
        state, region = self._state, self._state.chosen
        is_threshold = isinstance(region, ThresholdRegion)
        self.threshold.setVisible(state.tool == "threshold" or is_threshold)
        threshold, side = state.threshold, state.side
        if isinstance(region, ThresholdRegion) and state.tool != "threshold":
            threshold, side = region.threshold, region.side
        self.threshold.offer_kinds(has_suv=not self._is_picture)
        self.threshold.show_threshold(threshold, side, self._units())

    def _units(self) -> tuple[str, str]:
        sources = self._session.sources
        if sources.slice is not None:
            a, b = (volume.unit for volume in sources.slice.volumes.native)
            return a, b
        return ("", "") if sources.pair is None else (sources.pair.a.unit, sources.pair.b.unit)

    def _show_figures(self) -> None:
        region = self._state.chosen
        found = self._measurements.of(region) if region is not None else None
        figures = found.figures if found is not None else ()
        self.figures.setVisible(bool(figures))
        self.figures.show_figures(figures, is_picture=self._is_picture)
        said: dict[str, None] = {}
        for one in figures:
            letter = one.side.upper()
            if one.problem is not None:
                _what, why, remedy = translate_error(one.problem)
                said[f"{letter}: {why}. {remedy}".strip()] = None
            elif not self._is_picture:
                said.update((translate(note), None) for note in one.notes)
        self.notes.setText("\n".join(said))
        self.notes.setVisible(bool(said))

    # --- requests --------------------------------------------------------------------------

    def _choose(self) -> None:
        name = self.list.current_name
        if name and name != self._state.selected:
            self._state.select(name)
            self.region_chosen.emit(name)

    def _rename(self, item: QTableWidgetItem) -> None:
        if item.column() == 0:
            # The editor is still open: the list cannot be shown anew before it is closed.
            rename = partial(self._state.rename, item.data(Qt.ItemDataRole.UserRole), item.text())
            QTimer.singleShot(0, self, rename)


class RegionList(QTableWidget):
    """Names, which can be edited, and a value of each; the Delete key removes."""

    removed = Signal()

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels([self.tr("Name"), self.tr("Mean of A")])
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    @property
    def current_name(self) -> str:
        """Of the selected row; "" for none."""
        item = self.item(self.currentRow(), 0)
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else ""

    def show_rows(self, rows: list[tuple[str, str]], selected: int) -> None:
        """Show names with values; ``selected`` is a row, -1 for none."""
        if self.state() == QAbstractItemView.State.EditingState:
            return  # a figure that arrives does not end the editing of a name
        with QSignalBlocker(self):
            self.setRowCount(len(rows))
            for row, texts in enumerate(rows):
                for column, text in enumerate(texts):
                    item = self.item(row, column)
                    if item is None:
                        item = QTableWidgetItem()
                        self.setItem(row, column, item)
                    item.setText(text)
                    item.setData(Qt.ItemDataRole.UserRole, texts[0])
                    flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
                    item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if column == 0 else flags)
            if selected < 0:
                self.setCurrentCell(-1, -1)
                self.clearSelection()
            elif selected != self.currentRow():
                self.setCurrentCell(selected, 0)
        shown = min(max(len(rows), _LEAST_ROWS), _MOST_ROWS)
        height = shown * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(height + self.horizontalHeader().sizeHint().height() + 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the selected region."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.current_name:
            self.removed.emit()
        else:
            super().keyPressEvent(event)

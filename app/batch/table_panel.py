"""The table with its tools, its filter and the full text of the selected row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.batch.table_model import (
    ALIGN,
    FOLDER,
    LOST,
    BatchTable,
    FilteredTable,
    adjacent_runs,
)
from app.batch.table_view import BatchView
from app.i18n.translate import plural, translate
from app.pairs.align_menu import AlignMenu
from app.widgets import theme


class TablePanel(QWidget):
    """Emits the changes that the user asks for; it makes none itself."""

    swap = Signal(object)
    include = Signal(object, bool)
    join = Signal(object)
    choose_b = Signal(int)
    choose_a = Signal(int)
    """Row of a study."""
    add_b = Signal(int)
    """Row of a study whose A is to be paired with one more series."""
    moved = Signal(object, int)
    opened = Signal(int, bool)
    """Row whose pair to show in the Fuse workspace, and whether its result fills the view."""
    resample = Signal(object, bool)
    """Rows, and whether to resample B of these pairs where sizes differ."""

    align = Signal(object, str)
    """Rows, and how to lay them on each other: see :class:`AlignMenu`."""

    def __init__(self, model: BatchTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.shown = FilteredTable(model)
        self.view = BatchView(self.shown)
        self.menu: QMenu | None = None
        self._rigs: tuple[str, ...] = ()
        self._before_filter: list[int] | None = None
        """Rows selected before filtering; None once the selection is changed by hand."""
        self._is_filtering = False
        self._rows: list[int] | None = []
        """Selected rows; None when they must be determined anew."""
        self._make_tools()
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setTabChangesFocus(True)
        self.details.setAccessibleName(self.tr("The selected row in full"))
        self.details.setMaximumHeight(88)
        self.details.document().setDocumentMargin(6)
        self.details.setPlaceholderText(self.tr("Select a row to read all about it."))
        self._lay_out()
        self.view.selectionModel().selectionChanged.connect(self._selected)
        model.dataChanged.connect(lambda *_: self._show_details(self.rows()))
        for changed in (self.shown.layoutChanged, self.shown.modelReset):
            changed.connect(self._forget_rows)
        for changed in (self.shown.rowsInserted, self.shown.rowsRemoved):
            changed.connect(self._forget_rows)
        model.modelReset.connect(self._selected)
        model.ticked.connect(self.include)
        model.moved.connect(self._dragged)
        self.view.move_requested.connect(self.step)
        self.view.exclude_requested.connect(lambda: self._use(False))
        self.view.open_requested.connect(self._open)
        self.view.clicked.connect(self._chosen_by_hand)
        self.view.doubleClicked.connect(lambda _index: self._open())
        self.view.customContextMenuRequested.connect(self._show_menu)
        self._selected()

    def _make_tools(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(90)
        self.filter.setMaximumWidth(200)
        self.filter.setAccessibleName(self.tr("Filter rows by name"))
        self.filter.textChanged.connect(partial(self._filter, self.shown.set_words))
        self.only_problems = QCheckBox(self.tr("Only problems"))
        self.only_problems.setToolTip(self.tr("Show only rows that somebody should look at"))
        self.only_problems.toggled.connect(partial(self._filter, self.shown.set_only_troubled))
        tool = self._tool
        self.swap_button = tool(
            "swap-horizontal", self.tr("Swap A and B of the selected pairs"), self._swap
        )
        self.exclude_button = tool(
            "checkbox-blank-off-outline",
            self.tr("Leave the selected pairs out (Delete)"),
            lambda: self._use(False),
        )
        self.include_button = tool(
            "checkbox-marked-outline",
            self.tr("Take the selected pairs in again"),
            lambda: self._use(True),
        )
        self.choose_button = tool(
            "file-replace-outline", self.tr("Choose another B…"), self._choose
        )
        self.join_button = tool(
            "link-variant",
            self.tr("Pair the two selected files, or give the selected pair that file as B"),
            lambda: self.join.emit(self.rows()),
        )
        self.up_button = tool("arrow-up", self.tr("Move up (Alt+Up)"), lambda: self.step(-1))
        self.down_button = tool("arrow-down", self.tr("Move down (Alt+Down)"), lambda: self.step(1))

    def _tool(self, icon: str, text: str, do: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        theme.set_icon(button, icon)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(do)
        return button

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(4)
        for button in (
            self.swap_button,
            self.choose_button,
            self.join_button,
            self.exclude_button,
            self.include_button,
            self.up_button,
            self.down_button,
        ):
            tools.addWidget(button)
        tools.addStretch(1)
        tools.addWidget(self.only_problems)
        tools.addWidget(self.filter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(tools)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.details)

    # --- selection -------------------------------------------------------------------------

    def rows(self) -> list[int]:
        """Selected rows of the table, in order."""
        if self._rows is None:
            self._rows = self._selected_rows()
        return list(self._rows)

    def _forget_rows(self, *_changes: object) -> None:
        self._rows = None

    def _selected_rows(self) -> list[int]:
        # selectedRows asks every cell, which takes a second for thousands of rows.
        chosen = self.view.selectionModel().selection()
        parts = [chosen.at(place) for place in range(chosen.count())]
        places = {row for part in parts for row in range(part.top(), part.bottom() + 1)}
        if not self.shown.is_filtered:
            return sorted(places)
        return sorted(self.shown.mapToSource(self.shown.index(row, 0)).row() for row in places)

    def pair_rows(self) -> list[int]:
        """Selected rows that are pairs."""
        return self._pairs_among(self.rows())

    def _pairs_among(self, rows: list[int]) -> list[int]:
        return rows[: bisect_left(rows, len(self.model.plan.matches))]

    def select(self, rows: list[int]) -> None:
        """Select rows of the table, and scroll to the first."""
        chosen = QItemSelection()
        places = sorted(self.shown.places(rows))
        for first, last in adjacent_runs(places):
            chosen.select(self.shown.index(first, 0), self.shown.index(last, 0))
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        flags |= QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().select(chosen, flags)
        if places:
            first_index = self.shown.index(places[0], 0)
            no_change = QItemSelectionModel.SelectionFlag.NoUpdate
            self.view.selectionModel().setCurrentIndex(first_index, no_change)
            self.view.scrollTo(first_index)

    def _filter(self, change: Callable[[Any], None], wanted: object) -> None:
        """Change the filter; selected rows stay selected where they are shown."""
        chosen = self.rows() if self._before_filter is None else self._before_filter
        self._is_filtering = True
        try:
            change(wanted)
            self._forget_rows()
            if chosen:
                self.select(chosen)
        finally:
            self._is_filtering = False
        self._before_filter = chosen if self.shown.is_filtered else None
        self._selected()

    def _chosen_by_hand(self, _index: object) -> None:
        # A click on the only visible selected row changes no selection, but is meant as one.
        self._before_filter = None

    def show_plan(self, plan: object) -> None:
        """Show another plan; selected pairs stay selected where they still exist."""
        rows, at = self.rows(), self.view.verticalScrollBar().value()
        keys = [(m.a, m.b) for row in rows if (m := self.model.match_at(row)) is not None]
        is_new = self.model.show_plan(plan)
        found = (self.model.row_of(key) for key in keys)
        wanted = sorted(place for place in found if place is not None) or rows
        if is_new or wanted != rows:
            self.select(wanted)
            self.view.verticalScrollBar().setValue(at)
        matches = self.model.plan.matches
        self.view.setColumnHidden(FOLDER, not any(m.folder.parts for m in matches))
        self._selected()

    def _selected(self, *_changes: object) -> None:
        if _changes:
            self._forget_rows()
            if not self._is_filtering:
                self._before_filter = None
        rows, matches = self.rows(), self.model.plan.matches
        pairs = self._pairs_among(rows)
        free = not self.model.is_locked
        self.swap_button.setEnabled(free and bool(pairs))
        self.choose_button.setEnabled(free and len(pairs) == len(rows) == 1)
        self.join_button.setEnabled(free and len(rows) == 2 and len(pairs) < 2)
        self.exclude_button.setEnabled(free and any(not matches[r].excluded for r in pairs))
        self.include_button.setEnabled(free and any(matches[r].excluded for r in pairs))
        for button in (self.up_button, self.down_button):
            button.setEnabled(bool(pairs) and not self.shown.is_filtered)
        self._show_details(rows)

    def _show_details(self, rows: list[int]) -> None:
        text = self._in_full(rows[0]) if len(rows) == 1 else ""
        if text != self.details.toPlainText():
            self.details.setPlainText(text)

    def _in_full(self, row: int) -> str:
        match = self.model.match_at(row)
        if match is None:
            place = row - len(self.model.plan.matches)
            if not 0 <= place < len(self.model.plan.leftovers):
                return ""
            item = self.model.plan.leftovers[place]
            return f"{item.path}\n{translate(item.reason)}"
        text = self.model.text_at(row)
        lines = [text.detail] if text.detail else []
        why = self.tr("Paired because: ") + translate(match.reason)
        lines += [f"A: {match.a}", f"B: {match.b}", why]
        return "\n".join(lines)

    # --- actions ----------------------------------------------------------------------------

    def _swap(self) -> None:
        self.swap.emit(self.pair_rows())

    def _use(self, used: bool) -> None:
        if self.pair_rows() and not self.model.is_locked:
            self.include.emit(self.pair_rows(), used)

    def _choose(self) -> None:
        self.choose_b.emit(self.pair_rows()[0])

    def _open(self) -> None:
        rows = self.pair_rows()
        if len(rows) == 1:
            self.opened.emit(rows[0], False)

    def _show_menu(self, at: QPoint) -> None:
        rows = self.pair_rows()
        if rows:
            self.menu = self.make_menu(rows)
            self.menu.popup(self.view.viewport().mapToGlobal(at))

    def make_menu(self, rows: list[int]) -> QMenu:
        """A menu of what can be done with the pairs in ``rows``."""
        menu, free = QMenu(self), not self.model.is_locked
        texts = [self.model.text_at(row) for row in rows]

        def add(title: str, do: Callable[[], object], can: bool) -> None:
            action = menu.addAction(title)
            action.setEnabled(can)
            action.triggered.connect(lambda _=False: do())

        one = len(rows) == 1
        add(self.tr("Open in Fuse"), self._open, one)
        show = partial(self.opened.emit, rows[0], True)
        add(self.tr("Show result in a large view"), show, one and texts[0].output is not None)
        menu.addSeparator()
        title = plural("Resample B for this pair", "Resample B for these pairs", len(rows))
        can = free and any(text.resampled is False for text in texts)
        add(title, partial(self.resample.emit, rows, True), can)
        if any(text.resampled for text in texts):
            title = self.tr("Do not resample B")
            add(title, partial(self.resample.emit, rows, False), free)
        own = {text.own_align for text in texts}
        align = AlignMenu(self._rigs, own.pop() if len(own) == 1 else None, menu)
        align.chosen.connect(partial(self.align.emit, rows))
        align.setEnabled(free)
        menu.addMenu(align)
        menu.addSeparator()
        add(self.swap_button.toolTip(), self.swap_button.click, self.swap_button.isEnabled())
        match = self.model.match_at(rows[0]) if one else None
        if match is not None and match.study is not None:
            add(self.tr("Choose another A…"), partial(self.choose_a.emit, rows[0]), free)
            add(self.choose_button.toolTip(), self._choose, free)
            more = partial(self.add_b.emit, rows[0])
            add(self.tr("Pair A with one more series…"), more, free)
        else:
            add(self.choose_button.toolTip(), self._choose, self.choose_button.isEnabled())
        for button in (self.exclude_button, self.include_button):
            add(button.toolTip(), button.click, button.isEnabled())
        return menu

    def set_rigs(self, names: tuple[str, ...]) -> None:
        """Offer these rigs in the menu."""
        self._rigs = names

    def show_columns(self, *, align: bool, lost: bool) -> None:
        """Show how each pair is laid on each other, and what is lost, or leave that out."""
        self.view.setColumnHidden(ALIGN, not align)
        self.view.setColumnHidden(LOST, not lost)

    def step(self, by: int) -> None:
        """Move the selected pairs up (-1) or down (1), unless they are at the end."""
        rows, count = self.pair_rows(), len(self.model.plan.matches)
        if not rows or self.shown.is_filtered:
            return
        to = rows[0] - 1 if by < 0 else rows[-1] + 2
        if 0 <= to <= count:
            self.moved.emit(rows, to)

    def _dragged(self, rows: list[int], to: int) -> None:
        self.moved.emit(rows, to)

    def refresh(self) -> None:
        """Update which tools are enabled."""
        self._selected()

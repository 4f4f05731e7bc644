"""The Batch workspace: folders in, pairs in a table, a folder of results out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.batch import row_text
from app.batch.cards import BatchCards
from app.batch.controller import BatchController
from app.batch.empty_page import EmptyPage
from app.batch.pair_edits import PairEdits
from app.batch.pair_request import pair_request
from app.batch.run_bar import RunBar
from app.batch.series_menu import SeriesChooser
from app.batch.settings_panel import BatchSettingsPanel
from app.batch.table_model import THUMB, BatchTable
from app.batch.table_panel import TablePanel
from app.engine import EngineSource, default_method
from app.i18n.numbers import number
from app.i18n.translate import translate, translate_all
from app.pairs.align_menu import ASK_FILE, transform_dialog
from app.pairs.edits import key_of
from app.pairs.rig_finder import RigFinder
from app.pairs.thumbnails import ThumbnailLoader
from app.widgets import theme
from app.widgets.device_chip import DeviceChip
from app.widgets.drop import DropZone
from app.widgets.notification import SystemNotification
from app.widgets.page import Page
from core.tasks import get_task
from core.types import DeviceChoice

_EMPTY, _TABLE = 0, 1


class BatchPage(Page):
    """Connects a :class:`BatchController` to its widgets."""

    pair_wanted = Signal(object)
    """A :class:`app.batch.pair_request.PairRequest`: a pair to show in the Fuse workspace."""

    def __init__(
        self, batch: BatchController, window: EngineSource, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            batch: owned by the page from now on.
            window: provides the methods and the device of its engine.
        """
        super().__init__(parent)
        self.batch = batch
        batch.setParent(self)
        self.edits = PairEdits(batch)
        self.series = SeriesChooser(self.batch, self.edits, self)
        self._window = window
        self._device: DeviceChoice | None = None
        self.table = BatchTable(
            partial(row_text.row_text, batch), partial(row_text.is_troubled, batch)
        )
        self.panel = TablePanel(self.table)
        self.choices = BatchSettingsPanel(batch.choices)
        self.foot = RunBar()
        self.chip = DeviceChip()
        self.thumbs = ThumbnailLoader(THUMB, self)
        self.notice = SystemNotification(self)
        self.card_area = BatchCards(batch, self.notice)
        self.cards = self.card_area.cards
        self.dialog: QFileDialog | None = None
        self.rigs = RigFinder(self)
        self.zone = DropZone()
        self.zone.setObjectName("pairList")
        self.zone.setAcceptDrops(True)
        self.empty = EmptyPage()
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show_methods()
        self._show_device()
        self._show_pairing()
        self._show_phase()

    def _lay_out(self) -> None:
        self._stack.addWidget(self.empty)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.panel)
        split.addWidget(self.choices)
        split.setStretchFactor(0, 1)
        split.setCollapsible(0, False)
        self.choices.setMinimumWidth(250)
        split.setSizes([720, 290])
        self._stack.addWidget(split)
        layout = QVBoxLayout(self.zone)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        layout.addLayout(self._head())
        layout.addWidget(self.card_area)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.foot)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.zone)

    def _head(self) -> QHBoxLayout:
        self.add_folder = self._button(self.tr("Add folder…"), "folder-plus-outline")
        self.add_folder.clicked.connect(lambda: self._ask_sources(folder=True))
        self.add_files = self._button(self.tr("Add files…"), "file-plus-outline")
        self.add_files.clicked.connect(lambda: self._ask_sources(folder=False))
        self.clear = self._button(self.tr("Clear"), "playlist-remove")
        self.clear.clicked.connect(self._clear)
        self.summary = QLabel()
        self.summary.setAccessibleName(self.tr("What was found"))
        self.swap_all = self._button(self.tr("Swap all"), "swap-horizontal")
        self.swap_all.setToolTip(self.tr("Exchange A and B in every pair"))
        self.swap_all.clicked.connect(lambda: self.edits.swap())
        head = QHBoxLayout()
        head.setSpacing(6)
        for button in (self.add_folder, self.add_files, self.clear, self.swap_all):
            head.addWidget(button)
        head.addSpacing(8)
        head.addWidget(self.summary, 1)
        head.addWidget(self.chip)
        return head

    def _button(self, text: str, icon: str) -> QPushButton:
        button = QPushButton(text)
        theme.set_icon(button, icon)
        return button

    def _connect(self) -> None:
        batch, panel, edits = self.batch, self.panel, self.edits
        self.zone.files_dropped.connect(self.take)
        self.empty.zone.files_dropped.connect(self.take)
        panel.swap.connect(edits.swap)
        panel.include.connect(edits.include)
        panel.join.connect(edits.join)
        panel.choose_b.connect(self._ask_partner)
        panel.choose_a.connect(partial(self.series.ask, side="a"))
        panel.add_b.connect(self.series.ask_added)
        panel.moved.connect(edits.move)
        panel.opened.connect(self._open)
        panel.resample.connect(edits.resample)
        panel.align.connect(self._align)
        self.table.thumb_wanted.connect(self.thumbs.want)
        self.thumbs.ready.connect(self.table.set_thumb)
        self.choices.changed.connect(batch.set_choices)
        self.choices.folder_wanted.connect(self._ask_output)
        self.rigs.found.connect(self.choices.align.show_rigs)
        self.rigs.found.connect(panel.set_rigs)
        self.foot.start.connect(self.choices.cluster.begin_run)
        self.foot.start.connect(batch.start)
        self.foot.retry.connect(batch.retry)
        self.foot.pause.connect(batch.run.pause)
        self.foot.resume.connect(batch.run.resume)
        self.foot.cancel.connect(batch.run.cancel)
        batch.pairing_changed.connect(self._show_pairing)
        batch.choices_changed.connect(self._show_choices)
        batch.datasets_changed.connect(self._show_datasets)
        batch.planned_changed.connect(self._show_planned)
        batch.rows_changed.connect(self._rows_changed)
        batch.tally_changed.connect(self._show_tally)
        batch.run.workers_changed.connect(self._show_workers)
        batch.phase_changed.connect(self._show_phase)
        self.card_area.problems_wanted.connect(lambda: panel.only_problems.setChecked(True))
        self._window.engine_changed.connect(self._show_methods)
        self._window.engine_changed.connect(self._show_device)

    # --- interface of the window ---------------------------------------------------------------

    @property
    def busy(self) -> str:
        """What is in progress, in words; "" for nothing."""
        return row_text.busy_text(self.batch)

    def shutdown(self) -> None:
        """Stop the batch, so that it can be resumed later, and wait for the threads."""
        self.rigs.shutdown()
        self.choices.cluster.shutdown()
        self.batch.shutdown()
        self.thumbs.shutdown()
        self.notice.hide_icon()

    def take(self, paths: list[Path]) -> None:
        """Find the pairs in dropped files and folders."""
        if self.batch.is_busy:
            self.card_area.show_text(
                "busy", self.tr("Wait until the batch has ended, or cancel it first.")
            )
            return
        self.card_area.remove("error")
        self.batch.add(paths)

    # --- pairs ------------------------------------------------------------------------------

    def _show_pairing(self) -> None:
        pairing = self.batch.pairing
        self._stack.setCurrentIndex(_EMPTY if pairing is None else _TABLE)
        matches = pairing.matches if pairing is not None else ()
        self.thumbs.show_instead({key_of(m): m.middle for m in matches if m.study is not None})
        self.panel.show_plan(pairing)
        self._show_summary()
        self._show_phase()

    def _show_summary(self) -> None:
        pairing = self.batch.pairing
        for button in (self.clear, self.swap_all):
            button.setVisible(pairing is not None)
        if pairing is None:
            finding = self.batch.phase == "finding"
            self.summary.setText(self.tr("Looking for pairs…") if finding else "")
            return
        active, left = len(pairing.active), pairing.loose
        parts = [row_text.pairs_text(active)]
        if len(pairing.matches) > active:
            parts.append(self.tr("{0} left out").format(number(len(pairing.matches) - active, ",")))
        if left:
            parts.append(self.tr("not paired: {0}").format(number(left, ",")))
        self.summary.setText(" · ".join(parts))
        self.summary.setToolTip("\n".join(translate_all(pairing.notes)))

    def _rows_changed(self, keys: list[Any]) -> None:
        for key in keys:
            output = self.batch.run.output(key)
            if output is not None and self.batch.rows[key].state == "done":
                self.table.forget_thumbs(key, output)
        self.table.touch(keys)

    def _ask_sources(self, *, folder: bool) -> None:
        title = self.tr("Add a folder of pairs") if folder else self.tr("Add files")
        dialog = self.dialog = QFileDialog(self.window(), title)
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.Directory if folder else mode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.take([Path(name) for name in names]))
        dialog.open()

    def _ask_partner(self, row: int) -> None:
        match = self.table.match_at(row)
        if match is None:
            return
        if match.study is not None:
            self.series.ask(row, "b")
            return
        title = self.tr("B for {0}").format(match.a.name)
        dialog = self.dialog = QFileDialog(self.window(), title, str(match.b.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.edits.pair(match.a, Path(name)))
        dialog.open()

    def _open(self, row: int, large: bool) -> None:
        match = self.table.match_at(row)
        if match is not None:
            output = self.table.text_at(row).output
            request = pair_request(self.batch, match, output, self._window.engine, large=large)
            self.pair_wanted.emit(request)

    def _align(self, rows: list[int], align: str) -> None:
        """Lay pairs on each other in a way of their own; a file is asked for."""
        if align == ASK_FILE:
            dialog = self.dialog = transform_dialog(self.window())
            dialog.fileSelected.connect(lambda name: self.edits.align(rows, f"file {name}"))
            dialog.open()
        else:
            self.edits.align(rows, align)

    def _clear(self) -> None:
        for name in tuple(self.cards):
            self.card_area.remove(name)
        self.batch.clear()

    # --- choices ----------------------------------------------------------------------------

    def _show_choices(self) -> None:
        self._show_methods()
        self.choices.show_choices(self.batch.choices)
        self.table.touch_all()
        self._show_columns()

    def _show_columns(self) -> None:
        batch = self.batch
        is_there = batch.choices.align != "none" or batch.planner.chooses_registration
        self.panel.show_columns(align=is_there, lost=batch.choices.tells_losses)

    def _show_datasets(self) -> None:
        self.choices.dataset.show_known(self.batch.datasets)
        self.choices.dataset.show_found(self.batch.dataset)

    def _show_methods(self) -> None:
        engine, choices = self._window.engine, self.batch.choices
        methods = engine.methods.get(choices.task, ()) if engine is not None else ()
        lines = [(m.name, m.title, translate(m.summary), m.kind == "pack") for m in methods]
        self.choices.show_methods(lines)
        if lines and not choices.method and not any(is_model for *_, is_model in lines):
            chosen = default_method(methods, get_task(choices.task))
            if chosen is not None:
                self.batch.choose_method(chosen.name)

    def _show_device(self) -> None:
        """Show the device of batches: the first of the window's engine, which may change later."""
        if self._device is None and self._window.engine is not None:
            self._device = self._window.engine.device
            self.chip.show_device(self._device)

    def showEvent(self, event: QShowEvent) -> None:
        """List the rigs again."""
        super().showEvent(event)
        self.rigs.find()

    def _ask_output(self) -> None:
        folder = self.batch.choices.folder
        start = folder if folder is not None and folder.is_dir() else Path.home()
        dialog = self.dialog = QFileDialog(
            self.window(), self.tr("Folder for the results"), str(start)
        )
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.batch.choose_folder)
        dialog.open()

    def _show_planned(self) -> None:
        planned, batch = self.batch.planned, self.batch
        if not batch.is_planning:
            error = planned.error
            # A run recorded in the folder has a card of its own, with buttons.
            trouble = error if planned.found is None else None
            self.choices.show_trouble(translate(trouble.message) if trouble is not None else "")
            rows = planned.plan.rows if planned.plan is not None else ()
            self.choices.show_preview(str(rows[0].target) if rows else "")
            self.table.touch_all()
            self._show_columns()
            self.card_area.show_found()
        self._show_phase()

    # --- the run ----------------------------------------------------------------------------

    def _show_phase(self) -> None:
        batch = self.batch
        on = batch.is_busy
        self.table.is_locked = on
        self.choices.content.setEnabled(not on)
        for button in (self.add_folder, self.add_files, self.clear, self.swap_all):
            button.setEnabled(not on)
        self.foot.setVisible(batch.pairing is not None)
        self.foot.show_phase(
            batch.phase,
            can_start=batch.planned.can_run and not batch.is_planning and batch.phase == "idle",
            has_more=batch.has_more,
            goes_on=batch.planned.goes_on,
            failed=batch.failed_rows,
        )
        if on:
            for name in ("found", "end", "unfinished", "error", "sizes"):
                self.card_area.remove(name)
        self._show_tally()
        self._show_summary()
        self.panel.refresh()
        if batch.phase != "finding":
            self.busy_changed.emit()

    def _show_workers(self, news: Any) -> None:
        self.choices.cluster.show_news(news.workers, news.seen, news.text)

    def _show_tally(self) -> None:
        batch, tally = self.batch, self.batch.tally
        title = self.tr("Batch")
        if batch.is_busy and tally is not None:
            self.foot.show_progress(
                tally.ended, tally.total, row_text.progress_text(tally, batch.phase)
            )
            title = f"{title} {100 * tally.ended // max(1, tally.total)} %"
        elif batch.is_busy:
            self.foot.show_progress(0, 0, translate(batch.stage) or self.tr("Starting"))
        elif tally is not None:
            self.foot.show_progress(tally.ended, tally.total, row_text.ended_text(tally))
        else:
            text = self.tr("Ready: {0}").format(row_text.pairs_text(len(batch.targets)))
            if batch.planned.cluster is not None:
                text = self.tr("{0}, on the workers of {1}").format(text, batch.choices.scheduler)
            self.foot.show_idle(text if batch.planned.can_run else "")
        self.title_changed.emit(title)

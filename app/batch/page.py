"""The Batch workspace: drop a folder, look at the pairs, get a folder."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
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
from app.batch.run_bar import RunBar
from app.batch.settings_panel import BatchSettingsPanel
from app.batch.table_model import THUMB, BatchTable
from app.batch.table_panel import TablePanel
from app.engine import EngineSource, default_method
from app.i18n.numbers import number
from app.i18n.translate import translate, translate_all
from app.pairs.edits import key_of
from app.pairs.thumbnails import ThumbnailLoader
from app.widgets import theme
from app.widgets.device_chip import DeviceChip
from app.widgets.drop import DropZone
from app.widgets.notification import Notice
from app.widgets.page import Page
from core.tasks import get_task
from core.types import DeviceChoice

_EMPTY, _TABLE = 0, 1


@dataclass(frozen=True)
class PairRequest:
    """A pair of the table to be looked at.

    Attributes:
        a, b: its files. output: its fused image; None while there is none.
        task, method: of the batch. resample: whether B was brought onto A for it.
        large: the result is to fill the view.
    """

    a: Path
    b: Path
    _: KW_ONLY
    output: Path | None
    task: str
    method: str
    resample: bool
    large: bool = False


class BatchPage(Page):
    """Wires a :class:`BatchController` to the widgets."""

    pair_wanted = Signal(object)
    """A :class:`PairRequest` pair is to be seen in the Fuse workspace."""

    def __init__(
        self, batch: BatchController, window: EngineSource, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            batch: belongs to the page from now on.
            window: only asked which methods there are.
        """
        super().__init__(parent)
        self.batch = batch
        batch.setParent(self)
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
        self.notice = Notice(self)
        self.shelf = BatchCards(batch, self.notice)
        self.cards = self.shelf.cards
        self.dialog: QFileDialog | None = None
        self.zone = DropZone()
        self.zone.setObjectName("pairList")
        self.zone.setAcceptDrops(True)
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._show_methods()
        self._show_device()
        self._show_pairing()
        self._show_phase()

    def _lay_out(self) -> None:
        self._stack.addWidget(self._empty())
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
        layout.addWidget(self.shelf)
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
        self.swap_all.clicked.connect(lambda: self.batch.swap())
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

    def _empty(self) -> QWidget:
        image = QLabel()
        theme.set_icon(image, "folder-multiple-image", "muted")
        title = QLabel(self.tr("Drop a folder, get a folder"))
        title.setObjectName("pageTitle")
        text = QLabel(
            self.tr(
                "Drop folders or files here: one folder with a/ and b/, two folders, or names that "
                "differ in one word, such as scan1_PET and scan1_MRI. You see every pair, and why "
                "it is one, before anything is fused."
            )
        )
        text.setWordWrap(True)
        text.setObjectName("hint")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_zone = DropZone()
        self.empty_zone.setObjectName("welcomeZone")
        self.empty_zone.setAcceptDrops(True)
        self.empty_zone.files_dropped.connect(self.take)
        self.empty_zone.setFixedSize(560, 210)
        inside = QVBoxLayout(self.empty_zone)
        inside.setContentsMargins(32, 20, 32, 20)
        inside.setSpacing(8)
        inside.addStretch(1)
        for widget in (image, title):
            inside.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(text)
        inside.addStretch(1)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        layout.addWidget(self.empty_zone, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        return page

    def _connect(self) -> None:
        batch, panel = self.batch, self.panel
        self.zone.files_dropped.connect(self.take)
        panel.swap.connect(batch.swap)
        panel.include.connect(batch.include)
        panel.join.connect(batch.join)
        panel.choose_b.connect(self._ask_partner)
        panel.moved.connect(batch.move)
        panel.opened.connect(self._open)
        panel.resample.connect(self._resample)
        self.table.thumb_wanted.connect(self.thumbs.want)
        self.thumbs.ready.connect(self.table.set_thumb)
        self.choices.changed.connect(batch.set_choices)
        self.choices.folder_wanted.connect(self._ask_output)
        self.foot.start.connect(batch.start)
        self.foot.retry.connect(batch.retry)
        self.foot.pause.connect(batch.pause)
        self.foot.resume.connect(batch.resume)
        self.foot.cancel.connect(batch.cancel)
        batch.pairing_changed.connect(self._show_pairing)
        batch.choices_changed.connect(self._show_choices)
        batch.planned_changed.connect(self._show_planned)
        batch.rows_changed.connect(self._rows_changed)
        batch.tally_changed.connect(self._show_tally)
        batch.phase_changed.connect(self._show_phase)
        self.shelf.problems_wanted.connect(lambda: panel.only_problems.setChecked(True))
        self._window.engine_changed.connect(self._show_methods)
        self._window.engine_changed.connect(self._show_device)

    # --- what the window asks ---------------------------------------------------------------

    @property
    def busy(self) -> str:
        """What is under way, in words."""
        return row_text.busy_text(self.batch)

    def shutdown(self) -> None:
        """Stop cleanly: what is done stays done, and the rest can be gone on with."""
        self.batch.shutdown()
        self.thumbs.shutdown()
        self.notice.go()

    def take(self, paths: list[Path]) -> None:
        """Find the pairs in what was dropped."""
        if self.batch.is_busy:
            self.shelf.say("busy", self.tr("Wait until the batch has ended, or cancel it first."))
            return
        self.shelf.remove("error")
        self.batch.add(paths)

    # --- pairs ------------------------------------------------------------------------------

    def _show_pairing(self) -> None:
        pairing = self.batch.pairing
        self._stack.setCurrentIndex(_EMPTY if pairing is None else _TABLE)
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
        title = self.tr("B for {0}").format(match.a.name)
        dialog = self.dialog = QFileDialog(self.window(), title, str(match.b.parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.batch.pair(match.a, Path(name)))
        dialog.open()

    def _open(self, row: int, large: bool) -> None:
        match, choices = self.table.match_at(row), self.batch.choices
        if match is None:
            return
        resample = self.batch.resamples(key_of(match))
        output = self.table.text_at(row).output
        engine = self._window.engine
        methods = engine.methods.get(choices.task, ()) if engine is not None else ()
        method = choices.method or next((one.name for one in methods), "")
        self.pair_wanted.emit(
            PairRequest(
                match.a,
                match.b,
                output=output,
                task=choices.task,
                method=method,
                resample=resample,
                large=large,
            )
        )

    def _resample(self, rows: list[int], resample: bool) -> None:
        matches = (self.table.match_at(row) for row in rows)
        self.batch.set_resample([key_of(m) for m in matches if m is not None], resample)

    def _clear(self) -> None:
        for name in tuple(self.cards):
            self.shelf.remove(name)
        self.batch.clear()

    # --- choices ----------------------------------------------------------------------------

    def _show_choices(self) -> None:
        self._show_methods()
        self.choices.show_choices(self.batch.choices)
        self.table.touch_all()

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
        """Say where batches run: as the window's engine at first, which may fall back since."""
        if self._device is None and self._window.engine is not None:
            self._device = self._window.engine.device
            self.chip.show_device(self._device)

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
            # What the folder holds is said by a card, with the ways out as buttons.
            unsaid = error if planned.found is None else None
            self.choices.show_trouble(translate(unsaid.message) if unsaid is not None else "")
            rows = planned.plan.rows if planned.plan is not None else ()
            self.choices.show_preview(str(rows[0].target) if rows else "")
            self.table.touch_all()
            self.shelf.show_found()
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
            for name in ("found", "end", "remembered", "error", "sizes"):
                self.shelf.remove(name)
        self._show_tally()
        self._show_summary()
        self.panel.refresh()
        if batch.phase != "finding":
            self.busy_changed.emit()

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
            self.foot.show_idle(text if batch.planned.can_run else "")
        self.title_changed.emit(title)

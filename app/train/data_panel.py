"""Step 1: the training images, and whether they are suitable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import translate
from app.pairs.align_rows import AlignRows
from app.pairs.dataset_row import DatasetRow
from app.pairs.rig_finder import RigFinder
from app.train.formatting import count
from app.train.pairs_table import PairRows
from app.train.sample_images import SampleImages
from app.train.split_table import SplitView
from app.train.state import TrainState
from app.train.view_models import get
from app.viewer.number_box import CountBox
from app.widgets import theme
from app.widgets.drop import DropZone
from app.widgets.elided_label import ElidedLabel
from app.widgets.plain_table import plain_table
from core.tasks import TASKS

_WELCOME = 470


class DataPanel(QWidget):
    """Choice of the data; table of all pairs, excluded files, and the split."""

    paths_chosen = Signal(object)
    """list[Path]"""
    task_chosen = Signal(str)
    share_chosen = Signal(float)
    validation_chosen = Signal(object)
    """Path, or None to hold back a part of the data."""
    swapped_chosen = Signal(bool)
    align_chosen = Signal(object)
    """Settings of how the pairs are laid on each other, by name."""
    stop_requested = Signal()

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._dialog: QFileDialog | None = None
        self._make_source()
        self._make_choices()
        self._make_table()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(self.zone)
        layout.addWidget(self.dataset)
        layout.addLayout(self._choices)
        layout.addLayout(self._align_row())
        layout.addWidget(self.progress)
        layout.addLayout(self._facts)
        layout.addWidget(self.samples)
        layout.addWidget(self.notes)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.sides, 1)
        layout.addWidget(self.welcome, 1)
        layout.addStretch(0)
        state.data_changed.connect(self._show)
        state.settings_changed.connect(self._show_align)
        state.datasets_changed.connect(lambda: self.dataset.show_known(state.datasets))
        state.samples_changed.connect(self._show_samples)
        state.background_task_changed.connect(self._show_background_task)
        self._show()
        self._show_align()

    # --- parts -----------------------------------------------------------------------------

    def _make_source(self) -> None:
        self.zone = DropZone()
        self.zone.setObjectName("pane")
        self.zone.setAcceptDrops(True)
        self.zone.files_dropped.connect(self.paths_chosen)
        sign = QLabel()
        theme.set_icon(sign, "folder-open-outline", "muted")
        self.source = ElidedLabel()
        self.browse = QPushButton(self.tr("Choose another…"))
        self.browse.clicked.connect(self.ask_folder)
        row = QHBoxLayout(self.zone)
        row.setContentsMargins(12, 12, 12, 12)
        row.setSpacing(10)
        row.addWidget(sign)
        row.addWidget(self.source, 1)
        row.addWidget(self.browse)
        self.welcome = self._make_welcome()

    def _make_welcome(self) -> DropZone:
        """A large drop zone with instructions, shown while there are no data."""
        zone = DropZone()
        zone.setObjectName("pane")
        zone.setAcceptDrops(True)
        zone.files_dropped.connect(self.paths_chosen)
        sign, title, text = QLabel(), QLabel(), QLabel()
        theme.set_icon(sign, "folder-open-outline", "accent")
        title.setText(self.tr("Drop a folder with your pictures here"))
        title.setObjectName("pageTitle")
        text.setText(
            self.tr(
                "It holds pairs of pictures that show the same thing in the same place, such as "
                "PET and MRI of one slice: in folders a and b under the same file names, or under "
                "names that differ in one word (x_pet, x_mri); a folder for each patient is best.\n"
                "\nYour files are only read. They are never changed and never leave this computer. "
                "Twenty pairs are enough for a try; a hundred or more are better."
            )
        )
        text.setObjectName("hint")
        text.setWordWrap(True)
        text.setFixedWidth(_WELCOME)
        text.setMinimumHeight(text.heightForWidth(_WELCOME) + 8)
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        choose = QPushButton(self.tr("Choose folder…"))
        choose.setObjectName("fuseButton")
        choose.clicked.connect(self.ask_folder)
        column = QVBoxLayout(zone)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(14)
        column.addStretch(1)
        for widget in (sign, title, text, choose):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        return zone

    def _make_choices(self) -> None:
        self.task = QComboBox()
        self.task.setAccessibleName(self.tr("Kind of pictures"))
        for name, task in TASKS.items():
            self.task.addItem(translate(task.title), name)
        self.task.activated.connect(lambda _: self.task_chosen.emit(self.task.currentData()))
        self.swap = QCheckBox(self.tr("Swap A and B"))
        self.swap.setToolTip(self.tr("If the names had it the wrong way round"))
        self.swap.toggled.connect(self.swapped_chosen)
        self.share = CountBox()
        self.share.setRange(0, 99)
        self.share.setSingleStep(5)
        self.share.setSuffix(" %")
        self.share.setKeyboardTracking(False)
        self.share.setAccessibleName(self.tr("Held back to check with"))
        self.share.setToolTip(
            self.tr(
                "Pairs the network never learns from. They show whether it really gets better. "
                "Pictures that belong together, such as those of one patient, stay together."
            )
        )
        self.share.valueChanged.connect(lambda value: self.share_chosen.emit(value / 100))
        self.own = QPushButton(self.tr("Use a folder of its own…"))
        self.own.setToolTip(self.tr("Check with the pairs of another folder instead"))
        self.own.clicked.connect(self._ask_validation)
        self.dataset = DatasetRow()
        self._choices = QHBoxLayout()
        self._choices.setSpacing(8)
        kind = QLabel(self.tr("Kind"))
        held = QLabel(self.tr("Hold back to check with"))
        kind.setBuddy(self.task)
        held.setBuddy(self.share)
        left: tuple[QWidget, ...] = (kind, self.task, self.swap)
        right: tuple[QWidget, ...] = (held, self.share, self.own)
        for widget in left:
            self._choices.addWidget(widget)
        self._choices.addStretch(1)
        for widget in right:
            self._choices.addWidget(widget)

    def _align_row(self) -> QHBoxLayout:
        self.rigs = RigFinder(self)
        self.align = AlignRows(self)
        self.align.edited.connect(self._align_edited)
        self.rigs.found.connect(self.align.show_rigs)
        self.crop = QCheckBox(self.tr("Crop to the overlap"))
        self.crop.clicked.connect(self._align_edited)
        label = QLabel(self.tr("Registration"))
        label.setBuddy(self.align.ways)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (label, self.align.ways, self.align.kinds, self.align.onto, self.crop):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _align_edited(self) -> None:
        self.align_chosen.emit({**self.align.settings, "align_crop": self.crop.isChecked()})

    def showEvent(self, event: QShowEvent) -> None:
        """List the rigs again: there may be others."""
        super().showEvent(event)
        self.rigs.find()

    def shutdown(self) -> None:
        """Wait for the thread."""
        self.rigs.shutdown()

    def _make_table(self) -> None:
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Looking at the pairs"))
        self.progress.hide()
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.only = QCheckBox(self.tr("Only what is left out"))
        self.only.toggled.connect(self._show_rows)
        self.as_pairs, self.as_groups = QToolButton(), QToolButton()
        self.as_pairs.setText(self.tr("Pairs"))
        self.as_groups.setToolTip(self.tr("Who is learnt from, and who is checked with"))
        both = QButtonGroup(self)
        for button in (self.as_pairs, self.as_groups):
            button.setCheckable(True)
            both.addButton(button)
        self.as_pairs.setChecked(True)
        both.buttonClicked.connect(self._show_view)
        self.sides = SplitView()
        self._facts = QHBoxLayout()
        self._facts.setSpacing(8)
        self._facts.addWidget(self.facts, 1)
        self._facts.addWidget(self.only)
        self._facts.addWidget(self.as_pairs)
        self._facts.addWidget(self.as_groups)
        self.notes = QLabel()
        self.notes.setObjectName("hint")
        self.notes.setWordWrap(True)
        self.samples = SampleImages()
        self.rows = PairRows()
        self.table = plain_table(self.rows, (230, 120, 140))
        self.table.setAccessibleName(self.tr("Pairs found"))

    # --- commands --------------------------------------------------------------------------

    def ask_folder(self) -> None:
        """Ask for the folder of the training images."""
        self._ask(self.tr("Folder to learn from"), lambda path: self.paths_chosen.emit([path]))

    def _ask_validation(self) -> None:
        if self._state.data.validation is not None:
            self.validation_chosen.emit(None)
        else:
            self._ask(self.tr("Folder to check with"), self.validation_chosen.emit)

    def _ask(self, title: str, then: Callable[[Path], object]) -> None:
        dialog = self._dialog = QFileDialog(self, title)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        dialog.open()

    # --- display ---------------------------------------------------------------------------

    def _show(self) -> None:
        data, report = self._state.data, self._state.report
        names = ", ".join(str(path) for path in data.paths)
        self.source.setText(names)
        self.task.setCurrentIndex(self.task.findData(data.task))
        self.dataset.setVisible(bool(data.paths))
        self.dataset.show_choice(data.dataset)
        self.dataset.show_found(report.dataset if report is not None else None)
        with QSignalBlocker(self.share), QSignalBlocker(self.swap):
            self.share.setValue(round(100 * data.share))
            self.swap.setChecked(data.swapped)
        own = data.validation
        self.share.setEnabled(own is None)
        self.own.setText(
            self.tr("Use a part of the data")
            if own is not None
            else self.tr("Use a folder of its own…")
        )
        self.own.setToolTip(str(own) if own is not None else "")
        self.facts.setVisible(report is not None)
        self.welcome.setVisible(not data.paths)
        self.zone.setVisible(bool(data.paths))
        self.notes.setVisible(report is not None and bool(report.notes))
        self._show_view()
        if report is None:
            return
        self.facts.setText(self._summary())
        self.notes.setText("\n".join(translate(note) for note in report.notes))
        self.only.setEnabled(report.count("problem") > 0)
        self._show_rows()

    def _show_align(self) -> None:
        settings = self._state.settings
        align = str(get(settings, "align") or "none")
        self.align.show_choice(align, str(get(settings, "align_onto") or "a"))
        self.crop.setChecked(bool(get(settings, "align_crop")))
        self.crop.setVisible(align != "none")

    def _show_samples(self) -> None:
        task = TASKS[self._state.data.task]
        labels = translate(task.label_a), translate(task.label_b)
        self.samples.show_samples(self._state.samples, *labels)

    def _summary(self) -> str:
        report = self._state.report
        if report is None:
            return ""
        parts = [
            self.tr("{0} to learn from").format(count(report.count("train"))),
            self.tr("{0} to check with").format(count(report.count("validation"))),
        ]
        if report.count("problem"):
            parts.append(self.tr("{0} left out").format(count(report.count("problem"))))
        how = {
            "patient": self.tr("divided by patient ({0})")
            if report.medical
            else self.tr("divided by group ({0})"),
            "folder": self.tr("divided by folder ({0})"),
            "name": self.tr("divided by name ({0} groups)"),
            "order": self.tr("neighbours kept together ({0} groups)"),
            "given": self.tr("checked with a folder of its own"),
        }.get(report.by, "")
        return " · ".join([*parts, how.format(report.groups)] if how else parts)

    def _show_rows(self) -> None:
        report = self._state.report
        if report is not None:
            self.rows.show_rows(report.rows, only_problems=self.only.isChecked())
            self.table.setColumnHidden(2, not any(row.group for row in report.rows))

    def _show_view(self) -> None:
        """Show pairs or groups; pairs where there are no known groups."""
        report = self._state.report
        known = report is not None and bool(report.sides)
        if not known:
            self.as_pairs.setChecked(True)
        for button in (self.as_pairs, self.as_groups):
            # An exclusive group removes all buttons but the checked one from the tab order.
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setVisible(known)
        groups = self.as_groups.isChecked()
        self.sides.setVisible(known and groups)
        self.table.setVisible(report is not None and not groups)
        self.only.setVisible(report is not None and not groups)
        if report is not None and known:
            self.as_groups.setText(self.sides.title(report))
            self.sides.show_report(report)

    def _show_background_task(self) -> None:
        background_task = self._state.background_task
        surveying = background_task is not None and background_task.kind == "survey"
        self.progress.setVisible(surveying)
        if background_task is not None and surveying:
            self.progress.setRange(0, int(background_task.total))
            self.progress.setValue(int(background_task.done))

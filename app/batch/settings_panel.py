"""The settings of a batch: method, output folder, names, format, additional files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.batch.settings import DEPTHS, FORMATS, BatchChoices
from app.i18n.translate import translate
from app.pairs.align_rows import AlignRows
from app.pairs.cluster_rows import ClusterRows
from app.pairs.dataset_row import DatasetRow
from app.pairs.datasets import DatasetChoice
from app.viewer.window_row import WindowRow
from app.widgets import theme
from app.widgets.elided_label import ElidedComboBox, ElidedLabel
from app.widgets.forms import centre_labels
from core.tasks import TASKS

if TYPE_CHECKING:
    from core.io.dicom_output import DicomLayout

_TIP = Qt.ItemDataRole.ToolTipRole
_LEAST = 10
"""Minimum width of the combo boxes, in characters."""
FLAGS = (
    "keep_tree",
    "overwrite",
    "resample",
    "crop",
    "keep_failed",
    "reconstructions",
    "figures",
    "metrics",
    "contact_sheet",
    "reports",
    "keep_identity",
    "accept_gap",
    "accept_uneven",
    "not_registered",
)
_OF_ALIGNMENT, _ALSO, _OF_VOLUMES = map(FLAGS.index, ("crop", "reconstructions", "reports"))
_FORMS: tuple[tuple[bool, DicomLayout | Literal[""]], ...] = (
    (False, ""),
    (False, "multi"),
    (False, "single"),
    (True, ""),
)
"""In what results of volumes are written: :attr:`slices` and :attr:`dicom` of the choices."""


class BatchSettingsPanel(QScrollArea):
    """Shows :class:`BatchChoices`, and emits the changed ones."""

    changed = Signal(object)
    """The new :class:`BatchChoices`."""
    folder_wanted = Signal()

    def __init__(self, choices: BatchChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Options of the batch"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._make_boxes()
        self._make_lines()
        self.windows = {side: WindowRow(side.upper()) for side in "ab"}
        for row in self.windows.values():
            row.edited.connect(self._edited)
        self.align = AlignRows(self)
        self.align.edited.connect(self._edited)
        self.flags = self._make_flags()
        self.cluster = ClusterRows(lambda: ((self._choices.task, self._choices.method),))
        self.cluster.edited.connect(self._edited)
        self._lay_out()
        self.show_choices(choices)

    def _make_boxes(self) -> None:
        self.tasks, self.methods = ElidedComboBox(_LEAST), ElidedComboBox(_LEAST)
        self.dataset = DatasetRow()
        self.dataset.chosen.connect(self._choose_dataset)
        self.formats, self.depths = ElidedComboBox(_LEAST), ElidedComboBox(_LEAST)
        self.volumes = ElidedComboBox(_LEAST)
        for box, name in (
            (self.tasks, self.tr("Task of the batch")),
            (self.methods, self.tr("Method of the batch")),
            (self.formats, self.tr("Format of the results")),
            (self.depths, self.tr("Depth of the results")),
            (self.volumes, self.tr("Results of series and volumes")),
        ):
            box.setAccessibleName(name)
            box.activated.connect(self._edited)
        for task in TASKS.values():
            self.tasks.addItem(translate(task.title), task.name)
            self.tasks.setItemData(self.tasks.count() - 1, translate(task.description), _TIP)
        titles = (
            self.tr("PNG, or as the name says"), "PNG", "TIFF", self.tr("JPEG (lossy)"),
            self.tr("WebP (lossless)"), "BMP",
        )  # fmt: skip
        for suffix, title in zip(FORMATS, titles, strict=True):
            self.formats.addItem(title, suffix)
        forms = (
            self.tr("NIfTI volume (.nii.gz)"),
            self.tr("DICOM: one file for each study"),
            self.tr("DICOM: a file for each slice"),
            self.tr("Folder of PNG slices"),
        )
        for title, form in zip(forms, _FORMS, strict=True):
            self.volumes.addItem(title, form)
        for depth in DEPTHS:
            title = self.tr("{0} bits").format(depth) if depth else self.tr("As the sources")
            self.depths.addItem(title, depth)

    def _make_lines(self) -> None:
        self.folder = QLineEdit()
        self.folder.setAccessibleName(self.tr("Output folder"))
        self.folder.setPlaceholderText(self.tr("Where results go"))
        self.folder.textEdited.connect(self._edited)
        self.browse = QToolButton()
        theme.set_icon(self.browse, "folder-open-outline")
        self.browse.setToolTip(self.tr("Choose the output folder…"))
        self.browse.setAccessibleName(self.tr("Choose the output folder…"))
        self.browse.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.browse.clicked.connect(self.folder_wanted)
        self.template = QLineEdit()
        self.template.setAccessibleName(self.tr("Name template"))
        self.template.textEdited.connect(self._edited)
        self.fields = QToolButton()
        self.fields.setText("{ }")
        self.fields.setToolTip(self.tr("Insert a field into the name"))
        self.fields.setAccessibleName(self.tr("Insert a field into the name"))
        self.fields.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.fields.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.fields)
        for field, text in self.field_help().items():
            action = menu.addAction(f"{{{field}}} – {text}")
            action.triggered.connect(lambda _=False, field=field: self._insert(field))
        self.fields.setMenu(menu)
        self.preview = ElidedLabel()
        self.preview.setObjectName("hint")
        self.preview.setAccessibleName(self.tr("Name of the first result"))
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.setProperty("warns", True)
        self.trouble.hide()
        self.wrong_window = QLabel()
        self.wrong_window.setWordWrap(True)
        self.wrong_window.setProperty("warns", True)
        self.wrong_window.hide()

    def field_help(self) -> dict[str, str]:
        """Fields of a name template, with an explanation each."""
        return {
            "name": self.tr("what the two names share"),
            "a_stem": self.tr("name of A without suffix"),
            "b_stem": self.tr("name of B without suffix"),
            "task": self.tr("short name of the task"),
            "method": self.tr("name of the method"),
            "index": self.tr("number of the pair; {index:04} gives 0001"),
        }

    def _make_flags(self) -> dict[str, QCheckBox]:
        texts = (
            (self.tr("Keep the folders of the sources"), self.tr("Repeat them below the output")),
            (
                self.tr("Replace files that are there"),
                self.tr("Otherwise such rows fail. Sources are never replaced."),
            ),
            (
                self.tr("Resample B where sizes differ"),
                self.tr("Otherwise such rows fail. B is brought onto the pixels of A."),
            ),
            (
                self.tr("Crop to what both show"),
                self.tr("Pictures that were laid on each other, to the largest rectangle"),
            ),
            (
                self.tr("Fuse what cannot be registered"),
                self.tr("As it is, and marked. Otherwise such rows fail."),
            ),
            (
                self.tr("Reconstructions"),
                self.tr("What the model can rebuild of A and of B (models only)"),
            ),
            (self.tr("Figures"), self.tr("A, B and the fused picture side by side")),
            (self.tr("Table of metrics (CSV)"), self.tr("Quality scores of every result")),
            (
                self.tr("Contact sheet (HTML)"),
                self.tr("One page with small pictures of all; opens in a browser"),
            ),
            *self._texts_of_volumes(),
        )
        boxes = {}
        for flag, (title, tip) in zip(FLAGS, texts, strict=True):
            box = boxes[flag] = QCheckBox(title)
            box.setToolTip(tip)
            box.setAccessibleDescription(tip)
            box.clicked.connect(self._edited)
        return boxes

    def _texts_of_volumes(self) -> tuple[tuple[str, str], ...]:
        return (
            (
                self.tr("Report on each study (PDF)"),
                self.tr("Pictures, sources, geometry, settings and versions; nobody is named"),
            ),
            (
                self.tr("Write name, ID and dates"),
                self.tr("Into DICOM and reports. Otherwise they are left out (PS3.15)."),
            ),
            (
                self.tr("Accept missing slices"),
                self.tr("They stay empty. Otherwise such rows fail."),
            ),
            (
                self.tr("Accept uneven slices"),
                self.tr("Slices between them are interpolated. Otherwise such rows fail."),
            ),
            (
                self.tr("Fuse what is not registered"),
                self.tr(
                    "Millimetres of two frames of reference are taken as the same. Otherwise such "
                    "rows fail."
                ),
            ),
        )

    def _lay_out(self) -> None:
        where, name = QHBoxLayout(), QHBoxLayout()
        for row, parts in (
            (where, (self.folder, self.browse)),
            (name, (self.template, self.fields)),
        ):
            row.setSpacing(4)
            row.addWidget(parts[0], 1)
            row.addWidget(parts[1])
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(6)
        form.addRow(self.tr("Task"), self.tasks)
        form.addRow(self.tr("Data set"), self.dataset)
        form.addRow(self.tr("Method"), self.methods)
        form.addRow(self.tr("Folder"), where)
        form.addRow(self.tr("Name"), name)
        form.addRow("", self.preview)
        form.addRow(self.tr("Format"), self.formats)
        form.addRow(self.tr("Depth"), self.depths)
        form.addRow(self.tr("Values A"), self.windows["a"])
        form.addRow(self.tr("Values B"), self.windows["b"])
        form.addRow("", self.wrong_window)
        self.align.add_to(form)
        centre_labels(form)
        content = self.content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addWidget(self.trouble)
        for flag in FLAGS[:_ALSO]:
            layout.addWidget(self.flags[flag])
        for title, flags in (
            (self.tr("Also write"), FLAGS[_ALSO:_OF_VOLUMES]),
            (self.tr("Series and volumes"), FLAGS[_OF_VOLUMES:]),
        ):
            heading = QLabel(title)
            heading.setObjectName("paneTitle")
            layout.addSpacing(4)
            layout.addWidget(heading)
            if flags[0] == FLAGS[_OF_VOLUMES]:
                layout.addWidget(self.volumes)
            for flag in flags:
                layout.addWidget(self.flags[flag])
        layout.addSpacing(4)
        layout.addWidget(self.cluster)
        layout.addStretch(1)
        self.setWidget(content)

    # --- showing ---------------------------------------------------------------------------

    def show_choices(self, choices: BatchChoices) -> None:
        """Show ``choices``."""
        self._choices = choices
        self.tasks.setCurrentIndex(self.tasks.findData(choices.task))
        self.formats.setCurrentIndex(max(0, self.formats.findData(choices.format)))
        self.depths.setCurrentIndex(DEPTHS.index(choices.depth))
        self.dataset.show_choice(choices.dataset_choice)
        self._show_method()
        for line, text in ((self.folder, choices.out), (self.template, choices.template)):
            if line.text() != text:
                line.setText(text)
        self.folder.setToolTip(choices.out)
        for flag, box in self.flags.items():
            box.setChecked(getattr(choices, flag))
        self.volumes.setCurrentIndex(_FORMS.index((choices.slices, choices.dicom)))
        self.align.show_choice(choices.align, choices.align_onto)
        self.cluster.show_choice(choices.scheduler, choices.certificates, choices.rows_per_worker)
        for flag in FLAGS[_OF_ALIGNMENT:_ALSO]:
            self.flags[flag].setVisible(choices.align != "none")
        for side, row in self.windows.items():
            row.show_window(choices.windows["ab".index(side)])
        self._check_windows()

    def _check_windows(self) -> None:
        wrong = next((row.problem for row in self.windows.values() if row.problem), "")
        self.wrong_window.setText(wrong)
        self.wrong_window.setVisible(bool(wrong))

    def show_methods(self, methods: Sequence[tuple[str, str, str, bool]]) -> None:
        """List ``methods`` as (name, title, summary, whether it is a model), the default first."""
        with QSignalBlocker(self.methods):
            self.methods.clear()
            was_model = False
            for name, title, summary, is_model in methods:
                if was_model and not is_model:
                    self.methods.insertSeparator(self.methods.count())
                was_model = is_model
                self.methods.addItem(translate(title), name)
                self.methods.setItemData(self.methods.count() - 1, summary, _TIP)
            if not self.methods.count():
                self.methods.addItem(self.tr("Default model"), "")
        self._show_method()

    def _show_method(self) -> None:
        method = self._choices.method
        if method and self.methods.findData(method) < 0:
            self.methods.addItem(Path(method).name, method)
        self.methods.setCurrentIndex(self.methods.findData(method) if method else 0)

    def show_preview(self, name: str) -> None:
        """Show the name of the first result; "" hides it."""
        self.preview.setText(f"→ {name}" if name else "")

    def show_trouble(self, text: str) -> None:
        """Show what is wrong with the choices; "" hides it."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def _choose_dataset(self, chosen: DatasetChoice) -> None:
        self.changed.emit(replace(self._choices, dataset=chosen.name, split=chosen.split))

    # --- editing ----------------------------------------------------------------------------

    def _insert(self, field: str) -> None:
        self.template.insert(f"{{{field}}}")
        self._edited()

    def _method(self) -> str:
        # Keep “default” as it is: a run that was started with it can only be resumed with it.
        chosen = self.methods.currentIndex()
        is_default = not self._choices.method and chosen <= 0
        return "" if is_default else self.methods.currentData() or ""

    def _edited(self) -> None:
        flags: dict[str, Any] = {flag: box.isChecked() for flag, box in self.flags.items()}
        flags["slices"], flags["dicom"] = _FORMS[self.volumes.currentIndex()]
        task = self.tasks.currentData()
        self._check_windows()
        choices = replace(
            self._choices,
            task=task,
            method=self._method(),
            out=self.folder.text(),
            template=self.template.text(),
            format=self.formats.currentData(),
            depth=DEPTHS[self.depths.currentIndex()],
            window_a=self.windows["a"].ends,
            window_b=self.windows["b"].ends,
            **self.align.settings,
            **self.cluster.settings,
            **flags,
        )
        if task != self._choices.task:
            choices = replace(choices, method="")
        if choices != self._choices:
            self.changed.emit(choices)

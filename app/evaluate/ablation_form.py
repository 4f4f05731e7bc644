"""The choices of an ablation: task, data, steps, seeds, variants, and where results go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.ablation_tasks import AblationChoice
from app.i18n.translate import translate
from app.widgets.elided_label import ElidedLabel
from app.widgets.forms import centre_labels
from core.tasks import TASKS

_STEPS, _SEEDS = 1000, 3
_MOST_STEPS, _MOST_SEEDS = 10_000_000, 100


class AblationForm(QWidget):
    """Input fields; :meth:`choice` is None until the data are chosen."""

    changed = Signal()

    def __init__(self, task: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data: Path | None = None
        self._out: Path | None = None
        self.dialog: QFileDialog | None = None
        self.task = QComboBox()
        for name, spec in TASKS.items():
            self.task.addItem(translate(spec.title), name)
        self.task.setCurrentIndex(max(0, self.task.findData(task)))
        self.steps, self.seeds = QSpinBox(), QSpinBox()
        self.steps.setRange(1, _MOST_STEPS)
        self.steps.setSingleStep(100)
        self.steps.setValue(_STEPS)
        self.seeds.setRange(1, _MOST_SEEDS)
        self.seeds.setValue(_SEEDS)
        self.seeds.setToolTip(
            self.tr("Every variant is trained once with each seed; three or more give a deviation")
        )
        self.variants = {
            "no-adapter": QCheckBox(self.tr("without adapter")),
            "no-dinov3": QCheckBox(self.tr("without DINOv3 (or the encoder)")),
            "no-reconstruction": QCheckBox(self.tr("without reconstruction")),
            "no-bilevel": QCheckBox(self.tr("without two levels")),
        }
        for box in self.variants.values():
            box.setChecked(True)
        self.every = QCheckBox(self.tr("all others, such as single objectives"))
        self.data_path, self.out_path = ElidedLabel(), ElidedLabel()
        self.choose_data = QPushButton(self.tr("Choose…"))
        self.choose_out = QPushButton(self.tr("Choose…"))
        self._lay_out()
        self._connect()
        self._show_paths()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("Kind"), self.task)
        form.addRow(self.tr("Pictures"), _beside(self.data_path, self.choose_data))
        form.addRow(self.tr("Steps of a run"), self.steps)
        form.addRow(self.tr("Seeds"), self.seeds)
        boxes = QVBoxLayout()
        boxes.setSpacing(4)
        for box in (*self.variants.values(), self.every):
            boxes.addWidget(box)
        form.addRow(self.tr("Compare with"), boxes)
        form.addRow(self.tr("Results"), _beside(self.out_path, self.choose_out))
        self.choose_data.setAccessibleName(self.tr("Choose the folder of pictures"))
        self.choose_out.setAccessibleName(self.tr("Choose the folder for the results"))
        centre_labels(form)

    def _connect(self) -> None:
        self.choose_data.clicked.connect(
            lambda: self._ask(self.tr("Folder of pictures"), self.set_data)
        )
        self.choose_out.clicked.connect(
            lambda: self._ask(self.tr("Folder for the results"), self.set_out)
        )
        for spin in (self.steps, self.seeds):
            spin.valueChanged.connect(self._show_paths)
        self.task.currentIndexChanged.connect(self._show_paths)
        self.every.toggled.connect(self._show_variants)
        for box in (*self.variants.values(), self.every):
            box.toggled.connect(self.changed)

    @property
    def out(self) -> Path:
        """The chosen folder, or one in the documents, named after task and steps."""
        if self._out is not None:
            return self._out
        where = QStandardPaths.StandardLocation.DocumentsLocation
        documents = Path(QStandardPaths.writableLocation(where) or Path.home())
        return documents / f"ablation_{self.task.currentData()}_{self.steps.value()}"

    def set_data(self, folder: Path) -> None:
        """Use the pictures in ``folder``."""
        self.data = folder
        self._show_paths()

    def set_out(self, folder: Path) -> None:
        """Write the results into ``folder``."""
        self._out = folder
        self._show_paths()

    def choice(self) -> AblationChoice | None:
        """The choices made, None while the data are missing."""
        if self.data is None:
            return None
        names = [name for name, box in self.variants.items() if box.isChecked()]
        return AblationChoice(
            self.task.currentData(),
            self.data,
            self.out,
            steps=self.steps.value(),
            seeds=self.seeds.value(),
            variants="all" if self.every.isChecked() else ",".join(["full", *names]),
        )

    def _show_variants(self, every: bool) -> None:
        for box in self.variants.values():
            box.setEnabled(not every)

    def _show_paths(self) -> None:
        for label, path in ((self.data_path, self.data), (self.out_path, self.out)):
            label.setText(path.name if path is not None else self.tr("none yet"))
            label.setToolTip(str(path) if path is not None else "")
        self.changed.emit()

    def _ask(self, title: str, then: Callable[[Path], None]) -> None:
        self.dialog = QFileDialog(self.window(), title)
        self.dialog.setFileMode(QFileDialog.FileMode.Directory)
        self.dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self.dialog.fileSelected.connect(lambda path: then(Path(path)))
        self.dialog.open()


def _beside(label: QWidget, button: QWidget) -> QHBoxLayout:
    line = QHBoxLayout()
    line.addWidget(label, 1)
    line.addWidget(button)
    return line

"""Step 2: starting point, preset, and optionally all settings."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import translate
from app.train.backbone_row import BackboneRow
from app.train.settings_form import SettingsForm
from app.train.state import TrainState
from app.train.view_models import get, network_name
from app.widgets import theme
from app.widgets.choice_card import ChoiceCard
from app.widgets.forms import centre_labels
from core.tasks import TASKS

_INSTALL_BOARD = "pip install tensorboard"
_SELECTABLE = (
    Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
)
_FORMATS = ("TOML (*.toml)", "JSON (*.json)")


class SettingsPanel(QWidget):
    """Starting point, name and preset; below them the form of all settings."""

    parent_chosen = Signal(object)
    """Path of a pack, or None for a start from scratch."""
    preset_chosen = Signal(str)
    value_chosen = Signal(str, object)
    network_chosen = Signal(str)
    name_chosen = Signal(str)
    about_chosen = Signal(str)
    tensorboard_chosen = Signal(bool)
    load_requested = Signal(object)
    save_requested = Signal(object)

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._dialog: QFileDialog | None = None
        self.advanced: SettingsForm | None = None
        self.presets: dict[str, ChoiceCard] = {}
        self._make_start()
        self._make_expert()
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(16, 14, 16, 14)
        self._column.setSpacing(12)
        self._column.addLayout(self._form)
        self._heading = QLabel(self.tr("How thoroughly"))
        self._heading.setObjectName("paneTitle")
        self._column.addWidget(self._heading)
        self._cards = QHBoxLayout()
        self._cards.setSpacing(10)
        self._column.addLayout(self._cards)
        self._column.addLayout(self._expert)
        self._column.addWidget(self._more)
        self._column.addStretch(1)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        state.capabilities_changed.connect(self._show_capabilities)
        state.settings_changed.connect(self._show)
        state.data_changed.connect(self._show_packs)
        state.data_changed.connect(self._show_example)
        self._show_example()
        self._show_capabilities()

    # --- parts -----------------------------------------------------------------------------

    def _make_start(self) -> None:
        self.start = QComboBox()
        self.start.activated.connect(lambda _: self.parent_chosen.emit(self.start.currentData()))
        self.network = QComboBox()
        self.network.addItem(self.tr("Compact (quick, also without a graphics card)"), "compact")
        self.network.addItem(self.tr("Compact, with DINOv3 (needs its file)"), "dinov3-compact")
        self.network.addItem(self.tr("Paper, with DINOv3 (needs its file and a GPU)"), "paper")
        self.network.activated.connect(
            lambda _: self.network_chosen.emit(self.network.currentData())
        )
        self.network_note = QLabel()
        self.network_note.setObjectName("hint")
        self.network_note.setWordWrap(True)
        self.backbone = BackboneRow(self._state)
        self.backbone.file_chosen.connect(lambda file: self.value_chosen.emit("backbone", file))
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.name.textEdited.connect(self.name_chosen)
        self.about = QLineEdit()
        self.about.textEdited.connect(self.about_chosen)
        self._form = form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(8)
        for label, widget in (
            (self.tr("Start from"), self.start),
            (self.tr("Network"), self.network),
            ("", self.network_note),
            (self.tr("DINOv3 file"), self.backbone),
            (self.tr("Name of the result"), self.name),
            (self.tr("About the pictures"), self.about),
        ):
            words = QLabel(label)
            words.setBuddy(widget)
            form.addRow(words, widget)
            widget.setAccessibleName(label)
        centre_labels(form)

    def _make_expert(self) -> None:
        self.toggle = QToolButton()
        self.toggle.setText(self.tr("Advanced: every setting"))
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        theme.set_icon(self.toggle, "tune-variant")
        self.toggle.toggled.connect(self._show_more)
        self.load = QPushButton(self.tr("Load settings…"))
        self.load.clicked.connect(self._ask_load)
        self.save = QPushButton(self.tr("Save settings…"))
        self.save.setToolTip(self.tr("As a file that “unifusion train --config” takes, too"))
        self.save.clicked.connect(self._ask_save)
        self.board = QCheckBox(self.tr("Also write a TensorBoard log"))
        self.board.setToolTip(self.tr("Into the run's folder, beside the curves shown here"))
        self.board.toggled.connect(self.tensorboard_chosen)
        self.no_board = QLabel(self._board_words())
        self.no_board.setObjectName("hint")
        self.no_board.setWordWrap(True)
        self.no_board.setTextInteractionFlags(_SELECTABLE)
        self.no_board.setAccessibleName(self.no_board.text())
        self._expert = QHBoxLayout()
        self._expert.setSpacing(8)
        self._expert.addWidget(self.toggle)
        self._expert.addStretch(1)
        self._expert.addWidget(self.load)
        self._expert.addWidget(self.save)
        self._more = QWidget()
        self._more.hide()
        column = QVBoxLayout(self._more)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.board)
        column.addWidget(self.no_board)

    def _board_words(self) -> str:
        if getattr(sys, "frozen", False):
            return self.tr("For a TensorBoard log, install this program with pip.")
        text = self.tr(
            "A TensorBoard log can be written, too, once TensorBoard is installed: run “{0}” and "
            "start the program again."
        )
        return text.format(_INSTALL_BOARD)

    # --- display ---------------------------------------------------------------------------

    def _show_capabilities(self) -> None:
        capabilities = self._state.capabilities
        for widget in (self.start, self.network, self.toggle, self.load, self.save):
            widget.setEnabled(capabilities is not None)
        self.board.setVisible(capabilities is not None and capabilities.board)
        self.no_board.setVisible(capabilities is not None and not capabilities.board)
        if capabilities is not None and self.advanced is None:
            for preset in capabilities.presets:
                card = ChoiceCard(translate(preset.title), translate(preset.description))
                card.clicked.connect(lambda _=False, n=preset.name: self._choose_preset(n))
                self.presets[preset.name] = card
                self._cards.addWidget(card, 1)
            self.advanced = SettingsForm(capabilities.fields)
            self.advanced.edited.connect(self.value_chosen)
            layout = self._more.layout()
            if layout is not None:
                layout.addWidget(self.advanced)
        self._show_packs()
        self._show()

    def _choose_preset(self, name: str) -> None:
        self._show()  # clicking the chosen card again does not uncheck it
        self.preset_chosen.emit(name)

    def _show_packs(self) -> None:
        self.start.clear()
        task = self._state.data.task
        for pack in self._state.packs:
            kind = self.tr("comes with the program") if pack.embedded else self.tr("your own")
            other = "" if pack.task == task else self.tr(", made for other pictures")
            self.start.addItem(f"{translate(pack.title)} ({kind}{other})", pack.path)
        self.start.addItem(self.tr("From scratch (takes much longer)"), None)
        self._show_start()

    def _show_example(self) -> None:
        """Show an example description of the images, with patients for medical tasks."""
        self.about.setPlaceholderText(
            self.tr("for instance: 120 SPECT and MRI slices of our scanner. No names of patients.")
            if TASKS[self._state.data.task].medical
            else self.tr("for instance: 120 pairs of our camera, taken by day and by night.")
        )

    def _show_start(self) -> None:
        chosen = self._state.parent_pack
        places = (k for k in range(self.start.count()) if self.start.itemData(k) == chosen)
        self.start.setCurrentIndex(next(places, -1))

    def _show(self) -> None:
        state = self._state
        self._show_start()
        fixed = state.parent_pack is not None
        kind = get(state.settings, "network.backbone.kind")
        self.network.setCurrentIndex(self.network.findData(network_name(state.settings)))
        self.network.setEnabled(state.capabilities is not None and not fixed)
        self.network_note.setText(
            self.tr("The network is that of the pack to start from.") if fixed else ""
        )
        self._form.setRowVisible(self.network_note, fixed)
        self._form.setRowVisible(self.backbone, kind == "dinov3")
        for box, text in ((self.name, state.name), (self.about, state.about)):
            if box.text() != text:
                box.setText(text)
        for name, card in self.presets.items():
            card.setChecked(name == state.preset)
        if self.advanced is not None:
            self.advanced.show_settings(state.settings, state.faults)
            why = self.tr("Given by the pack to start from. Start from scratch to change it.")
            self.advanced.set_network_fixed(fixed, why)

    def _show_more(self, shown: bool) -> None:
        self._more.setVisible(shown)

    # --- files -----------------------------------------------------------------------------

    def _ask_load(self) -> None:
        dialog = self._dialog = QFileDialog(self, self.tr("Load settings"))
        settings, every = self.tr("Settings"), self.tr("All files")
        dialog.setNameFilters([f"{settings} (*.toml *.json)", f"{every} (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.load_requested.emit(Path(name)))
        dialog.open()

    def _ask_save(self) -> None:
        dialog = self._dialog = QFileDialog(self, self.tr("Save settings"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(_FORMATS))
        dialog.setDefaultSuffix("toml")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix("json" if chosen == _FORMATS[1] else "toml")
        )
        dialog.selectFile(f"{self._state.name or 'training'}.toml")
        dialog.fileSelected.connect(lambda name: self.save_requested.emit(Path(name)))
        dialog.open()

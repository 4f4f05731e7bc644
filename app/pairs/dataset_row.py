"""The choice of a data set and of a part of it, with what was found in the folder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.i18n.numbers import filled
from app.i18n.translate import plural, translate, translate_error
from app.pairs.datasets import ALL, AUTOMATIC, PLAIN, DatasetChoice, FoundDataset
from app.widgets.elided_label import ElidedComboBox
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.pairing.datasets import layout_in_words
from core.tasks import get_task

_AUTOMATIC_ROW = 0


class DatasetRow(QWidget):
    """Two combo boxes and a line of text below them."""

    chosen = Signal(object)
    """A :class:`DatasetChoice`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = DatasetChoice()
        self._known: tuple[DatasetDescriptor, ...] = ()
        self._found: FoundDataset | None = None
        self.names, self.splits = ElidedComboBox(8), ElidedComboBox(4)
        self.names.setAccessibleName(self.tr("Data set"))
        self.names.setToolTip(
            self.tr("How the folder is laid out: a public data set, or pairs found by their names")
        )
        self.splits.setAccessibleName(self.tr("Part of the data set"))
        self.splits.setToolTip(self.tr("Part of the data set"))
        self.names.activated.connect(self._choose_name)
        self.splits.activated.connect(self._choose_split)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setObjectName("hint")
        self.note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.note.hide()
        boxes = QHBoxLayout()
        boxes.setSpacing(4)
        boxes.addWidget(self.names, 3)
        boxes.addWidget(self.splits, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(boxes)
        layout.addWidget(self.note)
        self.show_known(())

    def show_known(self, known: Sequence[DatasetDescriptor]) -> None:
        """Offer these data sets."""
        self._known = tuple(known)
        with QSignalBlocker(self.names):
            self.names.clear()
            self.names.addItem(self.tr("Recognise"), AUTOMATIC)
            self.names.addItem(self.tr("Plain folder"), PLAIN)
            self.names.insertSeparator(self.names.count())
            for descriptor in self._known:
                self.names.addItem(descriptor.title, descriptor.name)
                task = translate(get_task(descriptor.task).title)
                layouts = "\n".join(translate(layout_in_words(one)) for one in descriptor.layouts)
                tip = f"{task}\n{layouts}"
                self.names.setItemData(self.names.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.show_choice(self._choice)

    def show_choice(self, choice: DatasetChoice) -> None:
        """Show a choice; a data set that is not known is listed by its name."""
        self._choice = choice
        if self.names.findData(choice.name) < 0:
            self.names.addItem(choice.name, choice.name)
        with QSignalBlocker(self.names):
            self.names.setCurrentIndex(self.names.findData(choice.name))
        self.show_found(self._found)

    def show_found(self, found: FoundDataset | None) -> None:
        """Show what the folder holds; None while that is not known."""
        self._found = found
        automatic = self._choice.name == AUTOMATIC
        there = found.descriptor if found is not None else None
        shown = self.tr("Recognised: {0}").format(there.title) if there else self.tr("Recognise")
        self.names.setItemText(_AUTOMATIC_ROW, shown if automatic else self.tr("Recognise"))
        self._show_splits(there)
        self._show_note(found, there)

    def _show_splits(self, descriptor: DatasetDescriptor | None) -> None:
        names = [*descriptor.splits, ALL] if descriptor is not None and descriptor.splits else []
        titles = {
            "test": self.tr("Test"),
            "train": self.tr("Training"),
            "val": self.tr("Validation"),
            ALL: self.tr("All parts"),
        }
        with QSignalBlocker(self.splits):
            self.splits.clear()
            for name in names:
                self.splits.addItem(titles.get(name, name), name)
            used = self._found.split if self._found is not None else ""
            usual = "test" if "test" in names else ALL
            self.splits.setCurrentIndex(self.splits.findData(used or usual))
        self.splits.setVisible(bool(names))

    def _show_note(self, found: FoundDataset | None, there: DatasetDescriptor | None) -> None:
        text, wrong = "", found is not None and found.error is not None
        if found is not None and found.error is not None:
            _what, why, remedy = translate_error(found.error)
            text = f"{why[:1].upper()}{why[1:]}. {remedy}"
        elif found is not None and there is not None:
            words = plural("{0} pair laid out so", "{0} pairs laid out so", found.pairs)
            text = filled(words, found.pairs)
        elif found is not None and self._choice.name == AUTOMATIC:
            text = self.tr("No known data set: pairs are found by their names.")
        self.note.setText(text)
        self.note.setVisible(bool(text))
        if bool(self.note.property("warns")) != wrong:
            self.note.setProperty("warns", wrong)
            self.note.setObjectName("" if wrong else "hint")
            self.note.style().unpolish(self.note)
            self.note.style().polish(self.note)

    # --- requests ----------------------------------------------------------------------------

    def _choose_name(self) -> None:
        self._emit(DatasetChoice(self.names.currentData() or AUTOMATIC))

    def _choose_split(self) -> None:
        self._emit(DatasetChoice(self._choice.name, self.splits.currentData() or ""))

    def _emit(self, choice: DatasetChoice) -> None:
        if choice != self._choice:
            self.chosen.emit(choice)

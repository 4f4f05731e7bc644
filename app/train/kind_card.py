"""What kind of images are these? Asked before a run, where their names do not say it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n.translate import translate
from app.train.question_card import AskCard
from app.train.state import DataChoice, TrainState
from core.tasks import TASKS


class KindCard(QWidget):
    """A card while names speak of another task than the one chosen, or of none at all.

    The first is only told; the second must be answered before a run, once for these images.
    """

    task_chosen = Signal(str)

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._kept: DataChoice | None = None
        """The choice that was confirmed."""
        self.card = AskCard((("change", ""), ("keep", "")), "alert-circle-outline")
        self.card.answered.connect(self._answered)
        kinds = tuple((name, translate(task.title)) for name, task in TASKS.items())
        self.question = AskCard(kinds, recommends=False)
        self.question.answered.connect(self.task_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        layout.addWidget(self.question)
        for signal in (state.data_changed, state.phase_changed, state.settings_changed):
            signal.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        doubts = bool(state.other_kind) and state.data != self._kept
        self._doubt(doubts and not state.at_work)
        self._ask(state.kind_is_open and not state.at_work)
        self.setVisible((doubts or state.kind_is_open) and not state.at_work)

    def _ask(self, asks: bool) -> None:
        if asks:
            self.question.say(
                self.tr("What kind of pictures are these?"),
                self.tr(
                    "Their names do not say it, and a model learns by it what to keep of each."
                ),
            )
        else:
            self.question.say("", "")

    def _doubt(self, doubts: bool) -> None:
        if not doubts:
            self.card.say("", "")
            return
        names = (self._state.data.task, self._state.other_kind)
        chosen, spoken_of = (translate(TASKS[name].title) for name in names)
        self.card.buttons["change"].setText(self.tr("Take “{0}”").format(spoken_of))
        self.card.buttons["keep"].setText(self.tr("Keep “{0}”").format(chosen))
        text = self.tr(
            "“{0}” is chosen, but their names speak of “{1}”. Trained for the wrong kind, a model "
            "learns the wrong things, and which picture is A may be wrong, too."
        )
        self.card.say(
            self.tr("These pictures seem to be of another kind"), text.format(chosen, spoken_of)
        )

    def _answered(self, answer: str) -> None:
        if answer == "change":
            self.task_chosen.emit(self._state.other_kind)
        else:
            self._kept = self._state.data
            self._show()

"""Are these pictures of the kind they are taken for? Asked before a run, never in its way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.training.state import DataChoice, TrainState
from app.widgets.train.ask_card import AskCard
from app.words import spoken
from core.tasks import TASKS


class KindCard(QWidget):
    """A card while names speak of another task than the one chosen."""

    task_chosen = Signal(str)

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._kept: DataChoice | None = None
        """The choice that was confirmed."""
        answers = (("change", ""), ("keep", ""))
        self.card = AskCard(answers, "alert-circle-outline")
        self.card.answered.connect(self._answered)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        state.data_changed.connect(self._show)
        state.phase_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        other = state.other_kind
        asks = bool(other) and not state.at_work and state.data != self._kept
        self.setVisible(asks)
        if not asks:
            self.card.say("", "")
            return
        chosen, spoken_of = (spoken(TASKS[name].title) for name in (state.data.task, other))
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

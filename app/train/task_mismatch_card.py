"""Asks for the task of the training images where their file names leave it open."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.i18n.translate import translate
from app.train.state import DataChoice, TrainState
from app.widgets.cards import Card
from core.tasks import TASKS


class TaskMismatchCard(Card):
    """Shown while file names suggest another task than the one chosen, or none at all.

    The first is a warning and may be declined; without a suggestion the task must be chosen, once
    for these images, before a run can start.
    """

    task_chosen = Signal(str)

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(icon="help-circle-outline", parent=parent, recommended="change")
        self._state = state
        self._confirmed: DataChoice | None = None
        """The data for which the suggestion was declined."""
        self.answered.connect(self._answered)
        for signal in (state.data_changed, state.phase_changed, state.settings_changed):
            signal.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        if state.at_work:
            self.show_message("")
        elif state.is_task_unknown:
            self._ask()
        elif state.suggested_task and state.data != self._confirmed:
            self._warn()
        else:
            self.show_message("")

    def _ask(self) -> None:
        self.show_message(
            self.tr("Their names do not say it, and a model learns by it what to keep of each."),
            self.tr("What kind of pictures are these?"),
            [(name, translate(task.title)) for name, task in TASKS.items()],
        )

    def _warn(self) -> None:
        names = (self._state.data.task, self._state.suggested_task)
        chosen, suggested = (translate(TASKS[name].title) for name in names)
        text = self.tr(
            "“{0}” is chosen, but their names speak of “{1}”. Trained for the wrong kind, a model "
            "learns the wrong things, and which picture is A may be wrong, too."
        )
        self.show_message(
            text.format(chosen, suggested),
            self.tr("These pictures seem to be of another kind"),
            (
                ("change", self.tr("Take “{0}”").format(suggested)),
                ("keep", self.tr("Keep “{0}”").format(chosen)),
            ),
        )

    def _answered(self, answer: str) -> None:
        if answer == "change":
            self.task_chosen.emit(self._state.suggested_task)
        elif answer == "keep":
            self._confirmed = self._state.data
            self._show()
        else:
            self.task_chosen.emit(answer)

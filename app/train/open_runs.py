"""Unfinished runs, each with buttons to resume or delete it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.i18n.translate import plural, translate
from app.train import formatting
from app.train.state import TrainState
from app.train.view_models import OpenRun
from app.widgets.cards import Card

_MOST = 2
"""Runs shown at once; the others follow when these are resumed, deleted or dismissed."""


class OpenRuns(QWidget):
    """A card for each unfinished run; none while another run is active or its result is shown."""

    resume_requested = Signal(object)
    """An :class:`app.train.view_models.OpenRun`, as below."""
    discard_requested = Signal(object)

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._put_off: set[Path] = set()
        self.cards: list[Card] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        state.runs_changed.connect(self._show)
        state.phase_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards.clear()
        if not self._state.at_work and self._state.phase != "done":
            waiting = [run for run in self._state.runs if run.handle.folder not in self._put_off]
            for run in waiting[:_MOST]:
                self._offer(run)
        self.setVisible(bool(self.cards))

    def _offer(self, run: OpenRun) -> None:
        delete, later = ("discard", self.tr("Delete")), ("later", self.tr("Not now"))
        if run.damage:
            why = translate(run.damage)
            card = Card(
                f"{why[:1].upper()}{why[1:]}.",
                (later, delete),
                "alert-circle-outline",
                title=self.tr("The run “{0}” is damaged").format(run.name),
                recommended="later",
            )
        else:
            text = self.tr("It stopped at step {0} of {1} ({2}). It goes on exactly where it was.")
            numbers = (
                formatting.count(run.step),
                formatting.count(run.steps),
                formatting.moment(run.when),
            )
            card = Card(
                text.format(*numbers),
                (("resume", self.tr("Resume")), delete, later),
                "history",
                title=self.tr("“{0}” was not finished").format(run.name),
                recommended="resume",
            )
        card.answered.connect(lambda answer: self._answered(run, card, answer))
        self.cards.append(card)
        self._column.addWidget(card)

    def _answered(self, run: OpenRun, card: Card, answer: str) -> None:
        if answer == "resume":
            self.resume_requested.emit(run)
        elif answer == "discard":
            # A run may have taken hours: the first click only asks for confirmation.
            lost = self.tr("What it has learnt is lost.")
            if not run.damage:
                lost = plural(
                    "What it has learnt in {0} step is lost.",
                    "What it has learnt in {0} steps is lost.",
                    run.step,
                ).format(formatting.count(run.step))
            card.show_message(lost, self.tr("Delete “{0}” for good?").format(run.name))
            card.buttons["discard"].setText(self.tr("Delete for good"))
            card.answered.disconnect()
            card.answered.connect(lambda second: self._confirmed(run, second))
        else:
            self._put_off.add(run.handle.folder)
            self._show()

    def _confirmed(self, run: OpenRun, answer: str) -> None:
        if answer == "discard":
            self.discard_requested.emit(run)
        elif answer == "resume":
            self.resume_requested.emit(run)
        else:
            self._show()

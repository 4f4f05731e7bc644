"""Plans a batch on its worker when pairs or choices change; holds choices of single rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.batch import tasks
from app.batch.settings import BatchChoices
from app.pairs.edits import PairKey
from app.workers import Job, Runner
from core.batch.row_choice import NO_CHOICE, RowChoice

if TYPE_CHECKING:
    from core.pairing.plan import PairingPlan

_PLAN_MS = 120
"""Milliseconds without a change of the choices before names are made from them."""


class BatchPlanner(QObject):
    """The plan of the pairs and choices of now, a moment after they have changed."""

    changed = Signal()
    """The plan has changed, or that a newer one is being made."""
    ready = Signal()
    """The plan is that of the pairs and choices of now."""

    def __init__(
        self,
        runner: Runner,
        wanted: Callable[[], tuple[PairingPlan, BatchChoices] | None],
        parent: QObject,
    ) -> None:
        """
        Args:
            runner: of the thread that plans.
            wanted: gives what is to be planned; None for nothing at present.
        """
        super().__init__(parent)
        self._runner, self._wanted = runner, wanted
        self.planned = tasks.Planned()
        self.is_planning = False
        self._job: Job | None = None
        self.own: dict[PairKey, RowChoice] = {}
        """What was chosen for single pairs."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PLAN_MS)
        self._timer.timeout.connect(self._plan)

    def close(self) -> None:
        """Plan no more."""
        self._timer.stop()

    def later(self) -> None:
        """Plan again once the choices have not changed for a moment."""
        self._drop()
        self.is_planning = True
        self._timer.start()
        self.changed.emit()

    def _drop(self) -> None:
        """Take no answer about what was to be planned before."""
        self._timer.stop()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _plan(self) -> None:
        wanted = self._wanted()
        if wanted is not None:
            work = partial(tasks.plan, *wanted, dict(self.own))
            job = self._job = self._runner.submit(work, key="plan")
            job.finished.connect(self.set_planned)
            job.failed.connect(lambda error: self.set_planned(tasks.Planned(error=error)))

    def set_planned(self, planned: tasks.Planned) -> None:
        """Take a plan instead of any that is being made."""
        self._drop()
        self.is_planning, self.planned = False, planned
        self.changed.emit()
        self.ready.emit()

    # --- single rows -----------------------------------------------------------------------

    def choose(self, keys: Collection[PairKey], choice: RowChoice) -> None:
        """Choose something for single pairs; what it says nothing about stays."""
        self.own.update({key: choice.over(self.own.get(key, NO_CHOICE)) for key in keys})

    def choice(self, key: PairKey) -> RowChoice:
        """What is chosen for a pair, now or by the record of its run."""
        # Called for every cell of the table.
        own, known = self.own.get(key), self.planned.choices.get(key, NO_CHOICE)
        return known if own is None else own.over(known)

    @property
    def chooses_registration(self) -> bool:
        """Whether a way of registration is chosen for single rows."""
        every: tuple[Mapping[PairKey, RowChoice], ...] = (self.own, self.planned.choices)
        return any(self.choice(key).align for choices in every for key in choices)

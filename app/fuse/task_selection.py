"""Which task a pair is fused for: the one the person chose, or the one its file names suggest."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.fuse.pair_loader import PairLoader
from app.fuse.results import Sources
from app.fuse.state import FuseState, Offer
from app.i18n.translate import translate
from core.tasks import TASKS


class TaskSelection(QObject):
    """Selects the task and starts the fusion of a pair once its task is settled.

    Where the names suggest another task than the selected one, that task is selected; if a person
    chose the present one, they are asked first and nothing is fused before they answer.
    """

    def __init__(
        self,
        session: FuseState,
        loader: PairLoader,
        fuse: Callable[[], None],
        open_sample: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            fuse: fuses the pair on screen, with a preview.
            open_sample: opens the sample pair of the selected task.
        """
        super().__init__(parent)
        self._session = session
        self._loader = loader
        self._fuse = fuse
        self._open_sample = open_sample
        session.task_changed.connect(self._withdraw_offer)

    def choose(self, name: str) -> None:
        """Select a task for the person; a sample on screen is replaced by that of the task."""
        self._session.task_by_hand = True
        if name == self._session.task.name:
            return
        self._session.set_task(name)
        if self._session.sources.sample:
            self._open_sample()

    def fuse_new(self, _sources: Sources) -> None:
        """Fuse a pair that was just loaded, unless it has results from before."""
        if not self._session.results:
            self._fuse()

    def fuse_or_ask(self, sources: Sources) -> None:
        """Settle the task of a pair that was just loaded, and fuse it."""
        session = self._session
        suggested = session.suggested_task
        if suggested in ("", session.task.name):
            self.fuse_new(sources)
        elif session.task_by_hand:
            if not session.results:
                self._ask(suggested)
        else:
            session.switch_task(suggested)
            self.fuse_new(sources)
            task = session.task
            text = self.tr("By their names these are “{0}” and “{1}”: the task is now “{2}”.")
            labels = (translate(task.label_a), translate(task.label_b), translate(task.title))
            session.set_message(text.format(*labels))

    def _ask(self, suggested: str) -> None:
        task, other = self._session.task, TASKS[suggested]
        text = self.tr(
            "By their names these are “{0}” and “{1}”, but the task is “{2}”. "
            "Nothing is fused before you choose."
        ).format(translate(other.label_a), translate(other.label_b), translate(task.title))
        switch = self.tr("Switch to {0}").format(translate(other.title))
        keep = self.tr("Keep {0}").format(translate(task.title))
        self._session.set_offer(Offer(text, (("switch_task", switch), ("keep_task", keep))))

    def accept_suggestion(self) -> None:
        """Fuse for the task that the file names suggest."""
        suggested = self._session.suggested_task
        if suggested:
            self._session.task_by_hand = True
            self._loader.switch_task(suggested, self.fuse_new)

    def keep(self) -> None:
        """Fuse for the selected task, whatever the file names suggest."""
        self._fuse()

    def _withdraw_offer(self) -> None:
        """Withdraw the question about a task that is no longer selected."""
        offer = self._session.offer
        if offer is not None and any(name == "switch_task" for name, _label in offer.answers):
            self._session.set_offer(None)

"""The badge of each listed pair: ready, to be checked, fused, failed or missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal

from app.fuse.state import FuseState
from app.i18n.translate import translate
from app.pairs.edits import PairKey
from core.errors import SizeMismatch
from core.pairing.source_words import suggest_task
from core.tasks import TASKS

if TYPE_CHECKING:
    from core.pairing.plan import Match

Badge = Literal["ready", "check", "fused", "failed", "missing"]


@dataclass(frozen=True)
class PairState:
    """The badge of a pair, and the reason for it.

    Attributes:
        laid: how its sources are laid on each other; "" where they are taken as they lie.
    """

    badge: Badge
    why: str = ""
    laid: str = ""


class PairStates(QObject):
    """Follows a session and derives badges from its results and errors."""

    changed = Signal(object)
    """The key of a pair."""

    def __init__(
        self,
        session: FuseState,
        matches: Callable[[], Mapping[PairKey, Match]],
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            matches: returns the pairs that are listed now.
        """
        super().__init__(parent)
        self._session = session
        self._matches = matches
        self._states: dict[PairKey, PairState] = {}
        self._suggested: dict[PairKey, str] = {}
        """Tasks suggested by the file names of pairs whose state was asked for."""
        session.outcome_changed.connect(self._outcome_changed)
        session.problem_changed.connect(self._problem_changed)
        session.task_changed.connect(self._task_changed)

    def state(self, key: PairKey) -> PairState:
        """The state of a pair."""
        known, match = self._states.get(key), self._matches().get(key)
        if known is not None:
            return known
        if match is not None and not match.sure:
            why = self.tr("The names do not say which of the two is A.")
            return PairState("check", why)
        suggested = self._suggested_task(key)
        if suggested not in ("", self._session.task.name):
            task = TASKS[suggested]
            why = self.tr("By their names these are “{0}” and “{1}”: another task.")
            return PairState("check", why.format(translate(task.label_a), translate(task.label_b)))
        return PairState("ready")

    def keep_only(self, keys: Iterable[PairKey]) -> None:
        """Forget the states of all other pairs."""
        if self._states:
            kept = set(keys)
            self._states = {key: state for key, state in self._states.items() if key in kept}

    def mark_missing(self, checked: Iterable[PairKey], missing: Mapping[PairKey, str]) -> None:
        """Update the badges of pairs whose files were looked for.

        Args:
            missing: the name of the file that is gone, for each pair that lacks one.
        """
        for key in checked:
            state = self._states.get(key)
            if key in missing:
                why = self.tr("{0} is not there any more.").format(missing[key])
                self._set(key, PairState("missing", why))
            elif state is not None and state.badge == "missing":
                self._set(key, PairState("ready"))

    def _suggested_task(self, key: PairKey) -> str:
        if key not in self._suggested:
            self._suggested[key] = suggest_task(*key)
        return self._suggested[key]

    def _set(self, key: PairKey, state: PairState) -> None:
        if self._states.get(key) != state:
            self._states[key] = state
            self.changed.emit(key)

    def _task_changed(self) -> None:
        """Whether a pair is to be checked depends on the selected task."""
        for key, suggested in self._suggested.items():
            if suggested and key in self._matches() and key not in self._states:
                self.changed.emit(key)

    def _outcome_changed(self) -> None:
        outcome, key = self._session.outcome, self._session.sources.key
        if key is None or outcome is None or outcome.is_preview:
            return
        if outcome.pair is self._session.sources.pair and key in self._matches():
            self._set(key, PairState("fused", outcome.method_title))

    def _problem_changed(self) -> None:
        problem, key = self._session.problem, self._session.sources.key
        if problem is None or key is None or key not in self._matches():
            return
        if problem.remedy in ("open", "retry", "resample", "tiles", "cpu"):
            badge: Badge = "check" if isinstance(problem.error, SizeMismatch) else "failed"
            if not all(path.exists() for path in key):
                badge = "missing"
            self._set(key, PairState(badge, translate(problem.error.message)))

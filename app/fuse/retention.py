"""What the fused image on screen loses of its sources: measured on a thread, outlined and said."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject

from app.compute.remote import compute
from app.fuse import measuring
from app.fuse.state import FuseState, Problem
from app.i18n.numbers import number
from app.i18n.translate import tr
from app.viewer.outlines import Outline, OutlineGroup
from app.workers import Job, Runner
from core.types import FusionResult, SourceSide

if TYPE_CHECKING:
    from core.errors import FusionError
    from core.retention import Retention, SourceRetention

_SIDES: tuple[SourceSide, SourceSide] = ("a", "b")


class RetentionWatch(QObject):
    """Measures what each result on screen loses, and tells the session."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._judging = Runner("retention", self, background=True)
        self._known: WeakKeyDictionary[FusionResult, Retention] = WeakKeyDictionary()
        self._job: Job | None = None
        self._closed = False
        session.outcome_changed.connect(self._judge)

    def shutdown(self) -> None:
        """Cancel the work and wait for the thread."""
        self._closed = True
        self._judging.shutdown()

    def _judge(self) -> None:
        """Show what is known of the result on screen, else measure it instead of the last one."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        outcome = self._session.outcome
        known = self._known.get(outcome.result) if outcome is not None else None
        self._session.set_retention(known)
        if self._closed or outcome is None or outcome.is_preview or known is not None:
            return
        work = compute(measuring.retention, outcome.windowed_pair, outcome.result.fused)
        job = self._job = self._judging.submit(work, key="retention")
        job.finished.connect(partial(self._judged, outcome.result))
        job.failed.connect(self._fail)

    def _judged(self, result: FusionResult, found: Retention) -> None:
        self._known[result] = found
        outcome = self._session.outcome
        if outcome is not None and outcome.result is result:
            self._session.set_retention(found)

    def _fail(self, error: FusionError) -> None:
        if not self._closed:
            self._session.set_problem(Problem(error))


def outline_groups(found: Retention | None) -> tuple[OutlineGroup, ...]:
    """The lost spots of both sources, with a legend; nothing while they are not known."""
    if found is None:
        return ()
    return tuple(
        OutlineGroup(side, _outlines(found.of(side)), _legend(found, side)) for side in _SIDES
    )


def _outlines(source: SourceRetention) -> tuple[Outline, ...]:
    return tuple(Outline(s.column, s.row, s.width, s.height) for s in source.lost)


def _legend(found: Retention, side: SourceSide) -> str:
    source = found.of(side)
    text = tr("Lost of {0}: {1} of {2} spots")
    return text.format(side.upper(), len(source.lost), len(source.spots))


def alarm_text(found: Retention | None) -> str:
    """The mark of an alarm: the shares of the sources of which much is lost; "" for no alarm."""
    if found is None or not found.is_alarm:
        return ""
    shares = [
        f"{number(100 * found.of(side).lost_share, '.0f')} % {side.upper()}"
        for side in _SIDES
        if found.of(side).is_alarm
    ]
    return tr("Lost: {0}").format(", ".join(shares))


def retention_rows(found: Retention) -> list[tuple[str, str]]:
    """Rows of the Info tab."""
    rows = []
    for side in _SIDES:
        source = found.of(side)
        value = tr("{0} of {1} spots, {2} % of their contrast").format(
            len(source.lost), len(source.spots), number(100 * source.lost_share, ".0f")
        )
        rows.append((side.upper(), value))
    text = tr("alarm: look at the sources, too") if found.is_alarm else tr("no alarm")
    from core.retention import ALARM  # there already, since it was measured

    limit = tr("{0}; it begins above {1} %").format(text, number(100 * ALARM, ".0f"))
    return [*rows, (tr("State"), limit)]

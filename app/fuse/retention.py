"""What the fused image on screen loses of its sources: measured on a thread, outlined and said."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.compute.remote import compute
from app.fuse import measuring
from app.fuse.state import FuseState, Outcome, Problem
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
    """Measures what results lose, and tells the session: of that on screen, then of all others
    while these are on show beside it.
    """

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._judging = Runner("retention", self, background=True)
        self._job: Job | None = None
        self._of: FusionResult | None = None
        """The result that is being measured."""
        self._closed = False
        session.outcome_changed.connect(self._show)
        session.results_changed.connect(self._judge)
        session.display_changed.connect(self._judge)

    def shutdown(self) -> None:
        """Cancel the work and wait for the thread."""
        self._closed = True
        self._judging.shutdown()

    def _show(self) -> None:
        """Show what is known of the result on screen, and measure it first."""
        self._session.retention_changed.emit()
        self._judge()

    @property
    def _next(self) -> Outcome | None:
        """The result to be measured next."""
        session = self._session
        shown = [] if session.outcome is None else [session.outcome]
        others = session.results if session.display.layout == "results" else ()
        return next(
            (
                one
                for one in (*shown, *others)
                if not one.is_preview and session.retention_of(one) is None
            ),
            None,
        )

    def _judge(self) -> None:
        wanted = None if self._closed else self._next
        if self._job is not None:
            if wanted is not None and wanted.result is self._of:
                return
            self._job.cancel()
            self._job = self._of = None
        if wanted is None:
            return
        self._of = wanted.result
        work = compute(measuring.retention, wanted.windowed_pair, wanted.result.fused)
        job = self._job = self._judging.submit(work, key="retention")
        job.finished.connect(partial(self._judged, wanted))
        job.failed.connect(self._fail)

    def _judged(self, outcome: Outcome, found: Retention) -> None:
        if self._of is outcome.result:
            self._job = self._of = None
        self._session.set_retention(outcome, found)
        self._judge()

    def _fail(self, error: FusionError) -> None:
        # The job is kept, so that the same result is not tried again and again.
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
    shares = _alarm_shares(found)
    return tr("Lost: {0}").format(shares) if shares else ""


def alarm_mark(found: Retention | None) -> str:
    """A short form of :func:`alarm_text`: a sign and the shares."""
    shares = _alarm_shares(found)
    return f"▲ {shares}" if shares else ""


def _alarm_shares(found: Retention | None) -> str:
    if found is None or not found.is_alarm:
        return ""
    return ", ".join(
        f"{number(100 * found.of(side).lost_share, '.0f')} % {side.upper()}"
        for side in _SIDES
        if found.of(side).is_alarm
    )


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

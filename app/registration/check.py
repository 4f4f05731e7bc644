"""A quick look at every pair that is opened: do its sources lie on each other?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.fuse.reports import Answer
from app.fuse.results import SourceStamp
from app.fuse.slice_view import OpenVolumes, SliceView
from app.fuse.state import FuseState, Offer
from app.i18n.numbers import filled
from app.registration import tasks
from app.registration.pending_offer import PendingOffer
from app.workers import Job, Runner
from core.errors import SizeMismatch
from core.types import SourcePair

if TYPE_CHECKING:
    from core.registration import Misalignment


class AlignmentCheck(QObject):
    """Offers to align pairs that look shifted, or are of two sizes; each pair once.

    The look is taken on a thread of its own, at a low priority.
    """

    looked = Signal(object)
    """A :class:`core.registration.Misalignment` of the pair on screen."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = Runner("alignment check", self, background=True)
        self.enabled = True
        self._seen: set[SourceStamp] = set()
        self._apart: OpenVolumes | None = None
        """Those on screen of which it was said that they share no place."""
        self._job: Job | None = None
        self._pending = PendingOffer(session, self)
        self._is_aligning = False
        session.sources_changed.connect(self._look)
        session.problem_changed.connect(self._offer_for_sizes)

    def shutdown(self) -> None:
        """Cancel everything and wait for the thread."""
        self._runner.shutdown()

    def set_enabled(self, enabled: bool) -> None:
        """Switch it on or off."""
        self.enabled = enabled

    def set_aligning(self, is_aligning: bool) -> None:
        """Whether the pair on screen is being aligned: then nothing has to be offered."""
        self._is_aligning = is_aligning
        if is_aligning:
            self._pending.drop()

    def _look(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        sources = self._session.sources
        pair, stamp = sources.pair, sources.stamp
        if pair is not None and sources.slice is not None:
            if self.enabled or sources.slice.volumes.are_apart:
                self._offer_for_volumes(pair, sources.slice)
            return
        if not self.enabled or pair is None or stamp is None or stamp in self._seen:
            return
        if sources.sample or sources.slice is not None or sources.transform is not None:
            return
        work = partial(tasks.check_pair, pair, self._session.task.name)
        job = self._job = self._runner.submit(work, key="check")
        job.finished.connect(partial(self._looked, pair, stamp))

    def _looked(self, pair: SourcePair, stamp: SourceStamp, found: Misalignment) -> None:
        session = self._session
        if session.sources.pair is not pair:
            return
        self._seen.add(stamp)
        if found.verdict == "shifted" and not self._is_aligning:
            text = self.tr(
                "A and B do not lie on each other: at the corners they are about {0:.0f} pixels "
                "apart."
            )
            self._pending.ask(pair, Offer(filled(text, found.shift), self._answers()))
        self.looked.emit(found)

    def _offer_for_volumes(self, pair: SourcePair, view: SliceView) -> None:
        """Nothing says how volumes with different frames of reference lie to each other."""
        if view.volumes.are_apart:
            self._offer_for_apart(pair, view)
            return
        key = view.volumes.marks
        if view.volumes.is_registered or view.volumes.are_of_two_patients or key in self._seen:
            return
        self._seen.add(key)
        text = self.tr("Nothing says how these two volumes lie to each other.")
        self._pending.ask(pair, Offer(text, self._answers()))

    def _offer_for_apart(self, pair: SourcePair, view: SliceView) -> None:
        """Volumes that share no place cannot be fused: that is said whenever they are opened."""
        if self._apart is view.volumes:
            return
        self._apart = view.volumes
        text = self.tr(
            "A and B share no place in the patient, so nothing is fused. A is moved to the middle "
            "of B, only to be seen."
        )
        self._pending.ask(pair, Offer(text, self._answers()))

    def _offer_for_sizes(self) -> None:
        """Two sizes may be of two cameras: then more than resampling is needed."""
        session = self._session
        problem = session.problem
        if problem is not None and isinstance(problem.error, SizeMismatch):
            text = self.tr("If they are of two cameras, align them: sizes need not be the same.")
            session.set_offer(Offer(text, self._answers()))

    def _answers(self) -> tuple[tuple[Answer, str], ...]:
        return (
            ("register", self.tr("Register automatically")),
            ("align", self.tr("Align by hand")),
        )

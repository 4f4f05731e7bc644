"""A question about the pair on screen that waits until nothing is read or fused."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.fuse.state import FuseState, Offer
from core.types import SourcePair


class PendingOffer(QObject):
    """Asks about one pair, once it is at rest; dropped where another pair is on screen by then.

    Fusing withdraws all questions, and it begins when a pair has been read. A question that is
    asked already comes first.
    """

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._waiting: tuple[SourcePair, Offer] | None = None
        session.running_changed.connect(self._ask)

    def ask(self, pair: SourcePair, offer: Offer) -> None:
        """Ask ``offer`` about ``pair``, now or later."""
        self._waiting = (pair, offer)
        self._ask()

    def drop(self) -> None:
        """Ask nothing that waits."""
        self._waiting = None

    def _ask(self) -> None:
        session = self._session
        if self._waiting is None or session.running is not None:
            return
        pair, offer = self._waiting
        self._waiting = None
        if session.sources.pair is pair and session.offer is None:
            session.set_offer(offer)

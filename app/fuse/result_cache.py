"""Keeps the results of each pair, so that a pair opened again shows them at once."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject

from app.fuse.results import PairResults, ResultStore, Sources, SourceStamp
from app.fuse.state import FuseState
from core.windows import Windows


class ResultCache(QObject):
    """Saves a session's results and windows per pair and restores them."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._store = ResultStore()
        session.results_changed.connect(self.save)

    def sources(self) -> dict[SourceStamp, Sources]:
        """The sources in memory, for a reader that would otherwise read them again."""
        return self._store.sources()

    def find(self, stamp: SourceStamp) -> PairResults | None:
        """What is stored of a pair."""
        return self._store.get(stamp)

    def save(self) -> None:
        """Save finished results and windows of the pair on screen."""
        session = self._session
        results = tuple(r for r in session.results if r.pair is session.sources.pair)
        finished = tuple(r for r in results if not r.is_preview)
        if finished:
            selected = session.outcome.key if session.outcome else ""
            display = session.display
            windows: Windows = (display.a.window, display.b.window)
            # A slice in memory must not keep the volumes there that it was cut from.
            sources = replace(session.sources, slice=None)
            self._store.put(PairResults(sources, finished, selected, windows))

    def show(self, sources: Sources) -> None:
        """Show sources, with their results and windows where these were saved."""
        stored = self._store.get(sources.stamp)
        if stored is not None and stored.sources.pair is sources.pair and stored.results:
            self._session.set_sources(
                sources, results=stored.results, selected=stored.selected, windows=stored.windows
            )
        else:
            self._session.set_sources(sources)

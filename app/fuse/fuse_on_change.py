"""Fuses again by itself when a window or palette changes, where the user wishes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.fuse.state import FuseState
from core.types import SourcePair
from core.windows import Windows

_MOST_PIXELS = 2**20
"""Larger images are fused again on demand only."""


class FuseOnChange(QObject):
    """While :attr:`enabled`, fuses the pair on screen again at the end of a change of its windows
    or palettes.

    Not after a change of task, method or sources, and not where no result is on screen. A change
    is tried once, so that an error is shown once.
    """

    def __init__(self, session: FuseState, fuse: Callable[[], None], parent: QObject) -> None:
        """
        Args:
            session: the pair and how it is displayed.
            fuse: fuses the pair on screen.
        """
        super().__init__(parent)
        self._session, self._fuse = session, fuse
        self.enabled = False
        self._tried: tuple[SourcePair | None, Windows, object] | None = None
        session.display_settled.connect(self._look)
        session.running_changed.connect(self._look)

    def set_enabled(self, enabled: bool) -> None:
        """Switch it on or off; when switched on, a change made before is fused too."""
        self.enabled = enabled
        self._look()

    def _look(self) -> None:
        session, outcome = self._session, self._session.outcome
        if not self.enabled or session.running is not None or outcome is None:
            return
        pair = session.sources.pair
        changed = (outcome.fused_windows, outcome.palettes) != (session.windows, session.palettes)
        if not changed or pair is None or outcome.pair is not pair or outcome.is_preview:
            return
        width, height = pair.a.size
        if width * height > _MOST_PIXELS:
            return
        now = (pair, session.windows, session.palettes)
        if now != self._tried:
            self._tried = now
            self._fuse()

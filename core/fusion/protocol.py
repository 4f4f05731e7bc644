"""What a batch or a window needs of whoever fuses (:class:`core.fusion.engine.FusionEngine`)."""

from __future__ import annotations

from typing import Any, Protocol

from core.progress import Progress
from core.types import FusionRequest, FusionResult


class Fuser(Protocol):
    """Fuses pairs, and says by what."""

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        """Fuse one pair; called from several threads at once when ``beside_others``."""

    def methods(self, task: str) -> tuple[Any, ...]:
        """Packs, the default first, then classical methods; each has a ``name`` and a ``kind``."""

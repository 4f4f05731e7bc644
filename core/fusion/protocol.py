"""The engine as its callers see it (:class:`core.fusion.engine.FusionEngine`), without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from core.progress import Progress
from core.types import DeviceChoice, FusionRequest, FusionResult


@dataclass(frozen=True)
class MethodInfo:
    """A model pack or a classical baseline, for lists and menus.

    Attributes:
        name: what a request calls it. title: what people call it.
        summary: one line on what it does.
        default: True for the task's default pack.
    """

    name: str
    title: str
    kind: Literal["pack", "baseline"]
    summary: str
    default: bool = False


class Engine(Protocol):
    """Fuses pairs, and says by what and where."""

    @property
    def device_choice(self) -> DeviceChoice:
        """Where it runs and why."""

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        """Fuse one pair; called from several threads at once when ``beside_others``."""

    def methods(self, task: str) -> tuple[MethodInfo, ...]:
        """Packs, the default first, then classical methods."""

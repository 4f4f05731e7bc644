"""Interface of :class:`core.fusion.engine.FusionEngine` for callers, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from core.memory_model import FusionWorkload
from core.messages import Message
from core.progress import Progress
from core.types import DeviceChoice, FusionRequest, FusionResult, ImageHeader


@dataclass(frozen=True)
class MethodInfo:
    """A model pack or a classical method, for lists and menus.

    Attributes:
        name: name in requests.
        title: display name.
        summary: description in one line.
        default: True for the default pack of the task.
    """

    name: str
    title: str
    kind: Literal["pack", "baseline"]
    summary: str
    default: bool = False


class Engine(Protocol):
    """Fuses pairs, and reports its methods and its device."""

    @property
    def device_choice(self) -> DeviceChoice:
        """The device and the reason for choosing it."""

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


class CheckedEngine(Engine, Protocol):
    """An engine that can also say beforehand what it will not do."""

    def check_memory(
        self,
        a: ImageHeader,
        b: ImageHeader,
        task: str,
        method: str,
        kept: FusionWorkload | None = None,
    ) -> None:
        """Refuse a pair that does not fit into memory in any way, before it is read.

        Args:
            kept: outputs requested in addition to the fused image.

        Raises:
            DeviceMemoryError: too little memory. InputError: unknown task or method.
            PackError: the pack cannot be used.
        """

    def unused_backbone(self, task: str, method: str) -> Message | None:
        """A remark if a DINOv3 file was given to this engine and ``method`` does not need it.

        Raises:
            InputError: unknown task or method. PackError: the pack cannot be used.
        """

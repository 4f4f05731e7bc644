"""Access to the engine from the GUI, which creates it when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import SignalInstance

from app.i18n.translate import tr
from core.fusion.protocol import Engine, MethodInfo
from core.progress import Progress
from core.tasks import TASKS, TaskSpec
from core.types import DeviceChoice


@dataclass(frozen=True)
class EngineInfo:
    """Device and methods of the engine."""

    device: DeviceChoice
    methods: Mapping[str, tuple[MethodInfo, ...]] = field(default_factory=dict)


def default_method(methods: tuple[MethodInfo, ...], task: TaskSpec) -> MethodInfo | None:
    """The default pack, else the task's classical method, else the first method."""
    pack = next((m for m in methods if m.default), None)
    classical = next((m for m in methods if m.name == task.default_baseline), None)
    return pack or classical or next(iter(methods), None)


class EngineSource(Protocol):
    """An object with the engine's information, which is None before the engine is created."""

    engine: EngineInfo | None
    engine_changed: SignalInstance


EngineFactory = Callable[[], Engine]


class LazyEngine:
    """Creates the engine once, on the thread that first requests it."""

    def __init__(self, factory: EngineFactory, cpu: EngineFactory | None = None) -> None:
        """
        Args:
            cpu: creates the engine used after the device has run out of memory.
        """
        self._factory = factory
        self._cpu = cpu
        self._engine: Engine | None = None

    @property
    def can_fall_back(self) -> bool:
        """True when an engine on the CPU is available as a fallback."""
        return self._cpu is not None

    def fall_back(self, progress: Progress) -> None:
        """Compute on the CPU from now on. Call only from the computing thread."""
        if self._cpu is not None:
            self._factory, self._cpu, self._engine = self._cpu, None, None

    def get(self, progress: Progress) -> Engine:
        """The engine. Call only from the computing thread."""
        if self._engine is None:
            progress.report(0, 0, tr("Starting the engine"))
            self._engine = self._factory()
        return self._engine

    def info(self, progress: Progress) -> EngineInfo:
        """Device, and methods of every task."""
        engine = self.get(progress)
        return EngineInfo(engine.device_choice, {name: engine.methods(name) for name in TASKS})


def engine_factory(device: str) -> EngineFactory:
    """A factory of the engine on ``device``."""

    def make() -> Engine:
        from core.fusion.engine import FusionEngine

        return FusionEngine(device)

    return make

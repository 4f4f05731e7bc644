"""Access to the engine from the GUI, which creates it when it is first needed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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


_numbers = itertools.count(1)
_engines: dict[int, LazyEngine] = {}
"""In the compute process: the engines of the window, by their numbers there."""
_engines_guard = threading.Lock()


class LazyEngine:
    """Creates the engine once, on the thread that first requests it.

    In a job that is sent to the compute process, it stands for one engine that stays there.
    """

    def __init__(self, factory: EngineFactory, cpu: EngineFactory | None = None) -> None:
        """
        Args:
            cpu: creates the engine used after the device has run out of memory.
        """
        self._number = next(_numbers)
        self._factory = factory
        self._cpu = cpu
        self._engine: Engine | None = None
        self._making = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _same_engine, (self._number, self._factory, self._cpu)

    @property
    def can_fall_back(self) -> bool:
        """True when an engine on the CPU is available as a fallback."""
        return self._cpu is not None

    def fall_back(self, progress: Progress) -> None:
        """Compute on the CPU from now on."""
        with self._making:
            if self._cpu is not None:
                self._factory, self._cpu, self._engine = self._cpu, None, None

    def get(self, progress: Progress) -> Engine:
        """The engine, which is made on this thread where there is none yet."""
        with self._making:
            if self._engine is None:
                progress.report(0, 0, tr("Starting the engine"))
                self._engine = self._factory()
            return self._engine

    def info(self, progress: Progress) -> EngineInfo:
        """Device, and methods of every task."""
        engine = self.get(progress)
        return EngineInfo(engine.device_choice, {name: engine.methods(name) for name in TASKS})


def _same_engine(number: int, factory: EngineFactory, cpu: EngineFactory | None) -> LazyEngine:
    with _engines_guard:
        if number not in _engines:
            _engines[number] = LazyEngine(factory, cpu)
        return _engines[number]


def engine_info(lazy: LazyEngine, progress: Progress) -> EngineInfo:
    """:meth:`LazyEngine.info` as a job."""
    return lazy.info(progress)


def fall_back(lazy: LazyEngine, progress: Progress) -> None:
    """:meth:`LazyEngine.fall_back` as a job."""
    lazy.fall_back(progress)


@dataclass(frozen=True)
class DeviceEngine:
    """A factory of the engine on a device, which can be sent to the compute process."""

    device: str

    def __call__(self) -> Engine:
        """Make the engine."""
        from core.fusion.engine import FusionEngine

        return FusionEngine(self.device)


def engine_factory(device: str) -> EngineFactory:
    """A factory of the engine on ``device``."""
    return DeviceEngine(device)

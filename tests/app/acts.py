"""What several tests of the window do: wait for it, and hold its engine at work."""

from __future__ import annotations

from functools import wraps
from threading import Event
from time import monotonic
from types import ModuleType
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication

from app.shell.main_window import MainWindow
from app.workers import Runner

WAIT = 30_000
_NEVER = Event()


def yield_to_window() -> None:
    """Wait a moment on a worker thread, as its real work does in the libraries that it calls.

    A loop of pure Python would hold the interpreter, and the window would stand still.
    """
    _NEVER.wait(0.005)


def idle(qtbot, window: MainWindow):
    """Until reading and fusing have ended."""
    return qtbot.waitSignal(window.controller.idle, timeout=WAIT)


def fuse_and_hold(qtbot, window: MainWindow, engine) -> None:
    """Fuse, and return while the model is at work; it goes on once the engine's gate is set."""
    engine.gate.clear()
    with qtbot.waitSignal(
        window.session.running_changed,
        timeout=WAIT,
        check_params_cb=lambda: window.session.running.stage == "encoding",
    ):
        window.controller.fuse()


class HeldTask:
    """A function of workers that waits for its gate once it has begun; cancelling ends it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
        self.gate, self.begun = Event(), Event()
        self.calls = 0
        self.answers: list[Any] = []
        """What its first calls return, or raise; later ones do what it does."""
        real = getattr(module, name)

        @wraps(real)
        def slow(*arguments: Any) -> Any:
            self.calls += 1
            self.begun.set()
            limit = monotonic() + 10  # where a test fails before it opens the gate
            while not self.gate.wait(0.01):
                assert monotonic() < limit
                if self.hears:
                    arguments[-1].check()
            if not self.answers:
                return real(*arguments)
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.hears = False
        """Whether it ends at once when it is cancelled."""
        monkeypatch.setattr(module, name, slow)

    def wait(self) -> None:
        """Until it has begun, and the window knows so."""
        assert self.begun.wait(10)
        QCoreApplication.processEvents()


def settled(qtbot, runner: Runner) -> None:
    """Until all that was submitted to a thread before has been answered."""
    done: list[object] = []
    runner.submit(lambda _progress: None).finished.connect(done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=WAIT)

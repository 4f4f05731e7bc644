"""What several tests of the window do: wait for it, and hold its engine at work."""

from __future__ import annotations

from threading import Event

from app.shell.main_window import MainWindow

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

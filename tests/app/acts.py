"""What several tests of the window do: wait for it, and hold its engine at work."""

from __future__ import annotations

from app.shell.main_window import MainWindow

WAIT = 30_000


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

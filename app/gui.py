"""Starts the window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

import resources
from app import jobs, theme
from app.intake import guess_task
from app.main_window import MainWindow
from app.screenshot import Screenshot
from app.session import Problem
from app.workers import as_fusion_error
from core.errors import Cancelled, FusionError
from core.tasks import get_task

_DONE, _BAD_INPUT = 0, 2


def run(
    a: Path | None,
    b: Path | None,
    task: str | None,
    method: str | None,
    device: str,
    screenshot: Path | None,
) -> int:
    """Open the window on a pair, or on a sample where no file is given; returns the exit code.

    Args:
        a, b: the sources; one alone is shown and waits for the other.
        task: name of a task; None guesses from the file names.
        method: pack or baseline; None for the task's default pack.
        device: "auto", or a device's name.
        screenshot: write the window there once the fused image is shown, and end.

    Returns:
        0, or 2 when ``screenshot`` was asked for and could not be made (the reason is one line
        on the error stream), or when ``task`` is unknown.
    """
    try:
        chosen = get_task(task).name if task else guess_task(a, b)
    except FusionError as error:
        return _say(error)
    application = _application()
    window = MainWindow(jobs.engine_factory(device), resources.SAMPLES, chosen, method or "")
    if screenshot is not None:
        window.resize(1600, 1000)
    old_hook = sys.excepthook
    sys.excepthook = _hook(window)
    try:
        window.show()
        # After the first paint: the window stands before any file is touched.
        QTimer.singleShot(0, window, lambda: _begin(window, a, b))
        return _run_until_done(application, window, screenshot)
    finally:
        window.close()
        window.deleteLater()
        sys.excepthook = old_hook


def _application() -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
        application.setApplicationName("UniFusion Studio")
        theme.apply(application, resources.ROOT)
    return application


def _begin(window: MainWindow, a: Path | None, b: Path | None) -> None:
    window.controller.start()
    if a is not None and b is not None:
        window.controller.open_pair(a, b)
    elif a is not None:
        window.controller.replace_side("a", a)
    elif b is not None:
        window.controller.replace_side("b", b)
    else:
        window.controller.open_sample()


def _run_until_done(application: QApplication, window: MainWindow, screenshot: Path | None) -> int:
    if screenshot is None:
        return int(application.exec())
    outcome: list[FusionError | None] = []

    def finish(error: FusionError | None) -> None:
        outcome.append(error)
        application.exit()

    Screenshot(window, screenshot).done.connect(finish)
    application.exec()
    if not outcome:
        return _say(FusionError("No screenshot", "the window was closed first"))
    return _say(outcome[0]) if outcome[0] is not None else _DONE


def _say(error: FusionError) -> int:
    print(f"unifusion: {error}".replace("\n", " "), file=sys.stderr)  # noqa: T201
    return _BAD_INPUT


def _hook(
    window: MainWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """An exception nobody expected becomes an error card, not a traceback."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
        elif not issubclass(kind, Cancelled):
            window.session.set_problem(Problem(as_fusion_error(error)))

    return show

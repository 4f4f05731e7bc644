"""Starts the window."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtWidgets import QApplication

import resources
from app import jobs, theme
from app.habits import language, timings
from app.habits.first_paint import FirstPaint
from app.habits.home import home
from app.habits.quiet_import import gently, share_time
from app.habits.settings import Settings
from app.habits.signals import closing
from app.intake import guess_task
from app.main_window import MainWindow
from app.screenshot import Screenshot
from app.session import Problem
from app.workers import as_fusion_error
from app.workers.first_in_line import go_first
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
    # A screenshot is the same for everyone: nothing remembered, nothing kept.
    settings = Settings(home() if screenshot is None else None)
    application = _application(settings)
    share_time()
    go_first()
    first = FirstPictures()
    factory = gently(jobs.engine_factory(device), "torch", after=first.turns)
    cpu = gently(jobs.engine_factory("cpu"), "torch")
    window = MainWindow(
        factory, resources.SAMPLES, chosen, method or "", settings=settings, cpu=cpu
    )
    window.session.task_by_hand = task is not None
    habits = window.habits
    first.watch(window)
    if screenshot is not None:
        window.resize(1600, 1000)
    habits.place_window()
    file = timings.wanted()
    clock = timings.Timings(file, window, window.session) if file is not None else None
    old_hook = sys.excepthook
    sys.excepthook = _hook(window)
    try:
        window.show()
        # The window stands before any file is touched or the engine started.
        FirstPaint(window, lambda: habits.begin(a, b))
        with closing(window.close):
            return _run_until_done(application, window, screenshot)
    finally:
        if clock is not None:
            clock.finish()
        window.close()
        window.deleteLater()
        sys.excepthook = old_hook


class FirstPictures:
    """What goes before the import of torch: the first pictures, and their classical preview."""

    def __init__(self) -> None:
        self._opened, self._shown = threading.Event(), threading.Event()
        self.turns = ((self._opened, 2.0), (self._shown, 8.0))
        """What the import waits for, and how many seconds; see :func:`gently`."""

    def watch(self, window: MainWindow) -> None:
        """See to it that nobody waits for what does not come."""
        session = window.session

        def opened() -> None:
            if session.sources.is_awaited:
                return
            self._opened.set()
            if session.sources.pair is None:
                self._shown.set()

        session.sources_changed.connect(opened)
        window.controller.previewed.connect(self._shown.set)
        for signal in (session.problem_changed, window.habits.ended):
            signal.connect(self._opened.set)
            signal.connect(self._shown.set)


def _application(settings: Settings) -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
        application.setApplicationName("UniFusion Studio")
        theme.set_appearance(settings.appearance)
        theme.apply(application, resources.ROOT)
        language.install(application, settings.language)
    return application


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

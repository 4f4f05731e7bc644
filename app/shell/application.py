"""Starts the window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtWidgets import QApplication

import resources
from app.compute import remote
from app.engine import engine_factory
from app.fuse.drop_sorting import guess_task
from app.fuse.state import Problem
from app.i18n import language
from app.preferences.paths import home
from app.preferences.settings import Settings
from app.shell import startup_timings
from app.shell.main_window import MainWindow
from app.shell.posix_signals import close_on_signals
from app.shell.qt_application import make_application, say
from app.shell.screenshot import Screenshot
from app.shell.window_process import window_process
from app.widgets import theme
from app.workers import as_fusion_error
from app.workers.first_paint import FirstPaint
from core.errors import Cancelled, FusionError
from core.messages import Message
from core.tasks import get_task
from core.windows import Windows, check_window

_DONE = 0


def run(
    a: Path | None,
    b: Path | None,
    task: str | None,
    method: str | None,
    device: str,
    *,
    screenshot: Path | None,
    windows: Windows = (None, None),
) -> int:
    """Open the window on a pair, or on a sample where no file is given; returns the exit code.

    Args:
        a, b: the sources; one alone is shown and waits for the other.
        task: name of a task; None guesses from the file names.
        method: pack or baseline; None for the task's default pack.
        device: "auto", or a device's name.
        screenshot: write an image of the window there once the fused image is shown, and quit.
        windows: black and white levels of A and of B in their units; None: those of the files.

    Returns:
        0, or 2 when ``screenshot`` was asked for and could not be made (the reason is one line
        on the error stream), or when ``task`` is unknown or a window is invalid.
    """
    try:
        chosen = get_task(task).name if task else guess_task(a, b)
        for chosen_window in windows:
            check_window(chosen_window)
    except FusionError as error:
        return say(error)
    # A screenshot must not depend on stored settings, and leaves none behind.
    settings = Settings(home() if screenshot is None else None)
    try:
        application = _application(settings)
    except FusionError as error:
        return say(error)
    with window_process(language.current()):
        window = MainWindow(
            engine_factory(device),
            resources.SAMPLES,
            chosen,
            method or "",
            settings=settings,
            cpu=engine_factory("cpu"),
        )
        window.session.task_by_hand = task is not None
        for side, chosen_window in zip("ab", windows, strict=True):
            if chosen_window is not None:
                look = window.session.display.with_pane(side, window=chosen_window)
                window.session.set_display(look)
        return _show(application, window, (a, b), screenshot)


def _show(
    application: QApplication,
    window: MainWindow,
    files: tuple[Path | None, Path | None],
    screenshot: Path | None,
) -> int:
    """Show the window until it is closed; returns the exit code."""
    services = window.services
    services.place_window()
    if screenshot is not None:  # independent of the screen
        window.resize(1600, 1000)
    file = startup_timings.timings_file()
    clock = (
        startup_timings.StartupTimings(file, window, window.session) if file is not None else None
    )
    old_hook = sys.excepthook
    sys.excepthook = _hook(window)
    try:
        window.show()
        # The window is painted before torch is imported, files are read and the engine is started.
        FirstPaint(window, remote.import_ahead)
        FirstPaint(window, lambda: services.begin(*files))
        application.commitDataRequest.connect(window.close_guard.handle_session_end)
        with close_on_signals(window.close, window.close_guard.quit_now):
            return _run_until_done(application, window, screenshot)
    finally:
        if clock is not None:
            clock.finish()
        window.close()
        window.deleteLater()
        sys.excepthook = old_hook


def _application(settings: Settings) -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = make_application(sys.argv[:1])
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
        return say(
            FusionError(
                Message("No screenshot"),
                Message("the window was closed first"),
                Message("Run the command again and leave the window open."),
            )
        )
    return say(outcome[0]) if outcome[0] is not None else _DONE


def _hook(
    window: MainWindow,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """An exception hook that shows unexpected exceptions on the error card."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
        elif not issubclass(kind, Cancelled):
            window.session.set_problem(Problem(as_fusion_error(error)))

    return show

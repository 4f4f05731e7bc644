"""Qt's application, or one line that says why there is none.

Where Qt finds no screen or cannot load what it needs for one, it aborts the process. It says so
before through its message handler, which is where this says it in words people can use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication

from app.shell.display_server import no_window, quiet_errors
from core.errors import FusionError
from core.messages import Message

BAD_INPUT = 2


def say(error: FusionError) -> int:
    """Print an error as one line on the error stream; returns the exit code for it."""
    print(f"unifusion: {error}".replace("\n", " "), file=sys.stderr, flush=True)  # noqa: T201
    return BAD_INPUT


def make_application(arguments: list[str]) -> QApplication:
    """Qt's application. Where it cannot be, the process ends with one line and exit code 2.

    Raises:
        FusionError: there is no screen, or no font on this machine, so that no text could be read.
    """
    with _explained(), quiet_errors():
        application = QApplication(arguments)
        if not application.screens():  # the frame buffer of a machine that has none
            raise no_window()
    # A family is always named; where there is no file behind it, every letter is an empty box.
    if not QFontMetrics(application.font()).inFontUcs4(ord("a")):
        raise FusionError(
            Message("The window cannot open"),
            Message("there are no fonts on this machine"),
            Message("Run: sudo apt-get install fonts-dejavu-core"),
        )
    return application


@contextmanager
def _explained() -> Iterator[None]:
    said: list[tuple[str, str]] = []
    # While errors are quiet, this still leads to the person.
    try:
        stream = os.dup(2)
    except OSError:
        stream = -1

    def hear(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        said.append((context.category or "", message))
        if kind == QtMsgType.QtFatalMsg:
            if stream >= 0:
                os.dup2(stream, 2)
            say(no_window([text for _category, text in said]))
            # Qt aborts when this returns: a core file for a missing screen.
            os._exit(BAD_INPUT)

    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
        if stream >= 0:
            os.close(stream)
    for category, message in said:
        print(f"{category}: {message}", file=sys.stderr)  # noqa: T201

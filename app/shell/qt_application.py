"""Creates the Qt application, or reports in one line why that is impossible.

Where Qt finds no display or cannot load its platform plugin, it aborts the process, after a call
of the message handler. The handler installed here prints an understandable error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication

from app.shell.display_server import display_error, suppress_stderr
from core.errors import FusionError
from core.messages import Message

BAD_INPUT = 2


def say(error: FusionError) -> int:
    """Print an error as one line on the error stream; returns the exit code for it."""
    print(f"unifusion: {error}".replace("\n", " "), file=sys.stderr, flush=True)  # noqa: T201
    return BAD_INPUT


def make_application(arguments: list[str]) -> QApplication:
    """Create the Qt application; without a display the process exits with one line and code 2.

    Raises:
        FusionError: there is no display, or no font is installed.
    """
    with _reporting_aborts(), suppress_stderr():
        application = QApplication(arguments)
        if not application.screens():  # e.g. linuxfb without a frame buffer
            raise display_error()
    # Qt always names a family; without a font file every glyph would be an empty box.
    if not QFontMetrics(application.font()).inFontUcs4(ord("a")):
        raise FusionError(
            Message("The window cannot open"),
            Message("there are no fonts on this machine"),
            Message("Run: sudo apt-get install fonts-dejavu-core"),
        )
    return application


@contextmanager
def _reporting_aborts() -> Iterator[None]:
    messages: list[tuple[str, str]] = []
    # A duplicate of standard error, which is suppressed meanwhile.
    try:
        stream = os.dup(2)
    except OSError:
        stream = -1

    def handle(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        messages.append((context.category or "", message))
        if kind == QtMsgType.QtFatalMsg:
            if stream >= 0:
                os.dup2(stream, 2)
            say(display_error([text for _category, text in messages]))
            # Qt would abort with a core dump after this handler returns.
            os._exit(BAD_INPUT)

    before = qInstallMessageHandler(handle)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
        if stream >= 0:
            os.close(stream)
    for category, message in messages:
        print(f"{category}: {message}", file=sys.stderr)  # noqa: T201

"""Writes an image of the window once the fused image is shown."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QTimer, Signal, Slot

from app.shell.main_window import MainWindow
from core.errors import FusionError, OutputError
from core.messages import Message


class Screenshot(QObject):
    """Waits for the final result or an error of a window, and writes the image."""

    done = Signal(object)
    """None, or the :class:`core.errors.FusionError` that prevented it."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window = window
        self._path = path
        self._over = False
        window.controller.idle.connect(self._look)
        window.session.problem_changed.connect(self._look_for_problem)

    @Slot()
    def _look_for_problem(self) -> None:
        if self._window.session.problem is not None:
            self._look()

    @Slot()
    def _look(self) -> None:
        if self._over:
            return
        session = self._window.session
        if session.problem is not None:
            self._finish(session.problem.error)
        elif session.outcome is not None and not session.outcome.is_preview:
            self._over = True
            # Layout and painting take one iteration of the event loop.
            QTimer.singleShot(0, self, self._capture)
        else:
            self._finish(
                FusionError(
                    Message("Nothing was fused"),
                    Message("a fusion needs two pictures, A and B"),
                    Message("Give both on the command line."),
                )
            )

    @Slot()
    def _capture(self) -> None:
        try:
            write_png(self._window, self._path)
        except FusionError as error:
            self.done.emit(error)
        else:
            self.done.emit(None)

    def _finish(self, error: FusionError) -> None:
        self._over = True
        self.done.emit(error)


def write_png(window: MainWindow, path: Path) -> None:
    """Write an image of the window to a PNG file, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    window.grab().save(buffer, "PNG")
    buffer.close()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data.data())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            str(path), error.strerror or str(error), Message("Choose a folder you may write to.")
        ) from None

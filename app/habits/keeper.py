"""Keeps the session on disk while it changes, and knows after a crash that there was one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from app.habits.snapshot import Snapshot, from_json, to_json
from app.workers import Runner
from core.errors import FusionError
from core.progress import Progress

_FILE, _MARK = "session.json", "running.lock"
_DELAY_MS = 800
"""Changes are gathered for this long before the file is written."""


@dataclass(frozen=True)
class Previous:
    """What an earlier run left behind.

    Attributes:
        snapshot: its session, when there is a readable one with files.
        crashed: True when it did not end properly.
        notice: a sentence for the person, or "".
    """

    snapshot: Snapshot | None = None
    crashed: bool = False
    notice: str = ""


class SessionKeeper(QObject):
    """Writes snapshots off the GUI thread. One program at a time keeps the session of a folder."""

    failed = Signal(object)
    """A :class:`core.errors.FusionError`, once: the session cannot be written."""

    def __init__(
        self, folder: Path, snapshot: Callable[[], Snapshot], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._snapshot = snapshot
        self._mark = QLockFile(str(folder / _MARK))
        # Never stale by age: it may be open for days. A dead owner is recognised all the same.
        self._mark.setStaleLockTime(0)
        self._runner: Runner | None = None
        self._written = b""
        self._said = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._write_soon)

    @property
    def is_ours(self) -> bool:
        """True when this run keeps the session (another one may be open beside it)."""
        return self._mark.isLocked()

    def begin(self) -> Previous:
        """Take the session over from the run before; call once."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
        there = (self._folder / _MARK).exists()
        if not self._mark.tryLock(0):
            return Previous()
        snapshot, notice = self._read()
        self._runner = Runner("session", self)
        return Previous(snapshot, crashed=there, notice=notice)

    def _read(self) -> tuple[Snapshot | None, str]:
        try:
            self._written = (self._folder / _FILE).read_bytes()
            snapshot = from_json(self._written)
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError):
            return None, self.tr("The last session could not be read; it is ignored.")
        return (snapshot if snapshot.has_files else None), ""

    def note_change(self) -> None:
        """Something worth keeping changed; it is written a little later."""
        if self._runner is not None:
            self._timer.start()

    def end(self) -> None:
        """Write what is still to be written and say that this run ended properly."""
        self._timer.stop()
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        runner.shutdown()
        data = self._pending()
        if data is not None:
            with suppress(FusionError):
                _write(self._folder / _FILE, data)
        self._mark.unlock()

    def _pending(self) -> bytes | None:
        snapshot = self._snapshot()
        # A sample on screen is not worth the session that was there before.
        data = to_json(snapshot) if snapshot.has_files else None
        return None if data == self._written else data

    def _write_soon(self) -> None:
        data = self._pending()
        if data is None or self._runner is None:
            return
        job = self._runner.submit(partial(_write, self._folder / _FILE, data), key="session")
        job.finished.connect(partial(self._wrote, data))
        job.failed.connect(self._fail)

    def _wrote(self, data: bytes, _answer: object) -> None:
        self._written = data

    def _fail(self, error: FusionError) -> None:
        if not self._said:
            self._said = True
            self.failed.emit(error)


def _write(path: Path, data: bytes, progress: Progress | None = None) -> None:
    # Imported late: the package around it brings the codecs along.
    from core.io.atomic import atomic_write

    atomic_write(path, data)

"""Keeps the session on disk while it changes, and knows after a crash that there was one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from app.preferences.session_file import Snapshot, from_json, is_over, to_json
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
        snapshot: the last session there is, when it is readable and has files.
        crashed: True when that run did not end properly.
        notice: a sentence for the person, or "".
        of_earlier: the session is that of a run before: the last one had no files open.
    """

    snapshot: Snapshot | None = None
    crashed: bool = False
    notice: str = ""
    of_earlier: bool = False


class SessionAutosave(QObject):
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
    def owns_session(self) -> bool:
        """True when this run keeps the session (another one may be open beside it)."""
        return self._mark.isLocked()

    def begin(self) -> Previous:
        """Take the session over from the run before; call once."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
        there = (self._folder / _MARK).exists()
        if not self._lock():
            return self._read_only()
        snapshot, notice = self._read()
        self._runner = Runner("session", self)
        over = snapshot is not None and is_over(self._written)
        if there and snapshot is not None and not over:
            # Offered now, and not once more after a crash of this run.
            self._submit(to_json(snapshot, over=True))
        return Previous(snapshot, crashed=there, notice=notice, of_earlier=over)

    def _lock(self) -> bool:
        """Take the mark; one that nobody holds gives way, whatever is written in it.

        A mark that was cut short (by a full disk, or power that failed) or that carries the
        machine's former name would otherwise count as somebody's for ever.
        """
        if self._mark.tryLock(0):
            return True
        if self._mark.error() != QLockFile.LockError.LockFailedError:
            return False
        # The system refuses this while a living program has the file.
        return self._mark.removeStaleLockFile() and self._mark.tryLock(0)

    def _read_only(self) -> Previous:
        """Another window keeps the session, or the folder cannot be written: then it is read."""
        if self._mark.error() != QLockFile.LockError.PermissionError:
            return Previous()
        snapshot, notice = self._read()
        return Previous(snapshot, notice=notice)

    def _read(self) -> tuple[Snapshot | None, str]:
        try:
            self._written = (self._folder / _FILE).read_bytes()
            snapshot = from_json(self._written)
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError):
            return None, self.tr("The last session could not be read; it is ignored.")
        # A path that depends on the folder of the moment may mean somebody else's file.
        return (snapshot if snapshot.has_files and snapshot.is_whole else None), ""

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
        data = self._pending(over=True) or self._mark_ended()
        if data is not None:
            with suppress(FusionError):
                _write(self._folder / _FILE, data)
        self._mark.unlock()

    def _mark_ended(self) -> bytes | None:
        """The session that stays, as one that is over, where it does not say so yet."""
        with suppress(ValueError, RecursionError):
            if self._written and not is_over(self._written):
                return to_json(from_json(self._written), over=True)
        return None

    def _pending(self, *, over: bool = False) -> bytes | None:
        snapshot = self._snapshot()
        # A sample on screen is not worth the session that was there before.
        data = to_json(snapshot, over=over) if snapshot.has_files else None
        return None if data == self._written else data

    def _write_soon(self) -> None:
        data = self._pending()
        if data is not None:
            self._submit(data)

    def _submit(self, data: bytes) -> None:
        if self._runner is None:
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

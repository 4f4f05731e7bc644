"""Autosave of the session, and detection of a crash at the next start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from app.preferences.hidden_paths import HiddenPath
from app.preferences.session_file import Snapshot, from_json, is_over, to_json
from app.preferences.unfinished_export import UnfinishedExport
from app.workers import Runner
from core.errors import FusionError
from core.progress import Progress

_FILE, _MARK = "session.json", "running.lock"
_DELAY_MS = 800
"""Delay in which changes are collected before the file is written."""


@dataclass(frozen=True)
class PreviousSession:
    """The session stored by an earlier run.

    Attributes:
        snapshot: the last session, if it is readable and has files.
        crashed: True when that run did not end normally.
        notice: a message for the user, or "".
        of_earlier: whether the session is of an earlier run, since the last one had no open files.
        exports: of studies, those that were not finished, whatever files were open.
    """

    snapshot: Snapshot | None = None
    crashed: bool = False
    notice: str = ""
    of_earlier: bool = False
    exports: tuple[UnfinishedExport, ...] = ()


class SessionAutosave(QObject):
    """Writes snapshots on a worker thread. One process at a time owns the session of a folder."""

    failed = Signal(object)
    """A :class:`core.errors.FusionError`, once: the session cannot be written."""

    def __init__(
        self, folder: Path, snapshot: Callable[[], Snapshot], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._snapshot = snapshot
        self._mark = QLockFile(str(folder / _MARK))
        # No time limit: a session may last days. Locks of dead processes are recognised anyway.
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
        """True when this process, and no other one, writes the session."""
        return self._mark.isLocked()

    def begin(self) -> PreviousSession:
        """Lock the session and read that of the previous run. Call once."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
        there = (self._folder / _MARK).exists()
        if not self._lock():
            return self._read_only()
        snapshot, notice = self._read()
        self._runner = Runner("session", self)
        over = snapshot is not None and is_over(self._written)
        if there and snapshot is not None and not over:
            # Offered now, and not again after a crash of this run.
            self._submit(to_json(snapshot, over=True))
        exports = () if snapshot is None else snapshot.exports
        snapshot = _with_files(snapshot)
        return PreviousSession(
            snapshot, crashed=there, notice=notice, of_earlier=over, exports=exports
        )

    def _lock(self) -> bool:
        """Acquire the lock file; one that no process holds is replaced, whatever its content.

        A truncated lock file (after a full disk or a power failure), or one with a former name of
        the machine, would otherwise be respected for ever.
        """
        if self._mark.tryLock(0):
            return True
        if self._mark.error() != QLockFile.LockError.LockFailedError:
            return False
        # The system refuses this while a running process has the file open.
        return self._mark.removeStaleLockFile() and self._mark.tryLock(0)

    def _read_only(self) -> PreviousSession:
        """Read the session that another process owns, or in a folder that is not writable."""
        if self._mark.error() != QLockFile.LockError.PermissionError:
            return PreviousSession()
        snapshot, notice = self._read()
        return PreviousSession(_with_files(snapshot), notice=notice)

    def _read(self) -> tuple[Snapshot | None, str]:
        try:
            self._written = (self._folder / _FILE).read_bytes()
            snapshot = from_json(self._written)
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError, RecursionError):
            return None, self.tr("The last session could not be read; it is ignored.")
        return snapshot, ""

    def note_change(self) -> None:
        """Schedule writing after a change."""
        if self._runner is not None:
            self._timer.start()

    def end(self) -> None:
        """Write pending changes, and record that this run ended normally."""
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
        """The stored session marked as ended, or None where it is already."""
        with suppress(ValueError, RecursionError):
            if self._written and not is_over(self._written):
                return to_json(from_json(self._written), over=True)
        return None

    def _pending(self, *, over: bool = False) -> bytes | None:
        snapshot = self._snapshot()
        if not snapshot.has_files:
            # A sample does not replace the stored session, but for the exports that it holds.
            stored = self._stored()
            before = () if stored is None else stored.exports
            if _targets(before) == _targets(snapshot.exports):
                return None
            if stored is not None:
                over = over or is_over(self._written)
                snapshot = replace(stored, exports=snapshot.exports)
        data = to_json(snapshot, over=over)
        return None if data == self._written else data

    def _stored(self) -> Snapshot | None:
        with suppress(ValueError, RecursionError):
            return from_json(self._written)
        return None

    def _write_soon(self) -> None:
        data = self._pending()
        if data is not None:
            self._submit(data)

    def _submit(self, data: bytes) -> None:
        if self._runner is None:
            return
        job = self._runner.submit(partial(_write, self._folder / _FILE, data), key="session")
        job.finished.connect(partial(self._write_finished, data))
        job.failed.connect(self._fail)

    def _write_finished(self, data: bytes, _answer: object) -> None:
        self._written = data

    def _fail(self, error: FusionError) -> None:
        if not self._said:
            self._said = True
            self.failed.emit(error)


def _with_files(snapshot: Snapshot | None) -> Snapshot | None:
    """The session if it can be opened; a relative path may refer to another file."""
    if snapshot is None or not (snapshot.has_files and snapshot.has_absolute_paths):
        return None
    return snapshot


def _targets(exports: tuple[UnfinishedExport, ...]) -> set[tuple[HiddenPath, str]]:
    return {one.target for one in exports}


def _write(path: Path, data: bytes, progress: Progress | None = None) -> None:
    # Imported late: its package imports the codecs.
    from core.io.atomic import atomic_write

    atomic_write(path, data)

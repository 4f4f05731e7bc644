"""A lock on the folder of a run: two processes would overwrite each other's checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import InputError
from core.io.atomic import output_error
from core.messages import Message

_NAME = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder of a run. The lock is released when the process ends, however it ends.

    Raises:
        InputError: another process, or another run in this process, holds the lock.
        OutputError: the folder cannot be written.
    """
    lock = _lock_of(folder)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            str(folder),
            Message("this run is going on already"),
            Message("Wait for it, stop it, or give another output."),
        ) from error
    except OSError as error:
        raise output_error(folder / _NAME, error) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a run is in progress in ``folder``."""
    if not (folder / _NAME).is_file():
        return False
    try:
        with _lock_of(folder):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _lock_of(folder: Path) -> FileLock:
    # A lock of the operating system, not a marker file, which would remain after a crash. It may be
    # released by another thread than the one that acquired it.
    return FileLock(
        folder / _NAME, timeout=0, mode=0o666, thread_local=False, fallback_to_soft=False
    )

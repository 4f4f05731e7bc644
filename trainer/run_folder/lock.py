"""One process per run folder: two would overwrite each other's checkpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError
from core.io.atomic import output_error
from core.messages import Message

_NAME = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder of a run. The lock ends with the process, however it ends.

    Raises:
        InputError: another process, or another run in this one, holds it.
        OutputError: the folder cannot be written.
    """
    path = folder / _NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        if not _take(handle):
            raise InputError(
                str(folder),
                Message("this run is going on already"),
                Message("Wait for it, stop it, or give another output."),
            )
        yield
    finally:
        os.close(handle)


def is_locked(folder: Path) -> bool:
    """Whether a run is going on in ``folder``."""
    try:
        handle = os.open(folder / _NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""Atomic file writing: a reader sees either the old file or the complete new one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from core.errors import Message, OutputError

_PART = re.compile(r"\.[0-9a-f]{32}\.part(\.\w+)?")
_KEPT_LETTERS = 40
"""Of a folder's name while it is replaced: a name of 255 bytes has no room for a suffix."""
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


def output_error(path: Path, error: OSError) -> OutputError:
    """The user-facing error for ``error``, raised while writing ``path``."""
    what = Message("Cannot write {0}", path)
    if error.errno in _FULL:
        return OutputError(
            what, Message("the disk is full"), Message("Free some space or save somewhere else.")
        )
    if error.errno in _DENIED:
        return OutputError(
            what,
            Message("it is not writable"),
            Message("Choose another folder or change its permissions."),
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return OutputError(
            what,
            Message("the folder {0} does not exist", path.parent),
            Message("Create the folder first or choose another one."),
        )
    if error.errno == errno.EFBIG:
        return OutputError(
            what,
            Message("it is larger than a file may be here"),
            Message("Save it on another disk."),
        )
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(
            what, Message("the file name is too long"), Message("Choose a shorter name.")
        )
    return OutputError(what, error.strerror or str(error), Message("Save somewhere else."))


def _target(path: Path) -> Path:
    """The checked target of ``path``; links are followed, not replaced."""
    try:
        target = path.resolve()
        if not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if target.is_dir():
            raise OutputError(
                Message("Cannot write {0}", path),
                Message("it is a folder"),
                Message("Name a file."),
            )
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise output_error(path, error) from error
    except (ValueError, RuntimeError) as error:  # a NUL character in the name, or a loop of links
        raise OutputError(
            Message("Cannot write {0}", path), str(error), Message("Choose another name.")
        ) from error
    return target


def check_writable(path: str | Path) -> None:
    """Refuse early what :func:`atomic_path` would refuse after the work is done.

    Raises:
        OutputError: the folder is missing, it is a folder itself, or a file that is read-only.
    """
    _target(Path(path))


def sync_folder(folder: Path) -> None:
    """Make file names in ``folder`` durable (fsync), where the system supports it (not Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _create(target: Path) -> Path:
    """Create an empty file beside ``target``, with its permissions or those of a new file."""
    temporary = target.parent / f".{uuid.uuid4().hex}.part{target.suffix}"
    # The umask applies to 0o666; mkstemp would create a file that only its owner can read.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    if target.exists():
        with contextlib.suppress(OSError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    return temporary


@contextlib.contextmanager
def atomic_path(path: str | Path, *, folder_later: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``, with its suffix; move it there on success.

    The body writes the temporary file. If it succeeds, the file is flushed to disk and replaces
    ``path`` atomically. If it raises, the temporary file is deleted and ``path`` is unchanged.

    Args:
        path: the file.
        folder_later: the caller makes the new name durable with :func:`sync_folder`, once for many
            files; until then a power failure may restore the previous state.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, or any other
            ``OSError`` while writing, including those of the body.
    """
    path = Path(path)
    target = _target(path)
    temporary: Path | None = None
    try:
        temporary = _create(target)
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
        temporary = None
        if not folder_later:
            sync_folder(target.parent)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; move it there on success, in place of an old one.

    If the body raises, or the folder cannot be moved, the temporary folder is deleted and ``path``
    is unchanged.

    Raises:
        OutputError: the parent is missing or not writable, or any other ``OSError``, including
            those of the body.
    """
    temporary = path.parent / f".{uuid.uuid4().hex}.part"
    try:
        temporary.mkdir()
        yield temporary
        sync_folder(temporary)
        replace_folder(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Move the folder ``new`` to ``path``, and delete what was there once it is in its place.

    Two renames: no system replaces a folder that holds files. Between them the old one has a name
    that :func:`remove_parts` leaves alone, so that it is never lost; where the second one fails (on
    Windows while a file of the folder is open), it gets its name back.

    Raises:
        OSError: ``new`` cannot be moved; ``path`` is as it was.
        OutputError: the old one could not be given its name back either; says where it is.
    """
    if not path.exists():
        new.rename(path)
        return
    old = path.with_name(f"{path.name[:_KEPT_LETTERS]}.{uuid.uuid4().hex[:8]}.old")
    path.rename(old)
    try:
        new.rename(path)
    except BaseException as error:
        _rename_back(old, path, error)
        raise
    gone = path.with_name(f".{uuid.uuid4().hex}.part")
    with contextlib.suppress(OSError):  # what cannot be deleted now is a part, removed later
        old.rename(gone)
        _remove(gone)


def _rename_back(old: Path, path: Path, reason: BaseException) -> None:
    try:
        old.rename(path)
    except OSError:
        why = reason.strerror if isinstance(reason, OSError) else ""
        raise OutputError(
            Message("Cannot write {0}", path),
            why or str(reason),
            Message("What was there before is now in {0}: rename it.", old),
        ) from reason


def remove_parts(folder: Path, older_than: float = 0.0) -> int:
    """Delete partially written files and folders that killed programs left; returns their number.

    Args:
        older_than: smallest age in seconds since the last write. With 0 all are deleted, which
            requires that nobody else is writing to the folder.
    """
    removed = 0
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            if not _PART.fullmatch(entry.name):
                continue
            with contextlib.suppress(OSError):
                if time.time() - entry.stat(follow_symlinks=False).st_mtime >= older_than:
                    _remove(Path(entry.path))
                    removed += 1
    return removed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def atomic_write(path: str | Path, data: bytes, *, folder_later: bool = False) -> None:
    """Write ``data`` to ``path`` atomically; ``folder_later`` as in :func:`atomic_path`.

    Raises:
        OutputError: see :func:`atomic_path`.
    """
    with atomic_path(path, folder_later=folder_later) as temporary:
        temporary.write_bytes(data)

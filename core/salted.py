"""Salted hashes, which tell things apart without saying what they are called.

The salt is random, made once per installation and kept in the folder of settings, so that a session
finds its series again and all processes of a run split patients alike; where that folder cannot be
written, the salt lasts as long as the process. It belongs to the folder: where another folder is
named meanwhile, the salt of that one counts, as for any process begun then.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from core.data_folder import settings_folder

SALT_FILE = "patient-salt"
_SALT_BYTES = 32
_OF_THE_PROCESS = secrets.token_bytes(_SALT_BYTES)
"""One value: the first keys may be asked for by several threads at once."""
_other: ContextVar[bytes] = ContextVar("salt of another installation", default=b"")


def key(*parts: str) -> str:
    """16 hexadecimal digits for ``parts``; "" when all of them are empty."""
    if not any(parts):
        return ""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=_salt(), digest_size=8).hexdigest()


def is_kept() -> bool:
    """Whether another process finds the same keys; not where no salt can be kept."""
    return _salt() != _OF_THE_PROCESS


def salt() -> bytes:
    """What this installation calculates keys with, for a computer that calculates in its place."""
    return _salt()


@contextlib.contextmanager
def in_place_of(other: bytes) -> Iterator[None]:
    """Calculate keys as the installation with that salt, on this thread and within the block.

    Args:
        other: its :func:`salt`; empty for this one's.
    """
    before = _other.set(other)
    try:
        yield
    finally:
        _other.reset(before)


def _salt() -> bytes:
    return _other.get() or _salt_in(settings_folder())


@functools.cache
def _salt_in(folder: Path) -> bytes:
    path = folder / SALT_FILE
    with contextlib.suppress(OSError):
        return _stored(path) or _made(path)
    return _OF_THE_PROCESS


def _stored(path: Path) -> bytes:
    """The salt on file; empty when there is none, or none that can be used."""
    try:
        salt = path.read_bytes()
    except FileNotFoundError:
        return b""
    return salt if len(salt) == _SALT_BYTES else b""


def _made(path: Path) -> bytes:
    """A new salt, on file from now on. Where another process was faster, that one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    salt = secrets.token_bytes(_SALT_BYTES)
    partial = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(salt)
        if _stored(path) == b"" and path.exists():  # damaged
            partial.replace(path)
            return salt
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
        return _stored(path) or salt
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()

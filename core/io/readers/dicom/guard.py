"""Around everything that pydicom does: no warning, log line or error of its own gets out.

What it says may quote tags, and tags name people.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from core.errors import InputError, Message
from core.io.readers.decoding import damaged, decoding

logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever is raised inside becomes an InputError that quotes nothing of the file."""
    with decoding(path):
        try:
            yield
        except (InputError, OSError, MemoryError):
            raise
        # Hostile bytes raise errors of every kind: struct, index, recursion, its own.
        except Exception:
            raise damaged(path, Message("cannot be decoded")) from None

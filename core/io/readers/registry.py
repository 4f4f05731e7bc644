"""Selects the reader of a file by its first bytes, then by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from core.types import Image, ImageHeader

HEAD_BYTES = 512
"""Number of bytes at the start of a file that a reader may use to recognise it."""


@dataclass(frozen=True)
class Reader:
    """A reader of one file format.

    Attributes:
        name: display name ("PNG").
        suffixes: lower case, with the dot.
        recognises: whether the first bytes of a file (up to ``HEAD_BYTES``) are of this format.
        read: reads the file at a path; raises InputError.
        probe: reads the header of the file at a path without decoding pixels; raises InputError.
        show: like ``read``, but decodes a damaged file as far as possible, with a note. None if
            the format does not support it.
        can_show: whether ``show`` can decode a part of a damaged file; fast.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], Image]
    probe: Callable[[Path], ImageHeader]
    _: KW_ONLY
    show: Callable[[Path], Image] | None = None
    can_show: Callable[[Path], bool] = lambda _path: True


class ReaderRegistry:
    """The registered readers. Names and suffixes are unique."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}
        self._by_suffix: dict[str, Reader] = {}

    def add(self, reader: Reader) -> None:
        """Add ``reader``.

        Raises:
            ValueError: its name or one of its suffixes is registered already.
        """
        if reader.name in self._readers:
            raise ValueError(f"two readers are called {reader.name!r}")
        for suffix in reader.suffixes:
            if suffix != suffix.lower() or not suffix.startswith("."):
                raise ValueError(f"suffix {suffix!r} must be lower case and start with a dot")
            if suffix in self._by_suffix:
                raise ValueError(f"two readers claim the suffix {suffix!r}")
        self._readers[reader.name] = reader
        self._by_suffix.update(dict.fromkeys(reader.suffixes, reader))

    def remove(self, name: str) -> None:
        """Remove the reader called ``name``; KeyError if there is none."""
        reader = self._readers.pop(name)
        for suffix in reader.suffixes:
            del self._by_suffix[suffix]

    def find(self, head: bytes, suffix: str) -> Reader | None:
        """The reader that recognises ``head``, otherwise that of ``suffix``, otherwise None."""
        return self.recognise(head) or self._by_suffix.get(suffix.lower())

    def recognise(self, head: bytes) -> Reader | None:
        """The reader that recognises ``head``, or None."""
        return next((r for r in self._readers.values() if r.recognises(head)), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all readers, in the order they were added."""
        return tuple(self._readers)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """All suffixes, in the order they were added."""
        return tuple(self._by_suffix)

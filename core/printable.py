"""Makes external texts (file names, titles of packs) safe for files and terminals."""

from __future__ import annotations

import re

_REPLACED = "�"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, including the start of terminal sequences
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff]"  # surrogates: bytes of file names that are not valid Unicode
)
_LINE_END = re.compile("[\r\n]+")


def valid(text: str) -> str:
    r"""``text`` as valid Unicode: undecodable bytes of file names are written as ``\udcXX``.

    The notation of JSON; different names remain different.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    """``text`` without characters that can control a terminal; line breaks are kept."""
    return _UNSEEN.sub(_REPLACED, text)


def one_line(text: str) -> str:
    """``text`` as :func:`printable`, in one line: file names may contain line breaks."""
    return printable(_LINE_END.sub(" ", text))

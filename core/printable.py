"""Texts from outside (names of files, titles of packs) made fit for files and terminals."""

from __future__ import annotations

import re

_REPLACED = "�"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters: those of terminals begin with one
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of other characters
    "\u2028\u2029"  # line ends that are not seen as such
    "\ud800-\udfff]"  # bytes of names that are no valid Unicode
)
_LINE_END = re.compile("[\r\n]+")


def valid(text: str) -> str:
    r"""``text`` as valid Unicode: bytes of names that are none are written ``\udcXX``.

    The same as JSON writes them, so that two such names never become one.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    """``text`` without anything that could steer a terminal; line ends stay."""
    return _UNSEEN.sub(_REPLACED, text)


def one_line(text: str) -> str:
    """The same in one line: names may have line ends in them."""
    return printable(_LINE_END.sub(" ", text))

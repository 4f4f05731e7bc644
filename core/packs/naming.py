"""Names of packs. Does not import torch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

_LONGEST_NAME = 60


def slug(text: str) -> str:
    """A short name made from ``text``: lower-case Latin letters, digits and hyphens; may be ""."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:_LONGEST_NAME].strip("-")


def free_name(base: str, taken: Container[str]) -> str:
    """The first of ``base``, ``base-2``, ``base-3``, … that is not taken.

    A number at the end of ``base`` is continued: “mine-2” is followed by “mine-3”.
    """
    stem = slug(base) or "pack"
    if stem not in taken:
        return stem
    found = re.fullmatch(r"(.+?)-(\d{1,6})", stem)
    root, number = (found[1], int(found[2])) if found else (stem, 1)
    while (name := f"{root}-{(number := number + 1)}") in taken:
        pass
    return name

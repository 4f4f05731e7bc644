"""Removal of file names and paths, which may identify a patient, from texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def without_names(text: str, paths: Iterable[Path]) -> str:
    """``text`` with names of ``paths`` and the home folder replaced.

    Of a path below one of them, nothing stays up to the end of its line.
    """
    for path in sorted(paths, key=lambda p: len(str(p)), reverse=True):
        hidden = f"<file{path.suffix.lower()}>"
        if path.name:
            text = re.sub(re.escape(str(path)) + r"[/\\].*", hidden, text)
        for name in (str(path), path.name):
            text = text.replace(name, hidden)
    return text.replace(str(Path.home()), "~")

"""Files concerned by an error, distinct file names, and the system's file manager."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from core.errors import FusionError


def file_of(error: FusionError, known: Iterable[Path]) -> Path | None:
    """The existing file an error is about: a path, or the name of one of the ``known`` files."""
    what = error.what
    named = [Path(what), *(path for path in known if str(path) in what)]
    named += [path for path in known if _is_named(path.name, what)]
    for path in named:
        try:
            if path.is_absolute() and path.is_file():
                return path
        except (OSError, ValueError):  # too long, or contains NUL: not a path
            continue
    return None


def _is_named(name: str, what: str) -> bool:
    """Whether a text contains a name, other than as the end of another path."""
    return bool(name) and re.search(rf"(?<![\w\\/.-]){re.escape(name)}", what) is not None


def distinct_name(path: Path, others: Iterable[Path | None]) -> str:
    """File name with as many parent folders as distinguish it from ``others``."""
    alike = [one for one in others if one is not None and one != path and one.name == path.name]
    for length in range(1, len(path.parts)):
        end = path.parts[-length:]
        if all(one.parts[-length:] != end for one in alike):
            return str(Path(*end))
    return path.name


def show_in_folder(path: Path) -> bool:
    """Show a file's folder in the system's file manager; False where there is none."""
    folder = path if path.is_dir() else path.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

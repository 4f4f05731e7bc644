"""Files an error is about, and the folder they are in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from core.errors import FusionError


def file_of(error: FusionError, known: Iterable[Path]) -> Path | None:
    """The file on disk that an error names: by its path, or by the name of a ``known`` one."""
    what = error.what
    named = [Path(what), *(path for path in known if str(path) in what)]
    named += [path for path in known if _is_named(path.name, what)]
    for path in named:
        try:
            if path.is_absolute() and path.is_file():
                return path
        except (OSError, ValueError):  # too long for a name, or a NUL in it: no path at all
            continue
    return None


def _is_named(name: str, what: str) -> bool:
    """Whether a text has a name by itself, and not as the end of another path."""
    return bool(name) and re.search(rf"(?<![\w\\/.-]){re.escape(name)}", what) is not None


def distinct_name(path: Path, others: Iterable[Path | None]) -> str:
    """Name of a file, after as many of its folders as tell it from ``others`` of the same name."""
    alike = [one for one in others if one is not None and one != path and one.name == path.name]
    for length in range(1, len(path.parts)):
        end = path.parts[-length:]
        if all(one.parts[-length:] != end for one in alike):
            return str(Path(*end))
    return path.name


def show_in_folder(path: Path) -> bool:
    """Open the folder a file is in, in the system's file manager; False where there is none."""
    folder = path if path.is_dir() else path.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

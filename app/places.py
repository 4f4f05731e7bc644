"""Files an error is about, and the folder they are in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from core.errors import FusionError


def file_of(error: FusionError, known: Iterable[Path]) -> Path | None:
    """The file on disk that an error names: by its path, or by the name of a ``known`` one."""
    what = error.what
    named = [Path(what), *(path for path in known if str(path) in what)]
    named += [path for path in known if path.name and path.name in what]
    for path in named:
        try:
            if path.is_absolute() and path.is_file():
                return path
        except (OSError, ValueError):  # too long for a name, or a NUL in it: no path at all
            continue
    return None


def show_in_folder(path: Path) -> bool:
    """Open the folder a file is in, in the system's file manager; False where there is none."""
    folder = path if path.is_dir() else path.parent
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

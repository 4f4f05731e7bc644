"""Notices when the files on show change or go."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.fuse.results import SourceStamp, stamp_of
from app.fuse.state import FuseState

_CALM_MS = 300


class SourceWatcher(QObject):
    """Compares the files of the pair on show with what was read."""

    changed = Signal(object)
    """Path of a file that is another one now."""
    gone = Signal(object)
    """Path of a file that is not there any more."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._watcher = QFileSystemWatcher(self)
        self._told: set[tuple[Path, str]] = set()
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MS)
        self._calm.timeout.connect(self.look)
        self._watcher.fileChanged.connect(lambda _path: self._calm.start())
        session.sources_changed.connect(self._follow)

    def _entries(self) -> SourceStamp:
        # Behind the two files a stamp says what was done to them.
        return (self._session.sources.stamp or ())[:2]

    def _follow(self) -> None:
        old = self._watcher.files()
        if old:
            self._watcher.removePaths(old)
        self._told.clear()
        paths = [entry[0] for entry in self._entries()]
        if paths:
            self._watcher.addPaths(paths)

    def look(self) -> None:
        """Compare now."""
        for entry in self._entries():
            path = Path(entry[0])
            try:
                now = stamp_of(path)[0]
            except OSError:
                self._tell(path, "gone")
                continue
            if now != entry:
                self._tell(path, "changed")
            elif str(path) not in self._watcher.files():
                self._watcher.addPath(str(path))

    def _tell(self, path: Path, what: str) -> None:
        if (path, what) not in self._told:
            self._told.add((path, what))
            (self.gone if what == "gone" else self.changed).emit(path)

"""Watches the files on screen for changes and deletion."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from app.fuse.results import SourceStamp, stamp_of
from app.fuse.state import FuseState

_SETTLE_MS = 300


class SourceWatcher(QObject):
    """Compares the files of the pair on screen with their state when they were read."""

    changed = Signal(object)
    """Path of a file that has changed."""
    deleted = Signal(object)
    """Path of a file that no longer exists."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._watcher = QFileSystemWatcher(self)
        self._reported: set[tuple[Path, str]] = set()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.check)
        self._watcher.fileChanged.connect(lambda _path: self._settle.start())
        session.sources_changed.connect(self._follow)

    def _entries(self) -> SourceStamp:
        # Further entries of a stamp describe how the files were read.
        return (self._session.sources.stamp or ())[:2]

    def _follow(self) -> None:
        old = self._watcher.files()
        if old:
            self._watcher.removePaths(old)
        self._reported.clear()
        paths = [entry[0] for entry in self._entries()]
        if paths:
            self._watcher.addPaths(paths)

    def check(self) -> None:
        """Compare the files now; each change is reported once."""
        for entry in self._entries():
            path = Path(entry[0])
            try:
                now = stamp_of(path)[0]
            except OSError:
                self._report(path, "deleted")
                continue
            if now != entry:
                self._report(path, "changed")
            elif str(path) not in self._watcher.files():
                self._watcher.addPath(str(path))

    def _report(self, path: Path, what: str) -> None:
        if (path, what) not in self._reported:
            self._reported.add((path, what))
            (self.deleted if what == "deleted" else self.changed).emit(path)

"""Names of the rigs, read in the background."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.workers import Runner
from core.progress import Progress


def rig_names(progress: Progress) -> tuple[str, ...]:
    """The names of the user's rigs, in order."""
    from core.alignment.rigs import list_rigs

    progress.check()
    return tuple(rig.name for rig in list_rigs()[0])


class RigFinder(QObject):
    """Lists the rigs whenever it is asked to: other programs may add some."""

    found = Signal(object)
    """Their names, in order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner: Runner | None = None
        self._closed = False

    def find(self) -> None:
        """List them, and emit :attr:`found`."""
        if self._closed:
            return
        if self._runner is None:
            self._runner = Runner("rigs", self)
        self._runner.submit(rig_names, key="rigs").finished.connect(self.found)

    def shutdown(self) -> None:
        """Wait for the thread."""
        self._closed = True
        if self._runner is not None:
            self._runner.shutdown()

"""The library of packs for the GUI: its operations are jobs of the compute process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.compute.remote import compute
from app.packs import tasks
from app.packs.tasks import DeletedPack, PackRow
from app.workers import Runner


class PackService(QObject):
    """Runs operations on the library, one after the other."""

    listed = Signal(object)
    """A :class:`PackListing`."""
    changed = Signal()
    """Packs, names or defaults have changed."""
    added = Signal(str)
    """Name of a pack that was imported or renamed."""
    exported = Signal(object)
    """Path of the exported file."""
    deleted = Signal(object)
    """A :class:`app.packs.tasks.DeletedPack`, which :meth:`restore` takes."""
    failed = Signal(object)
    """A :class:`core.errors.FusionError`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner("packs", self)

    def refresh(self) -> None:
        """Read the list of packs."""
        self._do(self.listed.emit, tasks.list_packs)

    def import_file(self, path: Path) -> None:
        """Validate and import a pack."""
        self._do(self._added, tasks.import_file, path)

    def export(self, row: PackRow, path: Path) -> None:
        """Export a pack to a file."""
        self._do(self.exported.emit, tasks.export, row, path)

    def rename(self, row: PackRow, title: str) -> None:
        """Change the title of a pack."""
        self._do(self._added, tasks.rename, row, title)

    def delete(self, row: PackRow) -> None:
        """Delete a pack so that it can be restored."""
        self._do(self._deleted, tasks.delete, row)

    def restore(self, deleted: DeletedPack) -> None:
        """Restore a deleted pack."""
        self._do(self._added, tasks.restore, deleted)

    def make_default(self, row: PackRow) -> None:
        """Make a pack the default of its task."""
        self._do(lambda _none: self._refreshed(), tasks.make_default, row)

    def purge(self) -> None:
        """Remove deleted packs permanently."""
        self._do(lambda _none: None, tasks.purge)

    def shutdown(self) -> None:
        """Wait for the thread."""
        self._runner.shutdown()

    def _do(
        self, then: Callable[[Any], object], function: Callable[..., Any], *arguments: Any
    ) -> None:
        job = self._runner.submit(compute(function, *arguments))
        job.finished.connect(then)
        job.failed.connect(self.failed)

    def _refreshed(self) -> None:
        self.changed.emit()
        self.refresh()

    def _added(self, name: str) -> None:
        self.added.emit(name)
        self._refreshed()

    def _deleted(self, deleted: DeletedPack) -> None:
        self.deleted.emit(deleted)
        self._refreshed()

"""The library of packs for the GUI: rows to display, and operations on a worker thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.i18n.numbers import number
from app.i18n.translate import translate
from app.workers import Runner
from core.progress import Progress

if TYPE_CHECKING:
    from core.packs.registry import PackEntry
    from core.packs.user_packs import Deleted


@dataclass(frozen=True)
class PackRow:
    """The displayed properties of a pack.

    Attributes:
        quality: the main validation metric as text. scores: several metrics.
        default: whether it is the default of its task.
        embedded: whether it is part of the program, and so cannot be changed.
        card: the model card in Markdown.
    """

    name: str
    title: str
    _: KW_ONLY
    task: str
    path: Path
    size: int
    quality: str
    scores: str
    parent: str
    licence: str
    trained: str
    default: bool
    embedded: bool
    card: str


@dataclass(frozen=True)
class PackListing:
    """All packs, and unusable files with the reason."""

    rows: tuple[PackRow, ...]
    broken: tuple[tuple[Path, str], ...] = ()


_SCORES = ("Qabf", "MI", "VIF")


def list_packs(progress: Progress) -> PackListing:
    """List the packs. Runs on a worker thread."""
    from core.packs.registry import Catalogue
    from core.packs.user_packs import card_of, default_name
    from core.tasks import TASKS

    defaults = {task: default_name(task) for task in TASKS}
    good, broken = Catalogue().scan()
    rows = []
    for entry in good:
        progress.check()
        manifest, record = entry.manifest, entry.manifest.training
        known = {name: number(value, ".3g") for name, value in record.scores.items()}
        shown = [f"{name} {known[name]}" for name in _SCORES if name in known]
        rows.append(
            PackRow(
                manifest.name,
                translate(manifest.title),
                task=manifest.task,
                path=entry.path,
                size=entry.path.stat().st_size,
                quality=known.get(_SCORES[0], ""),
                scores=", ".join(shown),
                parent=record.parent,
                licence=manifest.licence,
                trained=f"{number(record.steps, ',')} / {number(record.pairs, ',')}",
                default=manifest.name == defaults[manifest.task],
                embedded=entry.embedded,
                card=card_of(entry),
            )
        )
    return PackListing(tuple(rows), tuple((bad.path, translate(bad.reason)) for bad in broken))


def entry_of(name: str, task: str) -> PackEntry:
    """The library entry of a pack.

    Raises:
        InputError: the pack does not exist any more.
    """
    from core.packs.registry import Catalogue

    return Catalogue().find(name, task)


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
    """A :class:`core.packs.user_packs.Deleted`, which :meth:`restore` takes."""
    failed = Signal(object)
    """A :class:`core.errors.FusionError`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner("packs", self)

    def refresh(self) -> None:
        """Read the list of packs."""
        self._do(list_packs, self.listed.emit)

    def import_file(self, path: Path) -> None:
        """Validate and import a pack."""
        self._do(partial(_import, path), self._added)

    def export(self, row: PackRow, path: Path) -> None:
        """Export a pack to a file."""
        self._do(partial(_export, row, path), self.exported.emit)

    def rename(self, row: PackRow, title: str) -> None:
        """Change the title of a pack."""
        self._do(partial(_rename, row, title), self._added)

    def delete(self, row: PackRow) -> None:
        """Delete a pack so that it can be restored."""
        self._do(partial(_delete, row), self._deleted)

    def restore(self, deleted: Deleted) -> None:
        """Restore a deleted pack."""
        self._do(partial(_restore, deleted), self._added)

    def make_default(self, row: PackRow) -> None:
        """Make a pack the default of its task."""
        self._do(partial(_default, row), lambda _none: self._refreshed())

    def purge(self) -> None:
        """Remove deleted packs permanently."""
        self._do(_purge, lambda _none: None)

    def shutdown(self) -> None:
        """Wait for the thread."""
        self._runner.shutdown()

    def _do(self, work: Callable[[Progress], Any], then: Callable[[Any], object]) -> None:
        job = self._runner.submit(work)
        job.finished.connect(then)
        job.failed.connect(self.failed)

    def _refreshed(self) -> None:
        self.changed.emit()
        self.refresh()

    def _added(self, name: str) -> None:
        self.added.emit(name)
        self._refreshed()

    def _deleted(self, deleted: Deleted) -> None:
        self.deleted.emit(deleted)
        self._refreshed()


def _import(path: Path, progress: Progress) -> str:
    from core.packs.user_packs import import_pack

    return import_pack(path).manifest.name


def _export(row: PackRow, path: Path, progress: Progress) -> Path:
    from core.packs.user_packs import export_pack

    return export_pack(entry_of(row.name, row.task), path)


def _rename(row: PackRow, title: str, progress: Progress) -> str:
    from core.packs.user_packs import rename_pack

    return rename_pack(entry_of(row.name, row.task), title).manifest.name


def _delete(row: PackRow, progress: Progress) -> Deleted:
    from core.packs.user_packs import delete_pack

    return delete_pack(entry_of(row.name, row.task))


def _restore(deleted: Deleted, progress: Progress) -> str:
    from core.packs.user_packs import restore_pack

    return restore_pack(deleted).manifest.name


def _default(row: PackRow, progress: Progress) -> None:
    from core.packs.user_packs import set_default

    set_default(row.task, row.name)


def _purge(progress: Progress) -> None:
    from core.packs.user_packs import purge_deleted

    purge_deleted()

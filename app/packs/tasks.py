"""The library of packs as rows to display, and what is done with it, in the compute process.

The library, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.i18n.numbers import number
from app.i18n.translate import translate
from core.progress import Progress

if TYPE_CHECKING:
    from core.packs.registry import PackEntry


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
class DeletedPack:
    """A deleted pack that can still be restored.

    Attributes:
        path: where its file was. kept: where it is now.
        was_default: whether it was the default of its task.
    """

    title: str
    path: Path
    kept: Path
    was_default: bool


@dataclass(frozen=True)
class PackListing:
    """All packs, and unusable files with the reason."""

    rows: tuple[PackRow, ...]
    broken: tuple[tuple[Path, str], ...] = ()


_SCORES = ("Qabf", "MI", "VIF")


def list_packs(progress: Progress) -> PackListing:
    """List the packs."""
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


def import_file(path: Path, progress: Progress) -> str:
    """Validate and import a pack; returns its name.

    Raises:
        FusionError: see :func:`core.packs.user_packs.import_pack`.
    """
    from core.packs.user_packs import import_pack

    return import_pack(path).manifest.name


def export(row: PackRow, path: Path, progress: Progress) -> Path:
    """Export a pack; returns the path of the file.

    Raises:
        FusionError: see :func:`core.packs.user_packs.export_pack`.
    """
    from core.packs.user_packs import export_pack

    return export_pack(entry_of(row.name, row.task), path)


def rename(row: PackRow, title: str, progress: Progress) -> str:
    """Change the title of a pack; returns its new name.

    Raises:
        FusionError: see :func:`core.packs.user_packs.rename_pack`.
    """
    from core.packs.user_packs import rename_pack

    return rename_pack(entry_of(row.name, row.task), title).manifest.name


def delete(row: PackRow, progress: Progress) -> DeletedPack:
    """Delete a pack so that it can be restored.

    Raises:
        FusionError: see :func:`core.packs.user_packs.delete_pack`.
    """
    from core.packs.user_packs import delete_pack

    done = delete_pack(entry_of(row.name, row.task))
    title = translate(done.entry.manifest.title)
    return DeletedPack(title, done.entry.path, done.kept, done.was_default)


def restore(deleted: DeletedPack, progress: Progress) -> str:
    """Restore a deleted pack; returns its name.

    Raises:
        FusionError: see :func:`core.packs.user_packs.restore_pack`, or its file has been changed.
    """
    from core.packs.format import read_manifest
    from core.packs.registry import PackEntry
    from core.packs.user_packs import Deleted, restore_pack

    entry = PackEntry(deleted.path, read_manifest(deleted.kept), embedded=False)
    return restore_pack(Deleted(entry, deleted.kept, deleted.was_default)).manifest.name


def make_default(row: PackRow, progress: Progress) -> None:
    """Make a pack the default of its task.

    Raises:
        FusionError: see :func:`core.packs.user_packs.set_default`.
    """
    from core.packs.user_packs import set_default

    set_default(row.task, row.name)


def purge(progress: Progress) -> None:
    """Remove deleted packs permanently."""
    from core.packs.user_packs import purge_deleted

    purge_deleted()

"""The available packs: embedded ones and those of the user."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Message, PackError
from core.packs.format import SUFFIX, PackManifest, read_manifest
from core.packs.paths import user_pack_folder
from resources import PACKS

__all__ = [
    "DEFAULTS",
    "BrokenPack",
    "Catalogue",
    "PackEntry",
    "defaults_in",
    "user_pack_folder",
]

DEFAULTS = "defaults.json"
"""File in a pack folder with the default packs that the user chose for the tasks."""


@dataclass(frozen=True)
class PackEntry:
    """A usable pack: its file and its manifest."""

    path: Path
    manifest: PackManifest
    embedded: bool


@dataclass(frozen=True)
class BrokenPack:
    """A file in a pack folder that cannot be used, and the reason."""

    path: Path
    reason: str


def defaults_in(folder: Path) -> dict[str, str]:
    """The default packs of a folder, task to name; empty if the file is missing or damaged."""
    try:
        found = json.loads((folder / DEFAULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    rows = found.items() if isinstance(found, dict) else ()
    return {str(task): name for task, name in rows if isinstance(name, str)}


class Catalogue:
    """The packs of several folders, which are read again at each call, because they may change."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = tuple(folders) if folders is not None else (PACKS, user_pack_folder())

    def scan(self) -> tuple[tuple[PackEntry, ...], tuple[BrokenPack, ...]]:
        """Usable packs (in the order of folders, then by name) and unusable files."""
        good: list[PackEntry] = []
        broken: list[BrokenPack] = []
        for folder in self.folders:
            # A leading dot marks a file that is still being written.
            for path in sorted(folder.glob(f"[!.]*{SUFFIX}")) if folder.is_dir() else ():
                try:
                    good.append(PackEntry(path, read_manifest(path), folder == PACKS))
                except PackError as error:
                    broken.append(BrokenPack(path, error.message))
        return tuple(good), tuple(broken)

    def for_task(self, task: str) -> tuple[PackEntry, ...]:
        """The packs of one task: the default first, then embedded ones, then those of the user.

        The default is the one chosen by the user, otherwise the first in this order.
        """
        packs = [entry for entry in self.scan()[0] if entry.manifest.task == task]
        chosen = {folder: defaults_in(folder).get(task, "") for folder in self.folders}
        wanted = next((name for name in chosen.values() if name), "")
        return tuple(sorted(packs, key=lambda entry: entry.manifest.name != wanted))

    def find(self, name: str, task: str) -> PackEntry:
        """The pack called ``name`` (or the file at that path; "" is the default of the task).

        Raises:
            InputError: there is none; the message lists the available ones.
            PackError: the file at that path is not a usable pack.
        """
        if name.endswith(SUFFIX):
            path = Path(name)
            return PackEntry(path, read_manifest(path), False)
        packs = self.for_task(task)
        for entry in packs:
            if name in ("", entry.manifest.name):
                return entry
        names = ", ".join(entry.manifest.name for entry in packs) or Message("none")
        if name:
            what = Message("No pack “{0}” for task {1}", name, task)
        else:
            what = Message("No pack for task {0}", task)
        why = Message("packs for this task: {0}", names)
        raise InputError(what, why, Message("Run “unifusion packs list”."))

"""Which packs there are: embedded ones, and the user's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from core.errors import InputError, PackError
from core.models.pack import SUFFIX, Manifest, read_manifest
from resources import PACKS


@dataclass(frozen=True)
class PackEntry:
    """A usable pack: where it is and what it says about itself."""

    path: Path
    manifest: Manifest
    embedded: bool


@dataclass(frozen=True)
class BrokenPack:
    """A file in a pack folder that cannot be used, and why."""

    path: Path
    reason: str


def user_pack_folder() -> Path:
    """Where the user's packs live: $UNIFUSION_HOME/packs or the platform's data folder."""
    home = os.environ.get("UNIFUSION_HOME")
    base = Path(home) if home else Path(platformdirs.user_data_dir("unifusion", appauthor=False))
    return base / "packs"


class Catalogue:
    """The packs of some folders; folders are read anew at each call, since files come and go."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = tuple(folders) if folders is not None else (PACKS, user_pack_folder())

    def scan(self) -> tuple[tuple[PackEntry, ...], tuple[BrokenPack, ...]]:
        """Usable packs (in folder order, then by name) and unusable files."""
        good: list[PackEntry] = []
        broken: list[BrokenPack] = []
        for folder in self.folders:
            for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
                try:
                    good.append(PackEntry(path, read_manifest(path), folder == PACKS))
                except PackError as error:
                    broken.append(BrokenPack(path, str(error)))
        return tuple(good), tuple(broken)

    def for_task(self, task: str) -> tuple[PackEntry, ...]:
        """Packs of one task, the default first (embedded before the user's)."""
        return tuple(entry for entry in self.scan()[0] if entry.manifest.task == task)

    def find(self, name: str, task: str) -> PackEntry:
        """The pack called ``name`` (or the file at that path; "" is the task's default).

        Raises:
            InputError: there is none; the message lists those there are.
            PackError: the file at that path is no usable pack.
        """
        if name.endswith(SUFFIX):
            path = Path(name)
            return PackEntry(path, read_manifest(path), False)
        packs = self.for_task(task)
        for entry in packs:
            if name in ("", entry.manifest.name):
                return entry
        names = ", ".join(entry.manifest.name for entry in packs) or "none"
        what = f"No pack “{name}” for task {task}" if name else f"No pack for task {task}"
        raise InputError(what, f"packs for this task: {names}", "Run “unifusion packs list”.")

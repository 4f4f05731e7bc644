"""Scans folders for pairing: finds images, and skips folders that hold no sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import InputError
from core.io.reader import is_image
from core.io.readers.decoding import file_error
from core.messages import Message
from core.pairing.folder_tree import Node, natural, real
from core.pairing.known_folders import FolderKind, is_output, kind_of, skipped_note
from core.pairing.source_words import is_side


def sort_out(paths: Sequence[Path]) -> tuple[list[Path], list[Path], list[Message]]:
    """(folders, files, notes) of ``paths`` without duplicates and without nested folders.

    Raises:
        InputError: a path does not exist.
    """
    unique: dict[str, Path] = {}
    notes: list[Message] = []
    for path in paths:
        if not path.exists():
            raise InputError(
                str(path), Message("there is no such file or folder"), Message("Check the name.")
            )
        key = real(path) if path.is_dir() else os.path.abspath(path)  # noqa: PTH100
        if key in unique:
            notes.append(Message("{0} was given twice and counts once.", path))
        unique.setdefault(key, path)
    folders = {key: path for key, path in unique.items() if path.is_dir()}
    for key, path in list(folders.items()):
        if any(key != other and Path(key).is_relative_to(other) for other in folders):
            notes.append(
                Message("{0} lies inside another folder that was given and counts once.", path)
            )
            del folders[key]
    files = [path for path in unique.values() if not path.is_dir()]
    return list(folders.values()), files, notes


class Scanner:
    """Lists every folder once, and records what was skipped.

    Attributes:
        unreadable: folders that could not be listed, with the reason.
    """

    def __init__(self, skip: Sequence[Path] = ()) -> None:
        self._skipped = frozenset(real(path) for path in skip)
        self._seen = set(self._skipped)
        self._known: dict[FolderKind, dict[str, None]] = {}
        self._strange_files = 0
        self.unreadable: dict[Path, Message] = {}

    def scan(self, folder: Path, given: bool = False) -> Node | None:
        """The folder with its subfolders; None if it was listed before or is to be skipped.

        Args:
            given: the user named it, so that it is listed whatever its name is.

        Raises:
            InputError: the user named a folder that is to be skipped.
        """
        place = real(folder)
        if given and place in self._skipped:
            raise InputError(
                str(folder),
                Message("it is the folder for the results, in which no pictures are looked for"),
                Message("Choose another folder for the results, such as a new one inside it."),
            )
        if place in self._seen:
            return None
        self._seen.add(place)
        node = Node(folder)
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: natural(entry.name))
            written = is_output(entry.name for entry in found)
            if written and not given and not is_side(folder.name):
                self.skip("results", folder.name)
                return None
            for entry in found:
                self._add_entry(node, entry)
        except OSError as error:
            self.unreadable[folder] = Message.plain(file_error(folder, error).why)
        return node

    def _add_entry(self, node: Node, entry: os.DirEntry[str]) -> None:
        if entry.is_dir():
            kind = kind_of(entry.name)
            if kind:
                self.skip(kind, entry.name)
                node.has_truth |= kind == "truth"
            elif not entry.name.startswith(".") and (child := self.scan(node.path / entry.name)):
                node.folders.append(child)
        elif not entry.name.startswith("."):
            path = node.path / entry.name
            lost = entry.is_symlink() and not path.exists()  # reported when it is read
            # Pipes and devices are excluded, because opening them may block forever.
            if (entry.is_file() or lost) and is_image(path):
                node.files.append(path)
            else:
                self._strange_files += 1

    def skip(self, kind: FolderKind, name: str) -> None:
        """Record a folder that holds no sources."""
        self._known.setdefault(kind, {})[name] = None

    def notes(self) -> Iterable[Message]:
        """Notes about skipped entries: one about files, and one for each kind of folder."""
        for kind in ("truth", "results", "system"):
            if names := self._known.get(kind):
                yield skipped_note(kind, names)
        if self._strange_files:
            yield Message.plural(
                "{0} file that is no picture was passed over.",
                "{0} files that are no pictures were passed over.",
                self._strange_files,
            )

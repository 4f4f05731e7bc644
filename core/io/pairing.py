"""Which file of ``a/`` belongs to which file of ``b/``: by name, never by position."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Said
from core.hints import normal
from core.io.decoded import file_error
from core.io.finder import FolderRule, pair_paths
from core.io.plan import Leftover, Match, PairingPlan
from core.io.reading import IMAGE_SUFFIXES

__all__ = [
    "FolderRule",
    "Leftover",
    "Match",
    "PairedFiles",
    "Pairing",
    "PairingPlan",
    "pair_folders",
    "pair_paths",
]


@dataclass(frozen=True)
class PairedFiles:
    """Two files of one scene.

    Attributes:
        name: the name they share, without suffix.
        a, b: the files.
    """

    name: str
    a: Path
    b: Path


@dataclass(frozen=True)
class Pairing:
    """What was found in a folder of pairs, each tuple in order of name.

    Attributes:
        pairs: files that belong together.
        unpaired_a, unpaired_b: files without a partner.
        problems: what is ambiguous and was left out, one sentence each.
    """

    pairs: tuple[PairedFiles, ...]
    unpaired_a: tuple[Path, ...]
    unpaired_b: tuple[Path, ...]
    problems: tuple[str, ...]


def pair_folders(folder: str | Path) -> Pairing:
    """Pair the pictures in ``folder/a`` with those of the same name in ``folder/b``.

    The suffix may differ. Hidden files and files that are no pictures are passed over. Files are
    not opened.

    Raises:
        InputError: there is no such folder, no ``a/`` or ``b/`` in it, or not one pair.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(str(folder), "there is no such folder", "Check the name.")
    problems: list[str] = []
    by_name_a = _pictures(folder / "a", problems)
    by_name_b = _pictures(folder / "b", problems)
    shared = sorted(by_name_a.keys() & by_name_b.keys())
    # Names that occur twice were reported and belong nowhere.
    pairs = tuple(
        PairedFiles(name, by_name_a[name][0], by_name_b[name][0])
        for name in shared
        if len(by_name_a[name]) == len(by_name_b[name]) == 1
    )
    if not pairs:
        raise InputError(
            str(folder),
            "no picture in a/ has the name of one in b/",
            "Give the two files of a pair the same name; the suffix may differ.",
        )
    return Pairing(
        pairs,
        _without(by_name_a, by_name_b.keys()),
        _without(by_name_b, by_name_a.keys()),
        tuple(problems),
    )


def _without(files: dict[str, list[Path]], others: Collection[str]) -> tuple[Path, ...]:
    return tuple(path for name in sorted(files) if name not in others for path in files[name])


def _pictures(folder: Path, problems: list[str]) -> dict[str, list[Path]]:
    """Pictures in ``folder`` by name; a name that occurs twice is a problem."""
    if not folder.is_dir():
        raise InputError(
            str(folder.parent),
            Said("it has no folder “{0}”", folder.name),
            "Put one source of each pair in a folder “a”, the other in “b”.",
        )
    found: dict[str, list[Path]] = {}
    try:
        for path in sorted(folder.iterdir()):
            hidden = path.name.startswith(".")
            if not hidden and path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
                found.setdefault(normal(path.stem), []).append(path)
    except OSError as error:
        raise file_error(folder, error) from error
    for name, paths in found.items():
        if len(paths) > 1:
            listed = ", ".join(path.name for path in paths)
            text = "{0}/ has several files called “{1}”: {2}."
            problems.append(Said(text, folder.name, name, listed))
    return found

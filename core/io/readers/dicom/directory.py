"""Which files a DICOMDIR refers to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydicom import dcmread

from core.io.readers.dicom.guard import reading


def referenced_files(directory: Path) -> Iterator[Path]:
    """The image files that the DICOMDIR ``directory`` names, below its folder; missing ones too.

    Raises:
        InputError: it cannot be read.
    """
    with reading(directory):
        dataset = dcmread(directory)
        records = list(dataset.get("DirectoryRecordSequence") or [])
        names = [record.get("ReferencedFileID") for record in records]
        found = [[name] if isinstance(name, str) else [*map(str, name)] for name in names if name]
    known: dict[Path, dict[str, str]] = {}
    for parts in found:
        inside = all(part not in ("", ".", "..") and not set(part) & set("/\\\0") for part in parts)
        if inside:
            yield _as_written(directory.parent, parts, known)


def _as_written(folder: Path, parts: list[str], known: dict[Path, dict[str, str]]) -> Path:
    """The file, whatever case its name and those of its folders have where it was copied to.

    Args:
        folder: of the DICOMDIR.
        parts: of the path, as the DICOMDIR has it.
        known: the names in each folder seen, by what they are in lower case.
    """
    path = folder.joinpath(*parts)
    if path.exists():
        return path
    found = folder
    for part in parts:
        if found not in known:
            known[found] = _names(found)
        found = found / known[found].get(part.lower(), part)
    return found


def _names(folder: Path) -> dict[str, str]:
    try:
        return {path.name.lower(): path.name for path in sorted(folder.iterdir(), reverse=True)}
    except OSError:
        return {}

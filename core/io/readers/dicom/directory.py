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
    for parts in found:
        inside = all(part not in ("", ".", "..") and not set(part) & set("/\\\0") for part in parts)
        if inside:
            yield _as_written(directory.parent, parts)


def _as_written(folder: Path, parts: list[str]) -> Path:
    """The file, whose name systems that ignore case may have turned to lower case."""
    path = folder.joinpath(*parts)
    lower = folder.joinpath(*(part.lower() for part in parts))
    return lower if not path.exists() and lower.exists() else path

"""What the record of a batch says of errors: of studies no path of a source, which often holds the
name of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import FusionError, Message
from core.messages import from_data, to_data
from core.pairing.folders import Match
from core.pairing.study_pairs import label


def recorded_text(error: Exception, match: Match) -> Message:
    """An error of the row of ``match`` as a paragraph for its record."""
    kind = type(error).__name__
    if match.study is None:
        if isinstance(error, FusionError):
            return error.message
        return Message("{0}: unexpected error ({1}: {2})", match.name, kind, error)
    if isinstance(error, FusionError):
        for path, name in _files(match):
            if str(path) in error.what:
                error = FusionError(name, error.why, error.remedy)
                break
        if not any(str(path) in error.message for path, _ in _files(match)):
            return error.message
    # Texts of other libraries may quote anything.
    return Message("{0}: unexpected error ({1})", match.name, kind)


def told_of(text: str, folder: Path, staged: Path) -> str:
    """``text`` with paths below ``folder`` in place of those below ``staged``, which is hidden."""

    def moved(data: Any) -> Any:
        if isinstance(data, str):
            return data.replace(str(staged), str(folder))
        if isinstance(data, list):
            return [moved(one) for one in data]
        return {key: moved(one) for key, one in data.items()} if isinstance(data, dict) else data

    return from_data(moved(to_data(text)))


def _files(match: Match) -> Iterator[tuple[Path, Message]]:
    """The DICOM files of a study, and what they are called in a record."""
    assert match.study is not None
    for series in (match.study.a, match.study.b):
        if series.kind == "DICOM":
            for number, path in enumerate(series.files, start=1):
                yield (
                    path,
                    Message("{0}, file {1} of {2}", label(series), number, len(series.files)),
                )

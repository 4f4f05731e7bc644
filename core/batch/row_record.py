"""How far a row of a batch is, and its line in the table of the manifest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from math import isnan, nan
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from core.batch.row_choice import NO_CHOICE, RowChoice
from core.errors import FusionError, Message
from core.io.readers.decoding import file_error
from core.messages import from_data, to_data
from core.pairing.plan import Match
from core.printable import valid
from core.retention import is_lost
from core.types import PairTransform
from core.types.transform_data import transform_of_record

RowState = Literal[
    "queued", "reading", "fusing", "writing", "done", "failed", "skipped", "begun", "crashed"
]
"""States of a row. ``begun`` (not known to have ended) and ``crashed`` (the program died of it) are
those of the manifest alone."""
ENDED: frozenset[str] = frozenset(("done", "failed", "skipped"))
_BLOCK = 1 << 18


@dataclass(frozen=True)
class FileStamp:
    """State of a source file: bytes, modification time in ns, SHA-256 in hex ("" if not taken)."""

    size: int
    mtime_ns: int
    digest: str = ""

    @classmethod
    def of(cls, *paths: Path, digest: bool = False) -> FileStamp:
        """The stamp of one file, or of several together, such as the slices of a series.

        Of several, ``mtime_ns`` is a number that changes with the time of any.

        Args:
            digest: read the whole file for its SHA-256.

        Raises:
            InputError: it cannot be read.
        """
        stamps = [cls._of_file(path, digest) for path in paths]
        if len(stamps) == 1:
            return stamps[0]
        times = hashlib.sha256(repr([stamp.mtime_ns for stamp in stamps]).encode())
        text = hashlib.sha256("".join(stamp.digest for stamp in stamps).encode()).hexdigest()
        return cls(
            sum(stamp.size for stamp in stamps),
            int.from_bytes(times.digest()[:7], "big"),
            text if digest else "",
        )

    @classmethod
    def _of_file(cls, path: Path, digest: bool) -> FileStamp:
        try:
            stat = path.stat()
            text = ""
            if digest:
                with path.open("rb") as stream:
                    text = _digest(stream)
        except OSError as error:
            raise file_error(path, error) from error
        return cls(stat.st_size, stat.st_mtime_ns, text)

    def still_fits(self, *paths: Path) -> bool:
        """Whether the files are unchanged: same size and time, or same size and content.

        Raises:
            InputError: it cannot be read.
        """
        now = FileStamp.of(*paths)
        if now.size != self.size:
            return False
        if now.mtime_ns == self.mtime_ns:
            return True
        return bool(self.digest) and FileStamp.of(*paths, digest=True).digest == self.digest


def result_size(path: Path) -> int:
    """Bytes of a result: of its file, or of all files of its folder of slices.

    Raises:
        OSError: it is not there.
    """
    if path.is_dir():
        return sum(entry.stat().st_size for entry in path.iterdir())
    return path.stat().st_size


def _digest(stream: BinaryIO) -> str:
    # Not hashlib.file_digest: it fills a quarter of a megabyte with zeros first, for any file.
    digest = hashlib.sha256(usedforsecurity=False)
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class RowRecord:
    """How far a row is, while it is worked on, in events, in the manifest and in the window.

    Attributes:
        key: of the row; see :func:`core.batch.plan.row_key`.
        a, b: source files; of DICOM series their keys.
        target: path of the fused image below the output folder.
        state: see :data:`RowState`.
        text: error of a failed row, reason of a skipped or repeated one, else "".
        stamps: of both sources, taken before they are read.
        size: bytes of the fused image's file, once it is written. notes: of the result.
        metrics: of the result, and what is lost in it (:data:`core.retention.FIGURES`).
        seconds: spent reading, fusing and writing so far.
        strikes: how often the program died while the row was being worked on.
        choice: what was chosen for the row instead of the options of the batch.
        sizes_differ: it failed because A and B differ in size. Not kept in the manifest.
        study: of a row of two volumes, what its result was made with: windows, units, palette;
            None for pictures.
        alignment: how it was brought onto each other, from :attr:`core.alignment.aligning.Aligned
            .record`; None where it was not.
    """

    key: str
    a: Path
    b: Path
    target: Path
    state: RowState
    _: KW_ONLY
    text: str = ""
    stamps: tuple[FileStamp, FileStamp] | None = None
    size: int = 0
    seconds: float = 0.0
    metrics: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()
    strikes: int = 0
    choice: RowChoice = NO_CHOICE
    sizes_differ: bool = False
    study: Mapping[str, str] | None = None
    alignment: Mapping[str, Any] | None = None

    @property
    def transform(self) -> PairTransform | None:
        """By which one source was resampled onto the other; None where none was."""
        try:
            return transform_of_record((self.alignment or {})["transform"])
        except (KeyError, ValueError):  # of a newer version, too
            return None

    @property
    def registration(self) -> Mapping[str, Any]:
        """What its registration says about itself; {} where there was none."""
        found = (self.alignment or {}).get("registration")
        return found if isinstance(found, Mapping) else {}

    @property
    def is_lost(self) -> bool:
        """Whether so much of a source is lost in its result that it is an alarm."""
        return is_lost(self.metrics or {})

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should look at how its sources lie on each other."""
        return self.registration.get("verdict") in ("doubtful", "failed")

    @property
    def is_unregistered(self) -> bool:
        """Whether its registration failed: where it was fused, then as it lies."""
        return self.registration.get("verdict") == "failed"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why its registration is not certain, one sentence each."""
        found = self.registration.get("reasons", [])
        return tuple(from_data(reason) for reason in found)


def as_begun(record: RowRecord, match: Match) -> RowRecord | None:
    """``record`` as begun, with stamps of the sources; None where they cannot be read."""
    try:
        stamps = FileStamp.of(*match.files[0]), FileStamp.of(*match.files[1])
    except FusionError:
        return None  # reading will report it
    return replace(record, state="begun", text="", stamps=stamps)


COLUMNS = (
    "key, a, b, target, state, text, stamp_a, stamp_b, size, seconds, metrics, notes, strikes, own"
)
"""Columns of the table, in the order of :func:`values_of`."""


def _text(path: Path) -> str:
    # JSON keeps names that are no valid Unicode, which SQLite's text would refuse.
    return json.dumps(os.fspath(path))


def kept_text(text: str) -> str:
    """``text`` as it is stored: a :class:`Message` as JSON, so that it can be translated."""
    if isinstance(text, Message):
        return json.dumps(to_data(text))
    return valid(text)


def read_text(kept: str) -> str:
    """The inverse of :func:`kept_text`; older versions stored plain texts."""
    try:
        return from_data(json.loads(kept))
    except (ValueError, RecursionError):
        return kept


def _scores_text(scores: Mapping[str, float]) -> str:
    """Scores as JSON, which has no NaN: those of undefined metrics are null."""
    return json.dumps({name: None if isnan(value) else value for name, value in scores.items()})


def _read_scores(text: str) -> dict[str, float]:
    scores = json.loads(text)
    return {name: nan if value is None else float(value) for name, value in scores.items()}


def values_of(record: RowRecord) -> tuple[object, ...]:
    """``record`` as a line of the table."""
    own = record.choice.as_json()
    if record.study is not None:
        own["study"] = dict(record.study)
    if record.alignment is not None:
        own["alignment"] = dict(record.alignment)
    stamps = ["", ""]
    if record.stamps is not None:
        stamps = [json.dumps([s.size, s.mtime_ns, s.digest]) for s in record.stamps]
    return (
        record.key, _text(record.a), _text(record.b), _text(record.target), record.state,
        kept_text(record.text), *stamps, record.size, record.seconds,
        _scores_text(record.metrics or {}), json.dumps([to_data(n) for n in record.notes]),
        record.strikes, json.dumps(own),
    )  # fmt: skip


def row_record_of(row: Sequence[object]) -> RowRecord:
    """The record that :func:`values_of` turned into ``row``."""
    stamps = None
    if row[6] and row[7]:
        stamps = (FileStamp(*json.loads(str(row[6]))), FileStamp(*json.loads(str(row[7]))))
    a, b, target = (Path(json.loads(str(text))) for text in row[1:4])
    own = json.loads(str(row[13]))
    study, alignment = (own.get(key) for key in ("study", "alignment"))
    return RowRecord(
        str(row[0]), a, b, target,
        state=cast(RowState, str(row[4])),
        text=read_text(str(row[5])),
        stamps=stamps,
        size=int(str(row[8])),
        seconds=float(str(row[9])),
        metrics=_read_scores(str(row[10])),
        notes=tuple(from_data(note) for note in json.loads(str(row[11]))),
        strikes=int(str(row[12])),
        choice=RowChoice.from_json(own),
        study=study if isinstance(study, dict) else None,
        alignment=alignment if isinstance(alignment, dict) else None,
    )  # fmt: skip

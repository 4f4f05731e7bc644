"""One row on its way, and what is told of it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from core.batch.plan import BatchRow
from core.batch.row_record import FileStamp, RowRecord
from core.batch.stages import WrittenRow


@dataclass
class RowTask:
    """One row on its way."""

    place: int
    row: BatchRow
    overwrite: bool
    _: KW_ONLY
    size: int = 0
    seconds: float = 0.0
    stamps: tuple[FileStamp, FileStamp] | None = None
    notes: tuple[str, ...] = ()
    strikes: int = 0
    """How often the program died while this row was being worked on."""


@dataclass(frozen=True)
class RowUpdate:
    """What a thread says of a row; ``state`` is a RowState or ``deferred``."""

    work: RowTask
    state: str
    text: str = ""
    written: WrittenRow | None = None
    differs: bool = False
    """The row failed because its two sizes differ."""


def record_of_work(
    work: RowTask,
    state: str,
    *,
    stamps: tuple[FileStamp, FileStamp] | None,
    text: str = "",
    written: WrittenRow | None = None,
) -> RowRecord:
    """What the manifest is to know of it."""
    match = work.row.match
    return RowRecord(
        work.row.key, match.a, match.b, work.row.target, state, text=text, stamps=stamps,
        size=written.size if written else 0,
        seconds=work.seconds,
        metrics=written.metrics if written else None,
        notes=written.notes if written else (),
        # Only while it is open whether the program will die of it again.
        strikes=work.strikes if state == "begun" else 0,
        resample=work.row.resample,
    )  # fmt: skip

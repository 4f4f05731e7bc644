"""After a run that died: which rows it died of, so that they cost themselves and not the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.batch.crash_trail import CrashRecord, read_trail, remove_trail
from core.batch.manifest import BatchManifest
from core.batch.plan import BatchOptions
from core.batch.row_record import RowRecord
from core.errors import InputError
from core.messages import Message

_JUDGED = "judged"
_STRIKES = 2
"""A row in which the program was ended so often from outside is not tried again unasked."""


def is_done(record: RowRecord, options: BatchOptions) -> bool:
    """Whether the row is finished, also where only the record of that was lost."""
    if record.state != "begun":
        return record.state == "done"
    target = options.out / record.target
    return is_complete(target, options) if target.exists() else False


def is_complete(target: Path, options: BatchOptions) -> bool:
    """Whether the file of a row that was begun says that all of the row is there.

    Files appear whole and the fused one last, so it does, unless an older file was there to be
    replaced, or scores that were not recorded are wanted.
    """
    return not options.overwrite and not options.metrics and target.stat().st_size > 0


def settle(manifest: BatchManifest, options: BatchOptions) -> None:
    """Record what a run that died has left in the folder: once, and before anything is done anew.

    The row that native code crashed in is failed. Where that cannot be told, or where the program
    was ended from outside, rows that were being worked on get a strike: they are tried last and by
    themselves, and fail with the second one.
    """
    left = read_trail(options.out)
    if left is None:
        return
    if manifest.meta().get(_JUDGED) != left.name:
        records = manifest.records()
        begun = {
            key: record
            for key, record in records.items()
            if record.state == "begun" and not is_done(record, options)
        }
        manifest.begin(verdict(left, begun), **{_JUDGED: left.name})
    remove_trail(options.out)


def verdict(left: CrashRecord, begun: Mapping[str, RowRecord]) -> Sequence[RowRecord]:
    """Rows that look different now: those in ``left`` that had not ended."""
    rows = [(begun[key], thread) for key, thread in left.rows if key in begun]
    if left.crashed:
        guilty = [row for row, thread in rows if thread == left.thread]
        if not guilty and len(rows) == 1:
            guilty = [rows[0][0]]
        if guilty:
            return [_given_up(row, crashed=True) for row in guilty]
    return [
        _given_up(row, crashed=left.crashed)
        if row.strikes + 1 >= _STRIKES
        else replace(row, strikes=row.strikes + 1)
        for row, _ in rows
    ]


def _given_up(row: RowRecord, *, crashed: bool) -> RowRecord:
    what = f"{row.a.name} + {row.b.name}"
    if crashed:
        error = InputError(
            what,
            Message(
                "the program crashed while it worked on this pair; it is not tried again unasked"
            ),
            Message(
                "One of the two files may be damaged: export it again, or use “Retry failed” "
                "(--retry-failed on the command line)."
            ),
        )
    else:
        error = InputError(
            what,
            Message(
                "the program was ended twice while it worked on this pair; it is not tried again "
                "unasked"
            ),
            Message(
                "The two files may be too large for the memory, or damaged: export them again, or "
                "use “Retry failed” (--retry-failed on the command line)."
            ),
        )
    return replace(row, state="crashed", text=error.message, strikes=row.strikes + 1)

"""Recovery after a crash: finds the rows that caused it, so that only they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.batch.crash_trail import CrashRecord, read_trail, remove_trail
from core.batch.manifest import BatchManifest
from core.batch.options import BatchOptions
from core.batch.row_record import RowRecord, result_size
from core.errors import InputError
from core.messages import Message

_TRAIL_KEY = "judged"
"""Key in the manifest of the last crash trail that was recorded."""
_STRIKES = 2
"""Interruptions from outside after which a row is only retried on request."""


def is_done(record: RowRecord, options: BatchOptions) -> bool:
    """Whether the row is finished, even if that was not recorded."""
    if record.state != "begun":
        return record.state == "done"
    target = options.out / record.target
    return is_complete(target, options) if target.exists() else False


def is_complete(target: Path, options: BatchOptions) -> bool:
    """Whether the fused image of a row that was begun proves that the row is complete.

    It does, since files are written atomically and the fused image last, unless it may be an older
    file to be replaced, or metrics that were not recorded are asked for.
    """
    return not options.overwrite and not options.metrics and result_size(target) > 0


def record_crashes(manifest: BatchManifest, options: BatchOptions) -> None:
    """Record the rows that a run which died was working on, once for each such run.

    A row in which native code crashed has failed. If it is unknown, or if the program was killed,
    all rows in progress get a strike: they are retried last, one at a time, and fail with a second
    one.
    """
    trail = read_trail(options.out)
    if trail is None:
        return
    if manifest.meta().get(_TRAIL_KEY) != trail.name:
        records = manifest.records()
        begun = {
            key: record
            for key, record in records.items()
            if record.state == "begun" and not is_done(record, options)
        }
        manifest.begin(crashed_rows(trail, begun), **{_TRAIL_KEY: trail.name})
    remove_trail(options.out)


def crashed_rows(trail: CrashRecord, begun: Mapping[str, RowRecord]) -> Sequence[RowRecord]:
    """New records of the rows in ``trail`` that had not ended; ``begun``: those rows by key."""
    rows = [(begun[key], thread) for key, thread in trail.rows if key in begun]
    if trail.crashed:
        causes = [row for row, thread in rows if thread == trail.thread]
        if not causes and len(rows) == 1:
            causes = [rows[0][0]]
        if causes:
            return [_given_up(row, crashed=True) for row in causes]
    return [
        _given_up(row, crashed=trail.crashed)
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

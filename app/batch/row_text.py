"""What a batch looks like in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.batch.controller import BatchController
from app.batch.state import UNDER_WAY
from app.batch.table_model import RowText
from app.i18n.numbers import number
from app.i18n.translate import plural, tr, translate, translate_all
from app.pairs.edits import key_of

if TYPE_CHECKING:
    from core.batch import PairHeader, RowRecord, Tally
    from core.pairing.plan import Match


def state_names() -> dict[str, str]:
    """What people call the states of a row."""
    return {
        "ready": tr("Ready"),
        "queued": tr("Waiting"),
        "reading": tr("Reading"),
        "fusing": tr("Fusing"),
        "writing": tr("Writing"),
        "done": tr("Done"),
        "skipped": tr("Done before"),
        "failed": tr("Failed"),
        "stopped": tr("Stopped"),
        "excluded": tr("Left out"),
        "check": tr("Check"),
    }


def row_text(batch: BatchController, match: Match) -> RowText:
    """What the row of ``match`` shows."""
    key = key_of(match)
    look, record = batch.looks.get(key), batch.rows.get(key)
    target = batch.targets.get(key)
    result = str(target) if target is not None and not match.excluded else ""
    size, trouble = _size(look), _trouble(batch, match, look)
    if match.excluded:
        return RowText(size, "", state_names()["excluded"])
    failed_by_size = record is not None and record.sizes_differ
    differs = (look is not None and look.differs) or failed_by_size
    resampled = batch.resamples(key) if differs else None
    if record is None:
        state, mood = ("check", "warn") if trouble else ("ready", "")
        return RowText(size, result, state_names()[state], trouble, mood, resampled=resampled)
    if record.state in UNDER_WAY and not batch.is_busy:
        return RowText(size, result, state_names()["stopped"], resampled=resampled)
    text = _of_record(record, size, result)
    return replace(text, output=batch.run.output(key), resampled=resampled)


def _of_record(record: RowRecord, size: str, result: str) -> RowText:
    name = state_names()[record.state]
    if record.state == "done":
        name = f"{name} · {seconds_text(record.seconds)}"
    moods = {"failed": "bad", "done": "good", "skipped": "good"}
    said = " ".join(translate_all((record.text, *record.notes)))
    return RowText(size, result, name, said.strip(), moods.get(record.state, ""))


def is_troubled(batch: BatchController, match: Match) -> bool:
    """Whether somebody should look at the row of ``match``; quick, since it is asked of all."""
    if match.excluded:
        return False
    key = key_of(match)
    record = batch.rows.get(key)
    if record is not None:
        # An uncertain pair can be judged by its result: it is no longer a problem.
        fused = record.state in ("done", "skipped")
        return record.state == "failed" or (not match.sure and not fused)
    return not match.sure or bool(_trouble(batch, match, batch.looks.get(key)))


def _size(look: PairHeader | None) -> str:
    if look is None or look.size_a is None:
        return ""
    a = f"{look.size_a[0]}×{look.size_a[1]}"
    if not look.differs or look.size_b is None:
        return a
    return f"{a} / {look.size_b[0]}×{look.size_b[1]}"


def _trouble(batch: BatchController, match: Match, look: PairHeader | None) -> str:
    problem = batch.problems.get(key_of(match), "")
    if problem or look is None:
        return translate(problem)
    if look.problem:
        return translate(look.problem)
    if look.differs and not batch.resamples(key_of(match)):
        return tr("The sizes differ: resample B (for all, or in this row's menu), or leave it out.")
    return ""


def seconds_text(seconds: float, *, whole: bool = False) -> str:
    """A duration in the unit that suits it; ``whole`` leaves out tenths of a second."""
    if seconds < 9.95 and not whole:
        return tr("{0} s").format(number(seconds, ".1f"))
    if seconds < 90:
        return tr("{0} s").format(round(seconds))
    if seconds < 90 * 60:
        return tr("{0} min").format(round(seconds / 60))
    return tr("{0} h {1} min").format(int(seconds // 3600), int(seconds % 3600 // 60))


def rate_text(rate: float) -> str:
    """Pairs in a second, or seconds for a pair."""
    if rate <= 0:
        return ""
    if rate >= 1:
        return tr("{0} pairs/s").format(number(rate, ".1f"))
    return tr("{0} a pair").format(seconds_text(1 / rate))


def progress_text(tally: Tally, phase: str) -> str:
    """How far a run is, how fast, and how long it still takes."""
    parts = [tr("{0} of {1}").format(number(tally.ended, ","), number(tally.total, ","))]
    if tally.failed:
        parts.append(tr("{0} failed").format(number(tally.failed, ",")))
    if phase == "paused":
        return " · ".join((tr("Paused"), *parts))
    if phase == "stopping":
        return " · ".join((tr("Stopping"), *parts))
    if tally.rate > 0:
        parts.append(rate_text(tally.rate))
        if tally.seconds_left is not None and tally.ended < tally.total:
            parts.append(
                tr("about {0} left").format(seconds_text(max(1.0, tally.seconds_left), whole=True))
            )
    return " · ".join(parts)


def pairs_text(count: int) -> str:
    """So many pairs."""
    return plural("{0} pair", "{0} pairs", count).format(number(count, ","))


def share_text(done: int, total: int) -> str:
    """How many of a batch's pairs are done."""
    if total == 1:
        return tr("{0} of 1 pair is done").format(number(done, ","))
    text = plural("{0} of {1} pairs is done", "{0} of {1} pairs are done", done)
    return text.format(number(done, ","), number(total, ","))


def ended_text(tally: Tally) -> str:
    """What became of the rows of a run."""
    parts = [tr("{0} fused").format(number(tally.done, ","))]
    if tally.skipped:
        parts.append(tr("{0} done before").format(number(tally.skipped, ",")))
    if tally.failed:
        parts.append(tr("{0} failed").format(number(tally.failed, ",")))
    return ", ".join(parts)


def busy_text(batch: BatchController) -> str:
    """What is under way, as a person would say it; "" for nothing."""
    if not batch.is_busy:
        return ""
    plan, tally = batch.planned.plan, batch.tally
    total = len(plan.rows) if plan is not None else 0
    ended = tally.ended if tally is not None else 0
    return tr("A batch is running: {0}").format(share_text(ended, total))

"""Texts that describe a batch and its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.batch.controller import BatchController
from app.batch.state import UNDER_WAY
from app.batch.table_model import RowText
from app.i18n.durations import seconds_text
from app.i18n.numbers import number
from app.i18n.translate import plural, tr, translate, translate_all
from app.pairs.align_menu import way_text
from app.pairs.edits import key_of

if TYPE_CHECKING:
    from core.batch import PairHeader, RowRecord, Tally
    from core.pairing.plan import Match
    from core.pairing.study_pairs import SeriesPair
    from core.types import SeriesHeader


_LOST = (("A", "lost_a"), ("B", "lost_b"))


def state_names() -> dict[str, str]:
    """Names of the states of a row, for people."""
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
    """What the table shows in the row of ``match``."""
    text, key = _row_text(batch, match), key_of(match)
    align = "" if match.excluded else way_text(batch.align(key))
    return replace(text, align=align, own_align=batch.planner.choice(key).align or "")


def _row_text(batch: BatchController, match: Match) -> RowText:
    key = key_of(match)
    header, record = batch.headers.get(key), batch.rows.get(key)
    target = batch.targets.get(key)
    result = str(target) if target is not None and not match.excluded else ""
    size = _size(header) if match.study is None else _study_size(match.study)
    trouble = _trouble(batch, match, header)
    if match.excluded:
        return RowText(size, "", state_names()["excluded"])
    failed_by_size = record is not None and record.sizes_differ
    differs = (header is not None and header.differs) or failed_by_size
    resampled = batch.resamples(key) if differs else None
    if record is None:
        state, severity = ("check", "warning") if trouble else ("ready", "")
        return RowText(size, result, state_names()[state], trouble, severity, resampled=resampled)
    if record.state in UNDER_WAY and not batch.is_busy:
        return RowText(size, result, state_names()["stopped"], resampled=resampled)
    text = _with_lost(_of_record(record, size, result), record)
    return replace(text, output=batch.run.output(key), resampled=resampled)


def _of_record(record: RowRecord, size: str, result: str) -> RowText:
    name = state_names()[record.state]
    if record.state == "done":
        name = f"{name} · {seconds_text(record.seconds)}"
    if record.is_doubtful and record.state in ("done", "skipped"):
        name = tr("Doubtful · {0}").format(seconds_text(record.seconds))
        if record.state == "skipped":
            name = tr("Doubtful, done before")
        if record.is_unregistered:
            name = tr("Not registered")
        detail = " ".join(translate_all((record.text, *record.reasons, *record.notes)))
        return RowText(size, result, name, detail.strip(), "warning")
    severities = {"failed": "error", "done": "success", "skipped": "success"}
    detail = " ".join(translate_all((record.text, *record.notes)))
    return RowText(size, result, name, detail.strip(), severities.get(record.state, ""))


def _with_lost(text: RowText, record: RowRecord) -> RowText:
    """``text`` with what the result loses of both sources, where that was measured."""
    found = record.metrics or {}
    if "lost_a" not in found or record.state not in ("done", "skipped"):
        return text
    shares = (f"{letter} {number(100 * found[name], '.0f')} %" for letter, name in _LOST)
    return replace(text, lost=" · ".join(shares), is_lost=record.is_lost)


def is_troubled(batch: BatchController, match: Match) -> bool:
    """Whether the row of ``match`` needs attention. Called for every row, so it must be fast."""
    if match.excluded:
        return False
    key = key_of(match)
    record = batch.rows.get(key)
    if record is not None:
        # An uncertain pair can be judged by its result: it is no longer a problem.
        fused = record.state in ("done", "skipped")
        if fused and (record.is_doubtful or record.is_lost):
            return True
        return record.state == "failed" or (not match.sure and not fused)
    return not match.sure or bool(_trouble(batch, match, batch.headers.get(key)))


def _size(header: PairHeader | None) -> str:
    if header is None or header.size_a is None:
        return ""
    a = f"{header.size_a[0]}×{header.size_a[1]}"
    if not header.differs or header.size_b is None:
        return a
    return f"{a} / {header.size_b[0]}×{header.size_b[1]}"


def _study_size(study: SeriesPair) -> str:
    """Modality and voxels of both series: “PT 12×12×8 / MR 20×24×10”."""
    return " / ".join(_series_size(series) for series in (study.a, study.b))


def series_text(series: SeriesHeader) -> str:
    """A series for a person to choose from; nobody's name is in it: “MR 20×24×10 · T1 ax”."""
    return " · ".join(part for part in (_series_size(series), series.title) if part)


def _series_size(series: SeriesHeader) -> str:
    size = "×".join(map(str, reversed(series.shape)))
    if series.frames > 1:
        size = tr("{0}, frame 1 of {1}").format(size, series.frames)
    return f"{series.modality} {size}" if series.modality != "OT" else size


def _trouble(batch: BatchController, match: Match, header: PairHeader | None) -> str:
    problem = batch.problems.get(key_of(match), "")
    if problem or header is None:
        return translate(problem)
    if header.problem:
        return translate(header.problem)
    if header.differs and not batch.resamples(key_of(match)):
        return tr("The sizes differ: resample B (for all, or in this row's menu), or leave it out.")
    return ""


def rate_text(rate: float) -> str:
    """Pairs per second, or time per pair where that is more than a second; "" for a rate of 0."""
    if rate <= 0:
        return ""
    if rate >= 1:
        return tr("{0} pairs/s").format(number(rate, ".1f"))
    return tr("{0} a pair").format(seconds_text(1 / rate))


def progress_text(tally: Tally, phase: str) -> str:
    """Progress of a run: rows ended and failed, rate, time left."""
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
    """“1 pair” or “N pairs”."""
    return plural("{0} pair", "{0} pairs", count).format(number(count, ","))


def share_text(done: int, total: int) -> str:
    """How many pairs of a batch are done."""
    if total == 1:
        return tr("{0} of 1 pair is done").format(number(done, ","))
    text = plural("{0} of {1} pairs is done", "{0} of {1} pairs are done", done)
    return text.format(number(done, ","), number(total, ","))


def ended_text(tally: Tally) -> str:
    """Numbers of rows that were fused, done before, and failed."""
    parts = [tr("{0} fused").format(number(tally.done, ","))]
    if tally.skipped:
        parts.append(tr("{0} done before").format(number(tally.skipped, ",")))
    if tally.failed:
        parts.append(tr("{0} failed").format(number(tally.failed, ",")))
    return ", ".join(parts)


def busy_text(batch: BatchController) -> str:
    """A sentence about the run in progress; "" for none."""
    if not batch.is_busy:
        return ""
    plan, tally = batch.planned.plan, batch.tally
    total = len(plan.rows) if plan is not None else 0
    ended = tally.ended if tally is not None else 0
    return tr("A batch is running: {0}").format(share_text(ended, total))

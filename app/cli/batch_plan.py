"""The pairs of ``unifusion batch``: found, taken from a plan, shown, and written as a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.cli.console import note, say
from core.batch import BatchOptions, BatchPlan
from core.batch.plan_file import EditedPairs, plan_text, read_plan, resumed_pairs
from core.batch.row_choice import OwnChoices
from core.errors import InputError
from core.io.writer import check_target
from core.pairing.plan import PairingPlan
from core.pairing.study_pairs import SeriesPair, label
from core.types import SeriesHeader


def edited(
    pairing: PairingPlan, plan: Path | None, options: BatchOptions
) -> tuple[PairingPlan, OwnChoices]:
    """The pairs as ``plan`` says; without one, as those of the run that is gone on with.

    Raises:
        InputError: the plan cannot be read, or names something that is not there.
        OutputError: that run is in progress.
    """
    if plan is not None:
        found: EditedPairs = read_plan(plan, pairing)
        left = sum(match.excluded for match in found.pairing.matches)
        if left:
            note(f"left out by the plan {plan.name}: {left} {'pair' if left == 1 else 'pairs'}")
        return found.pairing, found.own
    if options.resume:
        return resumed_pairs(options.out, pairing), {}
    return pairing, {}


def write_plan(path: Path, pairing: PairingPlan, own: OwnChoices) -> None:
    """Write the pairs as a plan, which can be edited and given by ``--plan``.

    Raises:
        InputError, OutputError: it is a source, is there already, or cannot be written.
    """
    from core.io.atomic import atomic_write

    check_target(path, protect=[file for m in pairing.matches for file in (m.a, m.b)])
    if path.exists():
        raise InputError(
            f"Cannot write {path}", "there is a file of that name", "Name another file."
        )
    atomic_write(path, plan_text(pairing, own).encode())
    count = len(pairing.active)
    say(f"{path}: {count} {'pair' if count == 1 else 'pairs'}; nothing was fused.")


def show_plan(plan: BatchPlan, *, json_lines: bool) -> None:
    for row in plan.rows:
        match = row.match
        if json_lines:
            line = json.dumps(
                {
                    "event": "planned", "name": match.name, "a": str(match.a), "b": str(match.b),
                    "reason": match.reason, "target": row.target.as_posix(),
                    "problem": row.problem, "note": row.note,
                    **_study_json(match.study),
                }
            )  # fmt: skip
        else:
            texts = (match.reason, _others(match.study), row.note, row.problem)
            remarks = "; ".join(text for text in texts if text)
            sources = f"{match.a} + {match.b}" if match.study is None else _series(match.study)
            line = f"{sources} -> {row.target.as_posix()}  ({remarks})"
        say(line)
    if not json_lines:
        count = len(plan.rows)
        say(f"{count} {'pair' if count == 1 else 'pairs'}; nothing was written.")


def _series(study: SeriesPair) -> str:
    return " + ".join(
        f"{label(one)} ({'×'.join(map(str, reversed(one.shape)))}{_frames(one)})"
        for one in (study.a, study.b)
    )


def _others(study: SeriesPair | None) -> str:
    """What B could be instead, by --series."""
    if study is None or not study.others:
        return ""
    return f"B could be {', '.join(map(label, study.others))} (--series)"


def _frames(series: SeriesHeader) -> str:
    return f", frame 1 of {series.frames}" if series.frames > 1 else ""


def _study_json(study: SeriesPair | None) -> dict[str, Any]:
    if study is None:
        return {}
    series = [
        {"key": one.key, "modality": one.modality, "size": list(one.shape), "frames": one.frames}
        for one in (study.a, study.b)
    ]
    return {"series": series, "others": [one.key for one in study.others]}

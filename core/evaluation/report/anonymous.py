"""An evaluation without the names of files, which may be those of persons."""

from __future__ import annotations

import re
from dataclasses import replace

from core.errors import Message
from core.evaluation.result import EvaluationResult, MethodScores, PairScore

_PATH = re.compile(r"[\\/]")


def without_names(result: EvaluationResult) -> EvaluationResult:
    """``result`` with pairs called “Pair 1”, “Pair 2” … in their order, without names of files.

    Groups, which may be parts of such names, become “Group 1”, “Group 2” …

    Paths are kept where pictures are read from, and removed from texts: settings and details of
    methods that contain a path, remarks, and reasons of failures.
    """
    numbers = {pair.name: f"Pair {index}" for index, pair in enumerate(result.pairs, 1)}
    names = sorted({pair.group for pair in result.pairs if pair.group}, key=str.casefold)
    groups = {"": "", **{name: f"Group {index}" for index, name in enumerate(names, 1)}}
    pairs = tuple(
        replace(pair, name=numbers[pair.name], group=groups[pair.group], notes=())
        for pair in result.pairs
    )
    methods = tuple(_without_names(scores, numbers) for scores in result.methods)
    settings = {name: "–" if _PATH.search(text) else text for name, text in result.settings.items()}
    columns = tuple(replace(column, source="") for column in result.set_columns)
    quoted = tuple(replace(one, group=groups.get(one.group, "")) for one in result.quoted)
    return replace(
        result, methods=methods, pairs=pairs, settings=settings, set_columns=columns, quoted=quoted
    )


def _without_names(scores: MethodScores, numbers: dict[str, str]) -> MethodScores:
    def renamed(pair: PairScore) -> PairScore:
        error = (
            None
            if pair.error is None
            else Message("failed (the reason is left out, since it may name files)")
        )
        return replace(pair, pair=numbers.get(pair.pair, "–"), error=error)

    detail = "" if scores.method.kind in ("folder", "collection", "command") else _plain(scores)
    return replace(
        scores,
        method=replace(scores.method, detail=detail),
        pairs=tuple(map(renamed, scores.pairs)),
        missing=tuple(numbers.get(name, "–") for name in scores.missing),
        ignored=_count(scores.ignored, "file"),
        problems=_count(scores.problems, "ambiguous file"),
    )


def _plain(scores: MethodScores) -> str:
    return "" if _PATH.search(scores.method.detail) else scores.method.detail


def _count(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    return (f"{len(names)} {what}{'s' if len(names) != 1 else ''}",) if names else ()

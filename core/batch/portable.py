"""Rows and options as another computer needs them: with absolute paths, and the method by name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from core.batch.options import BatchOptions
from core.batch.plan import BatchRow
from core.batch.row_choice import RowChoice
from core.cluster.identity import named_method
from core.pairing.study_pairs import SeriesPair
from core.types import SeriesHeader


def portable_options(options: BatchOptions) -> BatchOptions:
    """``options`` for another computer.

    Raises:
        InputError: there is no pack for the task. PackError: it cannot be used.
    """
    method = named_method(options.task, options.method)
    if method.endswith(".safetensors"):
        method = str(_absolute(Path(method)))
    return replace(
        options, method=method, out=_absolute(options.out), align=_portable_align(options.align)
    )


def portable_row(row: BatchRow) -> BatchRow:
    """``row`` for another computer."""
    match = row.match
    study = None if match.study is None else _portable_study(match.study)
    choice = row.choice
    if choice.align:
        choice = RowChoice(choice.resample, _portable_align(choice.align))
    match = replace(match, a=_absolute(match.a), b=_absolute(match.b), study=study)
    return replace(row, match=match, choice=choice)


def _portable_study(study: SeriesPair) -> SeriesPair:
    # What B could be instead is of no use there, and may be thousands of files.
    return replace(
        study, a=_portable_series(study.a), b=_portable_series(study.b), others=(), equals=()
    )


def _portable_series(series: SeriesHeader) -> SeriesHeader:
    frames = tuple(
        tuple(replace(one, path=_absolute(one.path)) for one in frame) for frame in series.slices
    )
    return replace(series, slices=frames)


def _portable_align(text: str) -> str:
    way, _, name = text.partition(" ")
    return f"file {_absolute(Path(name))}" if way == "file" and name else text


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (links stay links)

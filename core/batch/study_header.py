"""What the headers of two series tell of a row before anything is read."""

from __future__ import annotations

from core.batch.memory_budget import LARGE
from core.batch.options import BatchOptions
from core.errors import FusionError, Message
from core.fusion.slices import check_frames, check_patients
from core.pairing.study_pairs import SeriesPair, label
from core.types import SeriesHeader

_VOXEL_BYTES = 4
_HELD = 3
"""Volumes on the grid of B that are held at once: A, B and the fused one."""


def study_problem(study: SeriesPair, options: BatchOptions) -> str:
    """Why two series are not fused, told by their headers; "" where nothing speaks against it."""
    try:
        check_patients(study.a, study.b)
        if not options.not_registered:
            check_frames(study.a, study.b)
        for series in (study.a, study.b):
            if series.problem is not None and not options.accepts(series.problem):
                raise series.problem
    except FusionError as error:
        return error.message
    if study.equals:
        names = ", ".join(label(one) for one in (study.b, *study.equals))
        return Message(
            "several series could be B alike ({0}): pair one of them by hand (--series KEY on the "
            "command line)",
            names,
        )
    return ""


def study_bytes(study: SeriesPair) -> int:
    """Bytes of memory for two volumes, by their headers; always those of a large row."""
    a, b = (_voxels(series) for series in (study.a, study.b))
    return max(LARGE + 1, (a + _HELD * b) * _VOXEL_BYTES)


def _voxels(series: SeriesHeader) -> int:
    slices, rows, columns = series.shape
    return slices * rows * columns

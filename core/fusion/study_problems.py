"""Why two series are not fused, told by their headers."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import FusionError, Message, MissingSlices, SeriesError, UnevenSlices
from core.fusion.slices import check_frames, check_patients
from core.io.volumes import Acceptance
from core.pairing.study_pairs import SeriesPair, label


def study_problem(
    study: SeriesPair, *, accept: Collection[Acceptance] = (), not_registered: bool = False
) -> str:
    """Why a pair of series is not fused; "" where nothing speaks against it.

    Args:
        accept: problems of series that are accepted.
        not_registered: two frames of reference are accepted.
    """
    try:
        check_patients(study.a, study.b)
        if not not_registered:
            check_frames(study.a, study.b)
        for series in (study.a, study.b):
            if series.problem is not None and not _is_accepted(series.problem, accept):
                raise series.problem
    except FusionError as error:
        return error.message
    if study.equals:
        names = ", ".join(map(label, study.open_choices))
        return Message(
            "several series could be {0} alike ({1}): choose one (--series KEY or --plan on the "
            "command line)",
            study.open_side.upper(),
            names,
        )
    return ""


def _is_accepted(problem: SeriesError, accept: Collection[Acceptance]) -> bool:
    return (isinstance(problem, MissingSlices) and "gap" in accept) or (
        isinstance(problem, UnevenSlices) and "uneven" in accept
    )

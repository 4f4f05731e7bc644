"""The slices that a report shows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np

from core.errors import InputError, Message
from core.fusion.protocol import Engine
from core.fusion.slices import VolumePair, lone_slice, slice_pair
from core.fusion.volume_fusion import SliceSettings, fuse_slices
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName, axes_of
from core.progress import Progress
from core.retention import RetentionTotals, measure_retention
from core.study_report.content import ReportSlice
from core.types import FloatArray


def typical_slices(pair: VolumePair, plane: PlaneName, count: int = 3) -> tuple[int, ...]:
    """Slices evenly over those in which both sources have data, from 0; the middle one of one.

    Where no slice has both, over all of them.
    """
    every = range(pair.slices(plane))
    both = [index for index in every if lone_slice(pair, plane, index) is None] or list(every)
    places = (np.arange(count) + 0.5) / count * len(both)
    return tuple(dict.fromkeys(both[int(place)] for place in places))


def report_slice(
    pair: VolumePair, settings: SliceSettings, index: int, fused: FloatArray
) -> ReportSlice:
    """A slice of a report, of which the fused picture is known.

    Args:
        pair, settings: that it was fused with.
        index: of the slice, from 0.
        fused: H×W×1 or 3 in [0, 1].
    """
    sources = slice_pair(
        pair, settings.plane, index, windows=settings.windows, palettes=settings.palettes
    )
    _, down, across = axes_of(grid_of(pair.b), settings.plane).spacing
    lone = lone_slice(pair, settings.plane, index)
    lost = RetentionTotals()
    if lone is None:
        lost = RetentionTotals.of(measure_retention(sources, fused), index)
    return ReportSlice(
        index,
        plane=settings.plane,
        a=sources.a.normalised(),
        b=sources.b.normalised(),
        fused=fused,
        spacing=(down, across),
        shows=lone or "fused",
        lost=lost,
    )


def fused_report_slices(
    engine: Engine,
    pair: VolumePair,
    settings: SliceSettings,
    indices: Sequence[int],
    progress: Progress | None = None,
) -> tuple[tuple[ReportSlice, ...], dict[str, str], tuple[str, ...]]:
    """Fuse single slices for a report.

    Returns:
        The slices, the provenance of those that were fused, and their notes, each once.

    Raises:
        InputError: there is no such slice, or none is asked for.
        FusionError, Cancelled: as :func:`core.fusion.volume_fusion.fuse_slices`.
    """
    count = pair.slices(settings.plane)
    for index in indices:
        if not 0 <= index < count:
            raise InputError(
                Message("Slice {0}", index + 1),
                Message("there are {0} {1} slices", count, settings.plane),
                Message("They count from 1."),
            )
    if not indices:
        raise InputError(Message("No slices"), remedy=Message("Name at least one."))
    made: list[ReportSlice] = []
    provenance: dict[str, str] = {}
    notes: dict[str, None] = {}
    with closing(fuse_slices(engine, pair, settings, indices, progress)) as slices:
        for one in slices:
            made.append(report_slice(pair, settings, one.index, one.pixels))
            notes |= dict.fromkeys(one.notes)
            if one.result is not None:
                provenance |= one.result.provenance
    return tuple(made), provenance, tuple(notes)

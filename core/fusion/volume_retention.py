"""What fused slices lose of both volumes."""

from __future__ import annotations

import numpy as np

from core.errors import Message
from core.fusion.slice_store import SliceStore
from core.fusion.slices import VolumePair, slice_pair
from core.fusion.volume_fusion import FusedSlice, SliceSettings
from core.progress import Progress
from core.retention import RetentionTotals, measure_retention


def slice_retention(pair: VolumePair, settings: SliceSettings, one: FusedSlice) -> RetentionTotals:
    """What one slice loses; nothing where it shows one source alone."""
    if one.result is None:
        return RetentionTotals()
    sources = slice_pair(
        pair, settings.plane, one.index, windows=settings.windows, palettes=settings.palettes
    )
    return RetentionTotals.of(measure_retention(sources, one.pixels), one.index)


def volume_retention(
    pair: VolumePair, settings: SliceSettings, store: SliceStore, progress: Progress
) -> RetentionTotals:
    """What all slices of a filled store lose together, whatever run they were fused in.

    Raises:
        Cancelled: by ``progress``.
    """
    totals = RetentionTotals()
    colours = store.colour_slices()
    for index in store.of_both:
        progress.check()
        progress.report(index, len(colours), Message("Measuring what is lost"))
        sources = slice_pair(
            pair, settings.plane, index, windows=settings.windows, palettes=settings.palettes
        )
        fused = colours[index].astype(np.float32) / np.float32(255)
        totals += RetentionTotals.of(measure_retention(sources, fused), index)
    return totals

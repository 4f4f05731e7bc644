"""Series as they are looked at: PET in SUV where its headers allow it, windows by kind of value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from core.errors import Message
from core.io.volumes.reading import Acceptance, read_volume
from core.io.volumes.suv import series_suv
from core.progress import Progress
from core.types import FloatArray, SeriesHeader, Volume
from core.units.body import SuvKind
from core.units.presets import window_of_volume
from core.units.suv import SuvDerivation


def load_study_volume(
    series: SeriesHeader,
    frame: int = 0,
    suv_kind: SuvKind = "bw",
    *,
    progress: Progress | None = None,
    accept: Collection[Acceptance] = (),
) -> Volume:
    """One volume of ``series`` in the unit that it is looked at in.

    PET is in SUV where :func:`core.io.volumes.series_suv` finds how; else in the unit on file, and
    a note names the tag that stands in the way. The window is that of :mod:`core.units.presets`.

    Args:
        series: from :func:`core.io.volumes.list_series`.
        frame: which of its volumes, from 0.
        suv_kind: of SUV that is wished for.
        progress: told of the slices read; may cancel.
        accept: see :func:`core.io.volumes.read_volume`.

    Raises:
        SeriesError, IndexError, Cancelled: as :func:`core.io.volumes.read_volume`.
    """
    volume = read_volume(series, frame, progress=progress, accept=accept)
    derivation = series_suv(series, frame, suv_kind)
    if derivation is not None:
        volume = _with_unit(volume, series, frame, derivation)
    return replace(volume, window=window_of_volume(volume, series.window))


def _with_unit(
    volume: Volume, series: SeriesHeader, frame: int, derivation: SuvDerivation
) -> Volume:
    """``volume`` times the multiplier of each slice, in the unit that these lead to."""
    places = np.array([source.place for source in series.slices[frame]])
    if len(set(derivation.multipliers)) > 1 and (places != np.round(places)).any():
        why = Message("its factor differs between slices that lie at uneven distances")
        return replace(volume, notes=(*volume.notes, _no_suv(why)))
    notes = [_no_suv(problem.message) for problem in derivation.problems]
    notes += [Message("{0}.", Message.plain(note)) for note in derivation.notes]
    return replace(
        volume,
        data=_multiplied(volume.data, places, derivation.multipliers),
        unit=derivation.unit,
        notes=(*volume.notes, *notes),
    )


def _no_suv(why: Message) -> Message:
    return Message("No SUV: {0}.", why)


def _multiplied(data: FloatArray, places: FloatArray, multipliers: tuple[float, ...]) -> FloatArray:
    """Each slice times its own multiplier; those that are missing hold nothing to multiply."""
    if len(set(multipliers)) == 1:
        factors = np.full(len(data), multipliers[0])
    else:
        factors = np.ones(len(data))
        factors[np.round(places).astype(int)] = multipliers
    if (factors == 1).all():
        return data
    scaled = np.empty_like(data)
    for target, values, factor in zip(scaled, data, factors, strict=True):
        np.multiply(values, factor, out=target, casting="unsafe")
    return scaled

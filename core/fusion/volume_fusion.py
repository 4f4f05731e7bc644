"""Fuses two volumes slice by slice: never more than one slice is in work."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import numpy as np

from core.errors import Message
from core.fusion.protocol import Engine
from core.fusion.slices import VolumePair, lone_slice, slice_pair
from core.geometry.planes import PlaneName
from core.progress import NullProgress, Progress
from core.types import FloatArray, FusionRequest, FusionResult, Image
from core.windows import Window


@dataclass(frozen=True)
class SliceSettings:
    """How slices are made of two volumes and fused.

    Attributes:
        task, method, tiles: as in :class:`core.types.FusionRequest`.
        plane: of the slices.
        windows, palettes: of A and B, as in :func:`core.fusion.slices.slice_pair`.
    """

    task: str
    method: str = ""
    _: KW_ONLY
    plane: PlaneName = "axial"
    windows: tuple[Window | None, Window | None] = (None, None)
    palettes: tuple[str | None, str | None] = (None, None)
    tiles: bool = False


@dataclass(frozen=True, eq=False)
class FusedSlice:
    """One slice of the result.

    Attributes:
        index: of the slice in its plane, from 0.
        pixels: H×W×C float32 in [0, 1]; C is the same for all slices of a run.
        result: what the engine gave; None where only one source has data, which is shown alone.
        notes: what a person should know about this slice, one sentence each.
        shows: "fused", or "a" or "b" where one source is shown alone.
    """

    index: int
    pixels: FloatArray
    result: FusionResult | None
    notes: tuple[str, ...] = ()
    shows: Literal["fused", "a", "b"] = "fused"


def fuse_slices(
    engine: Engine,
    pair: VolumePair,
    settings: SliceSettings,
    indices: Sequence[int],
    progress: Progress | None = None,
) -> Generator[FusedSlice, None, None]:
    """The slices ``indices`` of ``settings.plane``, each fused when it is asked for.

    Raises:
        IndexError: there is no such slice.
        FusionError: as the engine raises it.
        Cancelled: by ``progress``.
    """
    progress = progress or NullProgress()
    for done, index in enumerate(indices):
        progress.check()
        sources = slice_pair(
            pair,
            settings.plane,
            index,
            windows=settings.windows,
            palettes=settings.palettes,
        )
        channels = 3 if sources.a.is_colour or sources.b.is_colour else 1
        lone = lone_slice(pair, settings.plane, index)
        if lone is not None:
            shown = _shown(sources.a if lone == "a" else sources.b, channels)
            yield FusedSlice(index, shown, None, (_alone(lone),), lone)
            continue
        request = FusionRequest(sources, settings.task, settings.method, tiles=settings.tiles)
        result = engine.fuse(request, _OneSlice(progress, done, len(indices)))
        yield FusedSlice(index, _repeated(result.fused, channels), result, result.notes)


def _alone(lone: str) -> Message:
    if lone == "b":
        return Message("Where A has no data, B is shown alone.")
    return Message("Where B has no data, A is shown alone.")


def _shown(image: Image, channels: int) -> FloatArray:
    return _repeated(image.normalised(), channels)


def _repeated(pixels: FloatArray, channels: int) -> FloatArray:
    if pixels.shape[2] == channels:
        return pixels
    return np.repeat(pixels[..., :1], channels, axis=2)


class _OneSlice:
    """The progress of one slice as a part of all."""

    def __init__(self, progress: Progress, index: int, count: int) -> None:
        self._progress = progress
        self._index = index
        self._count = count

    def report(self, done: float, total: float, stage: str) -> None:
        """Report the share of all slices that is finished."""
        share = done / total if total else 0.0
        stage = Message("Slice {0} of {1}", self._index + 1, self._count)
        self._progress.report(self._index + share, self._count, stage)

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` if the work should stop."""
        self._progress.check()

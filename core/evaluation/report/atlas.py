"""The failure atlas: the pairs on which a method scored worst, with their pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage

from core.errors import FusionError
from core.evaluation.result import EvaluationResult, PairDescription
from core.evaluation.tables import direction_of, format_value, heading_of
from core.io.pairs import read_pair
from core.io.reader import read_image
from core.io.values import as_stored
from core.progress import NullProgress, Progress
from core.tasks import TASKS
from core.types import FloatArray

_SIDE = 256
"""Longest side of a thumbnail in pixels."""
_MOST_PAIRS = 24
_QUALITY = 88


@dataclass(frozen=True)
class Worst:
    """The value for which a pair is in the atlas."""

    metric: str
    method: str
    value: float

    @property
    def reason(self) -> str:
        """Why a pair is in the atlas."""
        return f"{heading_of(self.metric)} {format_value(self.value)} ({self.method})"


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        label: name of the source or method.
        jpeg: the picture; empty if there is none.
        problem: why there is none.
        worst: the metrics for which this method put the pair in the atlas.
    """

    label: str
    jpeg: bytes
    problem: str = ""
    worst: tuple[str, ...] = ()


@dataclass(frozen=True)
class AtlasEntry:
    """A pair with the reasons why it is shown and its pictures: sources, then all methods.

    ``number`` is its position among the common pairs, as charts count them, from 1.
    """

    pair: str
    number: int
    reasons: tuple[Worst, ...]
    thumbnails: tuple[Thumbnail, ...]


def worst_pairs(result: EvaluationResult, count: int) -> dict[str, list[Worst]]:
    """The pairs with the worst values of each metric, ``count`` per metric, with the reasons.

    Per metric, a pair counts with the method that scored worst on it. Pairs on which
    the metric is undefined for a method are left out, as they are from its means. At most 24 pairs,
    in the order in which the metrics bring them up.
    """
    common = result.common()
    names = [scores.method.name for scores in result.methods]
    found: dict[str, list[Worst]] = {}
    for metric in result.metrics:
        sign = 1.0 if direction_of(metric) == "higher" else -1.0
        columns = zip(common, result.compared(metric).T.tolist(), strict=True)
        ranked: list[tuple[float, str, str]] = []
        for pair, column in columns:
            defined = [
                (sign * v, name) for v, name in zip(column, names, strict=True) if not isnan(v)
            ]
            if defined:
                value, name = min(defined, key=lambda item: item[0])
                ranked.append((value, pair, name))
        for value, pair, name in sorted(ranked, key=lambda item: item[0])[:count]:
            if pair in found or len(found) < _MOST_PAIRS:
                found.setdefault(pair, []).append(Worst(metric, name, sign * value))
    return found


def atlas(
    result: EvaluationResult, count: int, progress: Progress | None = None
) -> Iterator[AtlasEntry]:
    """The entries of the atlas, made one by one; see :func:`worst_pairs`.

    Raises:
        Cancelled: ``progress`` asked to stop.
    """
    progress = progress or NullProgress()
    reasons = worst_pairs(result, count)
    described = {pair.name: pair for pair in result.pairs}
    numbers = {name: number for number, name in enumerate(result.common(), 1)}
    for index, (pair, worst) in enumerate(reasons.items()):
        progress.report(index, len(reasons), pair)
        pictures = tuple(_pictures(result, described[pair], worst, progress))
        yield AtlasEntry(pair, numbers[pair], tuple(worst), pictures)


def _pictures(
    result: EvaluationResult, pair: PairDescription, worst: list[Worst], progress: Progress
) -> Iterator[Thumbnail]:
    progress.check()
    yield from _source_thumbnails(pair, result.settings.get("task", ""))
    if pair.truth is not None:
        progress.check()
        yield _thumbnail("Ground truth", pair.truth, stored=True)
    for scores in result.methods:
        progress.check()
        name = scores.method.name
        metrics = tuple(item.metric for item in worst if item.method == name)
        scored = scores.scored().get(pair.name)
        fused = None if scored is None else scored.fused
        if fused is None:
            yield Thumbnail(name, b"", "not kept", metrics)
        else:
            yield _thumbnail(name, fused, stored=True, worst=metrics)


def _source_thumbnails(pair: PairDescription, task: str) -> Iterator[Thumbnail]:
    """A and B, on each other where the results are of sources that were moved."""
    if pair.transform is None:
        yield _thumbnail("A", pair.a, stored=False)
        yield _thumbnail("B", pair.b, stored=False)
        return
    known = task if task in TASKS else ""
    try:
        read = read_pair(pair.a, pair.b, task=known, transform=pair.transform)
    except FusionError as error:
        for label in "AB":
            yield Thumbnail(label, b"", str(error.why) or "cannot be read")
        return
    for label, image in (("A", read.a), ("B", read.b)):
        pixels = image.normalised()
        if image.mask is not None:
            pixels = np.where(image.mask[..., np.newaxis], pixels, np.float32(0))
        yield Thumbnail(label, thumbnail_jpeg(pixels))


def _thumbnail(label: str, path: Path, *, stored: bool, worst: tuple[str, ...] = ()) -> Thumbnail:
    try:
        image = read_image(path)
        pixels = (as_stored(image) if stored else image).normalised()
    except FusionError as error:
        return Thumbnail(label, b"", str(error.why) or "cannot be read", worst)
    return Thumbnail(label, thumbnail_jpeg(pixels), worst=worst)


def thumbnail_jpeg(pixels: FloatArray) -> bytes:
    """``pixels``, H×W×(1 or 3) in [0, 1], as JPEG of at most 256 pixels a side."""
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    else:
        small = pixels
    shown = np.rint(np.clip(small, 0.0, 1.0) * 255.0).astype(np.uint8)
    if shown.ndim == 3 and shown.shape[2] == 1:
        shown = shown[:, :, 0]
    buffer = io.BytesIO()
    PillowImage.fromarray(shown).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()

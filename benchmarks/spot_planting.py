"""Plants spots into pairs, fuses them, and says what is known of each.

Part of :mod:`benchmarks.planted_spots`, which says what the words mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import cv2
import numpy as np

from core.fusion.engine import FusionEngine
from core.retention import KEPT, Retention, SourceRetention, measure_retention
from core.retention.appearance import ViewGrid
from core.retention.spots import LEAST_CONTRAST, clutter, local_contrast
from core.types import FloatArray, FusionRequest, Image, SourcePair, SourceSide

SIZES, CONTRASTS = (4.0, 6.0, 10.0, 15.0), (10.0, 20.0, 40.0)
VISIBLE = 2.0
"""Contrast over noise from which a planted spot is visible."""
METHODS = ("alpha", "average", "maximum", "guided")
"""Beside the pack."""
_NEAR = 0.6
"""Diameters within which a spot that was found is the one that was planted."""
_APART = 2.5
"""Distance of planted spots, in diameters of the largest."""
_TRIES = 6
"""Times that spots which the source does not show are planted elsewhere."""
_LUMA = np.array([[0.299], [0.587], [0.114]], np.float32)
_SHOWN = 0.06
"""Levels from which a place is inside of what a source shows."""


@dataclass(frozen=True)
class Planted:
    """One planted spot: its middle in pixels of the grid it is seen on, mm, and ΔE."""

    row: int
    column: int
    size: float
    contrast: float


@dataclass(frozen=True)
class Known:
    """What is known of one planted spot in one fused image.

    Attributes:
        spot: what was planted where.
        visibility: in the fused image: contrast over noise.
        share: of its contrast that the fused image shows.
        found: the share that was measured; NaN where no spot was found.
    """

    spot: Planted
    visibility: float
    share: float
    found: float

    @property
    def is_visible(self) -> bool:
        """Whether the fused image shows it."""
        return self.visibility >= VISIBLE

    @property
    def is_weaker(self) -> bool:
        """Whether the fused image shows less of its contrast than is called kept."""
        return self.share < KEPT


Measured = tuple[tuple[float, float, float], ...]
"""Of all spots that were found in a source: contrast in ΔE, share that is shown, and mm."""


@dataclass(frozen=True, kw_only=True)
class FusedImage:
    """One fused image: what was planted, and what was measured.

    Attributes:
        part: "train" or "val". task: of the pair. pair: its group and name, such as "ct/ct_1.png".
        method: "pack" or another.
        round: of planting, from 0. side: that was planted into; None for the pair as it is.
        known: of each planted spot that the source shows.
        a, b: what was measured, also of spots that nobody planted.
    """

    part: str
    task: str
    pair: str
    method: str
    round: int = 0
    side: SourceSide | None = None
    known: tuple[Known, ...] = ()
    a: Measured = ()
    b: Measured = ()

    @property
    def group(self) -> str:
        """Of the pair."""
        return self.pair.partition("/")[0]


def free_places(pair: SourcePair) -> tuple[ViewGrid, list[tuple[int, int]]]:
    """The grid that a pair is seen on, and the places of it that lie in the scene."""
    grid = ViewGrid.of(pair.a)
    coarse = [
        cv2.GaussianBlur(grid.lab(image.normalised(), pair.valid)[..., 0], (0, 0), 4 / grid.mm)
        for image in (pair.a, pair.b)
    ]
    inside = np.minimum(*coarse) > 100 * _SHOWN
    if not inside.any():
        inside = np.maximum(*coarse) > 100 * _SHOWN
    margin = round(12 / grid.mm)
    inside[:margin] = inside[-margin:] = False
    inside[:, :margin] = inside[:, -margin:] = False
    if pair.valid is not None:
        inside &= cv2.erode(
            grid.valid(pair.valid).astype(np.uint8), np.ones((margin, margin), np.uint8)
        ).astype(np.bool_)
    rows, columns = np.nonzero(inside)
    return grid, list(zip(rows.tolist(), columns.tolist(), strict=True))


def spots_shown(
    pair: SourcePair, side: SourceSide, rng: np.random.Generator, count: int
) -> tuple[Image, list[tuple[Planted, float]]]:
    """A source with spots of sizes, contrasts and places by chance, all of which it shows.

    Args:
        pair: as it is shown, see :func:`planted`.
        side: to plant into.
        count: of spots at most; what does not show is planted elsewhere, a few times.

    Returns:
        The source, and each spot with the ΔE that it adds.
    """
    source: Image = getattr(pair, side)
    grid, free = free_places(pair)
    before = grid.lab(source.normalised(), pair.valid)
    far = _APART * max(SIZES) / grid.mm
    kept: list[Planted] = []
    for _ in range(_TRIES):
        tried = list(kept)
        for index in rng.permutation(len(free))[:500]:
            row, column = free[index]
            if len(tried) < count and all(
                np.hypot(row - one.row, column - one.column) >= far for one in tried
            ):
                size, contrast = float(rng.choice(SIZES)), float(rng.choice(CONTRASTS))
                tried.append(Planted(row, column, size, contrast))
        after = grid.lab(planted(source, tried).normalised(), pair.valid)
        kept = [one for one in tried if _shows(*seen(before, after, one, grid.mm))]
        if len(kept) == count:
            break
    image = planted(source, kept)
    after = grid.lab(image.normalised(), pair.valid)
    return image, [(one, seen(before, after, one, grid.mm)[0]) for one in kept]


def _shows(contrast: float, visibility: float) -> bool:
    return visibility >= VISIBLE and contrast >= LEAST_CONTRAST


def planted(image: Image, spots: Sequence[Planted]) -> Image:
    """``image`` as it is shown, with ``spots``; its window is 0 to 1."""
    grid = ViewGrid.of(image)
    shown = np.array(image.levels() if image.palette is not None else image.normalised())
    height, width = shown.shape[:2]
    across, down = grid.scale
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    grey = shown if shown.shape[2] == 1 else shown @ _LUMA
    top = shown[grey[..., 0] >= np.percentile(grey, 99)].mean(axis=0)
    for spot in spots:
        away = np.hypot(
            (y - (spot.row + 0.5) * down) / down, (x - (spot.column + 0.5) * across) / across
        )
        profile = np.exp(-4 * np.log(2) * (away * grid.mm / spot.size) ** 2)[..., np.newaxis]
        here = (shown * profile).sum(axis=(0, 1)) / profile.sum()
        peak = top if here.mean() < 0.55 * top.mean() else np.zeros_like(top)
        shown += profile * _amount(image, here, peak, spot.contrast) * (peak - shown)
    return replace(image, data=shown, window=(0.0, 1.0), container=None)


def _amount(image: Image, here: FloatArray, peak: FloatArray, contrast: float) -> np.float32:
    """How far to go from one colour to the other for a contrast; at most all the way."""
    steps = np.linspace(0, 1, 101, dtype=np.float32)[:, np.newaxis]
    colours = here + steps * (peak - here)
    if image.palette is not None:
        colours = image.palette.colours(colours[:, 0])
    lab = _lab(colours)
    differences = np.linalg.norm(lab - lab[0], axis=1)
    reached = np.flatnonzero(differences >= contrast)
    return np.float32(steps[reached[0], 0] if reached.size else 1.0)


def _lab(colours: FloatArray) -> FloatArray:
    rgb = colours if colours.shape[1] == 3 else np.repeat(colours, 3, axis=1)
    lab = cv2.cvtColor(np.clip(rgb, 0, 1)[np.newaxis].astype(np.float32), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[0], np.float32)


def fused_by(engine: FusionEngine, pair: SourcePair, task: str, method: str) -> FloatArray:
    """The fused image; "pack" is that of the task, "alpha" is the mean of what is shown."""
    if method != "alpha":
        name = f"{task}-compact" if method == "pack" else method
        return engine.fuse(FusionRequest(pair, task, name)).fused
    a, b = (
        shown if shown.shape[2] == 3 else np.repeat(shown, 3, axis=2)
        for shown in (pair.a.normalised(), pair.b.normalised())
    )
    return np.asarray((a + b) / 2, np.float32)


def seen(
    without: FloatArray, with_spots: FloatArray, spot: Planted, mm: float
) -> tuple[float, float]:
    """ΔE that a planted spot adds to an image in CIELAB, and that over the noise there."""
    diameter = max(spot.size / mm, 2.5)
    rows, columns = np.array([spot.row]), np.array([spot.column])
    before, after = (local_contrast(image, diameter) for image in (without, with_spots))
    added = after[rows, columns] - before[rows, columns]
    noise = clutter(before, rows, columns, diameter, added)
    size = float(np.linalg.norm(added))
    return size, size / float(noise[0])


def nearest(found: Retention, side: SourceSide, spot: Planted, grid: ViewGrid) -> float:
    """The share measured of the spot at a planted one; NaN where none was found."""
    across, down = grid.scale
    best, share = _NEAR * max(spot.size, 6.0), np.nan
    for one in found.of(side).spots:
        away = grid.mm * np.hypot(
            one.row / down - spot.row - 0.5, one.column / across - spot.column - 0.5
        )
        if away < best:
            best, share = float(away), one.share
    return float(share)


def fused_images(
    engine: FusionEngine, pair: SourcePair, labels: tuple[str, str, str], rounds: int, count: int
) -> Iterator[FusedImage]:
    """All methods on one pair: as it is, and with spots in A and with spots in B.

    Args:
        labels: part, task and name of the pair.
        rounds: of planting.
        count: of spots in each, see :func:`spots_shown`.
    """
    part, task, name = labels
    grid = ViewGrid.of(pair.a)
    sides: tuple[SourceSide, SourceSide] = ("a", "b")

    def lab(shown: FloatArray) -> FloatArray:
        return grid.lab(shown, pair.valid)

    plain = replace(pair, a=planted(pair.a, ()), b=planted(pair.b, ()))
    before: dict[str, FloatArray] = {}
    base = FusedImage(part=part, task=task, pair=name, method="pack")
    for method in ("pack", *METHODS):
        fused = fused_by(engine, plain, task, method)
        before[method] = lab(fused)
        yield _with_found(replace(base, method=method), measure_retention(plain, fused))
    for number in range(rounds):
        for side in sides:
            seed = crc32(f"{name} {number} {side}".encode())
            changed, spots = spots_shown(plain, side, np.random.default_rng(seed), count)
            both = replace(plain, a=changed) if side == "a" else replace(plain, b=changed)
            for method in before:
                fused = fused_by(engine, both, task, method)
                found, after = measure_retention(both, fused), lab(fused)
                known = []
                for spot, contrast in spots:
                    shown, left = seen(before[method], after, spot, grid.mm)
                    measured = nearest(found, side, spot, grid)
                    known.append(Known(spot, left, shown / contrast, measured))
                image = replace(base, method=method, round=number, side=side, known=tuple(known))
                yield _with_found(image, found)


def _with_found(image: FusedImage, found: Retention) -> FusedImage:
    return replace(image, a=_measured(found.a), b=_measured(found.b))


def _measured(found: SourceRetention) -> Measured:
    return tuple((one.contrast, one.share, one.diameter_mm) for one in found.spots)

"""How much of each spot of the sources a fused image shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.retention.appearance import ViewGrid
from core.retention.spots import SeenImage, SpotList, find_spots
from core.types import BoolArray, FloatArray, SourcePair, SourceSide

KEPT = 0.6
"""Share of its contrast from which on a spot counts as kept."""
ALARM = 0.25
"""Share of the spots of one source, weighed by their contrast, above which a loss is an alarm."""

_PATCH, _WEIGHT, _STEP = 1.0, 0.4, 1 / 6
"""Radius of the patch that a spot is judged by, standard deviation of its weights, and distance of
its samples, in diameters."""
_RIDGE = 0.01
"""ΔE²: differences of a source below its root explain nothing."""
_GROUPS = np.array([[1, 0], [0, 1], [0, 1]], np.float64)
"""Lightness, and both colour axes together."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One spot of a source, and what the fused image shows of it.

    Attributes:
        row, column: its middle, in pixels of the image; pixel 0 reaches from 0 to 1.
        height, width: its diameter in pixels of the image, down and across.
        diameter_mm: the same in mm; of images without a known pixel size as if their shorter side
            were :data:`core.retention.appearance.FIELD_MM`.
        contrast: against its surroundings in its source, ΔE.
        shown: of that in the fused image, ΔE.
    """

    row: float
    column: float
    height: float
    width: float
    diameter_mm: float
    contrast: float
    shown: float

    @property
    def share(self) -> float:
        """Share of its contrast that is shown, at most 1."""
        return min(1.0, self.shown / self.contrast)

    @property
    def is_lost(self) -> bool:
        """Whether less than :data:`KEPT` of its contrast is shown."""
        return self.share < KEPT


@dataclass(frozen=True)
class SourceRetention:
    """What a fused image shows of the spots of one source.

    Attributes:
        spots: all of them, those of most contrast first.
    """

    spots: tuple[Spot, ...] = ()

    @property
    def lost(self) -> tuple[Spot, ...]:
        """Those that are lost."""
        return tuple(spot for spot in self.spots if spot.is_lost)

    @property
    def lost_share(self) -> float:
        """Share of the spots that are lost, weighed by contrast, 0…1; 0 without spots."""
        return _share(self.lost, self.spots)

    @property
    def is_alarm(self) -> bool:
        """Whether more than :data:`ALARM` is lost."""
        return self.lost_share > ALARM


@dataclass(frozen=True)
class Retention:
    """What a fused image shows of the spots of both sources."""

    a: SourceRetention = SourceRetention()
    b: SourceRetention = SourceRetention()

    def of(self, side: SourceSide) -> SourceRetention:
        """That of one source."""
        return self.a if side == "a" else self.b

    @property
    def is_alarm(self) -> bool:
        """Whether more than :data:`ALARM` of either source is lost."""
        return self.a.is_alarm or self.b.is_alarm


def measure_retention(pair: SourcePair, fused: FloatArray) -> Retention:
    """What ``fused`` shows of the spots of both sources.

    A spot of a source is a place that stands out from its surroundings at 4 to 15 mm
    (:mod:`core.retention.spots`), in what a reader sees: lightness and colour. What of it the fused
    image shows is estimated by least squares: its surroundings in the fused image are explained by
    those in both sources, and the coefficient of the spot's own source, for lightness and for
    colour, is the share that arrived. Where the other source shows the same spot, it counts
    whichever source it came from. It is never more than what stands out in the fused image.
    Places where either source has no data are not judged.

    Args:
        pair: the sources, with the windows and palettes they were fused by.
        fused: H×W×(1 or 3) float32 in [0, 1].

    Raises:
        ValueError: ``fused`` has another size.
    """
    if fused.shape[:2] != (pair.a.height, pair.a.width):
        raise ValueError(f"fused is {fused.shape}, its sources are {pair.a.size}")
    grid = ViewGrid.of(pair.a)
    a, b, f = (
        SeenImage(grid.lab(shown, pair.valid))
        for shown in (pair.a.normalised(), pair.b.normalised(), fused)
    )
    where = None if pair.valid is None else grid.valid(pair.valid)
    return Retention(
        SourceRetention(tuple(_spots(grid, a, b, f, where))),
        SourceRetention(tuple(_spots(grid, b, a, f, where))),
    )


def _spots(
    grid: ViewGrid, own: SeenImage, other: SeenImage, fused: SeenImage, where: BoolArray | None
) -> Iterator[Spot]:
    found = find_spots(own, grid.mm, where)
    shown = shown_contrast(own, other, fused, found)
    across, down = grid.scale
    for index in range(len(found)):
        diameter = float(found.diameters[index])
        yield Spot(
            row=(float(found.rows[index]) + 0.5) * down,
            column=(float(found.columns[index]) + 0.5) * across,
            height=diameter * down,
            width=diameter * across,
            diameter_mm=diameter * grid.mm,
            contrast=float(found.contrasts[index]),
            shown=float(shown[index]),
        )


def shown_contrast(
    own: SeenImage, other: SeenImage, fused: SeenImage, spots: SpotList
) -> npt.NDArray[np.float64]:
    """N, ΔE: what of the contrast of each spot of ``own`` the fused image shows.

    Args:
        own, other, fused: a source, the other one, and what was made of them.
        spots: of ``own``.
    """
    shown = np.zeros(len(spots))
    for diameter, which in spots.at_size():
        rows, columns = spots.rows[which], spots.columns[which]
        of_own, of_fused = (image.contrast(diameter)[rows, columns] for image in (own, fused))
        patches = _patches((own, other, fused), rows, columns, diameter)
        grouped = np.stack([np.abs(of_own[:, 0]), np.hypot(of_own[:, 1], of_own[:, 2])], axis=1)
        arrived = np.linalg.norm(_arrived(*patches) * grouped, axis=1)
        shown[which] = np.minimum(arrived, np.linalg.norm(of_fused, axis=1))
    return shown


def _patches(
    images: tuple[SeenImage, ...],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    diameter: float,
) -> tuple[npt.NDArray[np.float64], ...]:
    """Of each image N×K×3: samples around places, times the root of their weights, mean 0."""
    reach = np.arange(-_PATCH, _PATCH + _STEP / 2, _STEP)
    down, across = (axis.ravel() for axis in np.meshgrid(reach, reach, indexing="ij"))
    inside = np.hypot(down, across) <= _PATCH + 1e-6
    down, across = down[inside], across[inside]
    weights = np.exp(-0.5 * (down**2 + across**2) / _WEIGHT**2)
    weights /= weights.sum()
    height, width = images[0].lab.shape[:2]
    at_rows = np.rint(rows[:, np.newaxis] + down * diameter).astype(np.intp)
    at_columns = np.rint(columns[:, np.newaxis] + across * diameter).astype(np.intp)
    where = np.clip(at_rows, 0, height - 1), np.clip(at_columns, 0, width - 1)
    found = []
    for image in images:
        samples = image.smooth(max(0.5, _STEP * diameter))[where].astype(np.float64)
        samples -= np.einsum("k,nkc->nc", weights, samples)[:, np.newaxis]
        found.append(samples * np.sqrt(weights)[:, np.newaxis])
    return tuple(found)


def _arrived(
    own: npt.NDArray[np.float64], other: npt.NDArray[np.float64], fused: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """N×2, 0 or more: the share of ``own`` in ``fused``, of lightness and of colour."""

    def moment(
        one: npt.NDArray[np.float64], two: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = np.einsum("nkc,nkc->nc", one, two) @ _GROUPS
        return found

    of_own, of_other = moment(own, own) + _RIDGE, moment(other, other) + _RIDGE
    between = moment(own, other)
    with_own, with_other = moment(own, fused), moment(other, fused)
    determinant = of_own * of_other - between**2
    alone = (with_own * of_other - with_other * between) / determinant
    # The share of the spot that the other source shows as well.
    common = np.maximum(between, 0) ** 2 / (of_own * of_other)
    share: npt.NDArray[np.float64] = common * with_own / of_own + (1 - common) * alone
    return np.maximum(share, 0)


def _share(part: tuple[Spot, ...], whole: tuple[Spot, ...]) -> float:
    total = sum(spot.contrast for spot in whole)
    return sum(spot.contrast for spot in part) / total if total else 0.0

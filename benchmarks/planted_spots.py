"""Spots planted into real pairs: which of them a fused image still shows, and whether we notice.

    python benchmarks/planted_spots.py --data DIR --out benchmarks/results/planted_spots.md

Into A and into B (not at once) of real pairs, smooth spots are planted: Gaussians of 4, 6, 10 and
15 mm full width at half maximum, whose middle differs from what was there by 10, 20 or 40 ΔE (CIE
1976) as the source is shown. Where the place is dark, the spot is lighter, in the colour of the
lightest hundredth of the source; else darker. In sources with a palette the level is changed. Where
the size of pixels is not known, the shorter side is 240 mm. Each pair is fused with and without its
spots, so what the fused image shows of each is known: the difference of the two images.

- Share: of its contrast (the difference of centre and surroundings in CIELAB) that the fused image
  shows. Weaker: less than KEPT of it.
- Visible: its contrast in the fused image is at least twice what the same filter answers around
  that place in the image without spots, with 2 ΔE for the eye. The same, and 6 ΔE, is asked of the
  source; spots that it does not show are left out.
- Found: :func:`core.retention.measure_retention`, which knows neither the places nor the images
  without spots, has a spot of that source there. Noticed: it says that the share is below KEPT.

How weaker spots are noticed: the threshold with the greatest sum of sensitivity and specificity on
train pairs, and both with KEPT on all pairs; a spot that is not found counts as one that is called
kept. *area*: under the ROC curve for weaker spots; *area, visible*: for spots that are not visible.
*error*: median difference of the measured share and the known one. *alpha* is the mean of both
images as they are shown, in colour; all others fuse luma. LLVIP is left out: its pictures are
large, and of one place.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from benchmarks.volume_fusion import studies
from core.fusion.engine import FusionEngine
from core.fusion.slices import lone_slice, slice_pair
from core.io import atomic_write, read_pair
from core.pairing.folders import pair_folders
from core.retention import ALARM, KEPT, Retention, SourceRetention, measure_retention
from core.retention.appearance import ViewGrid
from core.retention.spots import LEAST_CONTRAST, clutter, local_contrast
from core.tasks import TASKS
from core.types import FloatArray, FusionRequest, Image, SourcePair, SourceSide

SIZES, CONTRASTS = (4.0, 6.0, 10.0, 15.0), (10.0, 20.0, 40.0)
VISIBLE = 2.0
"""Contrast over noise from which a planted spot is visible."""
LEFT_OUT = ("llvip",)
"""Groups whose pictures are large and of one place."""
METHODS = ("alpha", "average", "maximum", "guided")
"""Beside the pack."""
_NEAR = 0.6
"""Diameters within which a spot that was found is the one that was planted."""
_APART = 2.5
"""Distance of planted spots, in diameters of the largest."""
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


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is known of one planted spot in one fused image.

    Attributes:
        group, method, side, spot: what was planted where.
        visibility: in the fused image: contrast over noise.
        share: of its contrast that the fused image shows.
        found: the share that was measured; NaN where no spot was found.
    """

    group: str
    method: str
    side: SourceSide
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


def places(pair: SourcePair, rng: np.random.Generator, count: int) -> list[Planted]:
    """Places in the scene, apart from each other, with sizes and contrasts by chance."""
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
    found: list[Planted] = []
    for index in rng.permutation(len(rows))[:500]:
        row, column = int(rows[index]), int(columns[index])
        far = _APART * max(SIZES) / grid.mm
        if all(np.hypot(row - one.row, column - one.column) >= far for one in found):
            size, contrast = float(rng.choice(SIZES)), float(rng.choice(CONTRASTS))
            found.append(Planted(row, column, size, contrast))
        if len(found) == count:
            break
    return found


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
    """The fused image; "alpha" is the mean of what is shown."""
    if method != "alpha":
        return engine.fuse(FusionRequest(pair, task, method)).fused
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


def truths(
    engine: FusionEngine, pair: SourcePair, labels: tuple[str, str, str], seed: int, count: int
) -> Iterator[Truth]:
    """All methods on one pair, with spots in A and with spots in B.

    Args:
        labels: task, group and pack.
    """
    task, group, pack = labels
    rng = np.random.default_rng(seed)
    grid = ViewGrid.of(pair.a)

    def lab(shown: FloatArray) -> FloatArray:
        return grid.lab(shown, pair.valid)

    plain = replace(pair, a=planted(pair.a, ()), b=planted(pair.b, ()))
    before = {m: lab(fused_by(engine, plain, task, m)) for m in (pack, *METHODS)}
    sides: tuple[SourceSide, SourceSide] = ("a", "b")
    for side in sides:
        spots = places(pair, rng, count)
        source: Image = getattr(plain, side)
        changed = planted(source, spots)
        both = replace(plain, a=changed) if side == "a" else replace(plain, b=changed)
        in_source = [
            seen(lab(source.normalised()), lab(changed.normalised()), spot, grid.mm)
            for spot in spots
        ]
        for method in before:
            fused = fused_by(engine, both, task, method)
            found, after = measure_retention(both, fused), lab(fused)
            for spot, (contrast, visibility) in zip(spots, in_source, strict=True):
                if visibility < VISIBLE or contrast < LEAST_CONTRAST:
                    continue
                shown, left = seen(before[method], after, spot, grid.mm)
                yield Truth(
                    group=group,
                    method="pack" if method == pack else method,
                    side=side,
                    spot=spot,
                    visibility=left,
                    share=shown / contrast,
                    found=nearest(found, side, spot, grid),
                )


Part = Literal["train", "val"]


def sources(data: Path, split: Part, per_group: int) -> Iterator[tuple[str, str, SourcePair]]:
    """Task, group and pair: pictures, and slices of volumes (train: templates; val: a thigh)."""
    for task in ("mif", "ivif"):
        groups: dict[str, list[tuple[Path, Path]]] = {}
        for files in pair_folders(data / split / task).matches:
            groups.setdefault(files.name.partition("_")[0], []).append((files.a, files.b))
        for group, names in sorted(groups.items()):
            if group in LEFT_OUT:
                continue
            chosen = np.linspace(0, len(names) - 1, min(per_group, len(names))).round().astype(int)
            for index in chosen:
                yield task, group, read_pair(*names[index], task=task)
    volumes = studies(data / "clinical")
    pair = volumes["SPM templates" if split == "train" else "thigh, real"]
    whole = [n for n in range(pair.slices("axial")) if lone_slice(pair, "axial", n) is None]
    chosen = np.linspace(0.2, 0.8, per_group) * (len(whole) - 1)
    for index in np.unique(chosen.round().astype(int)):
        yield "mif", "counts", slice_pair(pair, "axial", whole[index])


def measured(
    engine: FusionEngine, data: Path, split: Part, per_group: int, count: int
) -> list[Truth]:
    """All truths of one part of the data."""
    rows: list[Truth] = []
    for seed, (task, group, pair) in enumerate(sources(data, split, per_group)):
        rows += truths(engine, pair, (task, group, f"{task}-compact"), seed, count)
        print(split, group, pair.a.name, len(rows), flush=True)
    return rows


Rates = tuple[float, float]
"""Sensitivity and specificity."""


def rates(rows: Sequence[Truth], threshold: float) -> Rates:
    """Of the weaker spots, the share that is noticed; of the others, that which is not."""
    said = np.array([row.found < threshold for row in rows], np.bool_)
    weaker = np.array([row.is_weaker for row in rows], np.bool_)
    return float(said[weaker].mean()), float((~said[~weaker]).mean())


def best_threshold(rows: Sequence[Truth]) -> float:
    """The threshold of the greatest sum of both rates, in steps of 0.05."""
    steps = np.arange(0.2, 0.91, 0.05)
    return float(steps[np.argmax([sum(rates(rows, step)) for step in steps])])


def area(rows: Sequence[Truth], is_bad: Sequence[bool]) -> float:
    """Area under the ROC curve: how often a bad spot has a lower share than one that is not.

    Spots that were not found count as kept. NaN where all are alike.
    """
    scores = np.array([np.nan_to_num(row.found, nan=2.0) for row in rows])
    chosen = np.array(is_bad, np.bool_)
    bad, good = scores[chosen, np.newaxis], scores[~chosen]
    if not bad.size or not good.size:
        return float("nan")
    return float((bad < good).mean() + 0.5 * (bad == good).mean())


def visible_table(rows: Sequence[Truth], methods: Sequence[str]) -> list[str]:
    """Per cent visible and the median share, by group, source, size and contrast."""
    lines = [
        f"| group, source | spots | {' | '.join(methods)} |",
        f"| --- | ---: |{' ---: |' * len(methods)}",
    ]
    kinds: list[tuple[str, list[Truth]]] = []
    for group in sorted({row.group for row in rows}):
        for side in "ab":
            own = [row for row in rows if (row.group, row.side) == (group, side)]
            kinds.append((f"{group}, {side.upper()}", own))
    medical = [row for row in rows if row.group != "roadscene"]
    for size in SIZES:
        kinds.append((f"medical, {size:g} mm", [r for r in medical if r.spot.size == size]))
    for contrast in CONTRASTS:
        own = [r for r in medical if r.spot.contrast == contrast]
        kinds.append((f"medical, {contrast:g} ΔE", own))
    for title, own in kinds:
        cells = []
        for method in methods:
            those = [row for row in own if row.method == method]
            if not those:
                cells.append("–")
                continue
            visible = 100 * np.mean([row.is_visible for row in those])
            cells.append(f"{visible:.0f} ({np.median([row.share for row in those]):.2f})")
        count = len(own) // len(methods)
        lines.append(f"| {title} | {count} | {' | '.join(cells)} |")
    return lines


def detector_table(parts: dict[str, list[Truth]], threshold: float) -> list[str]:
    """How well weaker spots are noticed, by part and method."""
    lines = [
        "| pairs | method | spots | weaker | found | area | sensitivity | specificity | error | "
        "area, visible |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for part, rows in parts.items():
        for method in (*dict.fromkeys(row.method for row in rows), "all"):
            own = [row for row in rows if method in ("all", row.method)]
            there = [row for row in own if not np.isnan(row.found)]
            error = float(np.median([abs(row.found - min(row.share, 1)) for row in there]))
            weaker = [row.is_weaker for row in own]
            both = rates(own, threshold) if any(weaker) and not all(weaker) else (np.nan, np.nan)
            hidden = area(own, [not row.is_visible for row in own])
            cells = (f"{f:.2f}" for f in (area(own, weaker), *both, error, hidden))
            head = f"{part} | {method} | {len(own)} | {sum(weaker)}"
            lines.append(f"| {head} | {len(there) / len(own):.0%} | {' | '.join(cells)} |")
    return lines


def plain_table(engine: FusionEngine, data: Path, most: int) -> list[str]:
    """What is lost in val pairs as they are, without spots, and how often that is an alarm."""
    lines = [
        "| task, group | method | pairs | spots in A | lost | spots in B | lost | alarms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for task in TASKS:
        groups: dict[str, list[tuple[Path, Path]]] = {}
        for files in pair_folders(data / "val" / task).matches:
            groups.setdefault(files.name.partition("_")[0], []).append((files.a, files.b))
        for group, names in sorted(groups.items()):
            if group in LEFT_OUT:
                continue
            pairs = [read_pair(*both, task=task) for both in names[:most]]
            for method in (f"{task}-compact", *METHODS):
                found = [
                    measure_retention(pair, fused_by(engine, pair, task, method)) for pair in pairs
                ]
                cells = []
                for side in ("a", "b"):
                    own: list[SourceRetention] = [getattr(one, side) for one in found]
                    spots = np.mean([len(one.spots) for one in own])
                    cells.append(
                        f"{spots:.0f} | {100 * np.mean([o.lost_share for o in own]):.0f} %"
                    )
                alarms = sum(one.is_alarm for one in found)
                head = f"| {task}, {group} | {method} | {len(pairs)}"
                lines.append(f"{head} | {' | '.join(cells)} | {alarms} |")
                print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the tables")
    parser.add_argument("--pairs", type=int, default=2, help="of each group")
    parser.add_argument("--spots", type=int, default=8, help="into each source of a pair")
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    splits: tuple[Part, Part] = ("train", "val")
    parts: dict[str, list[Truth]] = {
        split: measured(engine, options.data, split, options.pairs, options.spots)
        for split in splits
    }
    best = best_threshold(parts["train"])
    text = [
        "# Planted spots: what fused images still show of them\n",
        "    python benchmarks/planted_spots.py --data DIR --out FILE\n",
        (__doc__ or "").partition("spots.md\n\n")[2],
        "## Visible in the fused image, per cent (median share), val pairs\n",
        *visible_table(parts["val"], ("pack", *METHODS)),
        "\n## Weaker spots that are noticed\n",
        f"The best threshold on the train pairs is {best:.2f}; {KEPT:.2f} is used.\n",
        *detector_table(parts, KEPT),
        "\n## The val pairs as they are\n",
        f"No spot is planted. An alarm: more than {100 * ALARM:.0f} % of either source is lost.\n",
        *plain_table(engine, options.data, options.pairs),
        "",
    ]
    print("\n".join(text))
    if options.out:
        atomic_write(options.out, "\n".join(text).encode())


if __name__ == "__main__":
    main()

"""What fused images invent and what they lose, in numbers that a viewer can check by eye.

    python benchmarks/naturalness.py --data DIR --out benchmarks/results/naturalness.md

DIR holds val/TASK/a and val/TASK/b. Means by group of pairs (what stands before the first
underscore of their names) with 95 % bootstrap intervals, for the embedded packs, ``--pack
TASK=FILE`` and the classical methods:

- brighter, darker: per cent of the pixels more than 4 grey levels (8-bit luma) brighter or darker
  than both sources. Nothing in the scene says so.
- uptake lost (medical): of the pixels at which A (PET, SPECT, CT) is the brighter source, per cent
  at which the fused image is more than 4 levels below A.
- regions (medical): differences between places that no consistent rule gives. Coarse brightness is
  a Gaussian of 1/30 of the longer side, places are 1/16 of it apart, and those at which both
  sources are darker than 16 levels are left out. Of the pairs of places that both sources show
  nearly alike (at most 16 levels apart in each), per cent that the fused image sets apart by more
  than 4 levels beyond what A, B, their brighter or their darker one does: where a method takes one
  source here and the other there. The plain average and the brighter source have none.
- A lost, B lost (medical): share, in per cent by contrast, of the spots of a source that the fused
  image hardly shows in lightness and colour (:mod:`core.retention`).
- day (infrared): mean absolute difference, in levels, of the coarse brightness of the fused and the
  visible image of day scenes, wherever infrared has no target. A day scene is one whose visible
  image has a mean luma of 150 or more: of the RoadScene pairs this parts day and night as a person
  does (LLVIP is night). Coarse is a Gaussian of 1/30 of the longer side. A target is what infrared
  shows more than 24 levels hotter than its own surroundings (Gaussian of 1/10 of the side) where
  the visible image is not as much brighter than its own. Target pixels count in neither mean.
- hue (exposure): of the pixels at which one frame is well exposed (largest channel 20 to 240) and
  coloured and the other is clipped (above 250) or nearly black (below 6), per cent whose hue is
  turned by more than 3° against the well exposed frame. Pixels that the fused image shows without
  colour (black, white or grey) have no hue and do not count.

With ``--golden DIR``, a folder of ``TASK_PAIR_METHOD.{a,b,f}.png`` as 8-bit luma, published
networks whose images exist are measured beside the packs on the same pairs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from math import isnan, nan
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.halos import outside
from core.baselines import BASELINES
from core.evaluation.statistics import bootstrap_interval
from core.fusion.chroma import read_chroma
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.metrics import to_luma8
from core.packs.registry import Catalogue
from core.pairing.folders import pair_folders
from core.retention import measure_retention
from core.retention.levels import COARSE, VISIBLE, Levels, blurred, regions_apart, uptake_lost
from core.tasks import TASKS
from core.types import FloatArray, FusionRequest, Image, SourcePair
from resources import PACKS

DAY = 150
"""Mean luma of the visible image from which on a scene is a day scene."""
AROUND = 1 / 10
"""Standard deviation of surroundings, in shares of the longer side."""
HOT = 24
"""Grey levels above its surroundings from which infrared shows a target."""
WELL, CLIPPED, BLACK = (20 / 255, 240 / 255), 250 / 255, 6 / 255
DEGREES, COLOURED, GREY = 3.0, 0.02, 0.005
"""Turn of hue that counts; distances from grey from which a source counts, and a fused pixel."""
COLUMNS = {
    "mif": ("brighter", "darker", "uptake lost", "regions", "A lost", "B lost"),
    "ivif": ("brighter", "darker", "day"),
    "mef": ("brighter", "darker", "hue"),
    "mff": ("brighter", "darker"),
}
"""Measures of each task, in the order of the tables; in all of them lower is better."""
UNITS = {
    "brighter": "%",
    "darker": "%",
    "uptake lost": "%",
    "regions": "%",
    "A lost": "%",
    "B lost": "%",
    "day": "levels",
    "hue": "%",
}
GOLDEN_COLUMNS = ("brighter", "darker", "uptake lost", "regions", "day")
"""Measures beside published networks."""


def invented(a: Levels, b: Levels, fused: Levels) -> dict[str, float]:
    """Per cent of pixels brighter and darker than both sources."""
    below, above = outside(a, b, fused)
    return {
        "brighter": 100 * float((above > VISIBLE).mean()),
        "darker": 100 * float((below > VISIBLE).mean()),
    }


def targets(infrared: Levels, visible: Levels) -> npt.NDArray[np.bool_]:
    """H×W, where infrared is locally hot and the visible image does not show that."""
    return (_contrast(infrared) > HOT) & (_contrast(visible) <= HOT)


def day_difference(infrared: Levels, visible: Levels, fused: Levels) -> float:
    """Mean absolute difference of coarse brightness outside targets; NaN for night scenes."""
    if visible.mean() < DAY:
        return nan
    weight = (~targets(infrared, visible)).astype(np.float32)
    seen = blurred(weight, COARSE)
    coarse = [
        blurred(image * weight, COARSE) / np.maximum(seen, 1e-3) for image in (fused, visible)
    ]
    judged = (weight > 0) & (seen > 0.5)
    return float(np.abs(coarse[0] - coarse[1])[judged].mean())


def hue_turned(pair: SourcePair, fused: FloatArray) -> float:
    """Per cent of the judged pixels whose hue is turned; NaN if there are none."""
    turned = judged = 0
    got = read_chroma(Image(fused), slice(None)).chroma if fused.shape[2] == 3 else None
    for good, bad in ((pair.a, pair.b), (pair.b, pair.a)):
        if not good.is_colour or got is None:
            continue
        own, beside = read_chroma(good, slice(None)), bad.normalised().max(axis=2)
        where = (own.peak >= WELL[0]) & (own.peak <= WELL[1])
        where &= (beside > CLIPPED) | (beside < BLACK)
        where &= np.hypot(own.chroma[..., 0], own.chroma[..., 1]) > COLOURED
        where &= np.hypot(got[..., 0], got[..., 1]) > GREY
        angle = _hue(own.chroma) - _hue(got)
        turned += int((np.abs((angle + 180) % 360 - 180) > DEGREES)[where].sum())
        judged += int(where.sum())
    return 100 * turned / judged if judged else nan


def measured(task: str, pair: SourcePair, fused: FloatArray) -> dict[str, float]:
    """All measures of a task for one fused image H×W×(1 or 3) in [0, 1]."""
    a, b = (to_luma8(image.normalised()).astype(np.int16) for image in (pair.a, pair.b))
    grey = to_luma8(fused).astype(np.int16)
    found = invented(a, b, grey)
    if "uptake lost" in COLUMNS[task]:
        found["uptake lost"] = uptake_lost(a, b, grey)
    if "regions" in COLUMNS[task]:
        found["regions"] = regions_apart(a, b, grey)
    if "A lost" in COLUMNS[task]:
        shown = measure_retention(pair, fused)
        found["A lost"], found["B lost"] = 100 * shown.a.lost_share, 100 * shown.b.lost_share
    if "day" in COLUMNS[task]:
        found["day"] = day_difference(a, b, grey)
    if "hue" in COLUMNS[task]:
        found["hue"] = hue_turned(pair, fused)
    return found


def _hue(chroma: FloatArray) -> npt.NDArray[np.float64]:
    """Angle in the plane of Cb and Cr, in degrees."""
    angle: npt.NDArray[np.float64] = np.degrees(np.arctan2(chroma[..., 1], chroma[..., 0]))
    return angle


def _contrast(image: Levels) -> FloatArray:
    """Levels above the surroundings."""
    return image - blurred(image, AROUND)


Row = tuple[str, str, Mapping[str, float]]
"""Group, method, measures of one pair."""


def rows_of(engine: FusionEngine, folder: Path, task: str, packs: Sequence[str]) -> Iterator[Row]:
    """All methods on all pairs of a folder."""
    for files in pair_folders(folder).matches:
        pair = read_pair(files.a, files.b)
        group = files.name.partition("_")[0]
        for method in (*packs, *BASELINES):
            fused = engine.fuse(FusionRequest(pair, task, method)).fused
            yield group, Path(method).stem, measured(task, pair, fused)


def table(task: str, rows: Sequence[Row]) -> str:
    """Means by group and method, with intervals, as Markdown."""
    names = COLUMNS[task]
    head = " | ".join(("group", "method", *(f"{name}, {UNITS[name]}" for name in names)))
    lines = [f"| {head} |", f"| --- | --- |{' ---: |' * len(names)}"]
    for group in sorted({row[0] for row in rows}):
        for method in dict.fromkeys(row[1] for row in rows):
            own = [row[2] for row in rows if row[:2] == (group, method)]
            cells = [_cell([values[name] for values in own]) for name in names]
            lines.append(f"| {' | '.join((group, method, *cells))} |")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    """Mean and interval; – where nothing is measured."""
    defined = [value for value in values if not isnan(value)]
    if not defined:
        return "–"
    mean = f"{np.mean(defined):.2f}"
    if len(defined) < 2:
        return f"{mean} (1 pair)"
    low, high = bootstrap_interval(defined)
    return f"{mean} ({low:.2f} to {high:.2f})"


def golden_rows(engine: FusionEngine, golden: Path, packs: Mapping[str, str]) -> list[str]:
    """Published networks and packs on the pairs of which the former's images exist, as Markdown."""
    lines = [f"| task, pair | method | {' | '.join(GOLDEN_COLUMNS)} |"]
    lines.append(f"| --- | --- |{' ---: |' * len(GOLDEN_COLUMNS)}")
    for path in sorted(golden.glob("*.f.png")):
        task, _, rest = path.name.removesuffix(".f.png").partition("_")
        name, _, method = rest.rpartition("_")
        if task not in packs or method in BASELINES:
            continue
        a, b, fused = (path.with_name(path.name.replace(".f.", f".{x}.")) for x in "abf")
        pair = read_pair(a, b)
        theirs = read_pair(fused, fused).a.normalised()
        own = engine.fuse(FusionRequest(pair, task, packs[task])).fused
        for title, image in ((method, theirs), (Path(packs[task]).stem, own)):
            values = measured(task, pair, image)
            cells = (values.get(column, nan) for column in GOLDEN_COLUMNS)
            texts = ("–" if isnan(value) else f"{value:.2f}" for value in cells)
            lines.append(f"| {' | '.join((f'{task}, {name}', title, *texts))} |")
    return lines


def packs_of(task: str, chosen: Sequence[str]) -> list[str]:
    """The embedded pack of a task, then those of ``TASK=FILE`` arguments."""
    more = [text.partition("=")[2] for text in chosen if text.partition("=")[0] == task]
    return [Catalogue([PACKS]).find("", task).manifest.name, *more]


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the tables")
    parser.add_argument("--task", choices=tuple(TASKS), nargs="*", default=tuple(TASKS))
    parser.add_argument("--pack", action="append", default=[], metavar="TASK=FILE")
    parser.add_argument("--golden", type=Path, help="folder of images of published networks")
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    rules = __doc__.partition("- brighter")[1:]
    parts = [
        "# What fused images invent and lose\n",
        "Means over the pairs of each group, with 95 % bootstrap intervals; lower is better.\n",
        "    python benchmarks/naturalness.py --data DIR --golden GOLDEN --out FILE\n",
        "".join(rules).partition("\n\nWith ``--golden")[0] + "\n",
    ]
    for task in options.task:
        found = list(
            rows_of(engine, options.data / "val" / task, task, packs_of(task, options.pack))
        )
        parts += [f"## {TASKS[task].title} ({task})\n", table(task, found), ""]
        print("\n".join(parts[-3:]), flush=True)
    if options.golden:
        packs = {task: packs_of(task, options.pack)[-1] for task in options.task}
        parts += [
            "## Beside published networks\n",
            "On the few pairs of which their fused images exist (8-bit luma).\n",
            *golden_rows(engine, options.golden, packs),
            "",
        ]
    if options.out:
        atomic_write(options.out, "\n".join(parts).encode())


if __name__ == "__main__":
    main()

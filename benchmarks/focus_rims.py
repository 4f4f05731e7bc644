"""Errors of fused focus pairs beside the edges of objects, where neither view is sharp.

    python benchmarks/focus_rims.py --data DIR --out benchmarks/results/focus_rims.md

DIR holds val/mff/gt with sharp images. Of each, pairs are simulated (:mod:`trainer.data.defocus`):
a random foreground, sharp in the near-focused view, spreads over the background in the far-focused
one. The fused image is compared with the sharp one: mean absolute difference in grey levels (8-bit
luma) in the rim outside of the foreground and in that inside, both two standard deviations of the
blur wide, and elsewhere. The row "best of both" takes at each pixel the view that is closer to the
truth: what no choice between the views can pass.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.baselines import BASELINES
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_image
from core.metrics import to_luma8
from core.packs.registry import Catalogue
from core.types import FloatArray, FusionRequest, Image, SourcePair
from resources import PACKS
from trainer.data.defocus import focused_views, random_foreground

SIGMAS = (2.0, 4.0, 6.0)
"""Blur of the view that is out of focus, in pixels; the same in front and behind."""
RIM = 2.0
"""Width of a rim in standard deviations."""
_TOP = 65535


@dataclass(frozen=True, eq=False)
class SimulatedPair:
    """A near- and a far-focused view of a sharp image.

    Attributes:
        sharp: the truth, H×W×C in [0, 1].
        pair: the views, near first.
        outside, inside: H×W, the rims on both sides of the edge of the foreground.
    """

    sharp: FloatArray
    pair: SourcePair
    outside: npt.NDArray[np.bool_]
    inside: npt.NDArray[np.bool_]


def simulated(folder: Path, sigma: float, count: int | None = None) -> Iterator[SimulatedPair]:
    """A pair of each of the first ``count`` sharp images of a folder; the same at every call."""
    for seed, path in enumerate(sorted(folder.iterdir())[:count]):
        sharp = read_image(path).normalised()
        height, width, _ = sharp.shape
        alpha = random_foreground(height, width, np.random.default_rng(seed))
        stored = np.round(sharp * _TOP).astype(np.uint16)
        near, far = (
            Image(view.astype(np.float32), window=(0.0, _TOP), bit_depth=16)
            for view in focused_views(stored, alpha, sigma, sigma)
        )
        front = (alpha > 0.5).astype(np.uint8)
        outside, inside = (
            (side > 0) & (cv2.distanceTransform(side, cv2.DIST_L2, 5) <= RIM * sigma)
            for side in (1 - front, front)
        )
        yield SimulatedPair(sharp, SourcePair(near, far), outside, inside)


def errors(scene: SimulatedPair, fused: FloatArray) -> tuple[float, float, float]:
    """Mean absolute difference in levels: in the rims outside and inside, and elsewhere."""
    truth, got = (to_luma8(image).astype(int) for image in (scene.sharp, fused))
    difference = np.abs(truth - got)
    rest = ~(scene.outside | scene.inside)
    outside, inside, elsewhere = (
        float(difference[where].mean()) for where in (scene.outside, scene.inside, rest)
    )
    return outside, inside, elsewhere


def best_of_both(scene: SimulatedPair) -> FloatArray:
    """At each pixel the view that is closer to the truth."""
    views = [image.normalised() for image in (scene.pair.a, scene.pair.b)]
    apart = [np.abs(view - scene.sharp).sum(axis=2, keepdims=True) for view in views]
    return np.where(apart[0] <= apart[1], *views)


def section(
    engine: FusionEngine, scenes: Iterable[SimulatedPair], sigma: float, methods: Sequence[str]
) -> str:
    """The rows of one blur, as Markdown."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for scene in scenes:
        for method in methods:
            fused = engine.fuse(FusionRequest(scene.pair, "mff", method)).fused
            found.setdefault(Path(method).stem, []).append(errors(scene, fused))
        for name, view in (("near view", scene.pair.a), ("far view", scene.pair.b)):
            found.setdefault(name, []).append(errors(scene, view.normalised()))
        found.setdefault("best of both", []).append(errors(scene, best_of_both(scene)))
    lines = []
    for name, rows in found.items():
        means = " | ".join(f"{value:.2f}" for value in np.mean(rows, axis=0))
        lines.append(f"| {sigma:g} | {name} | {means} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    parser.add_argument("--pack", action="append", default=[], metavar="FILE")
    parser.add_argument("--pictures", type=int, help="the first so many sharp images only")
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    embedded = Catalogue([PACKS]).find("", "mff").manifest.name
    methods = [embedded, *options.pack, *BASELINES]
    rows = ["| blur, pixels | method | rim outside | rim inside | elsewhere |"]
    rows.append("| ---: | --- | ---: | ---: | ---: |")
    for sigma in SIGMAS:
        scenes = simulated(options.data / "val" / "mff" / "gt", sigma, options.pictures)
        rows.append(section(engine, scenes, sigma, methods))
        print(rows[-1], flush=True)
    if options.out:
        atomic_write(options.out, ("\n".join(rows) + "\n").encode())


if __name__ == "__main__":
    main()

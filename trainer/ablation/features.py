"""Feature maps with and without reconstruction side by side, as in Fig. 8 of the paper."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from core.batch.comparison_images import panel_image
from core.errors import InputError
from core.fusion.engine import FusionEngine
from core.fusion.feature_maps import common_basis, feature_pixels
from core.io import read_pair, write_image
from core.progress import NullProgress
from core.tasks import get_task
from core.types import FloatArray, FusionRequest, SourcePair, notice_for
from trainer.ablation.plan import AblationPlan, PlannedRun
from trainer.ablation.variants import FULL
from trainer.data.dataset import read_held_out
from trainer.data.pair_reader import PairReader
from trainer.run.network import backbone_of

_WITHOUT = "no-reconstruction"
_SIDE = 208
"""Width of a panel in pixels; its title needs as much."""


def write_feature_figure(
    plan: AblationPlan, path: Path, files: tuple[Path, Path] | None = None
) -> Path | None:
    """Write the feature maps of one pair with and without reconstruction.

    Both networks are those of the first seed. The first row shows the sources, the others the
    features of both adapters (principal components as RGB) and the fused image of one network.

    Args:
        files: A and B of the pair; None for the first validation pair.

    Returns:
        ``path``, or None if one of the two runs is not finished.

    Raises:
        InputError: the pair cannot be read. OutputError: the file cannot be written.
    """
    runs = {run.variant: run for run in plan.runs() if run.seed == plan.base.seed}
    chosen = [runs.get(FULL), runs.get(_WITHOUT)]
    if any(run is None or not run.plan.out.is_file() for run in chosen):
        return None
    first = next(run for run in chosen if run is not None)
    pair = _first_pair(first) if files is None else _read(files, plan)
    task = get_task(plan.base.task)
    size = _panel_size(pair)
    sources = [(task.label_a, pair.a.normalised()), (task.label_b, pair.b.normalised())]
    rows = [
        _row(run, title, pair, plan.device)
        for run, title in zip(chosen, ("with reconstruction", "without"), strict=True)
        if run is not None
    ]
    panels = [[(name, _resized(image, size)) for name, image in row] for row in (sources, *rows)]
    notice = notice_for(by_network=True) if task.medical else ""
    write_image(path, panel_image(panels, notice=notice), bit_depth=8)
    return path


def _first_pair(run: PlannedRun) -> SourcePair:
    """The first validation pair of a run that shows something in both sources."""
    config = run.config
    reader = PairReader(config.task, config.windows, config.align_choice)
    for match in read_held_out(run.config, run.plan, NullProgress()).matches:
        with suppress(InputError):
            return reader.read(match)
    raise AssertionError("read_held_out() refuses data without a usable pair")


def _read(files: tuple[Path, Path], plan: AblationPlan) -> SourcePair:
    return read_pair(*files, task=plan.base.task, windows=plan.base.windows)


def _row(
    run: PlannedRun, title: str, pair: SourcePair, device: str
) -> list[tuple[str, FloatArray]]:
    engine = FusionEngine(device, backbone=backbone_of(run.config))
    result = engine.fuse(FusionRequest(pair, run.config.task, str(run.plan.out), features=True))
    maps = list(result.features.values())
    basis = common_basis(*maps)
    return [
        (f"Features A, {title}", feature_pixels(maps[0], basis)),
        (f"Features B, {title}", feature_pixels(maps[1], basis)),
        (f"Fused, {title}", result.fused),
    ]


def _panel_size(pair: SourcePair) -> tuple[int, int]:
    """(width, height) of a panel in pixels."""
    height, width = pair.a.data.shape[:2]
    return _SIDE, max(1, round(height * _SIDE / width))


def _resized(image: FloatArray, size: tuple[int, int]) -> FloatArray:
    """``image`` at (width, height); enlarged without interpolation."""
    larger = image.shape[1] < size[0]
    how = cv2.INTER_NEAREST if larger else cv2.INTER_AREA
    resized = np.asarray(cv2.resize(image, size, interpolation=how), np.float32)
    return resized.reshape(size[1], size[0], -1)

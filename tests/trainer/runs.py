"""A small run, and the folder it reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from core.progress import Progress
from core.tasks import ColourPolicy
from tests.tiny import smooth, tiny_compact
from trainer.config.config import TrainConfig
from trainer.data.pairs import find_pairs
from trainer.data.sampler import PairSet, read_pairs

CONFIG = TrainConfig(
    "mif",
    network=tiny_compact(),
    steps=12,
    batch=1,
    crop=32,
    lr_lower=4e-3,
    lr_upper=2e-3,
    edge=3.0,
    seed=11,
    log_every=2,
    checkpoint_every=4,
    validate_every=6,
)


def load_pairs(
    data: Path,
    policy: ColourPolicy,
    exclude: tuple[str, ...] = (),
    progress: Progress | None = None,
    truth: bool = False,
) -> PairSet:
    """Find and read every pair of ``data``, with the problems of both."""
    found = find_pairs(data, None, exclude)
    read = read_pairs(found.matches, policy, progress, truth)
    return PairSet(read.pairs, (*found.problems, *read.problems))


def make_pairs(folder: Path, count: int = 3, size: int = 48) -> Path:
    """``folder`` with a/ and b/: each picture has its own half of the structure."""
    for side in "ab":
        (folder / side).mkdir(parents=True)
    for index in range(count):
        left = np.arange(size)[None, :] < size // 2
        for side, keep in (("a", left), ("b", ~left)):
            pixels = np.where(keep, smooth(size, size, 1, 10 + index)[..., 0], 0.3)
            path = folder / side / f"pair{index}.png"
            assert cv2.imwrite(str(path), np.round(pixels * 255).astype(np.uint8))
    return folder

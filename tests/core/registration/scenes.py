"""Pictures whose true transform is known."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.registration_truth import drawn, inner, moved
from core.types import Image, Transform, TransformKind


def texture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """H×W float32 in [0, 1]: blobs of several sizes and some straight edges."""
    generator = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for sigma in (1.5, 4, 12, 30):
        noise = generator.standard_normal((height, width)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
        total += smooth / smooth.std()
    for _ in range(12):
        corner = generator.integers(0, (width, height))
        size = generator.integers(20, 80, 2)
        end = corner + size
        total[corner[1] : end[1], corner[0] : end[0]] += generator.uniform(-3, 3)
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def image_of(grey: np.ndarray, mask: np.ndarray | None = None) -> Image:
    """A grey image of H×W values in [0, 1]."""
    return Image(np.asarray(grey, np.float32)[..., np.newaxis], mask=mask)


def moved_pair(
    a: np.ndarray, b: np.ndarray, kind: TransformKind, seed: int
) -> tuple[np.ndarray, np.ndarray, Transform]:
    """The inner part of ``a``, that of ``b`` moved, and the transform between the two."""
    fixed = inner(a)
    truth = drawn(kind, (fixed.shape[1], fixed.shape[0]), seed)
    return fixed, moved(b, truth), truth

"""Pictures whose true transform is known."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import Image
from core.types.transform import Transform, TransformKind

MARGIN = 0.14
"""Share of each side that is cut off, so that no border of a moved picture is seen."""


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


def grey_of(image: Image) -> np.ndarray:
    """H×W luma of an image."""
    levels = image.levels()
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return levels @ weights if levels.shape[2] == 3 else levels[..., 0]


def drawn(kind: TransformKind, size: tuple[int, int], seed: int) -> Transform:
    """A transform around the centre: ±8 % of the longer side, ±3°, ±5 % and some shear."""
    generator = np.random.default_rng(seed)
    side = max(size)
    matrix = np.eye(3)
    matrix[:2, 2] = generator.uniform(-0.08, 0.08, 2) * side
    if kind != "translation":
        angle = np.deg2rad(generator.uniform(-3, 3))
        scale = 1 if kind == "rigid" else 1 + generator.uniform(-0.05, 0.05)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    if kind in ("affine", "homography"):
        matrix[:2, :2] @= np.eye(2) + np.triu(generator.uniform(-0.02, 0.02, (2, 2)))
    if kind == "homography":
        tilt = np.eye(3)
        tilt[2, :2] = generator.uniform(-0.03, 0.03, 2) / (side / 2)
        matrix = matrix @ tilt
    centre = np.eye(3)
    centre[:2, 2] = -(np.array(size) - 1) / 2
    return Transform.of(kind, np.linalg.inv(centre) @ matrix @ centre)


def moved_pair(
    a: np.ndarray, b: np.ndarray, kind: TransformKind, seed: int
) -> tuple[np.ndarray, np.ndarray, Transform]:
    """The inner part of ``a``, that of ``b`` moved, and the transform between the two."""
    height, width = a.shape
    left, top = round(width * MARGIN), round(height * MARGIN)
    size = width - 2 * left, height - 2 * top
    truth = drawn(kind, size, seed)
    inner = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    moving = cv2.warpPerspective(
        b,
        inner @ truth.inverse().array,
        size,
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return a[top : top + size[1], left : left + size[0]], np.clip(moving, 0, 1), truth


def corner_error(found: Transform, truth: Transform, size: tuple[int, int]) -> float:
    """Mean distance of the corners of a picture of ``size`` under both transforms, in pixels."""
    right, bottom = size[0] - 1, size[1] - 1
    corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]]
    off = found.apply(corners) - truth.apply(corners)
    return float(np.linalg.norm(off, axis=1).mean())

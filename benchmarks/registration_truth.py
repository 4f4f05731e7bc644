"""Pairs whose true transform is known: one source of a real pair moved by a drawn transform."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy import ndimage

from core.types import FloatArray, Image, Transform, TransformKind, Volume

MARGIN = 0.14
"""Share of each side that is cut off, so that no border of a moved picture is seen."""
SHIFT, DEGREES, SCALE, SHEAR, TILT = 0.08, 3.0, 0.05, 0.02, 0.03
"""Ranges to either side. Shift as a share of the longer side, tilt of the depth at its ends."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def grey_of(image: Image) -> FloatArray:
    """H×W luma of an image in [0, 1]."""
    levels = image.levels()
    grey: FloatArray = levels @ _LUMA if levels.shape[2] == 3 else levels[..., 0]
    return grey


def drawn(kind: TransformKind, size: tuple[int, int], seed: int) -> Transform:
    """A transform around the centre of a picture of ``size`` (width, height)."""
    generator = np.random.default_rng(seed)
    side = max(size)
    matrix = np.eye(3)
    matrix[:2, 2] = generator.uniform(-SHIFT, SHIFT, 2) * side
    if kind != "translation":
        angle = np.deg2rad(generator.uniform(-DEGREES, DEGREES))
        scale = 1.0 if kind == "rigid" else 1 + generator.uniform(-SCALE, SCALE)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix[:2, :2] = [[cos, -sin], [sin, cos]]
    if kind in ("affine", "homography"):
        matrix[:2, :2] @= np.eye(2) + np.triu(generator.uniform(-SHEAR, SHEAR, (2, 2)))
    if kind == "homography":
        tilt = np.eye(3)
        tilt[2, :2] = generator.uniform(-TILT, TILT, 2) / (side / 2)
        matrix = matrix @ tilt
    centre = np.eye(3)
    centre[:2, 2] = -(np.array(size) - 1) / 2
    return Transform.of(kind, np.linalg.inv(centre) @ matrix @ centre)


def inner(grey: FloatArray) -> FloatArray:
    """``grey`` without its margins."""
    left, top = (round(n * MARGIN) for n in grey.shape[::-1])
    return grey[top : grey.shape[0] - top, left : grey.shape[1] - left]


def moved(grey: FloatArray, truth: Transform) -> FloatArray:
    """What :func:`inner` shows once the picture is moved by ``truth``, fixed → moving pixels."""
    left, top = (round(n * MARGIN) for n in grey.shape[::-1])
    size = grey.shape[1] - 2 * left, grey.shape[0] - 2 * top
    place = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    found = cv2.warpPerspective(
        grey,
        place @ truth.inverse().array,
        size,
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(np.clip(found, 0, 1), dtype=np.float32)


def simulated_pet(t1: Volume) -> Volume:
    """Uptake made of the T1 template itself, so that both lie on each other exactly.

    Grey matter takes up four times as much as white matter and nothing outside of the brain does;
    8 mm of resolution and 2 % of noise. Tissues are told by the template's grey levels, and the
    brain by erosion of the head: crude, but it knows nothing of the PET template.
    """
    grey = t1.data.astype(np.float64)
    grey = grey / grey.max()
    head = ndimage.binary_fill_holes(ndimage.binary_opening(grey > 0.3, iterations=3))
    brain = ndimage.gaussian_filter(ndimage.binary_erosion(head, iterations=8).astype(float), 2)
    matter = np.clip(np.minimum((grey - 0.42) / 0.08, (0.58 - grey) / 0.08), 0, 1)
    uptake = (matter + 0.25 * (grey > 0.58)) * brain
    blurred = ndimage.gaussian_filter(uptake, 8 / 2.355 / np.array(t1.spacing))
    noise = np.random.default_rng(0).normal(0, 0.02, grey.shape)
    return replace(t1, data=(blurred + noise).astype(np.float32))


def corner_error(found: Transform, truth: Transform, size: tuple[int, int]) -> float:
    """Mean distance of the corners of a picture of ``size`` under both transforms, in pixels."""
    right, bottom = size[0] - 1, size[1] - 1
    corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]]
    off = found.apply(corners) - truth.apply(corners)
    return float(np.linalg.norm(off, axis=1).mean())

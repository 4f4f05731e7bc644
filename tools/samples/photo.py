"""Camera models: exposure, tone curve, sensor noise, thermal camera, defocus."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def encode(linear: Array) -> Array:
    """sRGB transfer of linear values in 0..1."""
    x = np.clip(linear, 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def expose(radiance: Array, gain: float, seed: int, noise: float = 0.004) -> Bytes:
    """A camera exposure: clipping, highlight roll-off, shot and read noise; uint8 RGB (H, W, 3)."""
    rng = np.random.default_rng(seed)
    x = np.clip(radiance * gain, 0.0, 8.0)
    grain = rng.standard_normal(x.shape).astype(np.float32)
    common = rng.standard_normal(x.shape[:2]).astype(np.float32)[..., None]
    x = x + np.sqrt(noise**2 * np.minimum(x, 1.0) + (0.25 * noise) ** 2) * (
        0.8 * grain + 0.6 * common
    )
    x = np.maximum(x, 0.0)
    shoulder = np.where(x > 0.7, 0.7 + 0.3 * (1 - np.exp(-(x - 0.7) / 0.3)), x)
    shoulder = np.where(shoulder > 0.985, 1.0, shoulder)
    return np.round(encode(shoulder) * 255.0).astype(np.uint8)


def glare(radiance: Array, strength: float, scale: float) -> Array:
    """Add the lens glare of bright lamps; ``scale`` is pixels per 640 pixels of width."""
    bright = np.maximum(radiance - 1.5, 0.0)
    halo = np.zeros_like(radiance)
    for sigma, part in ((2.5, 0.5), (9.0, 0.32), (36.0, 0.18)):
        halo += part * cv2.GaussianBlur(bright, (0, 0), max(sigma * scale, 0.5))
    return (radiance + strength * halo).astype(np.float32)


def heat(celsius: Array, seed: int, scale: float) -> Bytes:
    """Uncooled thermal camera: soft lens, column pattern, noise, automatic gain; uint8 (H, W)."""
    rng = np.random.default_rng(seed)
    x = cv2.GaussianBlur(celsius.astype(np.float32), (0, 0), max(0.85 * scale, 0.3))
    rows, cols = x.shape
    x = x + 0.035 * rng.standard_normal((1, cols)) + 0.02 * rng.standard_normal((rows, 1))
    x = x + cv2.GaussianBlur(rng.standard_normal(x.shape).astype(np.float32), (0, 0), 0.6) * 0.13
    # Automatic gain: a mixture of linear scaling between percentiles and histogram equalisation.
    low, high = np.percentile(x, [0.5, 99.93])
    line = np.clip((x - low) / (high - low), 0.0, 1.0)
    order = np.sort(x.ravel())
    rank = np.searchsorted(order, x.ravel()).reshape(x.shape) / x.size
    tone = 0.72 * line + 0.28 * rank
    y, xx = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : cols * 1j]
    tone = tone - 0.035 * (xx**2 + y**2)
    return np.clip(np.round(8 + 244 * tone), 0, 255).astype(np.uint8)


def soften(image: Array, sigma: float) -> Array:
    """Gaussian blur."""
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.float32)


def _disc(diameter: float) -> Array:
    """A soft-edged disc kernel that sums to 1; below one pixel it is a point."""
    radius = max(diameter / 2, 0.0)
    half = int(np.ceil(radius + 0.5))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0).astype(np.float32)
    return kernel / kernel.sum()


def defocus(layer: Array, diameter: Array) -> Array:
    """Blur a premultiplied layer (H, W, C) with a disc that varies over the image.

    ``diameter`` (H, W) is that of the disc in pixels; results between fixed steps are interpolated.
    """
    largest = float(diameter.max())
    steps = [0.0]
    while steps[-1] < largest:
        steps.append(steps[-1] + max(0.5, 0.16 * steps[-1]))
    stack = [
        cv2.filter2D(layer, -1, _disc(s), borderType=cv2.BORDER_REPLICATE).reshape(layer.shape)
        for s in steps
    ]
    result = np.zeros_like(layer)
    for k, size in enumerate(steps):
        below = steps[k - 1] if k else -1.0
        above = steps[k + 1] if k + 1 < len(steps) else steps[-1] + 1.0
        rise = (diameter - below) / (size - below)
        fall = (above - diameter) / (above - size)
        result += stack[k] * np.clip(np.minimum(rise, fall), 0.0, 1.0)[..., None]
    return result


def write(path: Path, picture: Bytes) -> None:
    """Write a PNG, grey (H, W) or RGB (H, W, 3)."""
    coded, data = cv2.imencode(
        ".png",
        picture[..., ::-1] if picture.ndim == 3 else picture,
        [cv2.IMWRITE_PNG_COMPRESSION, 9],
    )
    if not coded:
        raise OSError(f"cannot encode {path}")
    path.write_bytes(data.tobytes())

"""Denoises a rendered frame while preserving textures and edges."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from tools.samples.render import Frame
from tools.samples.shapes import INF, Array


def _calm(picture: Array, cover: Array, times: float) -> Array:
    """Limit isolated bright pixels to ``times`` the median of their neighbourhood.

    Only well inside the covered area: outside, the median would be black.
    """
    picture = np.ascontiguousarray(picture, dtype=np.float32)
    inside = cv2.erode(np.ascontiguousarray(cover), np.ones((5, 5), np.uint8)) > 0.99
    limit = np.where(inside[..., None], times * cv2.medianBlur(picture, 5) + 1e-3, INF)
    return np.minimum(picture, limit).astype(np.float32)


def denoise(frame: Frame, passes: int = 4, strength: float = 1.0) -> Frame:
    """Edge-aware à-trous cross-bilateral smoothing of the light only, which preserves textures."""
    colour = np.maximum(frame.colour, 1e-3)
    light = _calm(frame.lit / colour, frame.cover, 2.0)
    guide_n, guide_z = frame.normal, np.log(np.maximum(frame.depth, 1e-2))
    taps = ((0, 0.375), (1, 0.25), (-1, 0.25), (2, 0.0625), (-2, 0.0625))
    for level in range(passes):
        stride = 2**level
        steady = cv2.medianBlur(light.mean(axis=2), 5)  # noisy pixels are no edges
        tone = np.log(np.maximum(steady, 1e-3))
        total, weights = np.zeros_like(light), np.zeros_like(guide_z)
        for dy, wy in taps:
            for dx, wx in taps:
                shift = (dy * stride, dx * stride)
                other = np.roll(light, shift, (0, 1))
                away = ((np.roll(guide_n, shift, (0, 1)) - guide_n) ** 2).sum(axis=2) / 0.03
                away += np.abs(np.roll(guide_z, shift, (0, 1)) - guide_z) / (0.02 * stride)
                away += np.abs(np.roll(frame.cover, shift, (0, 1)) - frame.cover) / 0.2
                away += ((np.roll(tone, shift, (0, 1)) - tone) / (0.9 * strength / stride)) ** 2
                w = wy * wx * np.exp(-away)
                total += other * w[..., None]
                weights += w
        light = total / weights[..., None]
    extra = _calm(frame.extra, frame.cover, 3.0)
    return replace(frame, lit=(light * colour).astype(np.float32), extra=extra)

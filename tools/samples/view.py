"""The landscape outside the window, as radiance by direction."""

from __future__ import annotations

import numpy as np

from tools.samples import noise
from tools.samples.noise import mix, rgb, step
from tools.samples.shapes import Array


def _ridge(azimuth: Array, seed: int, grain: float) -> Array:
    return noise.smooth(noise.fractal(seed, 1.35), azimuth * grain, np.full_like(azimuth, 0.3))


def outside(d: Array) -> Array:
    """Sky with clouds, two mountain ranges, woods and a meadow in bright daylight."""
    up = d[1] / np.maximum(np.hypot(d[0], d[2]), 1e-4)
    azimuth = np.arctan2(d[0], d[2]).astype(np.float32)
    s = 1 / (np.maximum(up, 0) + 0.22)
    puff = noise.smooth(noise.fractal(3, 1.45), azimuth * s * 0.35 + 0.1, s * 0.55)
    thick = step(puff, 0.47, 0.66)
    picture = mix(rgb(11.0, 13.5, 17.0), rgb(2.6, 6.0, 13.5), step(up, 0.0, 0.30))
    picture = mix(picture, rgb(19, 19, 19)[:, None] * (0.72 + 0.5 * (puff - 0.5)), thick * 0.9)
    lie = np.zeros_like(up)
    for seed, base, height, tone, haze, grain in (
        (11, 0.085, 0.15, rgb(2.3, 2.9, 3.7), 0.55, 0.42),
        (12, 0.03, 0.09, rgb(1.3, 2.0, 1.5), 0.28, 0.8),
    ):
        crest = base + height * (_ridge(azimuth, seed, grain) - 0.25)
        rock = noise.smooth(noise.fractal(seed + 10, 1.1), azimuth * 1.6 + up, up * 3.5)
        side = noise.smooth(noise.fractal(seed + 20, 1.5), azimuth * 1.2 - up * 1.5, up * 1.2)
        face = tone[:, None] * (0.35 + 0.8 * rock + 0.9 * side)
        face = mix(face, rgb(7.0, 8.8, 11.0), np.full_like(up, haze * 0.5))
        snow = step(up + 0.08 * (rock - 0.5), 0.105, 0.125) * (seed == 11)
        face = mix(face, rgb(15, 15.5, 16.5), snow * step(side + rock, 0.75, 1.1))
        picture = np.where(up < crest, face, picture)
    trees = 0.012 + 0.055 * _ridge(azimuth, 14, 3.1) + 0.02 * _ridge(azimuth, 15, 14.0)
    leafy = noise.smooth(noise.fractal(16, 0.75), azimuth * 2.2, up * 2.2)
    wood = rgb(0.9, 1.75, 0.45)[:, None] * (0.1 + 1.9 * leafy**1.5)
    picture = np.where(up < trees, wood, picture)
    near = np.minimum(1.4 / np.maximum(-up + lie, 0.004), 160)
    gx, gz = azimuth * near, near
    blades = noise.look(noise.fractal(17, 0.75), gx / 9, gz / 16)
    plots = noise.smooth(noise.fractal(18, 1.6), gx / 60, gz / 70)
    meadow = mix(rgb(2.2, 3.5, 1.0), rgb(4.3, 4.2, 1.8), step(plots, 0.35, 0.65)) * (
        0.45 + 1.1 * blades
    )
    flower = noise.look(noise.white(19), gx / 4, gz / 9) > 0.988
    meadow = np.where(flower, rgb(11, 9.5, 3)[:, None], meadow)
    path = np.abs(gx - 0.16 * near + 1.2 * np.sin(near / 9)) < 1.1
    meadow = np.where(path, rgb(6.5, 5.6, 4.2)[:, None] * (0.7 + 0.6 * blades), meadow)
    return np.where(up < -0.004, meadow, picture).astype(np.float32)

"""Tileable procedural textures, generated from a seed and sampled by surface position."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Array = NDArray[np.float32]

TILE = 512


@cache
def fractal(seed: int, slope: float = 1.6, tile: int = TILE) -> Array:
    """Periodic fractal noise (tile, tile), mean 0.5, about 0..1; amplitude falls as 1/f**slope."""
    rng = np.random.default_rng(seed)
    fy = np.fft.fftfreq(tile)[:, None] * tile
    fx = np.fft.rfftfreq(tile)[None, :] * tile
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((tile, tile))) / radius**slope
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, s=(tile, tile))
    return np.clip(0.5 + field / (5.0 * field.std()), 0.0, 1.0).astype(np.float32)


@cache
def white(seed: int, tile: int = TILE) -> Array:
    """Independent values in 0..1, (tile, tile)."""
    return np.random.default_rng(seed).random((tile, tile), dtype=np.float32)


def look(picture: Array, u: Array, v: Array) -> Array:
    """Nearest-neighbour sample of a periodic image; ``u`` and ``v`` in periods. Keeps channels."""
    rows, cols = picture.shape[:2]
    i = np.floor(v * rows).astype(np.int64) % rows
    j = np.floor(u * cols).astype(np.int64) % cols
    return picture[i, j]


def smooth(picture: Array, u: Array, v: Array) -> Array:
    """Bilinear sample of a periodic one-channel image."""
    rows, cols = picture.shape
    x, y = u * cols - 0.5, v * rows - 0.5
    j, i = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - j).astype(np.float32), (y - i).astype(np.float32)
    i0, i1, j0, j1 = i % rows, (i + 1) % rows, j % cols, (j + 1) % cols
    top = picture[i0, j0] * (1 - fx) + picture[i0, j1] * fx
    low = picture[i1, j0] * (1 - fx) + picture[i1, j1] * fx
    return (top * (1 - fy) + low * fy).astype(np.float32)


def cell(ix: Array, iy: Array, seed: int) -> Array:
    """A constant random value in 0..1 for each integer cell."""
    table = white(seed)
    return table[np.floor(iy).astype(np.int64) % TILE, np.floor(ix).astype(np.int64) % TILE]


def mix(a: Array, b: Array, t: Array) -> Array:
    """Linear interpolation of colours ``a`` and ``b``, (3, N) or (3,), by ``t`` (N,)."""
    a = a[:, None] if a.ndim == 1 else a
    b = b[:, None] if b.ndim == 1 else b
    return (a + (b - a) * t).astype(np.float32)


def rgb(red: float, green: float, blue: float) -> Array:
    """A linear-light colour."""
    return np.array([red, green, blue], dtype=np.float32)


def step(value: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    x = np.clip((value - low) / (high - low), 0.0, 1.0)
    return (x * x * (3.0 - 2.0 * x)).astype(np.float32)


def bricks(u: Array, v: Array, seed: int, mortar: float = 0.09) -> tuple[Array, Array]:
    """Running bond of 1×1 bricks in (u, v): a random value per brick, and 1 on mortar."""
    row = np.floor(v)
    shifted = u + 0.5 * (row % 2)
    col = np.floor(shifted)
    fu, fv = shifted - col, v - row
    edge = np.minimum(np.minimum(fu, 1 - fu) * 2.6, np.minimum(fv, 1 - fv))
    return cell(col, row, seed), 1.0 - step(edge, mortar * 0.6, mortar)


def wood(along: Array, across: Array, seed: int) -> Array:
    """Wood grain 0..1: long streaks along one axis, about one period per unit."""
    bend = smooth(fractal(seed), along * 0.12, across * 0.25)
    streak = smooth(fractal(seed + 1, 1.2), along * 0.06, across * 1.1 + 0.5 * bend)
    pores = smooth(fractal(seed + 2, 0.6), along * 0.5, across * 9.0)
    rings = 0.5 + 0.5 * np.sin(60.0 * (across * 0.35 + 0.35 * bend))
    return (0.5 * streak + 0.28 * rings + 0.22 * pores).astype(np.float32)


def _text(
    sheet: Image.Image, at: tuple[float, float], text: str, height: float, anchor: str
) -> None:
    """Draw text in Pillow's built-in font (Aileron, public domain)."""
    font = ImageFont.load_default(height)
    ImageDraw.Draw(sheet).text(at, text, fill=0, font=font, anchor=anchor)


def page(lines: list[str], size: tuple[int, int]) -> Array:
    """A page of text (rows, cols) in 0..1 with paper at 1: a title, and a body that fills it."""
    sheet = Image.new("L", size, 255)
    pitch = (size[1] - 150) / len(lines)
    for number, line in enumerate(lines):
        y = 40 if number == 0 else 100 + number * pitch
        _text(sheet, (44, y), line, 62 if number == 0 else 33, "la")
    return (0.1 + 0.9 * np.asarray(sheet, dtype=np.float32) / 255.0).astype(np.float32)


def label(text: str, size: tuple[int, int], height: float) -> Array:
    """Text centred on a white (rows, cols) strip, 0..1."""
    sheet = Image.new("L", size, 255)
    _text(sheet, (size[0] / 2, size[1] / 2), text, height, "mm")
    return (np.asarray(sheet, dtype=np.float32) / 255.0).astype(np.float32)

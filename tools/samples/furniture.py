"""Furniture and small objects of the sunny room."""

from __future__ import annotations

import numpy as np

from tools.samples import noise
from tools.samples.noise import mix, rgb, step
from tools.samples.shapes import (
    Array,
    Box,
    Cylinder,
    Ellipsoid,
    Material,
    Shape,
    bar,
    turn,
)

SEED = 733


def plank(tone: Array, seed: int, upright: bool = False) -> Material:
    """Wood with its grain along local x, or along y if ``upright``."""

    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        flat = np.abs(ln[1]) > 0.5
        across = lp[0] + lp[2] if upright else np.where(flat, lp[2], lp[1])
        along = lp[1] if upright else lp[0]
        return tone[:, None] * (0.45 + 1.0 * noise.wood(along * 3, across * 6, seed))

    return Material(paint, shine=0.03, rough=0.10)


def shelf() -> list[Shape]:
    """A bookcase on the left wall, filled with books of many colours."""
    rng = np.random.default_rng(SEED)
    frame = plank(rgb(0.22, 0.12, 0.06), 55)
    x, z0, z1 = -2.32, 2.0, 3.9
    shapes: list[Shape] = [
        Box((x - 0.14, 1.05, (z0 + z1) / 2), frame, half=(0.012, 1.05, (z1 - z0) / 2))
    ]
    shapes += [Box((x, 1.05, z), frame, half=(0.15, 1.05, 0.018)) for z in (z0, z1)]
    inks = [
        (0.35, 0.05, 0.04),
        (0.05, 0.12, 0.25),
        (0.10, 0.22, 0.10),
        (0.5, 0.42, 0.28),
        (0.08, 0.07, 0.07),
        (0.45, 0.22, 0.06),
        (0.55, 0.53, 0.5),
        (0.22, 0.08, 0.2),
    ]
    for level in range(6):
        y = 0.04 + level * 0.40
        shapes.append(Box((x, y, (z0 + z1) / 2), frame, half=(0.15, 0.014, (z1 - z0) / 2)))
        z = z0 + 0.03
        while level < 5 and z < z1 - 0.08 - 0.35 * rng.random():
            w, h, deep = rng.uniform(0.025, 0.06), rng.uniform(0.22, 0.33), rng.uniform(0.09, 0.13)
            cover = _spine(
                rgb(*inks[rng.integers(len(inks))]) * rng.uniform(0.6, 1.3), int(rng.integers(900))
            )
            lean = turn(0, float(rng.choice([0, 0, 0, 3, -3])))
            at = (x - 0.02, y + 0.014 + h / 2, z + w / 2)
            shapes.append(Box(at, cover, lean, half=(deep, h / 2, w / 2 - 0.001), bevel=0.004))
            z += w + 0.002
    return shapes


def _spine(ink: Array, seed: int) -> Material:
    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        worn = noise.look(noise.fractal(57, 0.8), wp[2] * 2 + seed / 7, wp[1] * 2)
        band = (np.abs(np.abs(lp[1]) - 0.075) < 0.006) | (
            (np.abs(lp[1] - 0.03) < 0.014) & (seed % 3 > 0)
        )
        gold = rgb(0.55, 0.40, 0.14)[:, None] * np.ones_like(worn)
        return np.where(band, gold, ink[:, None] * (0.6 + 0.8 * worn)).astype(np.float32)

    return Material(paint)


def _fruit(at: tuple[float, float, float]) -> list[Shape]:
    """Oranges and apples in a bowl at ``at``."""
    x, top, z = at
    orange = Material(
        lambda lp, ln, wp: (
            rgb(0.65, 0.22, 0.02)[:, None]
            * (0.8 + 0.4 * noise.look(noise.fractal(67, 0.3), np.arctan2(lp[0], lp[2]), lp[1] * 9))
        ),
        shine=0.04,
        rough=0.12,
    )
    apple = Material(
        lambda lp, ln, wp: mix(
            rgb(0.42, 0.02, 0.02),
            rgb(0.5, 0.38, 0.06),
            step(
                noise.smooth(noise.fractal(68, 1.2), np.arctan2(lp[0], lp[2]) / 2, lp[1] * 3),
                0.5,
                0.75,
            ),
        ),
        shine=0.05,
        rough=0.06,
    )
    shapes: list[Shape] = []
    for dx, dz, dy, m in (
        (-0.07, 0.02, 0.0, orange),
        (0.07, 0.03, 0.0, apple),
        (0.0, -0.08, 0.0, orange),
        (0.005, -0.01, 0.085, apple),
    ):
        shapes.append(Ellipsoid((x + dx, top + 0.075 + dy, z + dz), m, radii=(0.056, 0.052, 0.056)))
    return shapes


def _flowers(at: tuple[float, float, float]) -> list[Shape]:
    """Cut flowers in a vase at ``at``."""
    x, top, z = at
    shapes: list[Shape] = []
    rng = np.random.default_rng(SEED + 3)
    stem, petal = Material(rgb(0.05, 0.14, 0.03)), Material(rgb(0.75, 0.52, 0.05))
    for _ in range(9):
        tip = (
            x + rng.normal(0, 0.10),
            top + rng.uniform(0.52, 0.68),
            z + rng.normal(0, 0.08),
        )
        shapes.append(bar((x, top + 0.33, z), tip, 0.004, stem))
        shapes.append(
            Ellipsoid(tip, petal, turn(float(rng.uniform(0, 90)), 40), radii=(0.045, 0.018, 0.045))
        )
    return shapes


def table() -> list[Shape]:
    """A table by the window, with the objects on it."""
    oak = plank(rgb(0.42, 0.25, 0.12), 63)
    leg = plank(rgb(0.42, 0.25, 0.12), 64, upright=True)
    glaze = Material(
        lambda lp, ln, wp: mix(
            rgb(0.05, 0.16, 0.26),
            rgb(0.55, 0.5, 0.4),
            step(
                noise.smooth(noise.fractal(65, 1.2), np.arctan2(lp[0], lp[2]) / 2, lp[1] * 2),
                0.45,
                0.6,
            ),
        ),
        shine=0.06,
        rough=0.03,
    )
    chrome = Material(rgb(0.85, 0.85, 0.87), shine=0.85, rough=0.004, metal=True)
    dish = Material(rgb(0.6, 0.58, 0.52), shine=0.05, rough=0.05)
    y, x, z = 0.74, -0.30, 2.35
    shapes: list[Shape] = [Box((x, y, z), oak, turn(-8), half=(0.75, 0.022, 0.45), bevel=0.008)]
    for sx in (-0.62, 0.62):
        for sz in (-0.34, 0.34):
            shapes.append(
                Box((x + sx, y / 2, z + sz), leg, turn(-8), half=(0.03, y / 2, 0.03), bevel=0.006)
            )
    top = y + 0.022
    shapes += [
        Ellipsoid((x + 0.36, top + 0.11, z + 0.03), chrome, radii=(0.11, 0.11, 0.11)),
        Ellipsoid((x - 0.42, top + 0.15, z + 0.08), glaze, radii=(0.105, 0.15, 0.105)),
        Cylinder((x - 0.42, top + 0.31, z + 0.08), glaze, radius=0.042, length=0.09),
        Cylinder((x + 0.0, top + 0.014, z - 0.10), dish, radius=0.17, length=0.028),
    ]
    for k, tone in enumerate(((0.06, 0.14, 0.22), (0.4, 0.12, 0.05))):
        shapes.append(
            Box(
                (x + 0.46, top + 0.018 + 0.036 * k, z - 0.26),
                _spine(rgb(*tone), 2),
                turn(12 + 9 * k),
                half=(0.13, 0.017, 0.09),
                bevel=0.004,
            )
        )
    return shapes + _fruit((x, top, z - 0.10)) + _flowers((x - 0.42, top, z + 0.08))


def chair() -> list[Shape]:
    """A chair with a woven seat."""
    wood = plank(rgb(0.28, 0.15, 0.07), 71, upright=True)
    seat = Material(
        lambda lp, ln, wp: np.where(
            (np.floor(lp[0] * 30) + np.floor(lp[2] * 30)) % 2 > 0,
            rgb(0.12, 0.2, 0.16)[:, None],
            rgb(0.3, 0.34, 0.26)[:, None],
        ).astype(np.float32)
    )
    x, z, yaw = 1.25, 2.75, 32
    frame = turn(yaw)

    def place(a: float, y: float, b: float) -> tuple[float, float, float]:
        p = frame.T @ np.array([a, 0, b], np.float32)
        return (x + float(p[0]), y, z + float(p[2]))

    shapes: list[Shape] = [
        Box(place(0, 0.45, 0), seat, frame, half=(0.22, 0.035, 0.22), bevel=0.03)
    ]
    for sx in (-0.19, 0.19):
        shapes += [
            bar(place(sx, 0, -0.19), place(sx, 0.44, -0.19), 0.02, wood),
            bar(place(sx, 0, 0.2), place(sx * 1.05, 0.98, 0.25), 0.02, wood),
        ]
    shapes += [
        Box(place(0, y, 0.235), wood, frame, half=(0.19, 0.03, 0.01), bevel=0.01)
        for y in (0.62, 0.76, 0.92)
    ]
    return shapes

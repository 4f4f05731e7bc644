"""Objects in the street: people, cars, trees and lamps, with colour and temperature."""

from __future__ import annotations

import numpy as np

from tools.samples import noise
from tools.samples.lights import Lamp
from tools.samples.noise import rgb
from tools.samples.shapes import (
    Array,
    Box,
    Convex,
    Cylinder,
    Ellipsoid,
    Group,
    Material,
    Shape,
    bar,
    turn,
)

Point = tuple[float, float, float]


def _cloth(colour: Array, seed: int) -> Material:
    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        fold = noise.smooth(noise.fractal(seed, 1.6), wp[0] * 1.1 + wp[2], wp[1] * 0.5)
        return colour[:, None] * (0.6 + 0.8 * fold)

    def warmth(lp: Array, ln: Array, wp: Array) -> Array:
        fold = noise.smooth(noise.fractal(seed, 1.6), wp[0] * 1.1 + wp[2], wp[1] * 0.5)
        return (20.0 + 5.0 * (fold - 0.5) + 1.2 * ln[1]).astype(np.float32)

    return Material(paint, temperature=warmth)


def person(
    at: tuple[float, float],
    yaw: float,
    *,
    stride: float,
    top: Array,
    legs: Array,
    seed: int,
    height: float = 1.75,
) -> Group:
    """A walking person: rounded limbs, clothes, bare face and hands. ``stride`` swings the legs."""
    k = height / 1.75
    c, s = np.cos(np.deg2rad(yaw)), np.sin(np.deg2rad(yaw))

    def place(x: float, y: float, z: float) -> Point:
        return (at[0] + k * (c * x + s * z), 0.02 + k * y, at[1] + k * (-s * x + c * z))

    skin = Material(rgb(0.42, 0.27, 0.2), temperature=28.5)
    hair = Material(rgb(0.03, 0.02, 0.015), temperature=23.0)
    coat, trousers = _cloth(top, seed), _cloth(legs, seed + 1)
    shoe = Material(rgb(0.03, 0.03, 0.03), temperature=17.0)
    w = stride
    shapes: list[Shape] = []
    for side, swing in ((-1, w), (1, -w)):
        knee = place(0.10 * side, 0.49, 0.22 * swing + 0.05)
        foot = place(0.10 * side, 0.09, 0.42 * swing - 0.05)
        shapes += [
            bar(place(0.09 * side, 0.90, 0.0), knee, 0.085 * k, trousers),
            bar(knee, foot, 0.062 * k, trousers),
            bar(foot, place(0.11 * side, 0.05, 0.42 * swing + 0.12), 0.05 * k, shoe),
        ]
        elbow = place(0.29 * side, 1.10, -0.16 * swing - 0.03)
        hand = place(0.27 * side, 0.86, -0.30 * swing + 0.10)
        shapes += [
            bar(place(0.20 * side, 1.38, 0.0), elbow, 0.056 * k, coat),
            bar(elbow, hand, 0.047 * k, coat),
            Ellipsoid(hand, skin, radii=(0.045 * k, 0.06 * k, 0.045 * k)),
        ]
    frame = turn(-yaw)
    shapes += [
        Ellipsoid(place(0, 1.18, 0), coat, frame, radii=(0.205 * k, 0.32 * k, 0.135 * k)),
        Ellipsoid(place(0, 0.95, 0), trousers, frame, radii=(0.175 * k, 0.16 * k, 0.13 * k)),
        bar(place(-0.16, 1.38, 0), place(0.16, 1.38, 0), 0.075 * k, coat),
        bar(place(0, 1.40, 0), place(0, 1.56, 0.01), 0.055 * k, skin),
        Ellipsoid(place(0, 1.62, 0.02), skin, frame, radii=(0.078 * k, 0.115 * k, 0.095 * k)),
        Ellipsoid(place(0, 1.655, -0.012), hair, frame, radii=(0.086 * k, 0.10 * k, 0.092 * k)),
    ]
    return Group(shapes, place(0, 0.9, 0), 1.05 * k)


def _body_paint(tint: Array) -> Material:
    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        x, y, z = lp
        nose = (ln[2] < -0.6) & (np.abs(x) < 0.48) & (y > 0.40) & (y < 0.60)
        bars = nose & ((y * 40) % 1 < 0.5)
        plate = (ln[2] < -0.6) & (np.abs(x) < 0.26) & (np.abs(y - 0.36) < 0.055)
        seam = (np.abs(ln[0]) > 0.6) & ((np.abs(z + 0.75) < 0.012) | (np.abs(z - 0.33) < 0.012))
        low = y < 0.32
        c = np.broadcast_to(tint[:, None], lp.shape)
        c = np.where(nose | seam | low, 0.02, c)
        c = np.where(bars, 0.12, c)
        return np.where(plate, 0.7, c).astype(np.float32)

    def warmth(lp: Array, ln: Array, wp: Array) -> Array:
        x, y, z = lp
        bonnet = np.exp(-(((z + 1.45) / 0.5) ** 2) - (x / 0.6) ** 2) * np.clip(ln[1] + 0.35, 0, 1)
        grille = np.exp(-(((y - 0.48) / 0.14) ** 2) - (x / 0.5) ** 2) * (ln[2] < -0.6)
        return (
            9.2 + 13.0 * bonnet + 15.0 * grille + 2.5 * (y < 0.34) - 1.5 * (ln[1] > 0.8)
        ).astype(np.float32)

    return Material(paint, shine=0.05, rough=0.03, temperature=warmth)


def _cabin_paint(tint: Array) -> Material:
    def glass(lp: Array, ln: Array) -> Array:
        x, y, z = lp
        flank = np.abs(ln[0]) > 0.6
        span = (y > 0.97) & (y < 1.31)
        pillar = (
            (np.abs(z - 0.42) < 0.05) | (z < -0.42 + 0.9 * (y - 1.0)) | (z > 1.25 - 0.7 * (y - 1.0))
        )
        screen = (np.abs(ln[2]) > 0.35) & (np.abs(x) < 0.69 - 0.35 * (y - 0.92)) & (y < 1.35)
        return np.where(flank, span & ~pillar, screen & ~flank)

    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        return np.where(glass(lp, ln), 0.012, tint[:, None]).astype(np.float32)

    def warmth(lp: Array, ln: Array, wp: Array) -> Array:
        return np.where(glass(lp, ln), 6.2 + 1.5 * (lp[1] - 1), 8.4).astype(np.float32)

    return Material(paint, shine=0.06, rough=0.015, temperature=warmth)


# Half-spaces, normal and offset in metres: the lower body, then the cabin.
_BODY = (
    (1, 0, 0, 0.86),
    (-1, 0, 0, 0.86),
    (0, -1, 0, -0.20),
    (0, 1, 0.02, 0.95),
    (0, 0, 1, 2.08),
    (0, 0.12, -1, 2.13),
    (0, 1, -0.19, 1.11),
    (0, 1, -1.1, 2.78),
    (0, 1, 0.8, 2.46),
    (1, 0.55, 0, 1.29),
    (-1, 0.55, 0, 1.29),
    (1, -0.6, 0, 0.69),
    (-1, -0.6, 0, 0.69),
    (1, 0, -0.55, 1.86),
    (-1, 0, -0.55, 1.86),
    (1, 0, 0.4, 1.60),
    (-1, 0, 0.4, 1.60),
)
_CABIN = (
    (0, 1, 0.05, 1.46),
    (0, 1, -0.07, 1.43),
    (0, -1, 0, -0.85),
    (1, 0.40, 0, 1.13),
    (-1, 0.40, 0, 1.13),
    (0, 0.70, -0.50, 1.12),
    (0, 0.62, 0.46, 1.40),
    (1, 1, 0, 1.92),
    (-1, 1, 0, 1.92),
)


def car(at: tuple[float, float], yaw: float, tint: Array, lamps: Array | None = None) -> Group:
    """A small car, front towards its local -z. ``lamps`` turns on the front lamps."""
    frame = turn(yaw)
    base = (at[0], 0.0, at[1])

    def place(x: float, y: float, z: float) -> Point:
        p = frame.T @ np.array([x, y, z], np.float32)
        return (base[0] + float(p[0]), float(p[1]), base[2] + float(p[2]))

    lens = Material(rgb(0.5, 0.5, 0.52), lamps, shine=0.08, rough=0.05, temperature=14.0)
    tail = Material(rgb(0.35, 0.01, 0.01), shine=0.05, temperature=9.5)
    tyre = Material(
        rgb(0.018, 0.018, 0.018), temperature=lambda lp, ln, wp: 17.5 + 4 * np.exp(-wp[1] / 0.12)
    )
    rim = Material(rgb(0.35, 0.35, 0.36), shine=0.2, rough=0.1, temperature=22.0)
    arch = Material(rgb(0.006, 0.006, 0.006), temperature=13.0)
    shapes: list[Shape] = [
        Convex(base, _body_paint(tint), frame, faces=_BODY, bevel=0.03),
        Convex(base, _cabin_paint(tint), frame, faces=_CABIN, bevel=0.025),
    ]
    axle = turn(yaw, 0, 90)
    for x in (-1, 1):
        for z in (-1.32, 1.30):
            shapes += [
                Cylinder(place(0.76 * x, 0.33, z), arch, axle, radius=0.37, length=0.235),
                Cylinder(place(0.775 * x, 0.31, z), tyre, axle, radius=0.31, length=0.22),
                Cylinder(place(0.79 * x, 0.31, z), rim, axle, radius=0.19, length=0.21),
            ]
        shapes += [
            Ellipsoid(place(0.63 * x, 0.66, -1.93), lens, frame, radii=(0.17, 0.085, 0.16)),
            Box(place(0.70 * x, 0.78, 2.04), tail, frame, half=(0.10, 0.09, 0.05)),
            Ellipsoid(
                place(0.93 * x, 1.0, -0.62), _body_paint(tint), frame, radii=(0.10, 0.07, 0.06)
            ),
        ]
    return Group(shapes, place(0, 0.7, 0), 2.45)


def tree(at: tuple[float, float], seed: int, size: float) -> list[Group]:
    """A street tree: trunk, a few branches, and leaf clusters with gaps."""
    rng = np.random.default_rng(seed)

    def bark_colour(lp: Array, ln: Array, wp: Array) -> Array:
        ridge = noise.smooth(noise.fractal(seed, 1.0), np.arctan2(lp[0], lp[2]) / 2, wp[1] * 0.4)
        return rgb(0.11, 0.085, 0.06)[:, None] * (0.4 + 1.2 * ridge)

    def leaf(lp: Array, ln: Array, wp: Array) -> Array:
        grain = noise.look(
            noise.fractal(seed + 2, 0.7), (wp[0] + wp[1]) / 1.3, (wp[2] - wp[1]) / 1.3
        )
        return rgb(0.07, 0.11, 0.03)[:, None] * (0.3 + 1.4 * grain)

    def solid(lp: Array, ln: Array, wp: Array) -> Array:
        a = noise.look(
            noise.fractal(seed + 3, 0.75), (wp[0] + 0.6 * wp[1]) / 1.5, (wp[1] - 0.5 * wp[2]) / 1.5
        )
        return (a > 0.56).astype(np.float32)

    def leaf_heat(lp: Array, ln: Array, wp: Array) -> Array:
        grain = noise.look(
            noise.fractal(seed + 2, 0.7), (wp[0] + wp[1]) / 1.3, (wp[2] - wp[1]) / 1.3
        )
        return (9.9 + 5.0 * (grain - 0.5) - 0.25 * (wp[1] - 4)).astype(np.float32)

    bark = Material(bark_colour, temperature=lambda lp, ln, wp: 11.4 + 0.4 * np.sin(wp[1] * 3))
    leaves = Material(leaf, temperature=leaf_heat)
    x, z = at
    fork = (x + 0.08, 2.5 * size, z)
    wood: list[Shape] = [bar((x, -0.2, z), fork, 0.15 * size, bark)]
    crown: list[Shape] = []
    middle = np.array([x, 3.9 * size, z])
    for _ in range(6):
        tip = middle + rng.normal(0, 1, 3) * np.array([0.5, 0.4, 0.5]) * size
        wood.append(bar(fork, (float(tip[0]), float(tip[1]), float(tip[2])), 0.055 * size, bark))
    for _ in range(34):
        way = rng.normal(0, 1, 3)
        way /= np.linalg.norm(way)
        spot = middle + way * rng.uniform(0.3, 1.0) * np.array([1.6, 1.25, 1.6]) * size
        r = rng.uniform(0.45, 0.85) * size
        place = (float(spot[0]), float(spot[1]), float(spot[2]))
        crown.append(Ellipsoid(place, leaves, cut=solid, radii=(r, 0.75 * r, r)))
    return [
        Group(wood, (x, 2.4 * size, z), 3.4 * size),
        Group(crown, (x, 3.9 * size, z), 2.6 * size),
    ]


def lamp_post(x: float, z: float, side: float, light: Array) -> tuple[Group, Lamp]:
    """A lamp on a curved pole that leans over the road; ``side`` (+1 or -1) points to the road."""
    steel = Material(rgb(0.10, 0.11, 0.11), shine=0.04, rough=0.2, temperature=9.0)
    bulb = Material(rgb(0.8, 0.8, 0.8), light * 16, temperature=27.0)
    top = (x + 1.3 * side, 5.75, z)
    shapes: list[Shape] = [
        bar((x, 0, z), (x, 5.2, z), 0.06, steel),
        bar((x, 5.2, z), (x + 0.4 * side, 5.7, z), 0.045, steel),
        bar((x + 0.4 * side, 5.7, z), (x + 1.0 * side, 5.82, z), 0.045, steel),
        Box((x + 1.25 * side, 5.83, z), steel, half=(0.34, 0.05, 0.13)),
        Ellipsoid(top, bulb, casts=False, radii=(0.24, 0.07, 0.10)),
    ]
    shine = Lamp((top[0], 5.68, z), 0.12, light * 95, (0.12 * side, -1, 0), (0.62, 0.05))
    return Group(shapes, (x + 0.5 * side, 2.9, z), 3.3), shine

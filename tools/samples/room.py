"""Under- and over-exposed images: a living room by day with a bright window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.samples import noise, photo
from tools.samples.clean import denoise
from tools.samples.furniture import chair, plank, shelf, table
from tools.samples.lights import Portal, Sun
from tools.samples.noise import mix, rgb, step
from tools.samples.render import Camera, Scene, render
from tools.samples.shapes import (
    Array,
    Box,
    Cylinder,
    Ellipsoid,
    Group,
    Material,
    Rect,
    Shape,
    bar,
    turn,
)
from tools.samples.view import outside

SEED = 733
WINDOW = (-0.35, 1.75, 0.85, 2.25)  # x from, x to, y from, y to, in the back wall
BACK = 4.6
EYE = (-0.55, 1.45, -0.75)
_SUN = (0.50, 0.62, 0.60)


def _floor(lp: Array, ln: Array, wp: Array) -> Array:
    plank = np.floor(wp[0] / 0.14)
    shift = noise.cell(plank, plank * 0, 41) * 2.0
    board = np.floor((wp[2] + shift) / 1.3)
    tone = noise.cell(plank, board, 42)
    grain = noise.wood(wp[2] * 2 + 7 * tone, wp[0] * 5 + 13 * tone, 43)
    seam = (np.abs((wp[0] / 0.14) % 1 - 0.5) > 0.485) | (((wp[2] + shift) / 1.3) % 1 < 0.004)
    colour = mix(rgb(0.20, 0.095, 0.04), rgb(0.42, 0.24, 0.115), grain) * (0.7 + 0.5 * tone)
    return np.where(seam, colour * 0.3, colour).astype(np.float32)


def _paper(lp: Array, ln: Array, wp: Array) -> Array:
    u = np.where(np.abs(ln[0]) > 0.5, wp[2], wp[0]) / 0.30
    v = wp[1] / 0.36
    row = np.floor(v)
    fu, fv = (u + 0.5 * (row % 2)) % 1 - 0.5, v % 1 - 0.5
    petal = np.hypot(fu, fv) < 0.16 + 0.07 * np.cos(5 * np.arctan2(fv, fu))
    stem = (np.abs(fu - 0.06 * np.sin(fv * 9)) < 0.025) & (fv < -0.1)
    soft = noise.look(noise.fractal(45, 0.9), u / 3, v / 3)
    base = rgb(0.50, 0.53, 0.46)[:, None] * (0.9 + 0.2 * soft)
    colour = np.where(petal | stem, rgb(0.36, 0.43, 0.36)[:, None] * (0.9 + 0.2 * soft), base)
    low = wp[1] < 0.75
    panel = rgb(0.62, 0.60, 0.55)[:, None] * (0.93 + 0.14 * soft)
    groove = low & ((np.abs((u * 0.30 / 0.12) % 1 - 0.5) > 0.46) | (wp[1] > 0.73))
    colour = np.where(low, panel, colour)
    return np.where(groove, colour * 0.6, colour).astype(np.float32)


def _rug(lp: Array, ln: Array, wp: Array) -> Array:
    u, v = lp[0], lp[2]
    edge = np.maximum(np.abs(u) - 1.05, np.abs(v) - 0.72)
    diamond = (np.abs((u * 4) % 1 - 0.5) + np.abs((v * 4) % 1 - 0.5)) % 0.34 < 0.13
    border = (edge > -0.16) & (edge < -0.06)
    zig = np.abs(((u + v) * 9) % 1 - 0.5) < 0.22
    wool = noise.look(noise.fractal(47, 0.3), u / 0.7, v / 0.7)
    colour = np.where(diamond, rgb(0.50, 0.36, 0.20)[:, None], rgb(0.30, 0.04, 0.04)[:, None])
    colour = np.where(border, np.where(zig, rgb(0.05, 0.08, 0.22)[:, None], 0.5), colour)
    return (colour * (0.55 + 0.9 * wool)).astype(np.float32)


def _painting(lp: Array, ln: Array, wp: Array) -> Array:
    """An abstract painting of a harbour with canvas texture."""
    x, y = lp[0] / 0.5, lp[1] / 0.36
    stroke = noise.smooth(noise.fractal(51, 1.1), x / 2.5, y * 1.6)
    colour = mix(
        rgb(0.62, 0.26, 0.10), rgb(0.10, 0.20, 0.42), step(y + 0.5 * (stroke - 0.5), -0.1, 0.9)
    )
    water = rgb(0.06, 0.20, 0.28)[:, None] * (
        0.5 + 1.3 * noise.smooth(noise.fractal(52, 0.9), x / 2, y * 3)
    )
    colour = np.where(y < -0.2, water, colour)
    for cx, s, c in (
        (-0.45, 0.5, (0.7, 0.62, 0.5)),
        (0.1, 0.75, (0.55, 0.1, 0.07)),
        (0.55, 0.4, (0.7, 0.66, 0.6)),
    ):
        sail = (y > -0.18) & (y < -0.18 + s) & (np.abs(x - cx) < 0.22 * (1 - (y + 0.18) / s))
        colour = np.where(sail, rgb(*c)[:, None] * (0.7 + 0.6 * stroke), colour)
    weave = 0.93 + 0.14 * noise.look(noise.white(53), x, y)
    return (colour * weave).astype(np.float32)


def _walls() -> list[Shape]:
    paper = Material(_paper)
    white = Material(
        lambda lp, ln, wp: (
            rgb(0.68, 0.67, 0.64)[:, None]
            * (0.94 + 0.12 * noise.smooth(noise.fractal(59, 1.2), wp[0] / 2, wp[2] / 2))
        )
    )
    x0, x1, y0, y1 = WINDOW
    thick, top = 0.13, 2.7
    z = BACK + thick

    def wall(ax: float, bx: float, ay: float, by: float) -> Box:
        return Box(
            ((ax + bx) / 2, (ay + by) / 2, z), paper, half=((bx - ax) / 2, (by - ay) / 2, thick)
        )

    lacquer = Material(rgb(0.72, 0.72, 0.70), shine=0.03, rough=0.1)
    shapes: list[Shape] = [
        Rect((0, 0, 0.9), Material(_floor, shine=0.035, rough=0.07), turn(0, 90), half=(2.6, 3.95)),
        Box((0, top + 0.1, 0.9), white, half=(2.7, 0.1, 3.95)),
        Box((-2.6, 1.35, 0.9), paper, half=(0.1, 1.4, 3.95)),
        Box((2.6, 1.35, 0.9), paper, half=(0.1, 1.4, 3.95)),
        Box((0, 1.35, -3), white, half=(2.7, 1.4, 0.1)),
        wall(-2.7, x0, 0, top),
        wall(x1, 2.7, 0, top),
        wall(x0, x1, 0, y0),
        wall(x0, x1, y1, top),
        Box((0, 0.06, BACK - 0.01), lacquer, half=(2.6, 0.06, 0.02), bevel=0.01),
        Box((0, 2.66, BACK), lacquer, half=(2.6, 0.05, 0.05), bevel=0.02),
    ]
    return shapes


def _window() -> list[Shape]:
    """Sill, bars and frame."""
    x0, x1, y0, y1 = WINDOW
    mid_x, mid_y = (x0 + x1) / 2, (y0 + y1) / 2
    lacquer = Material(rgb(0.72, 0.72, 0.70), shine=0.03, rough=0.1)
    shapes: list[Shape] = [
        Box(
            (mid_x, y0 - 0.02, BACK - 0.05),
            lacquer,
            half=((x1 - x0) / 2 + 0.12, 0.022, 0.15),
            bevel=0.01,
        ),
    ]
    for x in (x0 + 0.03, mid_x, x1 - 0.03):
        shapes.append(
            Box((x, mid_y, BACK + 0.12), lacquer, half=(0.035, (y1 - y0) / 2, 0.03), bevel=0.01)
        )
    for y in (y0 + 0.03, y0 + 0.95, y1 - 0.03):
        shapes.append(
            Box((mid_x, y, BACK + 0.12), lacquer, half=((x1 - x0) / 2, 0.03, 0.028), bevel=0.01)
        )
    for x, w, h in ((x0 - 0.06, 0.055, 1), (x1 + 0.06, 0.055, 1)):
        shapes.append(
            Box(
                (x, mid_y, BACK - 0.01),
                lacquer,
                half=(w, (y1 - y0) / 2 + 0.1 * h, 0.025),
                bevel=0.01,
            )
        )
    shapes.append(
        Box(
            (mid_x, y1 + 0.06, BACK - 0.01),
            lacquer,
            half=((x1 - x0) / 2 + 0.12, 0.055, 0.03),
            bevel=0.01,
        )
    )
    return shapes


def _curtains() -> list[Shape]:
    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        band = np.sin(wp[1] * 34) > 0.82
        weave = noise.look(noise.white(61), wp[0] * 3, wp[1] * 3)
        base = np.where(band, rgb(0.52, 0.40, 0.22)[:, None], rgb(0.34, 0.10, 0.07)[:, None])
        return (base * (0.8 + 0.4 * weave)).astype(np.float32)

    cloth = Material(paint)
    shapes: list[Shape] = []
    for start, step_x in ((WINDOW[0] - 0.52, 0.075), (WINDOW[1] + 0.04, 0.075)):
        for k in range(7):
            at = (start + k * step_x, 1.28, BACK - 0.16 + 0.025 * (k % 2))
            shapes.append(
                Cylinder(at, cloth, turn(0, 0, 0.4 * (k % 3 - 1)), radius=0.052, length=2.3)
            )
    rod = Material(rgb(0.35, 0.24, 0.10), shine=0.3, rough=0.1, metal=True)
    middle = (WINDOW[0] + WINDOW[1]) / 2
    shapes.append(
        bar((middle - 1.7, 2.46, BACK - 0.15), (middle + 1.7, 2.46, BACK - 0.15), 0.018, rod)
    )
    shapes += [
        Ellipsoid((middle + s, 2.46, BACK - 0.15), rod, radii=(0.04, 0.04, 0.04))
        for s in (-1.72, 1.72)
    ]
    return shapes


def build() -> Scene:
    """The room: x across, z towards the window, camera at the opposite end."""
    frame = plank(rgb(0.35, 0.22, 0.08), 73)
    pictures: list[Shape] = [
        Box((-1.38, 1.55, BACK - 0.015), frame, half=(0.42, 0.32, 0.02), bevel=0.008),
        Rect((-1.38, 1.55, BACK - 0.037), Material(_painting), turn(180), half=(0.37, 0.27)),
        Box((2.47, 1.6, 2.9), frame, turn(90), half=(0.45, 0.34, 0.02), bevel=0.008),
        Rect((2.445, 1.6, 2.9), Material(_painting), turn(90), half=(0.40, 0.29)),
    ]
    carpet: list[Shape] = [
        Box((-0.1, 0.008, 2.4), Material(_rug), turn(-5), half=(1.05, 0.008, 0.72))
    ]
    pot = Material(rgb(0.36, 0.15, 0.08))
    leaf = Material(
        lambda lp, ln, wp: (
            rgb(0.05, 0.16, 0.03)[:, None]
            * (
                0.6
                + 0.8 * (np.abs(lp[0]) > 0.008) * noise.look(noise.fractal(75, 0.8), lp[1], lp[0])
            )
        ),
        shine=0.03,
        rough=0.15,
    )
    rng = np.random.default_rng(SEED + 5)
    plant: list[Shape] = [Cylinder((1.95, 0.17, 3.9), pot, radius=0.17, length=0.34)]
    for k in range(22):
        yaw, lean = float(k * 137.5 % 360), float(rng.uniform(12, 50))
        f = turn(yaw, lean)
        reach = float(rng.uniform(0.30, 0.52))
        mid = f.T @ np.array([0, reach, 0], np.float32)
        at = (1.95 + float(mid[0]), 0.36 + float(mid[1]), 3.9 + float(mid[2]))
        plant.append(Ellipsoid(at, leaf, f, radii=(0.05, reach, 0.012)))
    groups = [
        Group(_walls()),
        Group(_window()),
        Group(shelf(), (-2.32, 1.05, 2.95), 1.45),
        Group(_curtains(), (0.7, 1.35, BACK - 0.15), 2.2),
        Group(table(), (-0.3, 0.75, 2.35), 1.2),
        Group(chair(), (1.25, 0.5, 2.75), 0.65),
        Group(plant, (1.95, 0.7, 3.9), 1.15),
        Group(pictures),
        Group(carpet),
    ]
    x0, x1, y0, y1 = WINDOW
    portal = Portal((x0, y0, BACK + 0.28), (x1 - x0, 0, 0), (0, y1 - y0, 0), outside)
    sun = Sun(_SUN, rgb(34, 30, 24), 0.012)
    return Scene(
        groups, [portal, sun], outside, rgb(0.16, 0.145, 0.125), bounce_sky=False, glow_limit=20.0
    )


def make(size: tuple[int, int], side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair: dark and bright exposure, uint8 (H, W, 3)."""
    camera = Camera(EYE, (0.12, 1.22, 4.0), 66)
    frame = denoise(render(build(), camera, size, side, SEED), passes=5, strength=2.5)
    light = frame.radiance()
    under = photo.expose(photo.glare(light * 0.066, 0.0, 1), 1.0, SEED + 1, noise=0.003)
    over = photo.expose(photo.glare(light * 1.7, 0.008, size[0] / 640), 1.0, SEED + 2, noise=0.007)
    return under, over

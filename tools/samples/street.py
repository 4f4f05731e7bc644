"""Infrared and visible: a street after sunset, seen by a camera and a thermal camera beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.samples import noise, photo
from tools.samples.clean import denoise
from tools.samples.figures import car, lamp_post, person, tree
from tools.samples.lights import Lamp
from tools.samples.noise import mix, rgb, step
from tools.samples.render import Camera, Scene, render
from tools.samples.shapes import Array, Box, Group, Material, Rect, Shape, turn

SEED = 411


def sky(d: Array) -> Array:
    """Deep blue above, a warm band over the roofs, thin clouds."""
    up = np.clip(d[1], 0, 1)
    base = mix(rgb(0.20, 0.13, 0.11), rgb(0.035, 0.055, 0.12), step(up, 0.0, 0.30))
    base = mix(base, rgb(0.008, 0.014, 0.036)[:, None] * np.ones_like(up), step(up, 0.15, 0.8))
    s = 0.12 / (up + 0.12)
    cloud = noise.smooth(noise.fractal(1, 1.5), d[0] * s * 1.4, d[2] * s * 0.9)
    return base * (0.75 + 0.7 * step(cloud, 0.45, 0.8))


def sky_heat(d: Array) -> Array:
    """Apparent sky temperature: cold at the zenith, warmer towards the horizon."""
    cloud = noise.smooth(noise.fractal(1, 1.5), d[0] * 0.8, d[1] * 1.2)
    return (0.5 + 5.5 * np.exp(-np.clip(d[1], 0, 1) * 7) + 1.2 * cloud).astype(np.float32)


class Front:
    """A facade: brick or plaster with rows of windows, some of them lit."""

    def __init__(self, seed: int, brick: bool, tint: Array, bay: float, floor: float) -> None:
        self.seed, self.brick, self.tint, self.bay, self.floor = seed, brick, tint, bay, floor

    def parts(self, ln: Array, wp: Array) -> dict[str, Array]:
        u = np.where(np.abs(ln[0]) > 0.5, wp[2], wp[0]).astype(np.float32)
        v = wp[1]
        iu, iv = np.floor(u / self.bay), np.floor((v - 0.5) / self.floor)
        fu, fv = u / self.bay - iu, (v - 0.5) / self.floor - iv
        x, y = np.abs(fu - 0.5) * self.bay, (fv - 0.5) * self.floor
        upright = (np.abs(ln[1]) < 0.5) & (v > 0.5)
        opening = upright & (x < 0.62) & (y > -0.75) & (y < 0.85)
        trim = upright & (x < 0.74) & (y > -0.9) & (y < 1.0) & ~opening
        sash = opening & (
            (x < 0.035) | (x > 0.55) | (np.abs(y - 0.2) < 0.035) | (y > 0.78) | (y < -0.68)
        )
        dice = noise.cell(iu + 31 * (np.abs(ln[0]) > 0.5), iv, self.seed)
        return {
            "u": u,
            "v": v,
            "x": x,
            "y": y,
            "fu": fu,
            "opening": opening,
            "trim": trim,
            "sash": sash,
            "dice": dice,
        }

    def wall(self, q: dict[str, Array]) -> tuple[Array, Array]:
        stain = noise.smooth(noise.fractal(self.seed + 5, 1.5), q["u"] / 9, q["v"] / 6)
        fine = noise.look(noise.fractal(self.seed + 6, 0.8), q["u"] / 2, q["v"] / 2)
        tone = 0.55 + 0.6 * stain + 0.35 * (fine - 0.5)
        if self.brick:
            value, mortar = noise.bricks(q["u"] / 0.24, q["v"] / 0.085, self.seed + 7)
            colour = self.tint[:, None] * (tone * (0.65 + 0.7 * value))
            return mix(colour, rgb(0.30, 0.28, 0.26), mortar * 0.8), tone
        return self.tint[:, None] * tone, tone

    def colour(self, lp: Array, ln: Array, wp: Array) -> Array:
        q = self.parts(ln, wp)
        wall, _ = self.wall(q)
        wall = np.where(q["trim"], rgb(0.42, 0.40, 0.36)[:, None], wall)
        wall = np.where(q["opening"], rgb(0.015, 0.018, 0.022)[:, None], wall)
        return np.where(q["sash"], rgb(0.5, 0.48, 0.44)[:, None] * 0.7, wall).astype(np.float32)

    def glow(self, lp: Array, ln: Array, wp: Array) -> Array:
        q = self.parts(ln, wp)
        lit = q["opening"] & ~q["sash"] & (q["dice"] > 0.62)
        warm = mix(rgb(1.5, 0.85, 0.36), rgb(1.0, 0.95, 0.80), (q["dice"] * 37) % 1)
        drape = 0.55 + 0.45 * np.sin(q["u"] * 42 + 3 * np.sin(q["u"] * 9))
        curtain = np.where(q["x"] > 0.30, 0.30 + 0.35 * drape, 0.55 + 0.5 * (q["y"] + 0.5))
        inside = noise.smooth(noise.fractal(self.seed + 9, 1.8), q["u"] / 2.2, q["v"] / 2.2)
        light = curtain * (0.5 + inside) * (0.35 + 1.1 * ((q["dice"] * 91) % 1))
        return np.where(lit, warm * light * 0.36, 0.0).astype(np.float32)

    def heat(self, lp: Array, ln: Array, wp: Array) -> Array:
        q = self.parts(ln, wp)
        _, tone = self.wall(q)
        wall = 11.2 + 1.6 * (tone - 0.8) + 0.25 * np.maximum(0, 3 - q["v"])
        if self.brick:
            wall = wall + 0.35 * noise.bricks(q["u"] / 0.24, q["v"] / 0.085, self.seed + 7)[1]
        glass = np.where(q["dice"] > 0.62, 12.8, 8.2) + 0.5 * q["y"]
        value = np.where(q["opening"], glass, wall)
        value = np.where(q["trim"], wall + 0.9, value)
        return np.where(q["sash"], wall - 0.8, value).astype(np.float32)


def _road_colour(lp: Array, ln: Array, wp: Array) -> Array:
    x, z = wp[0], wp[2]
    coarse = noise.smooth(noise.fractal(21, 1.4), x / 14, z / 14)
    grit = noise.look(noise.fractal(22, 0.35), x / 1.6, z / 1.6)
    base = 0.075 * (0.6 + 0.8 * coarse) * (0.55 + 0.9 * grit)
    patch = (np.abs(x - 1.5) < 0.8) & (z > 10.5) & (z < 15.0)
    base = np.where(patch, base * 0.55, base)
    wear = step(noise.smooth(noise.fractal(23, 1.0), x / 2, z / 2), 0.28, 0.5)
    centre = (np.abs(x) < 0.07) & ((z % 5.0) < 2.6)
    side = np.abs(np.abs(x) - 3.35) < 0.05
    zebra = (z > 17.0) & (z < 19.6) & (((x + 0.25) % 1.0) < 0.5) & (np.abs(x) < 3.3)
    paint = (centre & ~((z > 16) & (z < 20.5))) | side | zebra
    return mix(rgb(1.0, 1.0, 1.05)[:, None] * base, rgb(0.55, 0.54, 0.5), paint * wear * 0.85)


def _road_heat(lp: Array, ln: Array, wp: Array) -> Array:
    x, z = wp[0], wp[2]
    coarse = noise.smooth(noise.fractal(21, 1.4), x / 14, z / 14)
    grit = noise.look(noise.fractal(22, 0.35), x / 1.6, z / 1.6)
    tracks = np.exp(-(((np.abs(np.abs(x) - 1.7) - 0.75) / 0.3) ** 2))
    paint = (np.abs(x) < 0.07) & ((z % 5.0) < 2.6)
    zebra = (z > 17.0) & (z < 19.6) & (((x + 0.25) % 1.0) < 0.5) & (np.abs(x) < 3.3)
    return (
        13.4 + 1.6 * (coarse - 0.5) + 0.7 * (grit - 0.5) + 0.8 * tracks - 1.1 * (paint | zebra)
    ).astype(np.float32)


def _pave_colour(lp: Array, ln: Array, wp: Array) -> Array:
    value, joint = noise.bricks(wp[2] / 0.5, wp[0] / 0.5, 31, 0.05)
    stain = noise.smooth(noise.fractal(32, 1.3), wp[0] / 5, wp[2] / 5)
    grit = noise.look(noise.fractal(33, 0.5), wp[0], wp[2])
    tone = 0.21 * (0.6 + 0.4 * value) * (0.5 + stain) * (0.7 + 0.6 * grit)
    return mix(rgb(1.0, 0.97, 0.9)[:, None] * tone, rgb(0.05, 0.05, 0.05), joint * 0.8)


def _pave_heat(lp: Array, ln: Array, wp: Array) -> Array:
    value, joint = noise.bricks(wp[2] / 0.5, wp[0] / 0.5, 31, 0.05)
    stain = noise.smooth(noise.fractal(32, 1.3), wp[0] / 5, wp[2] / 5)
    return (11.0 + 0.5 * value + 1.2 * (stain - 0.5) + 0.4 * joint).astype(np.float32)


def _house(x0: float, x1: float, *, z0: float, z1: float, h: float, front: Front) -> list[Shape]:
    stone = Material(front.colour, front.glow, temperature=front.heat)
    ledge = Material(rgb(0.25, 0.23, 0.21), temperature=9.6)
    mid = ((x0 + x1) / 2, h / 2, (z0 + z1) / 2)
    half = ((x1 - x0) / 2, h / 2, (z1 - z0) / 2)
    roof = (mid[0], h + 0.12, mid[2])
    base = Material(rgb(0.13, 0.13, 0.13), temperature=12.2)
    return [
        Box(mid, stone, half=half),
        Box(roof, ledge, half=(half[0] + 0.25, 0.16, half[2] + 0.05)),
        Box((mid[0], 0.35, mid[2]), base, half=(half[0] + 0.05, 0.25, half[2])),
    ]


def _houses() -> list[Shape]:
    """Both sides of the street, and its end."""
    fronts = [
        Front(51, True, rgb(0.25, 0.11, 0.075), 2.5, 3.1),
        Front(61, False, rgb(0.34, 0.31, 0.24), 2.2, 3.3),
        Front(71, True, rgb(0.20, 0.12, 0.09), 2.3, 3.0),
        Front(81, False, rgb(0.28, 0.27, 0.27), 2.6, 3.2),
        Front(91, False, rgb(0.30, 0.22, 0.16), 2.0, 3.0),
        Front(95, True, rgb(0.16, 0.10, 0.09), 2.4, 3.2),
    ]
    return [
        *_house(-16, -8.2, z0=-4, z1=15, h=9.8, front=fronts[0]),
        *_house(-16, -8.0, z0=15, z1=29, h=12.6, front=fronts[1]),
        *_house(-16, -8.3, z0=29, z1=58, h=8.6, front=fronts[2]),
        *_house(8.2, 16, z0=-4, z1=19.5, h=11.2, front=fronts[3]),
        *_house(8.0, 16, z0=19.5, z1=33, h=8.4, front=fronts[4]),
        *_house(8.3, 16, z0=33, z1=58, h=12.0, front=fronts[5]),
        *_house(-14, 1.5, z0=66, z1=72, h=9.0, front=fronts[3]),
        *_house(1.5, 18, z0=64, z1=72, h=13.5, front=fronts[0]),
    ]


def build() -> Scene:
    """The street: x across, z away from the camera."""
    road = Material(_road_colour, shine=0.035, rough=0.28, temperature=_road_heat)
    pave = Material(_pave_colour, temperature=_pave_heat)
    flat = turn(0, 90)
    ground: list[Shape] = [
        Rect((0, 0, 40), road, flat, half=(30, 60)),
        Box((-6.0, 0.06, 40), pave, half=(2.35, 0.06, 60)),
        Box((6.0, 0.06, 40), pave, half=(2.35, 0.06, 60)),
    ]
    sodium, cool = rgb(1.35, 0.80, 0.36), rgb(1.0, 0.92, 0.78)
    posts = [
        lamp_post(-4.1, 24, 1, sodium),
        lamp_post(4.1, 36, -1, sodium),
        lamp_post(-4.1, 50, 1, cool),
    ]
    near_post, near_lamp = lamp_post(4.05, 15.5, -1, cool * 0.4)
    people = [
        person(
            (-2.0, 9.2),
            200,
            stride=0.55,
            top=rgb(0.05, 0.05, 0.07),
            legs=rgb(0.03, 0.035, 0.05),
            seed=101,
        ),
        person(
            (0.35, 12.6),
            100,
            stride=0.7,
            top=rgb(0.07, 0.03, 0.03),
            legs=rgb(0.04, 0.04, 0.045),
            seed=111,
            height=1.68,
        ),
        person(
            (5.3, 11.0),
            170,
            stride=0.35,
            top=rgb(0.05, 0.055, 0.05),
            legs=rgb(0.03, 0.03, 0.035),
            seed=121,
            height=1.8,
        ),
        person(
            (-5.2, 25.0),
            10,
            stride=0.5,
            top=rgb(0.12, 0.12, 0.14),
            legs=rgb(0.05, 0.05, 0.07),
            seed=131,
        ),
    ]
    cars = [
        car((2.45, 8.4), 4, rgb(0.11, 0.02, 0.02)),
        car((2.5, 24.0), 0, rgb(0.25, 0.26, 0.27)),
        car((-2.4, 33.0), 0, rgb(0.3, 0.3, 0.3), rgb(24, 23, 20)),
    ]
    beams = [
        Lamp((-2.4 + s, 0.68, 30.9), 0.1, rgb(30, 28, 24), (0, -0.06, -1), (0.97, 0.8))
        for s in (-0.62, 0.62)
    ]
    groups = [Group(ground), Group(_houses()), near_post, *(p for p, _ in posts), *people, *cars]
    groups += (
        tree((-4.9, 13.5), 201, 1.05) + tree((5.0, 27.5), 211, 1.15) + tree((-4.9, 41.0), 221, 1.2)
    )
    lamps = [near_lamp, *(lamp for _, lamp in posts), *beams]
    return Scene(groups, list(lamps), sky, rgb(0.016, 0.016, 0.018))


def make(size: tuple[int, int], side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair: thermal image (H, W) and night photograph (H, W, 3), uint8."""
    camera = Camera((-0.6, 2.35, 0.0), (0.15, 1.75, 12.0), 58)
    frame = denoise(render(build(), camera, size, side, SEED, sky_temperature=sky_heat))
    scale = size[0] / 640
    light = photo.glare(frame.radiance() * 3.4, 0.05, scale)
    visible = photo.expose(light, 1.0, SEED + 1, noise=0.012)
    thermal = photo.heat(frame.temperature, SEED + 2, scale)
    return thermal, visible

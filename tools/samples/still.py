"""Near- and far-focused images: objects on a table, taken with a large aperture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.samples import noise, photo
from tools.samples.clean import denoise
from tools.samples.lights import Lamp
from tools.samples.noise import mix, rgb, step
from tools.samples.render import Camera, Frame, Scene, render
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

SEED = 977
EYE = (0.0, 0.40, -0.62)
TARGET = (0.02, 0.085, 0.45)
NEAR_FOCUS, FAR_FOCUS = 0.66, 1.50  # metres from the lens, along its axis
LENS = 10.5  # disc diameter in pixels (640 wide) per dioptre of defocus

_LETTER = [
    "Notes on light",
    "A lens bends every ray that meets it, and",
    "where the rays of one point come together",
    "the picture of that point is sharp. Before",
    "and behind that place the bundle is open,",
    "and the point becomes a small round disc.",
    "A wide opening gathers more light, but the",
    "depth in which things look sharp is small:",
    "the near page is clear and the far wall is",
    "soft, or the other way round. Two exposures",
    "hold what one of them cannot: one for what",
    "is close, one for what is distant. To join",
    "them, keep from each the part in focus and",
    "let the borders meet without a seam. Edges",
    "are the hard part: the disc of a near edge",
    "spreads over the far ground behind it, and",
    "no picture shows what lies just under it.",
    "This sheet was set by a program, line after",
    "line, and lies on a cloth that was woven by",
    "the same hand out of numbers and noise.",
]


@dataclass
class Layer:
    """Shapes that are blurred as one layer; drawn from far to near."""

    shapes: list[Shape]
    centre: tuple[float, float, float] | None = None
    radius: float = 0.0


def _cloth(lp: Array, ln: Array, wp: Array) -> Array:
    u, v = wp[0] * 0.94 + wp[2] * 0.34, wp[2] * 0.94 - wp[0] * 0.34
    a = ((u / 0.066) % 1 < 0.5).astype(np.float32)
    b = ((v / 0.066) % 1 < 0.5).astype(np.float32)
    thin = (np.abs((u / 0.066) % 1 - 0.75) < 0.03) | (np.abs((v / 0.066) % 1 - 0.75) < 0.03)
    thread = 0.80 + 0.4 * noise.look(noise.white(11), u / 0.5, v / 0.5)
    slub = 0.88 + 0.24 * noise.look(noise.fractal(12, 0.9), u / 0.25, v / 0.25)
    colour = mix(rgb(0.66, 0.64, 0.58), rgb(0.08, 0.17, 0.34), 0.5 * (a + b))
    colour = np.where(thin, rgb(0.45, 0.06, 0.05)[:, None], colour)
    return (colour * thread * slub).astype(np.float32)


def _wall(lp: Array, ln: Array, wp: Array) -> Array:
    u, v = wp[0], wp[1]
    value, mortar = noise.bricks(u / 0.155, v / 0.056, 21, 0.13)
    grit = noise.look(noise.fractal(22, 0.55), u / 0.5, v / 0.5)
    stain = noise.smooth(noise.fractal(23, 1.4), u / 1.4, v / 1.1)
    brick = (
        mix(rgb(0.34, 0.13, 0.075), rgb(0.52, 0.27, 0.16), value)
        * (0.45 + 1.1 * grit)
        * (0.6 + 0.7 * stain)
    )
    joint = rgb(0.46, 0.43, 0.38)[:, None] * (0.6 + 0.8 * grit)
    return mix(brick, joint, mortar)


def _sheet(lines: list[str], tint: Array, seed: int, half: tuple[float, float]) -> Material:
    ink = noise.page(lines, (760, 1024))

    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        u, v = 0.5 + lp[0] / (2 * half[0]), 0.5 - lp[1] / (2 * half[1])
        text = noise.look(ink, np.clip(u, 0, 0.999), np.clip(v, 0, 0.999))
        fibre = 0.94 + 0.12 * noise.look(noise.fractal(seed, 0.8), u, v)
        return tint[:, None] * (text * fibre)

    return Material(paint)


def _apple(lp: Array, ln: Array, wp: Array) -> Array:
    turn_ = np.arctan2(lp[0], lp[2]) / (2 * np.pi)
    streak = noise.smooth(noise.fractal(31, 1.0), turn_ * 3, lp[1] * 2)
    ripe = step(streak + 0.6 * np.cos(2 * np.pi * turn_ - 0.8), 0.25, 0.95)
    dots = noise.look(noise.white(32), turn_ * 0.35, lp[1] * 2.0) > 0.988
    colour = mix(rgb(0.42, 0.025, 0.02), rgb(0.55, 0.42, 0.09), ripe) * (0.75 + 0.5 * streak)
    return np.where(dots, colour * 0.6 + 0.12, colour).astype(np.float32)


def _globe(lp: Array, ln: Array, wp: Array) -> Array:
    """A small globe: seas with a graticule, land with relief."""
    lon, lat = np.arctan2(lp[0], lp[2]) / (2 * np.pi), np.arcsin(np.clip(ln[1], -1, 1)) / np.pi
    land = noise.smooth(noise.fractal(35, 1.7), lon * 1.0, lat * 1.3)
    hill = noise.smooth(noise.fractal(36, 1.1), lon * 2, lat * 2)
    grid = (np.abs((lon * 24) % 1 - 0.5) > 0.47) | (np.abs((lat * 12) % 1 - 0.5) > 0.46)
    sea = np.where(grid, rgb(0.40, 0.50, 0.52)[:, None], rgb(0.10, 0.27, 0.38)[:, None])
    soil = mix(rgb(0.30, 0.36, 0.12), rgb(0.55, 0.42, 0.20), step(hill, 0.35, 0.65))
    shore = np.abs(land - 0.52) < 0.012
    colour = np.where(land > 0.52, soil * (0.7 + 0.6 * hill), sea)
    return np.where(shore, rgb(0.08, 0.07, 0.05)[:, None], colour).astype(np.float32)


def _mug(lp: Array, ln: Array, wp: Array) -> Array:
    turn_ = np.arctan2(lp[0], lp[2]) / (2 * np.pi)
    zig = np.abs(((turn_ * 14) % 1) - 0.5) * 2
    band = np.abs(lp[1] - 0.018 * (zig - 0.5)) < 0.007
    dot = np.hypot(((turn_ * 14) % 1 - 0.5) * 0.026, np.abs(lp[1]) - 0.029) < 0.005
    rim = np.abs(lp[1]) > 0.043
    speck = noise.look(noise.white(41), turn_ * 0.8, lp[1] * 3) > 0.985
    base = np.where(speck, 0.30, rgb(0.62, 0.58, 0.48)[:, None])
    return np.where(band | dot | rim, rgb(0.05, 0.16, 0.13)[:, None], base).astype(np.float32)


def _block(letter: str, ink: Array, seed: int) -> Material:
    drawn = noise.label(letter, (256, 256), 190)

    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        front = np.abs(ln[2]) > 0.6
        side = np.abs(ln[0]) > 0.6
        u = np.where(front, lp[0], np.where(side, np.sign(ln[0]) * lp[2], lp[0])) / 0.04
        v = np.where(np.abs(ln[1]) > 0.6, lp[2], lp[1]) / 0.04
        mark = noise.look(drawn, np.clip(0.5 + 0.5 * u, 0, 0.999), np.clip(0.5 - 0.5 * v, 0, 0.999))
        frame = np.maximum(np.abs(u), np.abs(v))
        grain = noise.wood(lp[0] * 12 + seed, lp[1] * 30 + lp[2] * 11, seed)
        timber = mix(rgb(0.42, 0.27, 0.13), rgb(0.66, 0.47, 0.26), grain)
        return mix(
            timber, ink, np.maximum(1 - mark, (np.abs(frame - 0.83) < 0.05).astype(np.float32))
        )

    return Material(paint, shine=0.03, rough=0.2)


def _spine(ink: Array, title: str, seed: int, half: tuple[float, float]) -> Material:
    strip = noise.label(title, (768, 96), 62)

    def paint(lp: Array, ln: Array, wp: Array) -> Array:
        u, v = 0.5 - lp[1] / (2 * half[1]), 0.5 - lp[0] / (2 * half[0])
        letters = (1 - noise.look(strip, np.clip(u, 0, 0.999), np.clip(v, 0, 0.999))) * (
            ln[2] < -0.5
        )
        bands = (np.abs(np.abs(u - 0.5) - 0.42) < 0.012).astype(np.float32)
        worn = noise.look(noise.fractal(seed, 0.7), u * 0.8, v * 0.2)
        leaves = (np.abs(ln[1]) > 0.6) & (np.abs(v - 0.5) < 0.44)
        cover = ink[:, None] * (0.55 + 0.9 * worn)
        cover = np.where(
            leaves, rgb(0.6, 0.55, 0.42)[:, None] * (0.6 + 0.4 * np.sin(v * 90)), cover
        )
        return mix(cover, rgb(0.66, 0.52, 0.24), np.maximum(letters, bands))

    return Material(paint, shine=0.03, rough=0.2)


def _books() -> list[Shape]:
    rng = np.random.default_rng(SEED)
    names = [
        "OPTICS",
        "ATLAS OF CLOUDS",
        "GARDEN BOOK",
        "THE LONG WAY",
        "COLOUR",
        "SEA CHARTS",
        "NIGHT SKY",
        "WOOD",
    ]
    inks = [
        (0.34, 0.05, 0.04),
        (0.05, 0.13, 0.25),
        (0.09, 0.22, 0.11),
        (0.30, 0.16, 0.05),
        (0.10, 0.09, 0.10),
        (0.06, 0.24, 0.27),
        (0.20, 0.07, 0.19),
        (0.36, 0.25, 0.06),
    ]
    shapes: list[Shape] = []
    x = -0.40
    for k, (name, ink) in enumerate(zip(names, inks, strict=True)):
        w, h = float(rng.uniform(0.036, 0.058)), float(rng.uniform(0.20, 0.27))
        cover = _spine(rgb(*ink), name, 50 + k, (w / 2, h / 2))
        at = (x + w / 2, h / 2, 1.02 + float(rng.uniform(0, 0.012)))
        shapes.append(Box(at, cover, half=(w / 2 - 0.001, h / 2, 0.08), bevel=0.004))
        x += w
    return shapes


def _plant() -> list[Shape]:
    pot = Material(
        lambda lp, ln, wp: (
            rgb(0.46, 0.20, 0.10)[:, None]
            * (
                0.6
                + 0.8 * noise.look(noise.fractal(61, 0.9), np.arctan2(lp[0], lp[2]) / 3, lp[1] * 3)
            )
        )
    )

    def leaf(lp: Array, ln: Array, wp: Array) -> Array:
        rib = np.abs(lp[0]) < 0.0012
        vein = np.abs(((lp[1] - 0.6 * np.abs(lp[0])) / 0.012) % 1 - 0.5) > 0.42
        colour = mix(rgb(0.05, 0.19, 0.03), rgb(0.16, 0.33, 0.07), step(np.abs(lp[0]), 0.0, 0.02))
        return np.where(rib | vein, colour * 1.7 + 0.02, colour).astype(np.float32)

    green = Material(leaf, shine=0.04, rough=0.18)
    x, z = 0.40, 0.98
    shapes: list[Shape] = [
        Cylinder((x, 0.055, z), pot, radius=0.066, length=0.11),
        Cylinder((x, 0.118, z), pot, radius=0.076, length=0.026),
    ]
    rng = np.random.default_rng(SEED + 8)
    for k in range(30):
        frame = turn(float(k * 137.5 % 360), float(rng.uniform(10, 62)))
        reach = float(rng.uniform(0.055, 0.10))
        mid = frame.T @ np.array([0, reach + 0.02, 0], np.float32)
        at = (x + float(mid[0]), 0.125 + float(mid[1]), z + float(mid[2]))
        shapes.append(Ellipsoid(at, green, frame, radii=(0.023, reach, 0.004)))
    return shapes


def _near_things() -> tuple[list[Shape], list[Shape], list[Shape], list[Shape]]:
    """Mug, apple, toy blocks and a printed sheet."""
    half = (0.105, 0.14)
    page = _sheet(_LETTER, rgb(0.74, 0.71, 0.63), 71, half)
    letter: list[Shape] = [Rect((-0.075, 0.003, 0.085), page, _flat(-14), half=half)]
    mug: list[Shape] = [
        Cylinder(
            (-0.235, 0.05, 0.30),
            Material(_mug, shine=0.05, rough=0.06),
            turn(30),
            radius=0.041,
            length=0.10,
        ),
        Cylinder(
            (-0.235, 0.1005, 0.30),
            Material(rgb(0.05, 0.02, 0.01), shine=0.04, rough=0.02),
            radius=0.037,
            length=0.002,
        ),
    ]
    apple: list[Shape] = [
        Ellipsoid(
            (0.115, 0.044, 0.10),
            Material(_apple, shine=0.05, rough=0.09),
            radii=(0.047, 0.044, 0.047),
        ),
        bar((0.115, 0.082, 0.10), (0.122, 0.103, 0.096), 0.0022, Material(rgb(0.10, 0.06, 0.03))),
    ]
    blocks: list[Shape] = [
        Box(
            (0.245, 0.04, 0.16),
            _block("A", rgb(0.45, 0.05, 0.04), 81),
            turn(24),
            half=(0.04,) * 3,
            bevel=0.004,
        ),
        Box(
            (0.205, 0.12, 0.17),
            _block("F", rgb(0.05, 0.14, 0.36), 84),
            turn(-14),
            half=(0.04,) * 3,
            bevel=0.004,
        ),
    ]
    return mug, apple, blocks, letter


def layers() -> list[Layer]:
    """The still life, far to near."""
    wall: list[Shape] = [Rect((0, 0.5, 1.55), Material(_wall), half=(3, 1.5))]
    cloth: list[Shape] = [Rect((0, 0, 0.3), Material(_cloth), turn(0, 90), half=(1.3, 1.25))]
    brass = Material(rgb(0.55, 0.38, 0.14), shine=0.4, rough=0.08, metal=True)
    globe: list[Shape] = [
        Ellipsoid(
            (0.165, 0.155, 0.92),
            Material(_globe, shine=0.04, rough=0.12),
            turn(20, 0, 20),
            radii=(0.095,) * 3,
        ),
        Cylinder((0.165, 0.012, 0.92), brass, radius=0.06, length=0.024),
        bar((0.165, 0.02, 0.92), (0.165, 0.06, 0.92), 0.01, brass),
    ]
    mug, apple, blocks, letter = _near_things()
    return [
        Layer(wall),
        Layer(cloth),
        Layer(_plant(), (0.40, 0.16, 0.98), 0.28),
        Layer(_books(), (-0.2, 0.13, 1.03), 0.36),
        Layer(globe, (0.165, 0.12, 0.92), 0.16),
        Layer(mug, (-0.235, 0.05, 0.30), 0.085),
        Layer(blocks, (0.225, 0.08, 0.165), 0.14),
        Layer(letter),
        Layer(apple, (0.117, 0.05, 0.10), 0.075),
    ]


def _flat(yaw: float) -> Array:
    """Frame of a sheet that lies on the table, its top away from the viewer."""
    a = np.deg2rad(yaw)
    right = np.array([np.cos(a), 0, -np.sin(a)])
    up = np.array([np.sin(a), 0, np.cos(a)])
    return np.stack([right, up, np.cross(right, up)]).astype(np.float32)


def sky(d: Array) -> Array:
    """A grey room with a window on the left, as reflected by shiny objects."""
    pane = (d[0] < -0.35) & (np.abs(d[1] - 0.5) < 0.28) & (np.abs(d[2] - 0.1) < 0.35)
    room = mix(rgb(0.14, 0.13, 0.12), rgb(0.34, 0.33, 0.32), step(d[1], -0.2, 0.8))
    return np.where(pane, 4.0, room).astype(np.float32)


def _blend(frames: list[Frame], focus: float, scale: float) -> Array:
    """An image focused at ``focus`` metres: layers are blurred and composited in turn."""
    picture: Array | None = None
    for frame in frames:
        depth = np.where(frame.cover > 0.01, frame.depth, 0).astype(np.float32)
        depth = _spread(depth, frame.cover)
        disc = LENS * scale * np.abs(1 / depth - 1 / focus)
        sheet = np.concatenate([frame.radiance(), frame.cover[..., None]], axis=2).astype(
            np.float32
        )
        soft = photo.defocus(sheet, disc.astype(np.float32))
        shown = np.clip(soft[..., 3:4], 0, 1)
        picture = soft[..., :3] if picture is None else soft[..., :3] + picture * (1 - shown)
    assert picture is not None
    return picture


def _spread(depth: Array, cover: Array) -> Array:
    """Extend the depth of a layer beyond its edge, as far as its blur reaches."""
    known = cover > 0.5
    if known.all():
        return depth
    rows, cols = depth.shape
    filled, weight = depth * known, known.astype(np.float32)
    result = np.where(known, depth, 0).astype(np.float32)
    done = known.copy()
    for sigma in (1, 2, 4, 8, 16, 32, 64):
        total = photo.soften(filled.astype(np.float32), sigma)
        share = photo.soften(weight, sigma)
        fresh = ~done & (share > 1e-3)
        result[fresh] = total[fresh] / share[fresh]
        done |= fresh
    typical = float(depth[known].mean()) if known.any() else 1.0
    result[~done] = typical
    return result.reshape(rows, cols)


def make(size: tuple[int, int], side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair: focused near, focused far; uint8 (H, W, 3)."""
    parts = layers()
    scene = Scene(
        [Group(part.shapes, part.centre, part.radius) for part in parts],
        [
            Lamp((-1.5, 1.45, 0.15), 0.26, rgb(12.5, 12.0, 11.2)),
            Lamp((1.2, 1.5, -0.9), 0.4, rgb(2.6, 2.3, 1.9)),
        ],
        sky,
        rgb(0.10, 0.09, 0.085),
    )
    camera = Camera(EYE, TARGET, 44)
    frames, first = [], 0
    for part in parts:
        ids = set(range(first, first + len(part.shapes)))
        first += len(part.shapes)
        frames.append(denoise(render(scene, camera, size, side, SEED + first, only=ids), passes=3))
    scale = size[0] / 640
    near, far = (
        photo.expose(_blend(frames, focus, scale), 0.80, SEED + k, noise=0.006)
        for k, focus in enumerate((NEAR_FOCUS, FAR_FOCUS))
    )
    return near, far

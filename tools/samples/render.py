"""Ray tracing in numpy: direct light with soft shadows, one bounce, reflections.

Radiance is in arbitrary linear units. All random numbers come from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from tools.samples.lights import Lamp, Portal, Sky, Sun, basis, dot, unit
from tools.samples.shapes import EPS, INF, Array, Group, Material, Shape

_DIMS = 14  # random numbers per sample


@dataclass
class Scene:
    """Groups of shapes, lights, the sky, and a constant for the light of further bounces."""

    groups: list[Group]
    lights: list[Lamp | Sun | Portal]
    sky: Sky
    ambient: Array
    _: KW_ONLY
    bounce_sky: bool = True  # False where portals already sample the sky
    glow_limit: float = 1.0

    def __post_init__(self) -> None:
        self.shapes: list[Shape] = [s for g in self.groups for s in g.shapes]
        self._ids = {id(s): k for k, s in enumerate(self.shapes)}

    def trace(
        self, o: Array, d: Array, only: set[int] | None = None
    ) -> tuple[Array, NDArray[np.int32]]:
        """Nearest hit: distance (N,), infinite if none, and index of the shape, -1 if none."""
        best = np.full(o.shape[1], INF, np.float32)
        ids = np.full(o.shape[1], -1, np.int32)
        for group in self.groups:
            members = [s for s in group.shapes if only is None or self._ids[id(s)] in only]
            index = group.near(o, d) if members else np.zeros(0, np.int64)
            if index is not None and index.size == 0:
                continue
            oo, dd = (o, d) if index is None else (o[:, index], d[:, index])
            t0 = best if index is None else best[index]
            k0 = ids if index is None else ids[index]
            for shape in members:
                t = shape.hit(oo, dd)
                nearer = t < t0
                t0[nearer] = t[nearer]
                k0[nearer] = self._ids[id(shape)]
            if index is not None:
                best[index], ids[index] = t0, k0
        return best, ids

    def blocked(self, o: Array, d: Array, limit: Array) -> NDArray[np.bool_]:
        """Whether a shape that casts shadows lies nearer than ``limit``."""
        result = np.zeros(o.shape[1], bool)
        for group in self.groups:
            index = group.near(o, d)
            index = np.flatnonzero(~result) if index is None else index[~result[index]]
            if index.size == 0:
                continue
            oo, dd, ll = o[:, index], d[:, index], limit[index]
            for shape in group.shapes:
                if shape.casts:
                    result[index] |= shape.hit(oo, dd) < ll
        return result


@dataclass
class Surfaces:
    """Surface properties at the hits of a batch of rays; arrays over these rays."""

    p: Array
    n: Array
    _: KW_ONLY
    colour: Array
    glow: Array
    shine: Array
    rough: Array
    temperature: Array
    metal: NDArray[np.bool_]


def _field(value: object, lp: Array, ln: Array, wp: Array) -> Array:
    """Evaluate a constant or a surface function."""
    result = value(lp, ln, wp) if callable(value) else np.asarray(value, np.float32)
    return (
        result[:, None] if result.ndim == 1 and result.size == 3 and not callable(value) else result
    )


def surfaces(scene: Scene, o: Array, d: Array, t: Array, ids: NDArray[np.int32]) -> Surfaces:
    """Position, normal (towards the viewer) and material of each hit."""
    p = (o + d * t).astype(np.float32)
    count = p.shape[1]
    n, colour, glow = (np.zeros((3, count), np.float32) for _ in range(3))
    shine, rough, temperature = (np.zeros(count, np.float32) for _ in range(3))
    metal = np.zeros(count, bool)
    for k in np.unique(ids):
        shape = scene.shapes[k]
        m: Material = shape.material
        at = np.flatnonzero(ids == k)
        wp = p[:, at]
        lp = shape.local(wp)
        ln = shape.local_normal(lp).astype(np.float32)
        n[:, at] = shape.frame.T @ ln
        colour[:, at] = _field(m.colour, lp, ln, wp)
        if m.glow is not None:
            glow[:, at] = _field(m.glow, lp, ln, wp)
        temperature[at] = _field(m.temperature, lp, ln, wp)
        shine[at], rough[at], metal[at] = m.shine, m.rough, m.metal
    n = np.where(dot(n, d) > 0, -n, n).astype(np.float32)
    return Surfaces(
        p,
        n,
        colour=colour,
        glow=glow,
        shine=shine,
        rough=rough,
        temperature=temperature,
        metal=metal,
    )


def direct(scene: Scene, s: Surfaces, view: Array, u: Array) -> tuple[Array, Array]:
    """Light directly from the light sources: diffuse irradiance/pi and highlights, (3, N) each."""
    diffuse = np.zeros_like(s.p)
    gloss = np.zeros_like(s.p)
    start = s.p + s.n * (2 * EPS)
    for k, light in enumerate(scene.lights):
        shift = np.float32(0.37 * k)
        way, dist, power = light.sample(s.p, (u[0] + shift) % 1, (u[1] + 2 * shift) % 1)
        cosine = np.maximum(dot(s.n, way), 0)
        lit = np.flatnonzero((cosine > 0) & (power.max(axis=0) * cosine > 5e-4))
        if lit.size == 0:
            continue
        clear = lit[~scene.blocked(start[:, lit], way[:, lit], dist[lit])]
        diffuse[:, clear] += power[:, clear] * cosine[clear]
        shiny = clear[s.shine[clear] > 0]
        if shiny.size and not isinstance(light, Portal):
            half = unit(way[:, shiny] - view[:, shiny])
            width = 2 / np.maximum(s.rough[shiny], 0.03) ** 2
            lobe = np.maximum(dot(half, s.n[:, shiny]), 0) ** width * (width + 8) / 8
            gloss[:, shiny] += power[:, shiny] * cosine[shiny] * lobe * s.shine[shiny]
    return diffuse, gloss


def _second(scene: Scene, o: Array, d: Array, u: Array, sky: bool) -> Array:
    """Radiance along secondary rays: direct light, and a constant for further bounces."""
    result = scene.sky(d) if sky else np.zeros_like(d)
    t, ids = scene.trace(o, d)
    at = np.flatnonzero(ids >= 0)
    if at.size:
        s = surfaces(scene, o[:, at], d[:, at], t[at], ids[at])
        light, _ = direct(scene, s, d[:, at], u[:, at])
        glow = np.minimum(s.glow, scene.glow_limit)  # small bright lamps would only cause fireflies
        result[:, at] = glow + s.colour * (light + scene.ambient[:, None])
    return result.astype(np.float32)


def shade(scene: Scene, s: Surfaces, d: Array, u: Array) -> tuple[Array, Array]:
    """Diffuse irradiance/pi, and highlights with reflections; each (3, N)."""
    light, extra = direct(scene, s, d, u)
    t, b = basis(s.n)
    r, a = np.sqrt(u[2]), 2 * np.pi * u[3]
    way = t * (r * np.cos(a)) + b * (r * np.sin(a)) + s.n * np.sqrt(np.maximum(1 - u[2], 0))
    start = s.p + s.n * (2 * EPS)
    light = light + _second(scene, start, way.astype(np.float32), u[4:6], scene.bounce_sky)
    at = np.flatnonzero(s.shine > 0)
    if at.size:
        n, view = s.n[:, at], d[:, at]
        spread = s.rough[at] * np.sqrt(-2 * np.log(np.maximum(u[6, at], 1e-4)))
        tn, bn = basis(n)
        a = 2 * np.pi * u[7, at]
        bent = unit(n + tn * (spread * np.cos(a)) + bn * (spread * np.sin(a)))
        way = unit(view - 2 * dot(view, bent) * bent)
        facing = np.clip(-dot(view, bent), 0, 1)
        fresnel = s.shine[at] + (1 - s.shine[at]) * (1 - facing) ** 5
        got = _second(scene, start[:, at], way, u[8:10, at], True)
        tint = np.where(s.metal[at], s.colour[:, at], 1.0)
        extra[:, at] += np.minimum(got, 40.0) * fresnel * tint
    light = np.where(s.metal, 0.0, light)
    return light.astype(np.float32), extra.astype(np.float32)


@dataclass
class Camera:
    """A pinhole camera at ``eye`` looking at ``target``; ``fov``: horizontal angle in degrees."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float

    def rays(self, x: Array, y: Array, width: int, height: int) -> tuple[Array, Array, Array]:
        """Origins, unit directions and the cosine to the axis, for pixel positions (N,)."""
        eye = np.array(self.eye, np.float32)
        ahead = unit((np.array(self.target, np.float32) - eye)[:, None])[:, 0]
        right = unit(np.cross([0, 1, 0], ahead)[:, None])[:, 0]
        up = np.cross(ahead, right)
        scale = np.tan(np.deg2rad(self.fov / 2)) * 2 / width
        sx, sy = (x - width / 2) * scale, (height / 2 - y) * scale
        d = unit(ahead[:, None] + right[:, None] * sx + up[:, None] * sy)
        o = np.broadcast_to(eye[:, None], d.shape)
        return o.astype(np.float32), d, (ahead @ d).astype(np.float32)


@dataclass(kw_only=True)
class Frame:
    """Per-pixel averages: light, colour and extra (H, W, 3); the rest (H, W) or (H, W, 3)."""

    lit: Array  # colour * light
    colour: Array
    extra: Array  # highlights and reflections
    glow: Array
    normal: Array
    depth: Array
    temperature: Array
    cover: Array

    def radiance(self) -> Array:
        """Linear picture, (H, W, 3), premultiplied by coverage."""
        return self.lit + self.extra + self.glow


def render(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    side: int,
    seed: int,
    *,
    only: set[int] | None = None,
    sky_temperature: Callable[[Array], Array] | None = None,
) -> Frame:
    """Render ``size`` = (width, height) with ``side``² samples per pixel.

    ``only`` limits the shapes that the camera sees, but not those that cast shadows; the rest is
    transparent.
    """
    width, height = size
    rows_per_band = max(1, 60_000 // width)
    parts = [
        _band(
            scene,
            camera,
            size=size,
            side=side,
            seed=seed,
            only=only,
            sky_temperature=sky_temperature,
            band=(top, rows_per_band),
        )
        for top in range(0, height, rows_per_band)
    ]
    stacked = np.concatenate(parts, axis=1)
    m = stacked.reshape(-1, height, width).transpose(1, 2, 0) / side**2
    depth = m[..., 12] / np.maximum(m[..., 14], 1e-6)
    return Frame(
        lit=m[..., 0:3],
        colour=m[..., 3:6],
        extra=m[..., 6:9],
        glow=m[..., 15:18],
        normal=m[..., 9:12],
        depth=depth,
        temperature=m[..., 13],
        cover=m[..., 14],
    )


def _band(
    scene: Scene,
    camera: Camera,
    *,
    size: tuple[int, int],
    side: int,
    seed: int,
    only: set[int] | None,
    sky_temperature: Callable[[Array], Array] | None,
    band: tuple[int, int],
) -> Array:
    """Sums over the samples for one band of rows: (18, pixels)."""
    width, height = size
    top, rows = band
    y, x = np.mgrid[top : min(top + rows, height), 0:width].astype(np.float32)
    x, y = x.ravel(), y.ravel()
    base = np.random.default_rng([seed, top]).random((_DIMS, x.size), dtype=np.float32)
    # Increments of a low-discrepancy sequence (powers of the generalised golden ratio).
    phi = 2.0
    for _ in range(40):
        phi = (1 + phi) ** (1 / (_DIMS + 1))
    steps = (1 / phi ** np.arange(1, _DIMS + 1)).astype(np.float32)[:, None]
    total = np.zeros((18, x.size), np.float32)
    for k in range(side**2):
        u = ((base + k * steps) % 1).astype(np.float32)
        px = x + (k % side + u[10]) / side
        py = y + (k // side + u[11]) / side
        o, d, cosine = camera.rays(px, py, width, height)
        t, ids = scene.trace(o, d, only)
        at = np.flatnonzero(ids >= 0)
        if only is None:
            away = np.flatnonzero(ids < 0)
            total[15:18, away] += scene.sky(d[:, away])
            if sky_temperature is not None:
                total[13, away] += sky_temperature(d[:, away])
        if at.size == 0:
            continue
        s = surfaces(scene, o[:, at], d[:, at], t[at], ids[at])
        light, extra = shade(scene, s, d[:, at], u[:, at])
        total[0:3, at] += s.colour * light
        total[3:6, at] += s.colour
        total[6:9, at] += extra
        total[9:12, at] += s.n
        total[12, at] += t[at] * cosine[at]
        total[13, at] += s.temperature
        total[14, at] += 1
        total[15:18, at] += s.glow
    return total

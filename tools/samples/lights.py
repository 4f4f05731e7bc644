"""Light sources of the ray tracer: spherical lamps, the sun, and openings to the sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.samples.shapes import Array

Sky = Callable[[Array], Array]  # direction (3, N) -> radiance (3, N)


def dot(a: Array, b: Array) -> Array:
    return np.einsum("ij,ij->j", a, b)


def unit(a: Array) -> Array:
    return (a / np.maximum(np.linalg.norm(a, axis=0), 1e-9)).astype(np.float32)


def basis(n: Array) -> tuple[Array, Array]:
    """Two unit vectors perpendicular to ``n`` and to each other."""
    sign = np.where(n[2] >= 0, 1.0, -1.0)
    a = -1.0 / (sign + n[2])
    b = n[0] * n[1] * a
    t = np.stack([1 + sign * n[0] ** 2 * a, sign * b, -sign * n[0]])
    s = np.stack([b, sign + n[1] ** 2 * a, -n[1]])
    return t.astype(np.float32), s.astype(np.float32)


@dataclass
class Lamp:
    """A spherical lamp; ``power`` is radiant intensity. ``aim`` and ``spread`` make it a spot."""

    centre: tuple[float, float, float]
    radius: float
    power: Array
    aim: tuple[float, float, float] | None = None
    spread: tuple[float, float] = (0.0, 0.0)  # cosines: end of full power, of cone

    def sample(self, p: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
        """Direction to a point on the lamp, distance, and irradiance/pi at normal incidence."""
        z = 1 - 2 * u
        s = np.sqrt(np.maximum(0, 1 - z * z))
        off = np.stack([s * np.cos(2 * np.pi * v), z, s * np.sin(2 * np.pi * v)]) * self.radius
        way = np.array(self.centre, np.float32)[:, None] + off - p
        dist = np.linalg.norm(way, axis=0)
        direction = (way / dist).astype(np.float32)
        light = self.power[:, None] / (np.pi * dist**2)
        if self.aim is not None:
            aim = unit(np.array(self.aim, np.float32)[:, None])
            cosine = -(aim * direction).sum(axis=0)
            full, end = self.spread
            light = light * np.clip((cosine - end) / (full - end), 0, 1) ** 2
        return direction, dist.astype(np.float32), light.astype(np.float32)


@dataclass
class Sun:
    """Parallel light with soft edges."""

    towards: tuple[float, float, float]
    power: Array
    radius: float = 0.01

    def sample(self, p: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
        axis = unit(np.array(self.towards, np.float32)[:, None])
        t, s = basis(axis)
        r = self.radius * np.sqrt(u)
        d = unit(axis + t * (r * np.cos(2 * np.pi * v)) + s * (r * np.sin(2 * np.pi * v)))
        far = np.full(p.shape[1], 1e4, np.float32)
        return d, far, np.broadcast_to(self.power[:, None] / np.pi, p.shape).astype(np.float32)


@dataclass
class Portal:
    """An opening (corner and two edges) through which the sky shines."""

    corner: tuple[float, float, float]
    edge_u: tuple[float, float, float]
    edge_v: tuple[float, float, float]
    sky: Sky

    def sample(self, p: Array, u: Array, v: Array) -> tuple[Array, Array, Array]:
        eu, ev = (np.array(e, np.float32)[:, None] for e in (self.edge_u, self.edge_v))
        way = np.array(self.corner, np.float32)[:, None] + eu * u + ev * v - p
        dist = np.linalg.norm(way, axis=0)
        d = (way / dist).astype(np.float32)
        across = np.cross(eu[:, 0], ev[:, 0])
        area = np.linalg.norm(across)
        facing = np.abs((across / area) @ d)
        light = self.sky(d) * (facing * area / (np.pi * np.maximum(dist, 0.3) ** 2))
        return d, (dist - 0.02).astype(np.float32), light.astype(np.float32)

"""Solid shapes for ray tracing. Vectors are float32 arrays (3, N); y is up; lengths in metres."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
# A surface function takes local position, local normal and world position, each (3, N).
Surface = Callable[[Array, Array, Array], Array]

INF = np.float32(np.inf)
EPS = np.float32(1e-3)


@dataclass
class Material:
    """Optical and thermal properties of a surface.

    Attributes:
        colour: linear albedo, (3,) or a function giving (3, N).
        glow: emitted radiance, or None.
        shine: reflectance at normal incidence (0 turns reflections off).
        rough: width of the reflection lobe, 0 is a mirror.
        temperature: degrees Celsius, a number or a function giving (N,).
        metal: tint reflections with the colour, and drop the diffuse part.
    """

    colour: Array | Surface
    glow: Array | Surface | None = None
    _: KW_ONLY
    shine: float = 0.0
    rough: float = 0.1
    temperature: float | Surface = 12.0
    metal: bool = False


def turn(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """World-to-local rotation (3, 3); degrees about y, then x, then z."""
    a, b, c = np.deg2rad([yaw, pitch, roll])
    ry = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    rx = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (ry @ rx @ rz).T.astype(np.float32)


@dataclass
class Shape(ABC):
    """A shape in its own frame, placed by centre and rotation."""

    centre: tuple[float, float, float]
    material: Material
    frame: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    casts: bool = True  # False: casts no shadow (lamps)
    cut: Surface | None = None  # True where the surface is solid

    def __post_init__(self) -> None:
        self.origin = np.array(self.centre, dtype=np.float32)[:, None]

    def local(self, p: Array) -> Array:
        return self.frame @ (p - self.origin)

    def hit(self, o: Array, d: Array) -> Array:
        """Distance along each ray (N,), infinite where it misses."""
        ol, dl = self.local(o), self.frame @ d
        near, far = self.spans(ol, dl)
        t = np.where(near > EPS, near, far)
        t = np.where((near <= far) & (t > EPS), t, INF)
        if self.cut is None:
            return t
        return self._cut_hit(o, ol, dl, t, far)

    def _cut_hit(self, o: Array, ol: Array, dl: Array, t: Array, far: Array) -> Array:
        """Distance of the first solid part: tests the front, then the back of the shape."""
        result = np.full_like(t, INF)
        for candidate in (t, far):
            index = np.flatnonzero(np.isfinite(candidate) & np.isinf(result) & (candidate > EPS))
            if index.size and self.cut is not None:
                p = ol[:, index] + dl[:, index] * candidate[index]
                solid = self.cut(p, p, self.frame.T @ p + self.origin).astype(bool)
                result[index[solid]] = candidate[index[solid]]
        return np.where(np.isfinite(t), result, INF)

    @abstractmethod
    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        """Where each local ray enters and leaves the solid, (N,) each; near > far is a miss."""

    @abstractmethod
    def local_normal(self, p: Array) -> Array:
        """Outward unit normal (3, N) at local surface points."""


def _inverse(d: Array) -> Array:
    return 1.0 / np.where(np.abs(d) < 1e-9, np.float32(1e-9), d)


@dataclass
class Ellipsoid(Shape):
    radii: tuple[float, float, float] = (1, 1, 1)

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        r = np.array(self.radii, dtype=np.float32)[:, None]
        o, d = o / r, d / r
        a = np.einsum("ij,ij->j", d, d)
        b = np.einsum("ij,ij->j", o, d)
        c = np.einsum("ij,ij->j", o, o) - 1
        disc = b * b - a * c
        root = np.sqrt(np.maximum(disc, 0))
        miss = disc < 0
        return np.where(miss, INF, (-b - root) / a), np.where(miss, -INF, (-b + root) / a)

    def local_normal(self, p: Array) -> Array:
        n = p / np.array(self.radii, dtype=np.float32)[:, None] ** 2
        return n / np.linalg.norm(n, axis=0)


@dataclass
class Box(Shape):
    half: tuple[float, float, float] = (1, 1, 1)
    bevel: float = 0.0  # metres over which the shading rounds the edges

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        h = np.array(self.half, dtype=np.float32)[:, None]
        inv = _inverse(d)
        mid, reach = -o * inv, h * np.abs(inv)
        return (mid - reach).max(axis=0), (mid + reach).min(axis=0)

    def local_normal(self, p: Array) -> Array:
        depth = np.abs(p) - np.array(self.half, dtype=np.float32)[:, None]
        soft = max(self.bevel, 1e-4)
        weight = np.exp(np.maximum((depth - depth.max(axis=0)) / soft, -30))
        n = weight * np.sign(p)
        return n / np.linalg.norm(n, axis=0)


@dataclass
class Cylinder(Shape):
    """A cylinder along local y, from -length/2 to length/2, with flat ends."""

    radius: float = 1.0
    length: float = 1.0

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        a = d[0] ** 2 + d[2] ** 2 + np.float32(1e-12)
        b = o[0] * d[0] + o[2] * d[2]
        c = o[0] ** 2 + o[2] ** 2 - self.radius**2
        disc = b * b - a * c
        root = np.sqrt(np.maximum(disc, 0))
        inv = _inverse(d[1])
        mid, reach = -o[1] * inv, self.length / 2 * np.abs(inv)
        near = np.maximum((-b - root) / a, mid - reach)
        far = np.minimum((-b + root) / a, mid + reach)
        return np.where(disc < 0, INF, near), np.where(disc < 0, -INF, far)

    def local_normal(self, p: Array) -> Array:
        side = np.hypot(p[0], p[2]) - self.radius
        cap = np.abs(p[1]) - self.length / 2 > side
        n = np.where(cap, np.stack([0 * p[0], np.sign(p[1]), 0 * p[0]]), p * [[1], [0], [1]])
        return n / np.maximum(np.linalg.norm(n, axis=0), 1e-9)


@dataclass
class Capsule(Shape):
    """A capsule along local y with end caps of ``radius``, their centres ``length`` apart."""

    radius: float = 0.1
    length: float = 1.0

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        h, r2 = self.length / 2, self.radius**2
        a = d[0] ** 2 + d[2] ** 2 + np.float32(1e-12)
        b = o[0] * d[0] + o[2] * d[2]
        disc = b * b - a * (o[0] ** 2 + o[2] ** 2 - r2)
        root = np.sqrt(np.maximum(disc, 0))
        lo, hi = (-b - root) / a, (-b + root) / a
        near = np.where((disc >= 0) & (np.abs(o[1] + lo * d[1]) <= h), lo, INF)
        far = np.where((disc >= 0) & (np.abs(o[1] + hi * d[1]) <= h), hi, -INF)
        aa = np.einsum("ij,ij->j", d, d)
        for end in (-h, h):
            y = o[1] - end
            bb = o[0] * d[0] + y * d[1] + o[2] * d[2]
            dd = bb * bb - aa * (o[0] ** 2 + y**2 + o[2] ** 2 - r2)
            rr = np.sqrt(np.maximum(dd, 0))
            near = np.where(dd >= 0, np.minimum(near, (-bb - rr) / aa), near)
            far = np.where(dd >= 0, np.maximum(far, (-bb + rr) / aa), far)
        return near.astype(np.float32), far.astype(np.float32)

    def local_normal(self, p: Array) -> Array:
        axis = np.clip(p[1], -self.length / 2, self.length / 2)
        n = np.stack([p[0], p[1] - axis, p[2]])
        return n / np.maximum(np.linalg.norm(n, axis=0), 1e-9)


@dataclass
class Convex(Shape):
    """Intersection of half-spaces ``normal . p <= offset``; edges shaded round over ``bevel``."""

    faces: tuple[tuple[float, float, float, float], ...] = ()
    bevel: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        rows = np.array(self.faces, dtype=np.float32)
        size = np.linalg.norm(rows[:, :3], axis=1, keepdims=True)
        self._n, self._d = rows[:, :3] / size, rows[:, 3:] / size

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        inv = _inverse(self._n @ d)
        t = (self._d - self._n @ o) * inv
        near = np.where(inv < 0, t, -INF).max(axis=0)
        far = np.where(inv > 0, t, INF).min(axis=0)
        return near, far

    def local_normal(self, p: Array) -> Array:
        depth = self._n @ p - self._d
        weight = np.exp(np.maximum((depth - depth.max(axis=0)) / self.bevel, -30))
        n = self._n.T @ weight
        return n / np.linalg.norm(n, axis=0)


@dataclass
class Rect(Shape):
    """A flat sheet in local x and y, facing local +z."""

    half: tuple[float, float] = (1, 1)

    def spans(self, o: Array, d: Array) -> tuple[Array, Array]:
        t = -o[2] * _inverse(d[2])
        p = np.abs(o[:2] + d[:2] * t)
        ok = (p[0] <= self.half[0]) & (p[1] <= self.half[1])
        return np.where(ok, t, INF), np.where(ok, t, -INF)

    def local_normal(self, p: Array) -> Array:
        return np.broadcast_to(np.array([[0], [0], [1]], np.float32), p.shape)


def bar(
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    radius: float,
    material: Material,
    **extra: bool,
) -> Capsule:
    """A capsule from point ``a`` to point ``b``."""
    pa, pb = np.array(a, np.float64), np.array(b, np.float64)
    axis = pb - pa
    length = float(np.linalg.norm(axis))
    y = axis / length
    x = np.cross(y, [0.3, 0.1, 1.0])
    x /= np.linalg.norm(x)
    frame = np.stack([x, y, np.cross(x, y)]).astype(np.float32)
    mid = (pa + pb) / 2
    centre = (float(mid[0]), float(mid[1]), float(mid[2]))
    return Capsule(centre, material, frame, radius=radius, length=length, **extra)


@dataclass
class Group:
    """Shapes tested together; with a bounding sphere, only for rays that intersect it."""

    shapes: list[Shape]
    centre: tuple[float, float, float] | None = None
    radius: float = 0.0

    def near(self, o: Array, d: Array) -> NDArray[np.int64] | None:
        """Indices of the rays that may hit, or None for all."""
        if self.centre is None:
            return None
        oc = o - np.array(self.centre, np.float32)[:, None]
        b = np.einsum("ij,ij->j", oc, d)
        c = np.einsum("ij,ij->j", oc, oc) - self.radius**2
        return np.flatnonzero((b * b >= c) & ((b < 0) | (c < 0)))

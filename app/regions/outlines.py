"""What is seen of regions, distances and angles in a plane: lines in pixels of the image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from app.i18n.numbers import number
from app.regions.view_plane import ViewPlane
from app.viewer.drawings import Drawing, Handle, ImagePlace
from core.geometry.grids import Coordinates, VoxelGrid
from core.regions import (
    AngleMark,
    Annotation,
    DistanceLine,
    EllipseRegion,
    FlatRegion,
    PatientPoint,
    PolygonRegion,
    RectangleRegion,
    RegionMask,
    SphereRegion,
    ThresholdRegion,
)

_ROUND = 72
"""Points of an ellipse or a circle."""
_SIDES = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Where the handles of a sphere are, in radii; keys move the first one."""
_CORNERS = ((1, 1), (1, -1), (-1, -1), (-1, 1))
"""Where those of flat regions are, in their half sizes."""

Lines: TypeAlias = tuple[tuple[ImagePlace, ...], ...]


def drawing_of(
    region: Annotation, view: ViewPlane, *, is_selected: bool = False, active: int = 0
) -> Drawing | None:
    """A region as it is seen in a plane; None where it does not reach it.

    Args:
        active: number of the handle that keys move.
    """
    if isinstance(region, ThresholdRegion):
        found = _sphere(region.sphere, view)
        found = None if found is None else replace(found, is_dashed=True)
    elif isinstance(region, SphereRegion):
        found = _sphere(region, view)
    elif isinstance(region, (DistanceLine, AngleMark)):
        found = _points(region, view)
    else:
        found = _flat(region, view)
    if found is None:
        return None
    label = size_of(region, view.unit) or region.name
    return replace(found, label=label, is_selected=is_selected, active=active)


def size_of(region: Annotation, unit: str) -> str:
    """What a distance (in ``unit``) or an angle measures; "" for regions."""
    if isinstance(region, DistanceLine):
        return f"{number(region.length, '.1f')} {unit}"
    return f"{number(region.degrees, '.1f')}°" if isinstance(region, AngleMark) else ""


# --- flat regions ------------------------------------------------------------------------------


def border_of(region: FlatRegion) -> Coordinates:
    """N×3, the border in mm; the last point is joined to the first."""
    return _in_space(region, _border(region))


def _border(region: FlatRegion) -> Sequence[tuple[float, float]]:
    if isinstance(region, PolygonRegion):
        return region.corners
    if isinstance(region, RectangleRegion):
        u, v = region.half_sides
        return [(across * u, down * v) for across, down in _CORNERS]
    u, v = region.half_axes
    turns = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    return [(float(u * np.cos(turn)), float(v * np.sin(turn))) for turn in turns]


def box_of(region: FlatRegion) -> tuple[tuple[float, float], tuple[float, float]]:
    """(least u, greatest u), (least v, greatest v) in mm from the origin of its plane."""
    if isinstance(region, PolygonRegion):
        u, v = np.array(region.corners).T
        return (float(u.min()), float(u.max())), (float(v.min()), float(v.max()))
    u, v = region.half_axes if isinstance(region, EllipseRegion) else region.half_sides
    return (-u, u), (-v, v)


def _in_space(region: FlatRegion, places: Sequence[tuple[float, float]]) -> Coordinates:
    plane = region.plane
    turn = np.array([plane.across, plane.down])
    return np.asarray(np.array(plane.origin) + np.array(places) @ turn)


def _flat(region: FlatRegion, view: ViewPlane) -> Drawing | None:
    border = border_of(region)
    if view.holds(border):
        box = box_of(region)
        corners = [(box[0][across > 0], box[1][down > 0]) for across, down in _CORNERS]
        handles = _numbered(view, _in_space(region, corners))
        return Drawing(region.name, (_closed(view, border),), handles=handles)
    lines = _crossed(view.pixels_of(border))
    return Drawing(region.name, lines) if lines else None


def _crossed(border: Coordinates) -> Lines:
    """The pieces of a plane inside a closed border of (column, row, layer) that crosses it."""
    places = []
    for one, other in pairwise([*border, border[0]]):
        if (one[2] < 0) != (other[2] < 0):
            share = one[2] / (one[2] - other[2])
            places.append((one + share * (other - one))[:2])
    if not places:
        return ()
    along = np.ptp(np.array(places), axis=0).argmax()
    ordered = sorted(places, key=lambda place: float(place[along]))
    return tuple((_place(a), _place(b)) for a, b in zip(ordered[::2], ordered[1::2], strict=True))


# --- spheres -----------------------------------------------------------------------------------


def _sphere(region: SphereRegion, view: ViewPlane) -> Drawing | None:
    across, down, normal = view.directions
    layer = float(view.pixels_of(region.centre)[2])
    off = layer * float(normal @ view.affine[:3, 2])
    if abs(off) >= region.radius:
        place = view.place_of(region.centre)
        return Drawing(region.name, dots=(place,)) if view.holds(region.centre) else None
    radius = (region.radius**2 - off**2) ** 0.5
    middle = np.array(region.centre) - off * normal
    turns = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)[:, np.newaxis]
    circle = middle + radius * (np.cos(turns) * across + np.sin(turns) * down)
    sides = [middle + radius * (u * across + v * down) for u, v in _SIDES]
    handles = _numbered(view, np.array(sides))
    return Drawing(region.name, (_closed(view, circle),), handles=handles)


# --- distances and angles ----------------------------------------------------------------------


def points_of(region: DistanceLine | AngleMark) -> tuple[PatientPoint, ...]:
    """Its points in mm, in the order of its handles."""
    if isinstance(region, DistanceLine):
        return region.start, region.end
    return region.first, region.vertex, region.second


def _points(region: DistanceLine | AngleMark, view: ViewPlane) -> Drawing | None:
    seen = view.pixels_of(points_of(region))
    inside = [abs(float(point[2])) <= 0.5 + 1e-6 for point in seen]
    handles = tuple(
        (number, _place(point))
        for number, (point, is_inside) in enumerate(zip(seen, inside, strict=True))
        if is_inside
    )
    pieces = [piece for one, other in pairwise(seen) if (piece := _within(one, other))]
    if not pieces:
        return None
    return Drawing(region.name, tuple(pieces), tuple(p for _n, p in handles), handles=handles)


def _within(one: Coordinates, other: Coordinates) -> tuple[ImagePlace, ImagePlace] | None:
    """The part of a straight line that lies in the slice."""
    low, high = 0.0, 1.0
    step = float(other[2] - one[2])
    if abs(step) < 1e-9:
        if abs(float(one[2])) > 0.5 + 1e-6:
            return None
    else:
        ends = sorted(((-0.5 - float(one[2])) / step, (0.5 - float(one[2])) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
        if low > high + 1e-9:
            return None
    return _place(one + low * (other - one)), _place(one + high * (other - one))


# --- voxels ------------------------------------------------------------------------------------

_MOST_PIXELS = 300_000


def voxel_lines(mask: RegionMask, grid: VoxelGrid, view: ViewPlane) -> Lines:
    """The borders of the pixels of a plane that lie in voxels of a mask.

    Args:
        grid: of the mask, its affine leading to the millimetres of the plane.
    """
    if not mask.count:
        return ()
    starts, sizes = np.array(mask.start)[::-1], np.array(mask.voxels.shape)[::-1]
    corners = np.array(np.meshgrid(*zip(starts - 0.5, starts + sizes - 0.5, strict=True)))
    seen = view.pixels_of(grid.to_patient(corners.reshape(3, -1).T))
    if seen[:, 2].min() > 0.5 or seen[:, 2].max() < -0.5:
        return ()
    low = np.maximum(np.floor(seen[:, :2].min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(seen[:, :2].max(axis=0)).astype(int), np.array(view.size) - 1)
    wide, tall = (int(one) for one in high - low + 1)
    if wide < 1 or tall < 1 or wide * tall > _MOST_PIXELS:
        return ()
    rows, columns = np.indices((tall, wide))
    pixels = np.stack([columns + low[0], rows + low[1], np.zeros_like(rows)], axis=-1)
    points = pixels @ view.affine[:3, :3].T + view.affine[:3, 3]
    voxels = np.floor(grid.to_voxel(points) + 0.5).astype(int) - starts
    inside = ((voxels >= 0) & (voxels < sizes)).all(axis=-1)
    i, j, k = np.moveaxis(np.where(inside[..., np.newaxis], voxels, 0), -1, 0)
    return _edges(inside & mask.voxels[k, j, i], (int(low[0]), int(low[1])))


def _edges(pixels: np.ndarray, corner: tuple[int, int]) -> Lines:
    """Straight lines between pixels that belong to a mask and those that do not."""
    padded = np.pad(pixels, 1)
    found: list[tuple[ImagePlace, ...]] = []
    for is_upright, changes in (
        (False, padded[1:] != padded[:-1]),
        (True, (padded[:, 1:] != padded[:, :-1]).T),
    ):
        for at, row in enumerate(changes):
            ends = np.flatnonzero(np.diff(np.pad(row.astype(np.int8), 1)))
            for begin, end in zip(ends[::2], ends[1::2], strict=True):
                one, other = (float(begin) - 1.5, at - 0.5), (float(end) - 1.5, at - 0.5)
                line = (one[::-1], other[::-1]) if is_upright else (one, other)
                found.append(tuple((x + corner[0], y + corner[1]) for x, y in line))
    return tuple(found)


# --- parts -------------------------------------------------------------------------------------


def _place(values: Coordinates | Sequence[float]) -> ImagePlace:
    return float(values[0]), float(values[1])


def _closed(view: ViewPlane, points: Coordinates) -> tuple[ImagePlace, ...]:
    seen = [_place(one) for one in view.pixels_of(points)]
    return (*seen, seen[0])


def _numbered(view: ViewPlane, points: Iterable[Sequence[float]]) -> tuple[Handle, ...]:
    return tuple((place, view.place_of(point)) for place, point in enumerate(points))

"""Making regions, moving them, and dragging their handles: values in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal, get_args

import numpy as np

from app.regions.outlines import border_of, box_of, points_of
from app.regions.view_plane import ViewPlane
from app.viewer.drawings import ImagePlace
from core.regions import (
    AngleMark,
    Annotation,
    DistanceLine,
    DrawingPlane,
    EllipseRegion,
    FlatRegion,
    PatientPoint,
    PolygonRegion,
    RectangleRegion,
    SphereRegion,
    Threshold,
    ThresholdRegion,
)
from core.types import SourceSide

ToolName = Literal[
    "select", "ellipse", "rectangle", "freehand", "sphere", "threshold", "distance", "angle"
]
TOOLS: tuple[ToolName, ...] = get_args(ToolName)

SHARE = Threshold("share", 0.41)
"""Of threshold regions to begin with: 41 % of the maximum."""
_LEAST = 0.1
"""Of a pixel or a millimetre: no size gets smaller than that by dragging."""
_CORNERS = 8
"""Of an outline that is put by a click or a key."""
_STRAIGHT = 0.35
"""Pixels by which an outline drawn by hand may be simplified."""


@dataclass(frozen=True)
class Stroke:
    """What was drawn over an image.

    Attributes:
        start, end: where the button was pressed and released.
        path: the way between them.
    """

    start: ImagePlace
    end: ImagePlace
    path: tuple[ImagePlace, ...] = ()


@dataclass(frozen=True)
class Naming:
    """What a new region is given besides its shape.

    Attributes:
        name: not used by another one.
        threshold, side: of threshold regions.
    """

    name: str
    _: KW_ONLY
    threshold: Threshold = SHARE
    side: SourceSide = "a"


def drawn(tool: ToolName, stroke: Stroke, view: ViewPlane, naming: Naming) -> Annotation:
    """What a stroke makes with a tool; an angle has its second arm at a right angle then.

    Raises:
        RegionError: it is too small, or an outline without an area.
    """
    name, frame = naming.name, view.frame_of_reference
    start, end = stroke.start, stroke.end
    if tool in ("sphere", "threshold"):
        radius = view.distance_of(start, end)
        sphere = SphereRegion(name, view.point_of(start), radius, frame_of_reference=frame)
        if tool == "sphere":
            return sphere
        return ThresholdRegion(sphere, naming.threshold, naming.side)
    if tool == "distance":
        return DistanceLine(
            name, view.point_of(start), view.point_of(end), frame_of_reference=frame
        )
    if tool == "angle":
        second = _turned(start, end, view)
        points = (view.point_of(place) for place in (start, end, second))
        return AngleMark(name, *points, frame_of_reference=frame)
    if tool == "freehand":
        return _outline(name, stroke.path or (start, end), view)
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    column, row = view.steps
    half = abs(end[0] - start[0]) * column / 2, abs(end[1] - start[1]) * row / 2
    plane = view.drawing_plane(middle)
    if tool == "ellipse":
        return EllipseRegion(name, plane, half, frame_of_reference=frame)
    return RectangleRegion(name, plane, half, frame_of_reference=frame)


def put(tool: ToolName, place: ImagePlace, view: ViewPlane, naming: Naming) -> Annotation:
    """What a tool makes of a click or a key: a shape of the usual size around a place."""
    column, row = view.steps
    size = view.standard_size
    across, down = size / column, size / row
    x, y = place
    if tool == "freehand":
        turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        path = tuple(
            (x + across * float(np.cos(turn)), y + down * float(np.sin(turn))) for turn in turns
        )
        return drawn(tool, Stroke(path[0], path[-1], path), view, naming)
    if tool in ("sphere", "threshold"):
        return drawn(tool, Stroke(place, (x + across, y)), view, naming)
    if tool == "distance":
        return drawn(tool, Stroke((x - across, y), (x + across, y)), view, naming)
    if tool == "angle":
        return drawn(tool, Stroke((x + across, y), place), view, naming)
    return drawn(tool, Stroke((x - across, y - down), (x + across, y + down)), view, naming)


def _turned(start: ImagePlace, end: ImagePlace, view: ViewPlane) -> ImagePlace:
    """The end of an arm at ``end`` as long as that from ``start``, turned by a right angle."""
    column, row = view.steps
    u, v = (start[0] - end[0]) * column, (start[1] - end[1]) * row
    return end[0] + v / column, end[1] - u / row


def _outline(name: str, path: Sequence[ImagePlace], view: ViewPlane) -> PolygonRegion:
    kept = np.array(simplified(path))
    least, most = kept.min(axis=0), kept.max(axis=0)
    middle = (least + most) / 2
    plane = view.drawing_plane((float(middle[0]), float(middle[1])))
    points = [view.point_of((float(x), float(y))) for x, y in kept]
    corners = tuple((float(u), float(v)) for u, v, _off in plane.coordinates(points))
    return PolygonRegion(name, plane, corners, frame_of_reference=view.frame_of_reference)


def simplified(path: Sequence[ImagePlace]) -> list[ImagePlace]:
    """Fewer points for the same way, none of those left out farther than a third of a pixel.

    After Ramer, Douglas and Peucker.
    """
    points = np.array(path, dtype=np.float64)
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        between = points[first + 1 : last]
        if not len(between):
            continue
        off = _distances(between, points[first], points[last])
        farthest = int(off.argmax())
        if off[farthest] > _STRAIGHT:
            at = first + 1 + farthest
            keep[at] = True
            waiting += [(first, at), (at, last)]
    return [(float(x), float(y)) for x, y in points[keep]]


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = end - start
    length = float(along @ along)
    if not length:
        return np.asarray(np.linalg.norm(points - start, axis=1))
    share = np.clip((points - start) @ along / length, 0, 1)[:, np.newaxis]
    return np.asarray(np.linalg.norm(points - (start + share * along), axis=1))


# --- changes -----------------------------------------------------------------------------------


def renamed(region: Annotation, name: str) -> Annotation:
    """The same with another name.

    Raises:
        RegionError: the name is empty or too long.
    """
    if isinstance(region, ThresholdRegion):
        return replace(region, sphere=replace(region.sphere, name=name))
    return replace(region, name=name)


def middle_of(region: Annotation) -> PatientPoint:
    """A point in mm to look at it by."""
    if isinstance(region, ThresholdRegion):
        return region.sphere.centre
    if isinstance(region, SphereRegion):
        return region.centre
    if isinstance(region, (DistanceLine, AngleMark)):
        return _triple(np.mean(points_of(region), axis=0))
    return _triple(np.mean(border_of(region), axis=0))


def shifted(region: Annotation, by: Sequence[float]) -> Annotation:
    """The same, moved by a vector in mm."""
    if isinstance(region, ThresholdRegion):
        sphere = region.sphere
        return replace(region, sphere=replace(sphere, centre=_sum(sphere.centre, by)))
    if isinstance(region, SphereRegion):
        return replace(region, centre=_sum(region.centre, by))
    if isinstance(region, DistanceLine):
        return replace(region, start=_sum(region.start, by), end=_sum(region.end, by))
    if isinstance(region, AngleMark):
        first, vertex, second = (_sum(point, by) for point in points_of(region))
        return replace(region, first=first, vertex=vertex, second=second)
    return replace(region, plane=_at(region.plane, _sum(region.plane.origin, by)))


def with_handle(region: Annotation, handle: int, point: PatientPoint) -> Annotation:
    """The same with a handle at another point in mm; numbers as in :mod:`app.regions.outlines`.

    Raises:
        RegionError: an arm of an angle has no length then.
    """
    if isinstance(region, ThresholdRegion):
        return replace(region, sphere=_reaching(region.sphere, point))
    if isinstance(region, SphereRegion):
        return _reaching(region, point)
    if isinstance(region, (DistanceLine, AngleMark)):
        points = list(points_of(region))
        points[handle] = point
        if isinstance(region, DistanceLine):
            return replace(region, start=points[0], end=points[1])
        return replace(region, first=points[0], vertex=points[1], second=points[2])
    return _resized(region, handle, point)


def grown(region: SphereRegion | ThresholdRegion, by: float) -> SphereRegion | ThresholdRegion:
    """The same with a radius larger by some mm, smaller where it is negative."""
    if isinstance(region, ThresholdRegion):
        sphere = region.sphere
        return replace(region, sphere=replace(sphere, radius=max(sphere.radius + by, _LEAST)))
    return replace(region, radius=max(region.radius + by, _LEAST))


def _reaching(sphere: SphereRegion, point: PatientPoint) -> SphereRegion:
    apart = float(np.linalg.norm(np.subtract(point, sphere.centre)))
    return replace(sphere, radius=max(apart, _LEAST))


_OF_CORNER = ((1, 1), (1, 0), (0, 0), (0, 1))
"""For each corner, whether it is the greater end of u and of v."""


def _resized(region: FlatRegion, handle: int, point: PatientPoint) -> FlatRegion:
    """With a corner of its box elsewhere; the opposite one stays."""
    box = box_of(region)
    at = region.plane.coordinates(point)[:2]
    ends = []
    for (low, high), is_high, new in zip(box, _OF_CORNER[handle], at, strict=True):
        if is_high:
            ends.append((low, max(float(new), low + _LEAST)))
        else:
            ends.append((min(float(new), high - _LEAST), high))
    (u0, u1), (v0, v1) = ends
    middle = (u0 + u1) / 2, (v0 + v1) / 2
    plane = _at(region.plane, region.plane.point_of(*middle))
    half = (u1 - u0) / 2, (v1 - v0) / 2
    if isinstance(region, EllipseRegion):
        return replace(region, plane=plane, half_axes=half)
    if isinstance(region, RectangleRegion):
        return replace(region, plane=plane, half_sides=half)
    (a0, a1), (b0, b1) = box
    corners = tuple(
        ((u - (a0 + a1) / 2) * (u1 - u0) / (a1 - a0), (v - (b0 + b1) / 2) * (v1 - v0) / (b1 - b0))
        for u, v in region.corners
    )
    return replace(region, plane=plane, corners=corners)


def _at(plane: DrawingPlane, origin: PatientPoint) -> DrawingPlane:
    return replace(plane, origin=origin)


def _sum(point: PatientPoint, by: Sequence[float]) -> PatientPoint:
    return _triple(np.add(point, by))


def _triple(values: np.ndarray) -> PatientPoint:
    x, y, z = (float(one) for one in values)
    return x, y, z

"""Regions, distances and angles as values for JSON: in sessions and in files of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import InputError, Message
from core.regions.marks import AngleMark, DistanceLine
from core.regions.shapes import (
    Annotation,
    DrawingPlane,
    EllipseRegion,
    PolygonRegion,
    RectangleRegion,
    SphereRegion,
    Threshold,
    ThresholdRegion,
)

_FORMAT, _VERSION = "unifusion regions", 1
_POINTS = "x, y, z in patient millimetres, LPS"
_Data = Mapping[str, Any]
_Values = dict[str, Any]


def regions_data(regions: Sequence[Annotation]) -> _Values:
    """``regions`` as values for JSON, in their order; :func:`regions_from_data` is the inverse.

    The frame of reference is written as it is, so that another computer finds the place.
    """
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "points": _POINTS,
        "regions": [_one(region) for region in regions],
    }


def regions_from_data(data: object) -> tuple[Annotation, ...]:
    """The inverse of :func:`regions_data`.

    Raises:
        InputError: it is of a newer version.
        RegionError: a shape has impossible sizes.
        ValueError: not of that form.
    """
    if not isinstance(data, Mapping) or data.get("format") != _FORMAT:
        raise ValueError("these are no regions")
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError("these are no regions")
    if version > _VERSION:
        raise InputError(
            Message("The regions"),
            Message("they were written by a newer version of the program"),
            Message("Install the newer version."),
        )
    regions = data.get("regions")
    if not isinstance(regions, list):
        raise ValueError("there is no list of regions")
    return tuple(_read(one) for one in regions)


def _one(region: Annotation) -> _Values:
    if isinstance(region, ThresholdRegion):
        threshold = region.threshold
        return {
            **_one(region.sphere),
            "shape": "threshold",
            "threshold": {
                "kind": threshold.kind,
                "value": threshold.value,
                "unit": threshold.unit,
            },
            "side": region.side,
        }
    named = {"name": region.name, "frame_of_reference": region.frame_of_reference}
    if isinstance(region, SphereRegion):
        return {
            "shape": "sphere",
            **named,
            "centre": list(region.centre),
            "radius": region.radius,
        }
    if isinstance(region, DistanceLine):
        return {"shape": "distance", **named, "points": [list(region.start), list(region.end)]}
    if isinstance(region, AngleMark):
        points = [list(point) for point in (region.first, region.vertex, region.second)]
        return {"shape": "angle", **named, "points": points}
    return {**named, "plane": _plane(region.plane), **_flat(region)}


def _flat(region: EllipseRegion | RectangleRegion | PolygonRegion) -> _Values:
    if isinstance(region, EllipseRegion):
        return {"shape": "ellipse", "half_axes": list(region.half_axes)}
    if isinstance(region, RectangleRegion):
        return {"shape": "rectangle", "half_sides": list(region.half_sides)}
    return {"shape": "polygon", "corners": [list(corner) for corner in region.corners]}


def _plane(plane: DrawingPlane) -> _Values:
    return {
        "origin": list(plane.origin),
        "across": list(plane.across),
        "down": list(plane.down),
        "thickness": plane.thickness,
    }


def _read(data: object) -> Annotation:
    if not isinstance(data, Mapping):
        raise ValueError("this is no region")
    build = _BUILDERS.get(str(data.get("shape")))
    if build is None:
        raise ValueError(f"there is no shape {data.get('shape')!r}")
    named = {"name": data.get("name"), "frame_of_reference": data.get("frame_of_reference", "")}
    if not all(isinstance(text, str) for text in named.values()):
        raise ValueError("a region without a name")
    try:
        return build(data, named)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a part of the region is missing") from error
    except ValueError as error:
        raise ValueError("a part of the region has another form") from error


def _plane_of(data: _Data) -> DrawingPlane:
    plane = data["plane"]
    return DrawingPlane(plane["origin"], plane["across"], plane["down"], plane.get("thickness"))


def _sphere(data: _Data, named: _Values) -> SphereRegion:
    return SphereRegion(centre=data["centre"], radius=data["radius"], **named)


def _threshold(data: _Data, named: _Values) -> ThresholdRegion:
    given = data["threshold"]
    unit = given.get("unit", "")
    if not isinstance(unit, str):
        raise TypeError("a unit is a text")
    threshold = Threshold(given["kind"], given["value"], unit)
    return ThresholdRegion(_sphere(data, named), threshold, data.get("side", "a"))


def _ellipse(data: _Data, named: _Values) -> EllipseRegion:
    return EllipseRegion(plane=_plane_of(data), half_axes=data["half_axes"], **named)


def _rectangle(data: _Data, named: _Values) -> RectangleRegion:
    return RectangleRegion(plane=_plane_of(data), half_sides=data["half_sides"], **named)


def _polygon(data: _Data, named: _Values) -> PolygonRegion:
    return PolygonRegion(plane=_plane_of(data), corners=tuple(data["corners"]), **named)


def _distance(data: _Data, named: _Values) -> DistanceLine:
    start, end = data["points"]
    return DistanceLine(start=start, end=end, **named)


def _angle(data: _Data, named: _Values) -> AngleMark:
    first, vertex, second = data["points"]
    return AngleMark(first=first, vertex=vertex, second=second, **named)


_BUILDERS: dict[str, Callable[[_Data, _Values], Annotation]] = {
    "ellipse": _ellipse,
    "rectangle": _rectangle,
    "polygon": _polygon,
    "sphere": _sphere,
    "threshold": _threshold,
    "distance": _distance,
    "angle": _angle,
}

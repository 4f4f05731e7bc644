"""Transforms as values for JSON: in files, sessions and records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InputError, Message
from core.types.pair_transform import PairTransform
from core.types.transform import Transform, TransformKind

_FORMAT, _VERSION = "unifusion transform", 1
_POINTS = {
    2: "x, y in pixels, to the right and down; the centre of the first pixel is 0, 0",
    3: "x, y, z in patient millimetres, LPS",
}


def transform_data(transform: Transform) -> dict[str, Any]:
    """``transform`` as values for JSON."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "maps": "fixed to moving",
        "points": _POINTS[transform.dimension],
        "kind": transform.kind,
        "matrix": [list(row) for row in transform.matrix],
    }


def transform_from_data(data: object) -> Transform:
    """The inverse of :func:`transform_data`.

    Raises:
        InputError: too new, or not a transform.
        ValueError: not of that form.
    """
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError("not a transform")
    version = data.get("version")
    if not isinstance(version, int) or version > _VERSION:
        raise InputError(
            Message("The transform"),
            Message("it was written by a newer version of the program"),
            Message("Install the newer version, or save the transform as .tfm there."),
        )
    rows = data.get("matrix")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError("no matrix")
    if not all(isinstance(value, (int, float)) for row in rows for value in row):
        raise ValueError("no numbers")
    kind: TransformKind = data.get("kind", "")
    return Transform(kind, tuple(tuple(float(value) for value in row) for row in rows))


def transform_record(by: PairTransform) -> dict[str, Any]:
    """A pair's transform as values for JSON, for sessions and records."""
    return {
        "transform": transform_data(by.transform),
        "moving": by.moving,
        "origin": by.origin,
        "name": by.name,
        "verdict": by.verdict,
        "crop": by.crop,
    }


def transform_of_record(data: object) -> PairTransform:
    """The inverse of :func:`transform_record`.

    Raises:
        ValueError: it is none, or too new.
    """
    if not isinstance(data, Mapping):
        raise ValueError("no transform of a pair")
    moving, origin, verdict = data.get("moving"), data.get("origin"), data.get("verdict")
    if moving not in ("a", "b") or origin not in ("registered", "file", "rig", "hand"):
        raise ValueError("no transform of a pair")
    if verdict not in (None, "good", "doubtful", "failed"):
        raise ValueError("no verdict")
    try:
        transform = transform_from_data(data.get("transform"))
    except InputError as error:
        raise ValueError(str(error)) from error
    return PairTransform(
        transform,
        moving,
        origin=origin,
        name=str(data.get("name", "")),
        verdict=verdict,
        crop=data.get("crop") is True,
    )

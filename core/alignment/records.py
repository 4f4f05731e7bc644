"""A pair's transform in sessions and records, as values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InputError
from core.io.transforms import transform_data, transform_from_data
from core.types import PairTransform


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

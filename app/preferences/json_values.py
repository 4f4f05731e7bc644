"""Dataclasses from the JSON that they were stored as, whatever version of the program wrote it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


def dataclass_from_json(default: Value, data: object) -> Value:
    """A dataclass from the JSON of its :func:`dataclasses.asdict`.

    Missing, unknown and mistyped values stay as in ``default``, so that sessions of newer versions
    can be read.
    """
    assert is_dataclass(default)
    if not isinstance(data, dict):
        return default
    hints = get_type_hints(type(default))
    changes: dict[str, Any] = {}
    for one in fields(default):
        now, value = getattr(default, one.name), data.get(one.name)
        if one.name not in data:
            continue
        if is_dataclass(now):
            changes[one.name] = dataclass_from_json(now, value)
        else:
            value = tuple(value) if isinstance(value, list) else value
            if matches_type(value, hints[one.name]):
                changes[one.name] = value
    return cast(Value, replace(cast(Any, default), **changes))


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def matches_type(value: object, hint: Any) -> bool:
    """True when a value from JSON is of the type ``hint``."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        return value in parts
    if kind in (Union, UnionType):
        return any(matches_type(value, part) for part in parts)
    if kind is tuple:
        return (
            isinstance(value, tuple)
            and len(value) == len(parts)
            and all(matches_type(item, part) for item, part in zip(value, parts, strict=True))
        )
    if hint is float:
        # Python's JSON allows NaN and infinity, with which a window would be invalid.
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and _is_finite(cast(float, value))
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NoneType if hint is None else hint)

"""Settings as text: TOML with the words a person would look for, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.train.view_models import Settings


def as_json(settings: Settings) -> str:
    """Indented JSON."""
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def as_toml(settings: Settings) -> str:
    """TOML: plain values first, then a table for each group, as the format wants it."""
    return "\n".join(_table(settings, "")).strip() + "\n"


def _table(values: Mapping[str, Any], path: str) -> Iterator[str]:
    # TOML has no null; a setting that is left out has its default.
    inner = {name: value for name, value in values.items() if isinstance(value, Mapping)}
    for name, value in values.items():
        if name not in inner and value is not None:
            yield f"{name} = {_value(value)}"
    for name, value in inner.items():
        inside = f"{path}{name}"
        yield ""
        yield f"[{inside}]"
        yield from _table(value, f"{inside}.")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, float):
        # repr is the shortest text that gives the same number again; TOML wants digits on
        # both sides of its point or an exponent, which Python's always has.
        return repr(value)
    if isinstance(value, int):
        return str(value)
    # JSON's strings are TOML's basic strings, escapes included; DEL alone must be escaped, too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

"""Validation errors of pydantic as messages for the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from core.messages import Message
from core.setting import Misfit


def first_message(error: ValidationError) -> tuple[str, str]:
    """The dotted name of the first invalid setting ("" for the settings as a whole), and why."""
    item = error.errors()[0]
    return place_of(item), validation_message(item)


def place_of(item: Mapping[str, Any]) -> str:
    """The dotted name of the setting that an item of ``ValidationError.errors()`` refers to.

    List indices are omitted; "" for the settings as a whole.
    """
    parts = [part for part in item["loc"] if isinstance(part, str)]
    error = (item.get("ctx") or {}).get("error")
    return ".".join([*parts, error.field] if isinstance(error, Misfit) else parts)


def validation_message(item: Mapping[str, Any]) -> str:
    """The message of an item of ``ValidationError.errors()``, to follow the setting's name."""
    limits = item.get("ctx") or {}
    by_type = {
        "greater_than": lambda: Message("must be more than {0}", limits["gt"]),
        "greater_than_equal": lambda: Message("must be at least {0}", limits["ge"]),
        "less_than": lambda: Message("must be less than {0}", limits["lt"]),
        "less_than_equal": lambda: Message("must be at most {0}", limits["le"]),
        "multiple_of": lambda: Message("must be a multiple of {0}", limits["multiple_of"]),
        "missing": lambda: Message("is missing"),
        "extra_forbidden": lambda: Message("is no setting of this program"),
        "unexpected_keyword_argument": lambda: Message("is no setting of this program"),
        "bool_type": lambda: Message("must be true or false"),
        "bool_parsing": lambda: Message("must be true or false"),
        "string_type": lambda: Message("must be a text in quotes"),
        "tuple_type": lambda: Message("must be a list"),
        "dataclass_type": lambda: Message("must be a table of settings"),
        "string_pattern_mismatch": lambda: Message("must be auto, cpu, cuda or cuda:N"),
        "literal_error": lambda: Message("must be one of {0}", limits.get("expected", "")),
    }
    kind = item["type"]
    if kind in by_type:
        return by_type[kind]()
    if kind.startswith("int_"):
        return Message("must be a whole number")
    if kind.startswith(("float_", "finite_number")):
        return Message("must be a number")
    error = limits.get("error")  # raised by a validator of this program
    return error.args[0] if error is not None and error.args else str(item["msg"])

"""Texts for people that can be said again in another language: a template and its values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Message(str):
    """A text made from a template and values, which remembers both.

    Whoever shows it may look the template up in another language and fill it in again; to all
    others it is the finished English text. Templates are written as literals, so that tools find
    them; one and many are two literals (``"…" if n == 1 else "…"``). A value that is itself to be
    said in the other language is a ``Message``; all others (names, paths, numbers) stay as they
    are.
    """

    template: str
    values: tuple[object, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        """Args: ``template`` as for :meth:`str.format`, ``values`` by position."""
        made = super().__new__(cls, template.format(*values))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[type[Message], tuple[object, ...]]:
        return type(self), (self.template, *self.values)

    @classmethod
    def plain(cls, text: str) -> Message:
        """``text`` as it is: its braces are no placeholders."""
        return (
            text if isinstance(text, Message) else cls(text.replace("{", "{{").replace("}", "}}"))
        )

    @classmethod
    def joined(cls, separator: str, texts: Iterable[str]) -> Message:
        """``texts`` in a row; each is said for itself in the other language."""
        parts = [cls.plain(text) for text in texts]
        return cls(cls.plain(separator).template.join(["{}"] * len(parts)), *parts)


_KEY = "said"


def to_data(text: str) -> Any:
    """``text`` for JSON: ``{"said": [template, value, …]}`` of a :class:`Message`, else itself."""
    if not isinstance(text, Message):
        return str(text)
    return {_KEY: [text.template, *(_value(value) for value in text.values)]}


def _value(value: object) -> Any:
    if isinstance(value, Message):
        return to_data(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value if isinstance(value, (int, float)) else str(value)


def from_data(data: object) -> str:
    """The text that :func:`to_data` made ``data`` of; older files hold plain texts.

    Raises:
        ValueError: it is neither a text nor of that form, or values are missing.
    """
    if isinstance(data, str):
        return data
    parts = data.get(_KEY) if isinstance(data, Mapping) else None
    if not isinstance(parts, list) or not parts or not isinstance(parts[0], str):
        raise ValueError("this is no text")
    values = (from_data(v) if isinstance(v, Mapping) else v for v in parts[1:])
    try:
        return Message(parts[0], *values)
    except (IndexError, KeyError, AttributeError, TypeError) as error:
        raise ValueError("this is no text") from error

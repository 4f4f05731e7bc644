"""Texts for people that can be said again in another language: a template and its values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self


class Message(str):
    """A text made from a template and values, which remembers both.

    Whoever shows it may look the template up in another language and fill it in again; to all
    others it is the finished English text. Templates are written as literals in the call, where
    ``pybabel extract`` finds them. A value that is itself to be said in the other language is a
    ``Message``; all others (names, paths, numbers) stay as they are.

    Attributes:
        template: as for :meth:`str.format`; of a counted text, the one for a single thing.
        many: of a counted text, the template for several things; "" of all others.
        values: by position; of a counted text, the first one is the number.
    """

    template: str
    many: str
    values: tuple[object, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        """Args: ``template`` as for :meth:`str.format`, ``values`` by position."""
        made = super().__new__(cls, template.format(*values))
        made.template, made.many, made.values = template, "", values
        return made

    @classmethod
    def plural(cls, one: str, many: str, count: int, *more: object) -> Self:
        """A text about ``count`` things, which is ``{0}`` in both templates.

        Other languages have more forms than two; which one is used is up to their catalogue.
        """
        values = (int(count), *more)
        made = super().__new__(cls, (one if count == 1 else many).format(*values))
        made.template, made.many, made.values = one, many, values
        return made

    def __reduce__(self) -> tuple[Callable[..., Message], tuple[object, ...]]:
        if self.many:
            return Message.plural, (self.template, self.many, *self.values)
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


def template(text: str) -> str:
    """``text`` itself: marks a literal that becomes a :class:`Message` in another place."""
    return text


_KEY = "said"
_MANY = "many"


def to_data(text: str) -> Any:
    """``text`` for JSON: ``{"said": [template, value, …]}`` of a :class:`Message`, else itself.

    A counted text has its other template beside: ``"many": template``.
    """
    if not isinstance(text, Message):
        return str(text)
    data: dict[str, Any] = {_KEY: [text.template, *(_value(value) for value in text.values)]}
    return data | {_MANY: text.many} if text.many else data


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
    many = data.get(_MANY, "") if isinstance(data, Mapping) else ""
    if not isinstance(parts, list) or not all(isinstance(one, str) for one in (*parts[:1], many)):
        raise ValueError("this is no text")
    values = [from_data(v) if isinstance(v, Mapping) else v for v in parts[1:]]
    try:
        if not many:
            return Message(parts[0], *values)
        count, *more = values
        if isinstance(count, int):
            return Message.plural(parts[0], many, count, *more)
    except (IndexError, KeyError, AttributeError, TypeError, ValueError) as error:
        raise ValueError("this is no text") from error
    raise ValueError("this is no text: a counted one begins with its number")

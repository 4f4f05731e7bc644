"""Translatable texts: a template and its values, which can be rendered in another language."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self


class Message(str):
    """A text made from a template and values, both of which it remembers.

    The user interface looks the template up in another language and fills it in again; for all
    other code it is the finished English text. Templates are literals in the call, where
    ``pybabel extract`` finds them. A value that is itself translatable is a ``Message``; all others
    (names, paths, numbers) remain unchanged.

    Attributes:
        template: as for :meth:`str.format`; for a plural text, the singular.
        many: for a plural text, the plural; otherwise "".
        values: by position; for a plural text, the first one is the number.
    """

    template: str
    many: str
    values: tuple[object, ...]

    def __new__(cls, template: str, *values: object) -> Self:
        """``template`` as for :meth:`str.format`, ``values`` by position."""
        made = super().__new__(cls, template.format(*values))
        made.template, made.many, made.values = template, "", values
        return made

    @classmethod
    def plural(cls, one: str, many: str, count: int, *more: object) -> Self:
        """A text about ``count`` things; ``{0}`` is the number in both templates.

        The catalogue of a language selects among its plural forms.
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
        """``text`` unchanged: its braces are not placeholders."""
        return (
            text if isinstance(text, Message) else cls(text.replace("{", "{{").replace("}", "}}"))
        )

    @classmethod
    def joined(cls, separator: str, texts: Iterable[str]) -> Message:
        """``texts`` joined by ``separator``; each is translated separately."""
        parts = [cls.plain(text) for text in texts]
        return cls(cls.plain(separator).template.join(["{}"] * len(parts)), *parts)


def template(text: str) -> str:
    """Return ``text``; marks a literal that becomes a :class:`Message` elsewhere."""
    return text


_KEY = "said"
_MANY = "many"


def to_data(text: str) -> Any:
    """``text`` for JSON: ``{"said": [template, value, …]}`` for a :class:`Message`, else unchanged.

    A plural text also has its second template: ``"many": template``.
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
    """The inverse of :func:`to_data`; older files hold plain texts.

    Raises:
        ValueError: not a text, not of that form, or values are missing.
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

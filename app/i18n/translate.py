"""Texts in the person's language: those of the window, and those the engine says."""

from __future__ import annotations

from collections.abc import Iterable

from app.i18n.language import catalogue, lookup
from app.i18n.numbers import filled
from core.errors import FusionError, Message


def tr(text: str) -> str:
    """A literal text of a function; classes of Qt have a ``tr`` of their own."""
    return lookup(catalogue(), text)


def plural(one: str, many: str, count: int) -> str:
    """The template for ``count`` things, still to be filled in.

    Args:
        one, many: literal English templates for one thing and for several. Whoever fills them in
            gives the number in either case: other languages may use the form of one for 21 things.
    """
    return catalogue().ngettext(one, many, count)


def translate(text: str) -> str:
    """A name, stage or explanation of the engine in the person's language, if it is known.

    A text made from a template is made anew from the translated one, with the same values.
    """
    if not isinstance(text, Message):
        return tr(text)
    values = [translate(value) if isinstance(value, Message) else value for value in text.values]
    count = values[0] if text.many else None
    if isinstance(count, int):
        return filled(plural(text.template, text.many, count), *values)
    return filled(tr(text.template), *values)


def translate_all(texts: Iterable[str]) -> list[str]:
    """Several of them."""
    return [translate(text) for text in texts]


def translate_error(error: FusionError) -> tuple[str, str, str]:
    """What failed, why, and what to do about it, in the person's language where it is known."""
    return translate(error.what), translate(error.why), translate(error.remedy)

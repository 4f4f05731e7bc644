"""Translation of the texts of the GUI and of the engine."""

from __future__ import annotations

from collections.abc import Iterable

from app.i18n.language import catalogue, lookup
from app.i18n.numbers import filled
from core.errors import FusionError, Message


def tr(text: str) -> str:
    """Translate a literal text outside of Qt classes, which have their own ``tr``."""
    return lookup(catalogue(), text)


def plural(one: str, many: str, count: int) -> str:
    """The translated template for ``count`` items; the caller inserts the number.

    Args:
        one, many: literal English templates for one item and for several. Both must contain the
            number: other languages may use the singular form for 21 items, too.
    """
    return catalogue().ngettext(one, many, count)


def translate(text: str) -> str:
    """Translate a name, stage or message of the engine; unknown texts are returned unchanged.

    A message is formatted again from the translated template with the same values.
    """
    if not isinstance(text, Message):
        return tr(text)
    values = [translate(value) if isinstance(value, Message) else value for value in text.values]
    count = values[0] if text.many else None
    if isinstance(count, int):
        return filled(plural(text.template, text.many, count), *values)
    return filled(tr(text.template), *values)


def translate_all(texts: Iterable[str]) -> list[str]:
    """Translate several texts."""
    return [translate(text) for text in texts]


def translate_error(error: FusionError) -> tuple[str, str, str]:
    """What failed, why, and the remedy, translated."""
    return translate(error.what), translate(error.why), translate(error.remedy)

"""Words of the engine, which knows no translation system, in the person's language."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from app.i18n.numbers import filled
from core.errors import FusionError, Message


def translate(text: str) -> str:
    """A name, stage or explanation of the engine in the person's language, if it is known.

    A text made from a template is made anew from the translated one, with the same values.
    """
    if isinstance(text, Message):
        values = (
            translate(value) if isinstance(value, Message) else value for value in text.values
        )
        return filled(_translated(text.template), *values)
    return _translated(text)


def translate_all(texts: Iterable[str]) -> list[str]:
    """Several of them."""
    return [translate(text) for text in texts]


def _translated(text: str) -> str:
    return QCoreApplication.translate("core", text) if text else ""


def translate_error(error: FusionError) -> tuple[str, str, str]:
    """What failed, why, and what to do about it, in the person's language where it is known."""
    return translate(error.what), translate(error.why), translate(error.remedy)

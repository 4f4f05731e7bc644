"""Numbers for display, with the decimal and group separators of the current language.

Files (CSV, JSON, TOML, provenance) always use the decimal point. The separators are those of Qt's
default locale, set by :func:`app.i18n.language.install`; for English the result is that of
:func:`format`.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QLocale


def number(value: float, form: str = "") -> str:
    """``value`` formatted by the format spec ``form``, with localised separators."""
    return localised(format(value, form))


def listed(values: Iterable[str]) -> str:
    """Numbers made by :func:`number`, one after the other: "1,5; 2" where a comma is decimal."""
    return ("; " if QLocale().decimalPoint() == "," else ", ").join(values)


def filled(template: str, *values: object, **named: object) -> str:
    """Like :meth:`str.format`, with numbers formatted by :func:`number`."""
    return _FORMATTER.vformat(template, values, named)


def read(text: str) -> float:
    """Parse a number with a point, a comma or the decimal sign of the language.

    Raises:
        ValueError: the text is not a number.
    """
    return float(text.strip().replace(QLocale().decimalPoint(), ".").replace(",", "."))


def localised(text: str) -> str:
    """Localise the separators of a formatted number."""
    locale = QLocale()
    return text.translate({ord("."): locale.decimalPoint(), ord(","): locale.groupSeparator()})


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        text = str(super().format_field(value, format_spec))
        return localised(text) if isinstance(value, (int, float)) else text

    def check_unused_args(
        self, used_args: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Accept unused values, like :meth:`str.format`."""


_FORMATTER = _Formatter()

"""Numbers for the eye, with the signs of the language the program speaks.

Only for what is shown: files (CSV, JSON, TOML, provenance) keep the point. The language decides,
which :func:`app.i18n.language.install` makes Qt's default locale; English gives what
:func:`format` gives.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QLocale


def number(value: float, form: str = "") -> str:
    """``value`` as :func:`format` writes it by ``form``, with decimal and group signs changed."""
    return localised(format(value, form))


def filled(template: str, *values: object, **named: object) -> str:
    """As :meth:`str.format`; numbers among the values are written as :func:`number` does."""
    return _FORMATTER.vformat(template, values, named)


def read(text: str) -> float:
    """The number a person wrote, with either decimal sign.

    Raises:
        ValueError: it is none.
    """
    return float(text.strip().replace(QLocale().decimalPoint(), ".").replace(",", "."))


def localised(text: str) -> str:
    """A number that is written already, with the point."""
    locale = QLocale()
    return text.translate({ord("."): locale.decimalPoint(), ord(","): locale.groupSeparator()})


class _Formatter(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        text = str(super().format_field(value, format_spec))
        return localised(text) if isinstance(value, (int, float)) else text

    def check_unused_args(
        self, used_args: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Values that the template leaves out are no error, as with :meth:`str.format`."""


_FORMATTER = _Formatter()

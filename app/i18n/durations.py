"""Durations for people."""

from __future__ import annotations

from app.i18n.numbers import number
from app.i18n.translate import tr


def seconds_text(seconds: float, *, whole: bool = False) -> str:
    """A duration in seconds, minutes or hours; ``whole`` rounds to whole seconds."""
    if seconds < 9.95 and not whole:
        return tr("{0} s").format(number(seconds, ".1f"))
    if seconds < 90:
        return tr("{0} s").format(round(seconds))
    if seconds < 90 * 60:
        return tr("{0} min").format(round(seconds / 60))
    return tr("{0} h {1} min").format(int(seconds // 3600), int(seconds % 3600 // 60))

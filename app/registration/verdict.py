"""The outcome of a registration in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.i18n.numbers import filled
from app.i18n.translate import tr, translate, translate_all
from app.widgets.cards import Card, Severity

if TYPE_CHECKING:
    from core.registration import Registration


def verdict_card(found: Registration) -> Card:
    """A card that says how far a registration can be relied on, and why not further."""
    titles = {
        "good": tr("Registered"),
        "doubtful": tr("Doubtful: look before you accept"),
        "failed": tr("Not registered: nothing was changed"),
    }
    severities: dict[str, Severity] = {"good": "hint", "doubtful": "notice", "failed": "error"}
    icons = {
        "good": "check-circle-outline",
        "doubtful": "alert-outline",
        "failed": "alert-circle-outline",
    }
    return Card(
        " ".join(verdict_lines(found)),
        icon=icons[found.verdict],
        title=titles[found.verdict],
        severity=severities[found.verdict],
        stacked=True,
    )


def verdict_lines(found: Registration) -> list[str]:
    """Sentences on spread, similarity, duration and reasons."""
    lines = translate_all(found.reasons)
    if found.verdict == "failed":
        if found.transform.dimension == 3:
            return [*lines, tr("Move A by hand, or take a transform from a file.")]
        return [*lines, tr("Mark points, or move the picture by hand.")]
    if not lines and math.isfinite(found.spread):
        unit = "px" if found.transform.dimension == 2 else "mm"
        text = tr("Estimates from parts of the pictures agree within {0:.1f} {1} at the corners.")
        lines.insert(0, filled(text, found.spread, unit))
    text = tr("{0}: {1:.2f} before, {2:.2f} after ({3:.1f} s).")
    lines.append(filled(text, translate(found.measure), found.before, found.after, found.seconds))
    return lines

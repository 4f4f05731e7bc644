"""Manual windows: two values of a source that are mapped to black and white."""

from __future__ import annotations

import math

import numpy as np

from core.errors import InputError, Message

Window = tuple[float, float]
"""(low, high) in stored values of the source."""

Windows = tuple[Window | None, Window | None]
"""Manual windows of A and of B; None uses the default window of the file."""


def check_window(window: Window | None) -> None:
    """Refuse an invalid window.

    Raises:
        InputError: low is not below high, or an end is not finite.
    """
    if window is None:
        return
    low, high = window
    # Compared in single precision, like images: both ends must differ as float32.
    if not (math.isfinite(low) and math.isfinite(high) and np.float32(low) < np.float32(high)):
        raise InputError(
            Message("The window {0:.6g} {1:.6g}", low, high),
            Message("its low end must be a number below its high end"),
            Message("Give two numbers, the lower one first."),
        )


def window_text(window: Window) -> str:
    """``window`` as a text for records, with all digits."""
    return f"{float(window[0])!r} {float(window[1])!r}"


def window_of(text: str | None) -> Window | None:
    """The inverse of :func:`window_text`; None for a missing or invalid text."""
    try:
        low, high = map(float, (text or "").split())
    except ValueError:
        return None
    return low, high

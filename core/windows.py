"""Windows by hand: two values of a source that are black and white. Quick to import."""

from __future__ import annotations

import math

import numpy as np

from core.errors import InputError, Message

Window = tuple[float, float]
"""Low and high end in the source's own numbers."""

Windows = tuple[Window | None, Window | None]
"""Windows of A and of B that were chosen by hand; None for what the file's values give."""


def check_window(window: Window | None) -> None:
    """Refuse what cannot be a window.

    Raises:
        InputError: the low end is not below the high end, or an end is no finite number.
    """
    if window is None:
        return
    low, high = window
    # In single precision, as images are: two ends that are one number there are none.
    if not (math.isfinite(low) and math.isfinite(high) and np.float32(low) < np.float32(high)):
        raise InputError(
            Message("The window {0:.6g} {1:.6g}", low, high),
            Message("its low end must be a number below its high end"),
            Message("Give two numbers, the lower one first."),
        )


def window_text(window: Window) -> str:
    """``window`` as a record keeps it, all digits."""
    return f"{float(window[0])!r} {float(window[1])!r}"


def window_of(text: str | None) -> Window | None:
    """What :func:`window_text` made ``text`` of; None where there is none or it is damaged."""
    try:
        low, high = map(float, (text or "").split())
    except ValueError:
        return None
    return low, high

"""Values of one kind in colour: what the eye sees of a PET, and what is fused of it.

===============  =======================================================================
palette          BT.601 luma from low to high
===============  =======================================================================
grey             rises
inverted         falls: the readers' habit, more uptake is darker throughout
hot_iron         rises
hot_metal_blue   rises
pet              dips by 0.09 where violet turns to orange: not monotonic
pet_20_step      20 flat steps that rise and fall by half: not monotonic
===============  =======================================================================

Where luma stands for the amount (a network that takes luma, a print in grey), only a monotonic
palette will do: with the last two more uptake may look like less. :func:`is_monotonic` tells; it
looks at the table itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.types import FloatArray
from core.units.palette_tables import DICOM_TABLES
from core.windows import Window, check_window

Table = npt.NDArray[np.uint8]
"""256×3, the colour of the lowest value first."""

PALETTES: tuple[str, ...] = ("grey", "inverted", *DICOM_TABLES)
"""Names of the palettes for counts; “grey” first."""

DEFAULT_PALETTES: dict[str, str] = {"PT": "hot_iron", "NM": "hot_iron"}
"""By modality: what counts are coloured with to begin with. All others are grey."""

_LUMA = np.array([0.299, 0.587, 0.114])


@lru_cache(maxsize=len(PALETTES))
def palette_table(name: str) -> Table:
    """The table of a palette, read-only.

    Raises:
        ValueError: there is none of that name.
    """
    if name in DICOM_TABLES:
        table = np.frombuffer(bytes.fromhex(DICOM_TABLES[name]), np.uint8).reshape(256, 3)
    elif name in PALETTES:
        ramp = np.arange(256, dtype=np.uint8)
        table = np.repeat((ramp if name == "grey" else ramp[::-1])[:, np.newaxis], 3, axis=1)
    else:
        raise ValueError(f"there is no palette {name!r}")
    table.flags.writeable = False
    return table


@lru_cache(maxsize=len(PALETTES))
def is_monotonic(name: str) -> bool:
    """Whether the BT.601 luma of a palette rises throughout, or falls throughout."""
    steps = np.diff(palette_table(name) @ _LUMA)
    return bool((steps > 0).all() or (steps < 0).all())


def colour(values: FloatArray, window: Window, palette: str) -> FloatArray:
    """Values as colours, the same as the viewer draws: of the 256 of the table the nearest.

    Args:
        values: any shape, finite.
        window: values of the first and of the last colour; beyond them it stays at that colour.
        palette: one of :data:`PALETTES`.

    Returns:
        The shape of ``values`` with a last axis of 3, in [0, 1].

    Raises:
        InputError: ``window`` is none.
        ValueError: there is no such palette.
    """
    check_window(window)
    low, high = window
    colours = palette_table(palette).astype(np.float32) / np.float32(255)
    steps = (values - np.float32(low)) * np.float32(255 / (high - low))
    np.clip(steps, 0, 255, out=steps)
    painted: FloatArray = colours[np.rint(steps, out=steps).astype(np.uint8)]
    return painted

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
palette will do: with the last two more uptake may look like less.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.types import Palette, PaletteTable
from core.units.palette_tables import DICOM_TABLES

PALETTES: tuple[str, ...] = ("grey", "inverted", *DICOM_TABLES)
"""Names of the palettes for counts; “grey” first."""

DEFAULT_PALETTES: dict[str, str] = {"PT": "hot_iron", "NM": "hot_iron"}
"""By modality: what counts are coloured with to begin with. All others are grey."""


@lru_cache(maxsize=len(PALETTES))
def palette_table(name: str) -> PaletteTable:
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


def find_palette(name: str) -> Palette | None:
    """The palette of that name for an image; None for "grey", which needs none.

    Raises:
        ValueError: there is none of that name.
    """
    table = palette_table(name)
    return None if name == "grey" else Palette(name, table)

"""Colour maps for grey images: published tables, and others interpolated from key colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.viewer.colormap_tables import TABLES
from core.types import Palette, PaletteTable
from core.units.palette_tables import DICOM_TABLES
from core.units.palettes import palette_table

_Key = tuple[float, tuple[int, int, int]]

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)

_KEYS: dict[str, tuple[_Key, ...]] = {
    "grey": ((0.0, _BLACK), (1.0, _WHITE)),
    "inverted": ((0.0, _WHITE), (1.0, _BLACK)),
    # Not a standard map; similar to those burned into many images.
    "rainbow": (
        (0.0, _BLACK),
        (0.12, (60, 0, 140)),
        (0.3, (0, 60, 255)),
        (0.48, (0, 200, 120)),
        (0.65, (240, 230, 0)),
        (0.85, (255, 30, 0)),
        (1.0, _WHITE),
    ),
    # Blue is negative, red positive; 0 is nearly black, like the panes.
    "difference": (
        (0.0, (150, 215, 255)),
        (0.25, (30, 110, 230)),
        (0.5, (24, 24, 28)),
        (0.75, (225, 60, 40)),
        (1.0, (255, 220, 140)),
    ),
}

PALETTES: tuple[str, ...] = (
    "grey",
    "inverted",
    "hot_iron",
    "hot_metal_blue",
    "pet",
    "pet_20_step",
    "rainbow",
    "viridis",
    "inferno",
)
"""The names to choose from, “grey” first."""


@lru_cache(maxsize=16)
def table(name: str) -> PaletteTable:
    """The colours of a palette, 256×3, for low values first; grey for an unknown name."""
    if name in DICOM_TABLES:
        return palette_table(name)
    if name in TABLES:
        colours = np.frombuffer(bytes.fromhex(TABLES[name]), np.uint8).reshape(256, 3)
        colours.flags.writeable = False
        return colours
    keys = _KEYS.get(name, _KEYS["grey"])
    at = np.linspace(0.0, 1.0, 256)
    stops = [key[0] for key in keys]
    channels = [np.interp(at, stops, [key[1][k] for key in keys]) for k in range(3)]
    colours = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    colours.flags.writeable = False
    return colours


def palette_named(name: str) -> Palette | None:
    """A palette for an image, whose colours are those of :func:`table`; None for grey."""
    return None if name == "grey" else Palette(name, table(name))


@lru_cache(maxsize=16)
def colour_table(name: str) -> list[int]:
    """The colours of a palette as 0xffrrggbb, for an indexed QImage."""
    wide = table(name).astype(np.uint32)
    packed = 0xFF000000 | wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]
    return [int(value) for value in packed]

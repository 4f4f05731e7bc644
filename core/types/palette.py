"""The colours that the values of a grey image are shown in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.types.arrays import FloatArray

PaletteTable = npt.NDArray[np.uint8]
"""256×3, the colour of the lowest value first."""


@dataclass(frozen=True, eq=False)
class Palette:
    """A colour for each of 256 levels.

    Attributes:
        name: of the palette, as in :data:`core.units.palettes.PALETTES`.
        table: 256×3 uint8, the colour of the lowest level first; read-only.
    """

    name: str
    table: PaletteTable

    @property
    def is_grey(self) -> bool:
        """Whether all of its colours are levels of grey."""
        return bool((self.table == self.table[:, :1]).all())

    def colours(self, levels: FloatArray) -> FloatArray:
        """The nearest of the 256 colours for each level, as a screen shows it.

        Args:
            levels: any shape, in [0, 1].

        Returns:
            The shape of ``levels`` with a last axis of 3, float32 in [0, 1].
        """
        steps = np.rint(levels * np.float32(255)).astype(np.uint8)
        table: FloatArray = self.table.astype(np.float32) / np.float32(255)
        found: FloatArray = table[steps]
        return found

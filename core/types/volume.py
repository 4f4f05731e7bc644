"""One volume of a scanner: a regular grid of voxels at known places in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.types.arrays import BoolArray, FloatArray, read_only

Affine = npt.NDArray[np.float64]
"""4×4: (column i, row j, slice k, 1) of a voxel's centre → (x, y, z, 1) in patient millimetres.

The patient axes are LPS: x grows to the left, y to the back, z to the head.
"""
Modality = Literal["CT", "MR", "PT", "NM", "OT"]
"""The scanner's kind by its DICOM word; OT (other) where nothing tells."""

_FLAT = 1e-9
"""Of the volume that voxel axes at right angles would span: those below lie in one plane."""


def spans_space(affine: Affine) -> bool:
    """Whether voxels of this affine have an extent in every direction, however small they are."""
    axes = affine[:3, :3]
    upright = float(np.prod(np.linalg.norm(axes, axis=0)))
    return abs(float(np.linalg.det(axes))) > _FLAT * upright


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume:
    """A stack of parallel slices, all of one size and at one distance.

    Attributes:
        data: K×J×I float32 (slices, rows, columns), in ``unit``; finite everywhere.
        affine: 4×4 float64, voxel centre (i, j, k) → patient millimetres (LPS). May be oblique;
            need not be orthogonal where a gantry was tilted.
        modality: kind of scanner.
        unit: of ``data``: "HU", "SUVbw", "Bq/mL", … ; "" where there is none (MR).
        window: (low, high) in that unit to begin with; low < high.
        frame_of_reference: UID of the patient space that ``affine`` points into; "" when the
            files do not name one. Volumes with the same one are lined up as acquired.
        patient: a salted hash that tells patients apart; "" when unknown. Never a name.
        mask: K×J×I bool, True where ``data`` was measured; None when everywhere.
        title: what tells it from the other series of a study ("T1 ax", "PET frame 3"), without
            anything that names a person.
        origin: the folder or file it came from, or None for a computed one.
        notes: what the reader had to do or what is odd, one readable sentence each.
    """

    data: FloatArray
    affine: Affine
    modality: Modality = "OT"
    unit: str = ""
    window: tuple[float, float] = (0.0, 1.0)
    frame_of_reference: str = ""
    patient: str = ""
    mask: BoolArray | None = None
    title: str = ""
    origin: Path | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        name = str(self.origin) if self.origin else Message("volume")
        if self.data.ndim != 3 or 0 in self.data.shape:
            raise InputError(
                name,
                Message("expected slices×rows×columns, got {0}", self.data.shape),
                Message("Give an array of that shape."),
            )
        if not self.window[0] < self.window[1]:
            raise InputError(
                name,
                Message("empty display window {0}", self.window),
                Message("Give a window whose black is below its white."),
            )
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise InputError(
                name,
                Message("its place in the patient is not known"),
                Message("Choose a series whose headers state positions and orientation."),
            )
        if not spans_space(affine):
            raise InputError(
                name,
                Message("its voxels have no extent in some direction"),
                Message("Choose a series whose headers state positions and orientation."),
            )
        object.__setattr__(self, "affine", read_only(affine))
        object.__setattr__(self, "data", read_only(np.asarray(self.data, dtype=np.float32)))
        if self.mask is not None:
            self._set_mask(np.asarray(self.mask, dtype=np.bool_))

    def _set_mask(self, mask: BoolArray) -> None:
        if mask.shape != self.data.shape:
            name = str(self.origin) if self.origin else Message("volume")
            raise InputError(
                name,
                Message("its mask has another shape {0}", mask.shape),
                Message("Give a mask of the shape of the volume."),
            )
        object.__setattr__(self, "mask", None if mask.all() else read_only(mask))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices K, rows J, columns I)."""
        slices, rows, columns = self.data.shape
        return slices, rows, columns

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from voxel to voxel along (slices, rows, columns), as ``shape`` counts."""
        column, row, between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between), float(row), float(column)

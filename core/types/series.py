"""What the headers of one series say, before any pixel is decoded."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np

from core.errors import SeriesError
from core.messages import Message
from core.types.arrays import read_only
from core.types.volume import Affine, Modality


@dataclass(frozen=True, slots=True)
class SliceSource:
    """Where one slice is stored.

    Attributes:
        path: the file.
        index: which image of that file, from 0.
        place: which slice k of the volume it is; fractional where the slices are not evenly spaced.
    """

    path: Path
    index: int
    place: float


@dataclass(frozen=True, eq=False)
class SeriesHeader:
    """One volume, or one volume at several times, as the headers of its files describe it.

    A DICOM series that mixes echoes, b-values, magnitude and phase, orientations, sizes or units is
    several of these. No field holds a name, an ID or a date of a patient.

    Attributes:
        kind: "DICOM" or "NIfTI".
        modality: kind of scanner.
        shape: (slices K, rows J, columns I) of the volume that it gives.
        slices: of each frame, its slices in order of ``k``. A NIfTI file is one source.
        affine: 4×4 voxel (i, j, k) → patient millimetres (LPS); None when the files do not say.
        frame_of_reference: UID of the patient space; "" when the files do not name one.
        key: tells series apart, the same each time they are listed; a salted hash.
        study: a salted hash of the study's UID; "" when unknown.
        patient: a salted hash that tells patients apart; "" when unknown.
        title: description of the series without anything that names a person.
        number: SeriesNumber, or None.
        unit: of the values that reading gives; "" where there is none.
        window: (low, high) that the header states, in that unit; None when it states none.
        samples: values per pixel: 1, or 3 for colour.
        notes: what is odd, one readable sentence each.
        problem: why it cannot be read as a volume, or only when a caller accepts it; else None.
    """

    kind: str
    modality: Modality
    shape: tuple[int, int, int]
    slices: tuple[tuple[SliceSource, ...], ...]
    _: KW_ONLY
    affine: Affine | None = None
    frame_of_reference: str = ""
    key: str = ""
    study: str = ""
    patient: str = ""
    title: str = ""
    number: int | None = None
    unit: str = ""
    window: tuple[float, float] | None = None
    samples: int = 1
    notes: tuple[str, ...] = ()
    problem: SeriesError | None = None

    def __post_init__(self) -> None:
        if self.affine is not None:
            affine = np.array(self.affine, dtype=np.float64)
            object.__setattr__(self, "affine", read_only(affine))

    @property
    def frames(self) -> int:
        """How many volumes it holds: times, gates, gradient directions."""
        return len(self.slices)

    def frame_note(self, frame: int) -> Message:
        """What volume ``frame``, from 0, of several is called."""
        return Message("Frame {0} of {1}.", frame + 1, self.frames)

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Millimetres from voxel to voxel along (slices, rows, columns), as ``shape`` counts."""
        if self.affine is None:
            return None
        column, row, between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between), float(row), float(column)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files, each once, in the order of the slices."""
        return tuple(dict.fromkeys(source.path for frame in self.slices for source in frame))

"""Tags of the slices in a reconstructed SPECT file (PS3.3, C.8.4.15).

It is multi-frame without functional groups: one position and orientation, that of the first slice,
and vectors that tell slice and time of each image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from core.io.readers.dicom.tags import DatasetTags, number

_PLACED = ("ImagePositionPatient", "ImageOrientationPatient")
_TIMES = ("TimeSlotVector", "RRIntervalVector", "PhaseVector", "EnergyWindowVector")


def is_tomogram(dataset: Dataset) -> bool:
    """Whether ``dataset`` is a reconstructed SPECT volume in one file."""
    kind = [str(word) for word in dataset.get("ImageType") or []]
    return (
        str(dataset.get("Modality", "")) == "NM"
        and "TOMO" in " ".join(kind)
        and any(word.startswith("RECON") for word in kind)
        and "PerFrameFunctionalGroupsSequence" not in dataset
        and bool(dataset.get("DetectorInformationSequence"))
    )


class TomogramTags(DatasetTags):
    """Tags of one slice of such a file."""

    def get(self, keyword: str) -> Any:
        if keyword in _PLACED:
            return self._place(keyword)
        if keyword == "TemporalPositionIndex":
            return [self._at(vector, 1) for vector in _TIMES]
        return super().get(keyword)

    def _at(self, vector: str, otherwise: int) -> int:
        values = self.dataset.get(vector)
        values = [values] if isinstance(values, int) else list(values or [])
        return int(values[self.index]) if self.index < len(values) else otherwise

    def _place(self, keyword: str) -> Any:
        detector = DatasetTags(self.dataset.DetectorInformationSequence[0])
        orientation = detector.numbers("ImageOrientationPatient")
        first = detector.numbers("ImagePositionPatient")
        between = number(DatasetTags(self.dataset), "SpacingBetweenSlices")
        if len(orientation) != 6 or len(first) != 3 or not between:
            return None
        if keyword == "ImageOrientationPatient":
            return list(orientation)
        # A negative distance means that the slices go against the normal.
        normal = np.cross(orientation[:3], orientation[3:])
        slice_number = self._at("SliceVector", self.index + 1)
        return [float(v) for v in np.array(first) + normal * between * (slice_number - 1)]

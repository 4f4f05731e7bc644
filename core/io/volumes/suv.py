"""SUV of a PET series on file."""

from __future__ import annotations

from pydicom.dataset import Dataset

from core.io.volumes.reading import read_headers
from core.types import SeriesHeader
from core.units.body import SuvKind
from core.units.frames import frame_headers
from core.units.suv import SuvDerivation, derive_suv


def series_suv(series: SeriesHeader, frame: int = 0, kind: SuvKind = "bw") -> SuvDerivation | None:
    """By which factor the values of :func:`read_volume` become SUV, or which tag stands in the way.

    None for everything but PET in DICOM. No pixel is read.

    Raises:
        InputError: a file cannot be read.
    """
    if series.modality != "PT" or series.kind != "DICOM":
        return None
    flat: dict[int, list[Dataset]] = {}
    found = []
    for dataset, index in read_headers(series, frame):
        images = flat.setdefault(id(dataset), frame_headers(dataset))
        found.append(images[min(index, len(images) - 1)])
    return derive_suv(found, kind)

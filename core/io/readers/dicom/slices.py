"""The values of the slices of a DICOM series, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from core.errors import Message
from core.io.readers.decoding import SampleArray, damaged
from core.io.readers.dicom.guard import reading
from core.io.readers.dicom.headers import frame_count, image_tags, open_dataset
from core.io.readers.dicom.pixels import check_pixels, stored_pixels
from core.io.readers.dicom.tags import DatasetTags, number
from core.io.readers.dicom.values import (
    Scaling,
    is_slope_usable,
    is_turned_round,
    modality_of,
    scaling_of,
)
from core.types import BoolArray, FloatArray, SliceSource


@dataclass(frozen=True, eq=False)
class SliceValues:
    """One slice.

    Attributes:
        data: J×I float32 values in ``unit``; finite where measured.
        measured: J×I bool, or None when everywhere.
        unit: of ``data``.
        inverted: whether low values are to be shown bright, and ``data`` were turned round for it.
    """

    data: FloatArray
    measured: BoolArray | None
    unit: str
    inverted: bool = False


class SliceReader:
    """Reads slices; keeps the tags of the file that it read last.

    Where low values are to be shown bright and have no unit, they are turned round: the sum of the
    least and the greatest number that the first slice can hold, minus the value.
    """

    def __init__(self) -> None:
        self._open: tuple[Path, Dataset] | None = None
        self._turned: float | None = None

    def tags(self, path: Path, index: int) -> DatasetTags:
        """The tags of image ``index`` of ``path``, which is checked to have pixels."""
        if self._open is None or self._open[0] != path:
            dataset = open_dataset(path)
            frame_count(path, dataset)
            check_pixels(path, dataset)
            self._open = path, dataset
        return image_tags(self._open[1], index)

    def read(self, source: SliceSource) -> SliceValues:
        """The values of one slice.

        Raises:
            InputError: it is missing, damaged or not grey.
        """
        path = source.path
        with reading(path):
            tags = self.tags(path, source.index)
            stored = stored_pixels(path, tags.dataset, source.index)
            if stored.ndim != 2:
                raise damaged(path, Message("unexpected shape {0}", stored.shape))
            if not is_slope_usable(tags):
                raise damaged(path, Message("its tag RescaleSlope is not above 0"))
            scaling = scaling_of(tags)
            data = scaling.apply(stored)
            measured = _measured(tags, stored, data)
            inverted = is_turned_round(tags)
            if inverted:
                data = self._turn(tags, scaling, stored, data)
            if measured is not None:
                data[~measured] = data[measured].min() if measured.any() else 0.0
            return SliceValues(data, measured, scaling.unit, inverted)

    def _turn(
        self, tags: DatasetTags, scaling: Scaling, stored: SampleArray, data: FloatArray
    ) -> FloatArray:
        if self._turned is None:
            bits = int(number(tags, "BitsStored") or 8 * stored.itemsize)
            signed = stored.dtype.kind == "i"
            ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
            if stored.dtype.kind == "f":
                ends = (0, 0)
            self._turned = float(scaling.apply(np.array([ends], np.int32)).sum())
        return np.asarray(np.float32(self._turned) - data, np.float32)


def _measured(tags: DatasetTags, stored: SampleArray, data: FloatArray) -> BoolArray | None:
    """Where ``data`` hold something: not padding (of CT), not NaN or infinite."""
    measured = np.isfinite(data)
    padding = _as_stored(number(tags, "PixelPaddingValue"), stored)
    # Elsewhere 0 is declared as padding and is a measured value all the same.
    if padding is not None and modality_of(tags) == "CT":
        other = _as_stored(number(tags, "PixelPaddingRangeLimit"), stored)
        low, high = sorted((padding, padding if other is None else other))
        measured &= ~((stored >= low) & (stored <= high))
    return None if measured.all() else measured


def _as_stored(value: float | None, stored: SampleArray) -> float | None:
    """A number of a tag as ``stored`` has it: many files write it with the wrong sign."""
    if value is None or stored.dtype.kind not in "iu":
        return value
    count, least = 2 ** (8 * stored.itemsize), int(np.iinfo(stored.dtype).min)
    return float((int(value) - least) % count + least)

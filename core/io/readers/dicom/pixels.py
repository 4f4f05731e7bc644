"""Stored numbers of one image of a DICOM file.

Uncompressed and run-length coded pixels are read here, by numpy and pure Python. All other codings
are decoded in a process of its own (:mod:`core.io.readers.isolated`).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, RLELossless

from core.errors import InputError, Message
from core.io.readers.claims import check_claim
from core.io.readers.decoding import SampleArray, damaged
from core.io.readers.dicom.fragments import check_fragments
from core.io.readers.dicom.headers import frame_count, is_deflated, transfer_syntax
from core.io.readers.dicom.tags import DatasetTags, number
from core.io.readers.isolated import decode_isolated

CODEC = "dicom"
_LEAST_RLE = 64 + 2


def check_pixels(path: Path, dataset: Dataset) -> None:
    """Refuse pixels that cannot be there, or that nothing here decodes, before reading any.

    Raises:
        InputError: as said.
        OSError: the file cannot be read.
    """
    tags = DatasetTags(dataset)
    rows, columns = int(number(tags, "Rows") or 0), int(number(tags, "Columns") or 0)
    if not is_deflated(dataset):
        size = path.stat().st_size
        syntax = UID(transfer_syntax(dataset))
        bits = int(number(tags, "BitsAllocated") or 8)
        samples = int(number(tags, "SamplesPerPixel") or 1)
        least = rows * columns * samples * bits // 8
        if tags.text("PhotometricInterpretation").startswith("YBR_FULL_422"):
            least = rows * columns * 2
        count = frame_count(path, dataset)
        plain = syntax.is_transfer_syntax and not syntax.is_encapsulated
        check_claim(path, columns, rows, size, least * count if plain else _LEAST_RLE)
        if plain and count > 1:
            stored_pixels(path, dataset, count - 1)  # the last one is there, so all are
    _check_codec(path, dataset)
    syntax = UID(transfer_syntax(dataset))
    if syntax.is_encapsulated:
        check_fragments(path, syntax)
    else:
        _check_bits(path, tags)


def _check_bits(path: Path, tags: DatasetTags) -> None:
    """Refuse numbers that lie in the upper bits, which the standard has long withdrawn."""
    stored, highest = number(tags, "BitsStored"), number(tags, "HighBit")
    if stored is not None and highest is not None and highest >= stored:
        raise InputError(
            str(path),
            Message("its numbers lie in bits where they are no longer kept (tag HighBit)"),
            Message("Export it again from the scanner or the archive."),
        )


def _check_codec(path: Path, dataset: Dataset) -> None:
    syntax = UID(transfer_syntax(dataset))
    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:  # how pydicom says that it knows no decoder of this syntax
        known = False
    if not known:
        raise InputError(
            str(path),
            Message("its pixels are coded as “{0}”, for which there is no decoder", syntax.name),
            Message("Export it uncompressed (Explicit VR Little Endian)."),
        )


def stored_pixels(path: Path, dataset: Dataset, index: int) -> SampleArray:
    """H×W or H×W×3 numbers of image ``index``, colours as RGB or palette indices.

    Args:
        path: the file.
        dataset: its tags.
        index: which image, from 0.

    Raises:
        InputError: the pixels are missing, cut short or damaged.
    """
    syntax = UID(transfer_syntax(dataset))
    if is_deflated(dataset):
        whole = dcmread(path, force=True)
        pixels = pixel_array(whole, index=index)
    elif not syntax.is_encapsulated or syntax == RLELossless:
        pixels = pixel_array(path, index=index, transfer_syntax_uid=str(syntax))
    else:
        tags = DatasetTags(dataset)
        claimed = int(number(tags, "Rows") or 0) * int(number(tags, "Columns") or 0)
        pixels = decode_isolated(path, CODEC, claimed, index=index)[0]
    return _checked(path, dataset, pixels)


def _checked(path: Path, dataset: Dataset, pixels: SampleArray) -> SampleArray:
    """``pixels`` if they have the size that the header says."""
    size = int(dataset.Rows), int(dataset.Columns)
    if pixels.shape[:2] != size or pixels.ndim > 3:
        raise damaged(path, Message("unexpected shape {0}", pixels.shape))
    return pixels


def decoded_here(path: Path, index: int) -> SampleArray:
    """The numbers of image ``index`` of a compressed file; for the process apart."""
    return np.asarray(pixel_array(os.fspath(path), index=index))

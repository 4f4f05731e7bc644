"""Voxels of a NIfTI file, slice by slice: no more than one slice is held beside the result."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import IO

import numpy as np

from core.errors import Message
from core.io.readers.claims import min_deflated
from core.io.readers.decoding import SampleArray, damaged, decoding
from core.io.readers.nifti.header import GZIP, NiftiHeader, open_plain

_BLOCK = 1 << 22


def slices_of(header: NiftiHeader, frame: int) -> Iterator[SampleArray]:
    """J×I (or J×I×C) stored numbers of each slice k of one frame, in order.

    Raises:
        InputError: the file ends before they do, or its compression is damaged.
    """
    columns, rows, slices, _ = header.shape
    dtype = np.dtype(header.dtype)
    size = columns * rows * header.channels * dtype.itemsize
    _check_claim(header, size * slices * header.shape[3])
    with decoding(header.path), open_plain(header.data_path) as stream:
        _skip(header, stream, header.offset + frame * slices * size)
        for _ in range(slices):
            content = _exactly(header, stream, size)
            samples = np.frombuffer(content, dtype)
            shape = (rows, columns) if header.channels == 1 else (rows, columns, header.channels)
            yield samples.reshape(shape)


def _check_claim(header: NiftiHeader, voxels: int) -> None:
    """Refuse a header that promises more than the file can hold, before anything is allocated."""
    with decoding(header.path):
        stored = header.data_path.stat().st_size
        with header.data_path.open("rb") as stream:
            compressed = stream.read(2) == GZIP
    if stored < (min_deflated(voxels) if compressed else header.offset + voxels):
        raise damaged(header.path, Message("its voxels are cut short"))


def _skip(header: NiftiHeader, stream: IO[bytes] | gzip.GzipFile, count: int) -> None:
    while count > 0:
        count -= len(_exactly(header, stream, min(count, _BLOCK)))


def _exactly(header: NiftiHeader, stream: IO[bytes] | gzip.GzipFile, count: int) -> bytes:
    try:
        content = stream.read(count)
    except EOFError:
        content = b""
    if len(content) < count:
        raise damaged(header.path, Message("its voxels are cut short"))
    return content

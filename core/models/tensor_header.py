"""What a safetensors file holds, read from its header: names, types and shapes, no tensor.

A file is compared with the network it is for before a byte of either is allocated, so that a small
file cannot ask for a large network, and a file of other tensors is told by its first kilobytes.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from core.messages import Message

_LARGEST_HEADER = 16 << 20
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
FLOATING = frozenset({torch.float64, torch.float32, torch.float16, torch.bfloat16})
"""Types that hold weights. Integers hold quantised ones, which mean nothing without a scale."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file: its type (None: one this program does not know) and its shape."""

    dtype: torch.dtype | None
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header of a safetensors file: its metadata and its tensors' types and places.

    Raises:
        OSError: it cannot be read. ValueError, struct.error, RecursionError: it is no such file.
    """
    # The layout is public: 8 bytes of length, then JSON. safe_open would map the whole file.
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > min(path.stat().st_size, _LARGEST_HEADER):
            raise ValueError("header longer than the file")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("the header is no table")
    return cast(dict[str, Any], header)


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors in the safetensors file ``path``, by name.

    Raises:
        OSError, ValueError, struct.error, RecursionError: as :func:`read_header`; ValueError as
            well where a type, a shape or the number of bytes of a tensor makes no sense, or the
            file ends before its last tensor does.
    """
    entries = {k: entry for k, entry in read_header(path).items() if k != "__metadata__"}
    found = {name: _stored(name, entry) for name, entry in entries.items()}
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
    needed = (
        8 + length + max((int(entry["data_offsets"][1]) for entry in entries.values()), default=0)
    )
    if path.stat().st_size < needed:
        raise ValueError("the file ends before its last tensor does")
    return found


def _stored(name: str, entry: object) -> StoredTensor:
    try:
        kind, shape, (begin, end) = (
            entry[key]  # type: ignore[index]
            for key in ("dtype", "shape", "data_offsets")
        )
        sizes = tuple(int(size) for size in shape)
        dtype = _TYPES.get(kind)
        number = math.prod(sizes)
        bytes_there = int(end) - int(begin)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the entry of {name!r} makes no sense") from error
    if min(sizes, default=0) < 0 or (dtype and bytes_there != number * dtype.itemsize):
        raise ValueError(f"the size of {name!r} does not fit its shape")
    return StoredTensor(dtype, sizes)


def misfits(
    found: Mapping[str, StoredTensor],
    wanted: Mapping[str, Tensor],
    types: Collection[torch.dtype] | None = None,
) -> Message | None:
    """Where ``found`` differs from the tensors a network wants, in words; None where it fits.

    Args:
        found: from :func:`stored_tensors`.
        wanted: the network's own, which may lie on the meta device.
        types: types that are accepted; None for exactly those of ``wanted``.
    """
    both = sorted(found.keys() & wanted.keys())
    wrong_shape = [name for name in both if found[name].shape != tuple(wanted[name].shape)]
    wrong_type = [
        name
        for name in both
        if found[name].dtype not in (types if types is not None else (wanted[name].dtype,))
    ]
    problems = [
        Message("{0} {1} (first: {2})", len(names), kind, names[0])
        for names, kind in (
            (sorted(wanted.keys() - found.keys()), Message("missing")),
            (sorted(found.keys() - wanted.keys()), Message("unknown")),
            (wrong_shape, Message("misshapen")),
            (wrong_type, Message("of another number type")),
        )
        if names
    ]
    return Message.joined(", ", problems) if problems else None


def not_finite(tensors: Mapping[str, Tensor]) -> str:
    """The first of ``tensors`` that holds NaN or Inf; "" where all numbers are finite."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name
    return ""

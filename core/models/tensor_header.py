"""Names, types and shapes of the tensors in a safetensors file, read from its header.

A file is compared with its network before memory is allocated for either, so that a small file
cannot request a large network, and a file with other tensors is recognised by its first kilobytes.
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
"""Types of weights. Integer types hold quantised weights, which need a scale."""


@dataclass(frozen=True)
class StoredTensor:
    """Type (None: unknown to this program) and shape of a tensor in a file."""

    dtype: torch.dtype | None
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header of a safetensors file: its metadata, and types and offsets of its tensors.

    Raises:
        OSError: it cannot be read. ValueError, struct.error, RecursionError: not such a file.
    """
    # The format is public: 8 bytes of length, then JSON. safe_open would map the whole file.
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > min(path.stat().st_size, _LARGEST_HEADER):
            raise ValueError("header longer than the file")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("the header is no table")
    return cast(dict[str, Any], header)


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """The tensors of the safetensors file ``path``, by name.

    Raises:
        OSError, ValueError, struct.error, RecursionError: as :func:`read_header`; ValueError also
            if type, shape and size of a tensor are inconsistent, or the file ends before its last
            tensor.
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


def mismatch(
    found: Mapping[str, StoredTensor],
    wanted: Mapping[str, Tensor],
    types: Collection[torch.dtype] | None = None,
) -> Message | None:
    """A message about the first difference between ``found`` and ``wanted``; None if they match.

    Args:
        found: from :func:`stored_tensors`.
        wanted: the tensors of the network, possibly on the meta device.
        types: accepted types; None requires exactly those of ``wanted``.
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


def first_nonfinite(tensors: Mapping[str, Tensor]) -> str:
    """The name of the first tensor that contains NaN or Inf; "" if there is none."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return name
    return ""

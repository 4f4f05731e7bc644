"""How much memory a fusion takes, known before it is taken.

A model: bytes a pixel, counted from what is held at once and fitted to measured peaks
(``benchmarks/memory.py``), rather a little more than less. Nothing here imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.types import ImageHeader

if TYPE_CHECKING:  # the process that decodes apart reads images, too, and stays light
    from core.models.config import NetworkConfig

_FLOAT = 4
_RESERVE = 48 * 2**20
"""What libraries take for themselves once they work, and pieces too small to be counted."""
_SLACK, _PIECES_SLACK = 1.3, 1.1
"""Memory is given back in pieces and found again in others: some of it lies idle."""
_ADAPTER_MAPS, _BLOCK_MAPS, _HEAD_MAPS = 12, 20, 6
"""Maps (of the network's channels; of a head's full-resolution layers) held at once per piece."""
_BLOCK_FINER, _HEAD_FINER = 2, 4
"""Stripes of blocks and heads are so many times smaller (:mod:`core.models.tiling`)."""
_TRAINING_MAPS, _TRAINING_HEAD_MAPS = 200, 12
"""The same in a training step, which keeps nearly all of them for its way back."""
_TOKEN_MAPS = 24
"""Token maps held at once while the backbone runs."""
_UNSPENT = 3
"""Copies of stored samples a decoder holds beside the float32 image it makes of them."""
_CLASSICAL = {"average": 2, "maximum": 1, "laplacian": 8, "guided": 42, "mertens": 10}
"""Float32 planes a classical method holds at once for each channel it fuses."""
_AROUND = 192
"""Rows a method sees around a piece, at most."""


@dataclass(frozen=True)
class FusionWorkload:
    """What is asked of a fusion beside the image, and how much of it at a time.

    Attributes:
        piece: pixels worked on at a time; 0 for all of them. Between the passes over the pieces
            what was freed is given back to the system.
        reconstructions, features: as in :class:`core.types.FusionRequest`.
    """

    piece: int = 0
    reconstructions: bool = False
    features: bool = False


def network_bytes(config: NetworkConfig, width: int, height: int, wanted: FusionWorkload) -> int:
    """Bytes a network takes beside the two images it is given, at most, about."""
    area = (-(-height // 16) * 16) * (-(-width // 16) * 16)
    channels = config.in_channels
    one_map = _FLOAT * config.channels / config.stride**2
    keeps = wanted.features or (wanted.reconstructions and config.reconstruction)
    images, plane = 2 * channels * _FLOAT, channels * _FLOAT
    decision = {"layered": channels + 2, "decision": channels + 1}.get(config.head, 0) * _FLOAT
    blocks = one_map * (4 if keeps else 2)
    head = one_map * (3 if keeps else 1) + decision + 2 * plane
    rest = one_map * 2 * keeps + 2 * one_map * wanted.features
    rest += plane + 2 * plane * wanted.reconstructions
    rebuilt = (one_map * 4 + 4 * plane) if wanted.reconstructions else 0
    merged = rest + 3 * _FLOAT
    held = images + max(blocks, head, rebuilt, merged)
    piece = min(wanted.piece or area, area)
    pieces = piece < area
    full = 0.0 if config.head == "direct" else 1.0 * _HEAD_MAPS * _FLOAT * config.head_channels
    block = _BLOCK_MAPS * one_map
    if pieces:
        block, full = block / _BLOCK_FINER, full / _HEAD_FINER
    passing = max(block, full, _ADAPTER_MAPS * one_map) * piece
    tokens = area // 256
    if config.backbone.max_tokens:
        tokens = min(tokens, config.backbone.max_tokens)
    passing = max(passing, 2 * tokens * config.backbone.dim * _FLOAT * _TOKEN_MAPS)
    slack = _PIECES_SLACK if pieces else _SLACK
    return int(slack * (area * held + passing)) + _RESERVE


def training_bytes(config: NetworkConfig, batch: int, crop: int) -> int:
    """Bytes that a training step over ``batch`` crops of ``crop``² pixels takes, about."""
    maps = _FLOAT * config.channels / config.stride**2 * _TRAINING_MAPS
    full = 0 if config.head == "direct" else _FLOAT * config.head_channels * _TRAINING_HEAD_MAPS
    return int(_SLACK * batch * crop**2 * (maps + full)) + _RESERVE


def classical_bytes(method: str, width: int, height: int, channels: int = 1, piece: int = 0) -> int:
    """Bytes a classical method takes beside the two images it is given, at most, about.

    Args:
        channels: that are fused, 1 or 3. piece: pixels worked on at a time; 0 for all of them.
    """
    area, planes = width * height, _CLASSICAL.get(method, max(_CLASSICAL.values()))
    seen = min(area, piece + 2 * _AROUND * width) if piece else area
    # What is fused of both, the fused plane and the image it becomes.
    held = area * (3 * channels + 3)
    return int(_FLOAT * (held + seen * planes * channels)) + _RESERVE


def image_bytes(header: ImageHeader) -> int:
    """Bytes of the image in memory, once it has been read."""
    return header.width * header.height * _FLOAT * (1 if header.channels < 3 else 3)


def decoding_bytes(header: ImageHeader) -> int:
    """Bytes that reading the image takes at most, those of the image itself included."""
    stored = header.width * header.height * header.channels * (header.bit_depth // 8)
    return image_bytes(header) + _UNSPENT * stored


def reading_bytes(a: ImageHeader, b: ImageHeader) -> int:
    """Bytes that reading a pair takes at most; both images are there in the end."""
    return max(decoding_bytes(a), image_bytes(a) + decoding_bytes(b))


def pair_bytes(a: ImageHeader, b: ImageHeader) -> int:
    """Bytes of both images in memory, once they have been read."""
    return image_bytes(a) + image_bytes(b)

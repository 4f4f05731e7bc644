"""Predicts the memory required by a fusion before it starts.

A model in bytes per pixel, counted from the arrays that exist at once and fitted to measured peaks
(``benchmarks/memory.py``) with a slight overestimate. Does not import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.types import ImageHeader

if TYPE_CHECKING:  # the decoder process imports this module and must stay light
    from core.models.config import NetworkConfig

_FLOAT = 4
_RESERVE = 48 * 2**20
"""Memory that libraries allocate for themselves, and allocations too small to count."""
_SLACK, _PIECES_SLACK = 1.3, 1.1
"""Factors for fragmentation: part of the freed memory cannot be reused."""
_ADAPTER_MAPS, _BLOCK_MAPS, _HEAD_MAPS = 12, 20, 6
"""Maps (of the network's channels; for heads, of the full-resolution layers) in memory per tile."""
_RULE_PLANES = 20
"""Float32 planes of the rule of a head that learns nothing."""
_BLOCK_STRIP_DIVISOR, _HEAD_STRIP_DIVISOR = 2, 4
"""Factors by which strips of blocks and heads are smaller (:mod:`core.models.tiling`)."""
_TRAINING_MAPS, _TRAINING_HEAD_MAPS = 200, 12
"""The same for a training step, which keeps nearly all maps for the backward pass."""
_TOKEN_MAPS = 24
"""Token maps that exist at once while the backbone runs."""
_DECODER_COPIES = 3
"""Copies of the stored samples in a decoder, besides the float32 image."""
_CLASSICAL = {"average": 2, "maximum": 1, "laplacian": 8, "guided": 42, "mertens": 10}
"""Float32 planes of a classical method that exist at once, per fused channel."""
_MAX_MARGIN = 192
"""Largest margin in rows around a piece."""


@dataclass(frozen=True)
class FusionWorkload:
    """Outputs of a fusion besides the fused image, and the number of pixels processed at a time.

    Attributes:
        piece: pixels processed at a time; 0 for the whole image. Freed memory is returned to the
            system after every pass over the pieces.
        reconstructions, features: as in :class:`core.types.FusionRequest`.
    """

    piece: int = 0
    reconstructions: bool = False
    features: bool = False


def network_bytes(config: NetworkConfig, width: int, height: int, wanted: FusionWorkload) -> int:
    """Approximate peak bytes of a network in addition to its two input images."""
    area = (-(-height // 16) * 16) * (-(-width // 16) * 16)
    channels = config.in_channels
    one_map = _FLOAT * config.channels / config.stride**2
    keeps = wanted.features or (wanted.reconstructions and config.reconstruction)
    images, plane = 2 * channels * _FLOAT, channels * _FLOAT
    decision = {"layered": channels + 2, "decision": channels + 1, "salient": 2}.get(
        config.head, 0
    ) * _FLOAT
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
    if not config.learns_fusion:
        full = 1.0 * _RULE_PLANES * _FLOAT
    block = _BLOCK_MAPS * one_map if config.learns_fusion else 0.0
    if pieces:
        block, full = block / _BLOCK_STRIP_DIVISOR, full / _HEAD_STRIP_DIVISOR
    passing = max(block, full, _ADAPTER_MAPS * one_map) * piece
    tokens = area // (256 * config.backbone.reduction**2)
    if config.backbone.max_tokens:
        tokens = min(tokens, config.backbone.max_tokens)
    if config.backbone.kind == "none":
        tokens = 0
    passing = max(passing, 2 * tokens * config.backbone.dim * _FLOAT * _TOKEN_MAPS)
    slack = _PIECES_SLACK if pieces else _SLACK
    return int(slack * (area * held + passing)) + _RESERVE


def training_bytes(config: NetworkConfig, batch: int, crop: int) -> int:
    """Approximate bytes of a training step with ``batch`` crops of ``crop``² pixels."""
    maps = _FLOAT * config.channels / config.stride**2 * _TRAINING_MAPS
    full = 0 if config.head == "direct" else _FLOAT * config.head_channels * _TRAINING_HEAD_MAPS
    return int(_SLACK * batch * crop**2 * (maps + full)) + _RESERVE


def classical_bytes(method: str, width: int, height: int, channels: int = 1, piece: int = 0) -> int:
    """Approximate peak bytes of a classical method in addition to its two input images.

    Args:
        channels: number of fused channels, 1 or 3.
        piece: pixels processed at a time; 0 for the whole image.
    """
    area, planes = width * height, _CLASSICAL.get(method, max(_CLASSICAL.values()))
    seen = min(area, piece + 2 * _MAX_MARGIN * width) if piece else area
    # The fused channels of both sources, the fused plane and the resulting image.
    held = area * (3 * channels + 3)
    return int(_FLOAT * (held + seen * planes * channels)) + _RESERVE


def image_bytes(header: ImageHeader) -> int:
    """Bytes of the decoded image in memory."""
    return header.width * header.height * _FLOAT * (1 if header.channels < 3 else 3)


def decoding_bytes(header: ImageHeader) -> int:
    """Peak bytes while the image is read, including the decoded image."""
    stored = header.width * header.height * header.channels * (header.bit_depth // 8)
    return image_bytes(header) + _DECODER_COPIES * stored


def reading_bytes(a: ImageHeader, b: ImageHeader) -> int:
    """Peak bytes while a pair is read; ends with both images in memory."""
    return max(decoding_bytes(a), image_bytes(a) + decoding_bytes(b))


def pair_bytes(a: ImageHeader, b: ImageHeader) -> int:
    """Bytes of both decoded images in memory."""
    return image_bytes(a) + image_bytes(b)

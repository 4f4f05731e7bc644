"""Network configuration. One frozen dataclass describes every network this program can build."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

DINOV3_TIMM_NAME = "vit_small_patch16_dinov3.lvd1689m"


@dataclass(frozen=True, config=_STRICT)
class BackboneConfig:
    """What turns pictures into tokens.

    Attributes:
        kind: ``dinov3`` (frozen, the paper) or ``encoder`` (trained in the lower level; the paper's
            "w/o DINOv3" ablation and the compact family).
        dim: token width.
        depth: number of transformer blocks.
        heads: attention heads.
        mlp_ratio: width of the feed-forward layer over ``dim``.
        taps: the four block indices (0-based) whose token maps are handed to the adapters.
        max_tokens: pictures with more patches are shown to the backbone at reduced size (area
            averaging), since its cost is quadratic in tokens. 0: no limit.
    """

    kind: Literal["dinov3", "encoder"] = "dinov3"
    dim: int = Field(default=384, ge=16, le=4096)
    depth: int = Field(default=12, ge=4, le=64)
    heads: int = Field(default=6, ge=1)
    mlp_ratio: float = Field(default=4.0, ge=0.5, le=16)
    taps: tuple[int, int, int, int] = (2, 5, 8, 11)
    max_tokens: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"dim {self.dim} is not a multiple of heads {self.heads}")
        if self.kind == "dinov3" and self.dim // self.heads % 4:
            raise ValueError(f"dim {self.dim} / heads {self.heads} is no multiple of 4 (RoPE)")
        if sorted(set(self.taps)) != list(self.taps) or self.taps[0] < 0:
            raise ValueError(f"taps {self.taps} must rise from 0")
        if self.taps[-1] >= self.depth:
            raise ValueError(f"tap {self.taps[-1]} lies beyond the last of {self.depth} blocks")
        return self


@dataclass(frozen=True, config=_STRICT)
class NetworkConfig:
    """One UniFusion network.

    Attributes:
        backbone: see :class:`BackboneConfig`.
        in_channels: 1 (luma) or 3 (RGB).
        channels: C, width of the adapted maps.
        stride: the heavy blocks run at 1/stride of the picture's resolution. 1 is the paper.
        heads: heads of the channel attention.
        expansion: width of the gated feed-forward layer over C.
        fusion_blocks: cross-attention blocks.
        reconstruction_blocks: transformer blocks in each reconstruction branch.
        learned_mixing: directions of cross-attention blocks (``ask_y.0``, ``ask_x.0`` …) whose
            channels are mixed by learned weights, the same for every picture, in place of attention
            weights, which follow the statistics of the whole picture. None is the paper.
        head: ``direct``: convolutions to the picture (paper); ``blend``: a full-resolution weight
            map between the sources plus a residual; ``decision``: as ``blend``, but the map
            saturates at exactly 0 and 1, where the fused picture copies one source and the residual
            is off; ``layered``: as ``blend``, but with a map of its own for what the pictures
            are when smoothed up to their edges.
        head_channels: width of the full-resolution layers of every head but ``direct``.
        adapter: False replaces the adapters by plain upsampling (ablation "w/o adapter").
        reconstruction: False leaves the reconstruction branches out (ablation).
    """

    backbone: BackboneConfig = BackboneConfig()
    in_channels: Literal[1, 3] = 3
    channels: int = Field(default=64, ge=1, le=1024)
    stride: Literal[1, 2, 4] = 1
    heads: int = Field(default=8, ge=1)
    expansion: float = Field(default=2.0, ge=1, le=16)
    fusion_blocks: int = Field(default=4, ge=1, le=64)
    reconstruction_blocks: int = Field(default=4, ge=1, le=64)
    learned_mixing: tuple[str, ...] = ()
    head: Literal["direct", "blend", "decision", "layered"] = "direct"
    head_channels: int = Field(default=16, ge=1, le=1024)
    adapter: bool = True
    reconstruction: bool = True

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.channels % self.heads:
            raise ValueError(f"channels {self.channels} is not a multiple of heads {self.heads}")
        blocks = {f"ask_{z}.{i}" for z in "xy" for i in range(self.fusion_blocks)}
        if unknown := set(self.learned_mixing) - blocks:
            raise ValueError(f"learned_mixing {sorted(unknown)} are none of {sorted(blocks)}")
        return self


def paper_config() -> NetworkConfig:
    """The paper's network (§3, Fig. 2): DINOv3 ViT-S/16, C = 64, everything at full resolution."""
    return NetworkConfig()


def compact_config() -> NetworkConfig:
    """The embedded family: four-layer trained encoder, heavy blocks at a quarter resolution."""
    return NetworkConfig(
        backbone=BackboneConfig(
            kind="encoder",
            dim=128,
            depth=4,
            heads=2,
            mlp_ratio=2.0,
            taps=(0, 1, 2, 3),
            max_tokens=2304,
        ),
        in_channels=1,
        channels=48,
        stride=4,
        heads=4,
        fusion_blocks=2,
        reconstruction_blocks=2,
        head="blend",
        head_channels=16,
    )


CONFIGS = {"paper": paper_config, "compact": compact_config}

network_adapter = TypeAdapter(NetworkConfig)
"""Validates and serialises :class:`NetworkConfig` (used by pack manifests and run files)."""

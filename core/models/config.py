"""Network configuration. One frozen dataclass describes every network this program can build."""

from __future__ import annotations

from dataclasses import KW_ONLY, replace
from typing import Annotated, Literal, Self

from annotated_types import Interval
from pydantic import ConfigDict, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from core.messages import Message
from core.setting import Misfit, Setting

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

DINOV3_TIMM_NAME = "vit_small_patch16_dinov3.lvd1689m"


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class BackboneConfig:
    """The backbone, which turns images into tokens.

    Attributes:
        kind: ``dinov3`` (frozen, the paper), ``encoder`` (trained in the lower level; the paper's
            "w/o DINOv3" ablation and the compact family), or ``none`` (tokens of zeros: what the
            adapters make of them is a constant).
        dim: token width.
        depth: number of transformer blocks.
        heads: attention heads.
        mlp_ratio: width of the feed-forward layer relative to ``dim``.
        taps: the four block indices (0-based) whose token maps the adapters receive.
        reduction: images are reduced by this factor for the backbone, by area averaging. The paper
            has 1.
        max_tokens: images with more patches are reduced by area averaging for the backbone, whose
            cost is quadratic in the number of tokens. 0: no limit.
    """

    kind: Annotated[
        Literal["dinov3", "encoder", "none"],
        Setting(
            Message("Backbone"),
            Message(
                "DINOv3 as in the paper, from a file; a small encoder trained along; or none, "
                "which leaves the adapters the pictures alone."
            ),
            "",
            Message("Ablations"),
        ),
    ] = "dinov3"
    dim: Annotated[
        int,
        Interval(ge=16, le=4096),
        Setting(
            Message("Token width"),
            Message("A multiple of the backbone's heads."),
            Message("channels"),
            Message("Network"),
            16,
        ),
    ] = 384
    depth: Annotated[
        int,
        Interval(ge=4, le=64),
        Setting(
            Message("Backbone blocks"), Message("Transformer blocks."), "", Message("Network"), 1
        ),
    ] = 12
    heads: Annotated[
        int,
        Interval(ge=1, le=1024),
        Setting(Message("Backbone heads"), Message("Attention heads."), "", Message("Network"), 1),
    ] = 6
    mlp_ratio: Annotated[
        float,
        Interval(ge=0.5, le=16),
        Setting(
            Message("Backbone feed-forward width"),
            Message("Over the token width."),
            "×",
            Message("Network"),
            0.5,
        ),
    ] = 4.0
    taps: Annotated[
        tuple[int, int, int, int],
        Setting(
            Message("Taps"),
            Message("Four rising block numbers from 0 whose maps are used."),
            "",
            Message("Network"),
        ),
    ] = (2, 5, 8, 11)
    reduction: Annotated[
        Literal[1, 2],
        Setting(
            Message("Resolution of the backbone"),
            Message(
                "1 is the paper; 2 shows it pictures of half the size, a quarter of the tokens."
            ),
            Message("1/x"),
            Message("Network"),
        ),
    ] = 1
    max_tokens: Annotated[
        int,
        Interval(ge=0, le=1_000_000),
        Setting(
            Message("Most tokens"),
            Message("Larger pictures are shown smaller to the backbone; 0 is no limit."),
            Message("tokens"),
            Message("Network"),
            256,
        ),
    ] = 0

    @property
    def label(self) -> str:
        """As in "encoder backbone" or "no backbone", for cards and lists."""
        return f"{self.kind.replace('none', 'no')} backbone"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dim % self.heads:
            raise Misfit("dim", Message("{0} is not a multiple of heads {1}", self.dim, self.heads))
        if self.kind == "dinov3" and self.dim // self.heads % 4:
            raise Misfit(
                "dim",
                Message("{0} over heads {1} is no multiple of 4 (RoPE)", self.dim, self.heads),
            )
        if sorted(set(self.taps)) != list(self.taps) or self.taps[0] < 0:
            raise Misfit("taps", Message("they must rise from 0"))
        if self.taps[-1] >= self.depth:
            raise Misfit(
                "taps", Message("{0} lies beyond the last of {1} blocks", self.taps[-1], self.depth)
            )
        return self


@dataclass(frozen=True, config=_STRICT)
class NetworkConfig:
    """A UniFusion network.

    Attributes:
        backbone: see :class:`BackboneConfig`.
        in_channels: 1 (luma) or 3 (RGB).
        stride: the heavy blocks run at 1/stride of the image resolution. The paper has 1.
        heads: heads of the channel attention.
        expansion: width of the gated feed-forward layer relative to C.
        fusion_blocks: number of cross-attention blocks.
        reconstruction_blocks: number of transformer blocks in each reconstruction branch.
        learned_mixing: directions of cross-attention blocks (``ask_y.0``, ``ask_x.0`` …) whose
            channels are mixed with learned weights, the same for every image, instead of attention
            weights, which depend on the statistics of the whole image. The paper has none.
        head: ``direct``: convolutions to the image (paper); ``blend``: a full-resolution weight
            map between the sources plus a residual; ``bounded_blend``: as ``blend``, within
            :func:`core.models.bounding.bounds` of the sources; ``decision``: as ``blend``, but the
            map saturates at exactly 0 and 1, where the fused image copies one source and the
            residual is zero; ``layered``: as ``blend``, but with a separate map for the base
            layers, which are the images after edge-preserving smoothing; ``bounded``: as ``blend``,
            but the map corrects the choice of the more active source, and the result stays within
            :func:`core.models.bounding.bounds` of the sources; ``salient``: as ``bounded``, but
            detail is added to the brightness of the second source (visible) with what the first
            (infrared) shows as targets, by night the other way round; ``detail``: the brighter
            source at each pixel, and detail within :func:`core.models.bounding.detail_bounds`;
            ``focus``: the sharper source at each pixel by rule, without any fusion layers.
        head_channels: width of the full-resolution layers of every head but ``direct``.
        adapter: False replaces the adapters by plain upsampling (ablation "w/o adapter").
        reconstruction: False omits the reconstruction branches (ablation).
    """

    backbone: BackboneConfig = BackboneConfig()
    _: KW_ONLY
    in_channels: Annotated[
        Literal[1, 3],
        Setting(
            Message("Colour channels"),
            Message("1 fuses brightness and carries colour past the network; 3 fuses RGB."),
            "",
            Message("Network"),
        ),
    ] = 3
    channels: Annotated[
        int,
        Interval(ge=1, le=1024),
        Setting(
            Message("Width"),
            Message("Of the feature maps; a multiple of the heads."),
            Message("channels"),
            Message("Network"),
            8,
        ),
    ] = 64
    stride: Annotated[
        Literal[1, 2, 4],
        Setting(
            Message("Resolution of the heavy blocks"),
            Message("1 is the paper; 4 is much faster."),
            Message("1/x"),
            Message("Network"),
        ),
    ] = 1
    heads: Annotated[
        int,
        Interval(ge=1, le=1024),
        Setting(
            Message("Attention heads"), Message("Of the fusion blocks."), "", Message("Network"), 1
        ),
    ] = 8
    expansion: Annotated[
        float,
        Interval(ge=1, le=16),
        Setting(
            Message("Feed-forward width"),
            Message("Over the width of the maps."),
            "×",
            Message("Network"),
            0.5,
        ),
    ] = 2.0
    fusion_blocks: Annotated[
        int,
        Interval(ge=1, le=64),
        Setting(
            Message("Fusion blocks"), Message("Cross-attention blocks."), "", Message("Network"), 1
        ),
    ] = 4
    reconstruction_blocks: Annotated[
        int,
        Interval(ge=1, le=64),
        Setting(
            Message("Reconstruction blocks"), Message("In each branch."), "", Message("Network"), 1
        ),
    ] = 4
    learned_mixing: Annotated[
        tuple[str, ...],
        Setting(
            Message("Learned mixing"),
            Message(
                "Directions of cross-attention, such as ask_x.1, that mix channels by learned "
                "weights and not by statistics of the whole picture; empty is the paper."
            ),
            "",
            Message("Network"),
        ),
    ] = ()
    head: Annotated[
        Literal[
            "direct",
            "blend",
            "bounded_blend",
            "decision",
            "layered",
            "bounded",
            "salient",
            "detail",
            "focus",
        ],
        Setting(
            Message("Output"),
            Message(
                "Direct: a picture (paper). Blend: a map between the sources and a residual. "
                "Bounded blend: the same, never brighter or darker than both sources. Decision: "
                "the map may copy one source exactly. Layered: one map for details and a smooth "
                "one for the rest. Bounded: the more active source, corrected, within both. "
                "Salient: detail on the brightness of B, with hot targets of A. Detail: the "
                "brighter source, and detail that leaves its brightness. Focus: the sharper "
                "source, by rule; nothing of the fusion is learnt."
            ),
            "",
            Message("Network"),
        ),
    ] = "direct"
    head_channels: Annotated[
        int,
        Interval(ge=1, le=1024),
        Setting(
            Message("Output width"),
            Message("Of the full-resolution layers."),
            Message("channels"),
            Message("Network"),
            4,
        ),
    ] = 16
    adapter: Annotated[
        bool,
        Setting(
            Message("Adapters"),
            Message("Off: plain upsampling of the features."),
            "",
            Message("Ablations"),
        ),
    ] = True
    reconstruction: Annotated[
        bool,
        Setting(
            Message("Reconstruction"),
            Message("Off: fusion objective only, so one level."),
            "",
            Message("Ablations"),
        ),
    ] = True

    @property
    def learns_fusion(self) -> bool:
        """Whether the fused image depends on learnt weights."""
        return self.head != "focus"

    @property
    def rebuilds_from_fused(self) -> bool:
        """Whether there are fused features, and branches that rebuild the sources from them."""
        return self.learns_fusion and self.reconstruction

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.learns_fusion or self.reconstruction):
            why = Message("without it a network of this output has nothing to train")
            raise Misfit("reconstruction", why)
        if self.channels % self.heads:
            raise Misfit(
                "channels", Message("{0} is not a multiple of heads {1}", self.channels, self.heads)
            )
        blocks = {f"ask_{z}.{i}" for z in "xy" for i in range(self.fusion_blocks)}
        if unknown := set(self.learned_mixing) - blocks:
            told = ", ".join(sorted(unknown)), ", ".join(sorted(blocks))
            raise Misfit("learned_mixing", Message("{0}: none of {1}", *told))
        return self


def paper_config() -> NetworkConfig:
    """The paper's network (§3, Fig. 2): DINOv3 ViT-S/16, C = 64, everything at full resolution."""
    return NetworkConfig()


def compact_config() -> NetworkConfig:
    """The embedded packs' network: four-layer trained encoder, heavy blocks at 1/4 resolution."""
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


def dinov3_compact_config() -> NetworkConfig:
    """The compact network with the paper's frozen DINOv3 ViT-S/16, which sees half the size."""
    backbone = BackboneConfig(reduction=2, max_tokens=2304)
    return replace(compact_config(), backbone=backbone)


CONFIGS = {
    "paper": paper_config,
    "compact": compact_config,
    "dinov3-compact": dinov3_compact_config,
}

network_adapter = TypeAdapter(NetworkConfig)
"""Validates and serialises :class:`NetworkConfig` (used by pack manifests and run files)."""

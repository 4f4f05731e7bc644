"""The complete network: backbone, two adapters, two reconstructions, fusion (paper eq. 1–3)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.adapter import ADAPTER_REACH, IMAGE_REACH, build_adapter, uniform
from core.models.backbone import PATCH, Dinov3Backbone, build_backbone, resize_tokens
from core.models.config import NetworkConfig
from core.models.fusion_head import Fusion
from core.models.reconstruction import Reconstruction
from core.models.tiling import WHOLE_IMAGE, TilingStrategy


class Features(NamedTuple):
    """Adapted maps of both sources, N×C×H/stride×W/stride each."""

    x: Tensor
    y: Tensor


class UniFusionNet(nn.Module):
    """A UniFusion network, of the paper or compact.

    Its parameters form three groups: the frozen backbone (DINOv3 only), φ (:meth:`phi`: adapters,
    reconstruction and a trained encoder) and θ (:meth:`theta`: fusion).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(config.backbone, config.in_channels)
        self.adapter_x = build_adapter(config)
        self.adapter_y = build_adapter(config)
        self.reconstruction_x: Reconstruction | None = None
        self.reconstruction_y: Reconstruction | None = None
        if config.reconstruction:
            self.reconstruction_x = Reconstruction(config)
            self.reconstruction_y = Reconstruction(config)
        self.fusion = Fusion(config)
        # nn.Module.to(memory_format=…) changes strides only, not values.
        self.to(memory_format=torch.channels_last)

    @property
    def has_frozen_backbone(self) -> bool:
        """Whether the backbone is an external, frozen DINOv3."""
        return isinstance(self.backbone, Dinov3Backbone)

    def phi(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Named parameters of the lower level."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and not name.startswith("fusion."):
                yield name, parameter

    def theta(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Named parameters of the upper level."""
        for name, parameter in self.named_parameters():
            if name.startswith("fusion."):
                yield name, parameter

    def own_state(self) -> dict[str, Tensor]:
        """The tensors that a pack contains: all except those of a frozen external backbone."""
        state = self.state_dict()
        if self.has_frozen_backbone:
            state = {k: v for k, v in state.items() if not k.startswith("backbone.")}
        return state

    def frozen_tokens(self, x: Tensor, y: Tensor) -> list[Tensor] | None:
        """Token maps of both sources, which no training changes; None if the backbone is trained.

        :meth:`encode` takes them as ``tokens`` for the same images.
        """
        return self.backbone.reduced_tokens(x, y) if self.has_frozen_backbone else None

    def encode(
        self,
        x: Tensor,
        y: Tensor,
        tiling: TilingStrategy = WHOLE_IMAGE,
        *,
        tokens: list[Tensor] | None = None,
    ) -> Features:
        """Eq. 1: N×ch×H×W images in [0, 1], sides multiples of 16 → adapted maps.

        Both sources pass through the backbone in one batch.

        Args:
            tokens: their maps by :meth:`frozen_tokens`; None to compute them.
        """
        maps = self.backbone.reduced_tokens(x, y) if tokens is None else tokens
        rows, columns = (side // PATCH for side in x.shape[-2:])

        every_row = torch.arange(rows, device=x.device).view(1, 1, rows, 1)

        def adapted(adapter: nn.Module, source: int, image: Tensor) -> Tensor:
            own = [m.chunk(2)[source] for m in maps]

            if all(uniform(m) for m in own):
                return tiling.local(partial(adapter, *own), image, reach=IMAGE_REACH)

            def layers(which: Tensor, part: Tensor) -> Tensor:
                # Interpolated per strip: whole maps would need as much memory as the features.
                first, last = int(which[0, 0, 0, 0]), int(which[0, 0, -1, 0]) + 1
                result: Tensor = adapter(
                    *(resize_tokens(m, rows, columns, slice(first, last)) for m in own), part
                )
                return result

            return tiling.local(layers, every_row, image, reach=ADAPTER_REACH)

        return Features(adapted(self.adapter_x, 0, x), adapted(self.adapter_y, 1, y))

    def reconstruct(
        self, features: Features, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> tuple[Tensor, Tensor] | None:
        """Eq. 2: both images reconstructed from their features, or None without that branch."""
        if self.reconstruction_x is None or self.reconstruction_y is None:
            return None
        return self.reconstruction_x(features.x, tiling), self.reconstruction_y(features.y, tiling)

    def fuse(
        self,
        features: Features,
        x: Tensor,
        y: Tensor,
        tiling: TilingStrategy = WHOLE_IMAGE,
        *,
        inplace: bool = False,
    ) -> Tensor:
        """Eq. 3: the fused image N×ch×H×W, not clipped.

        ``inplace``: the features are not needed any more and may be overwritten.
        """
        fused: Tensor = self.fusion(features.x, features.y, x, y, tiling, inplace=inplace)
        return fused

    def join(self, features: Features) -> Tensor:
        """The fused features N×C×H/stride×W/stride, for training; not for a head that is a rule."""
        joined: Tensor = self.fusion.join(features.x, features.y, inplace=False)
        return joined

    def draw(self, joined: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The fused image from :meth:`join`, as :meth:`fuse` makes it of both at once."""
        fused: Tensor = self.fusion.head(joined, x, y)
        return fused


class Padding(NamedTuple):
    """Number of rows and columns added at the bottom and at the right."""

    bottom: int
    right: int


def pad_to_patches(image: Tensor) -> tuple[Tensor, Padding]:
    """Pad N×ch×H×W at the bottom and right to multiples of 16; not copied if it fits already.

    By reflection if the image is large enough, otherwise by replicating its edge.
    """
    height, width = image.shape[-2:]
    padding = Padding(-height % PATCH, -width % PATCH)
    if not any(padding):
        return image.contiguous(memory_format=torch.channels_last), padding
    fits = padding.bottom < height and padding.right < width
    padded = F.pad(
        image, (0, padding.right, 0, padding.bottom), mode="reflect" if fits else "replicate"
    )
    return padded.contiguous(memory_format=torch.channels_last), padding

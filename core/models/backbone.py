"""Backbones: four token maps from an image. The only module that imports timm."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Self, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import BackboneMissing, Message, PackError
from core.models.blocks import conv3
from core.models.config import DINOV3_TIMM_NAME, BackboneConfig
from core.models.tensor_header import (
    FLOATING,
    StoredTensor,
    first_nonfinite,
    mismatch,
    stored_tensors,
)

PATCH = 16
_TIMM = Message("Use the timm release of DINOv3 ViT-S/16.")
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """Interface of all backbones.

    ``forward`` takes N×(1 or 3)×H×W in [0, 1] with sides that are multiples of 16 and returns four
    maps N×D×H/16×W/16, one per tap.
    """

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, images: Tensor) -> list[Tensor]:
        """Token maps at H/16×W/16, computed at reduced size if there are too many patches."""
        rows, columns = (side // PATCH for side in images.shape[-2:])
        return [resize_tokens(m, rows, columns) for m in self.reduced_tokens(images)]

    def reduced_tokens(self, *images: Tensor) -> list[Tensor]:
        """The maps of all ``images`` in one batch, with at most ``config.max_tokens`` tokens each.

        The images are reduced to :meth:`token_grid` by area averaging; :func:`resize_tokens`
        interpolates the maps to H/16×W/16.
        """
        grid = tuple(side // PATCH for side in images[0].shape[-2:])
        reduced = self.token_grid(*grid)
        if reduced != grid:
            size = tuple(PATCH * side for side in reduced)
            images = tuple(F.interpolate(each, size=size, mode="area") for each in images)
        return self.tokens(torch.cat(images) if len(images) > 1 else images[0])

    def token_grid(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of the tokens of an image of ``rows``×``columns`` patches."""
        by, limit = self.config.reduction, self.config.max_tokens
        rows, columns = -(-rows // by), -(-columns // by)
        if limit and rows * columns > limit:
            shrink = math.sqrt(limit / (rows * columns))
            # An image one patch wide is reduced along its length only.
            reduced = min(max(1, int(rows * shrink)), limit)
            return reduced, min(max(1, int(columns * shrink)), limit // reduced)
        return rows, columns

    def tokens(self, images: Tensor) -> list[Tensor]:
        """The four token maps of images within the token limit."""
        raise TypeError(f"{type(self).__name__} defines no tokens()")


def resize_tokens(tokens: Tensor, rows: int, columns: int, part: slice | None = None) -> Tensor:
    """Interpolate a token map N×D×h×w to N×D×``rows``×``columns``, or to its rows in ``part``.

    Returns the map itself if it has that size.
    """
    first, last = (0, rows) if part is None else (part.start, part.stop)
    if tuple(tokens.shape[2:]) == (rows, columns):
        return tokens[:, :, first:last]
    if (first, last) != (0, rows):
        tokens = _rows_between(tokens, rows, torch.arange(first, last, device=tokens.device))
    size = (last - first, columns)
    return F.interpolate(tokens, size=size, mode="bilinear", align_corners=False)


def _rows_between(tokens: Tensor, rows: int, which: Tensor) -> Tensor:
    """Some rows of ``tokens`` interpolated bilinearly to ``rows`` rows."""
    few = tokens.shape[2]
    at = ((which + 0.5) * (few / rows) - 0.5).clamp(min=0)
    above = at.floor().long()
    below = (above + 1).clamp(max=few - 1)
    share = (at - above).to(tokens.dtype).view(-1, 1)
    return torch.lerp(tokens[:, :, above], tokens[:, :, below], share)


class Dinov3Backbone(Backbone):
    """The frozen DINOv3 ViT (paper §3.1): never trained and always in eval mode.

    timm builds its blocks without downloading; the weights come from a file (:meth:`load_weights`)
    or stay random without one (for tests and timing).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: BackboneConfig) -> None:
        import timm

        super().__init__(config)
        architecture = DINOV3_TIMM_NAME.partition(".")[0]
        self.vit = timm.create_model(
            architecture,
            pretrained=False,
            num_classes=0,
            dynamic_img_size=True,
            embed_dim=config.dim,
            depth=config.depth,
            num_heads=config.heads,
            mlp_ratio=config.mlp_ratio,
        )
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1), False)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Ignore ``mode`` and stay in eval mode: in train mode DINOv3 rescales RoPE randomly."""
        return super().train(False)

    @torch.no_grad()
    def tokens(self, images: Tensor) -> list[Tensor]:
        """Token maps after the final norm, as returned by DINOv3's ``get_intermediate_layers``."""
        rgb = images.expand(-1, 3, -1, -1)
        normalised = (rgb - self.mean) / self.std
        # timm is untyped, and nn.Module declares every attribute as a Tensor or Module.
        intermediates = cast(Callable[..., list[Tensor]], self.vit.forward_intermediates)
        return intermediates(
            normalised, indices=list(self.config.taps), norm=True, intermediates_only=True
        )

    def load_weights(self, path: Path, expected_sha256: str = "") -> str:
        """Load the ViT from a ``.safetensors`` (or weights-only ``.pth``) file.

        Args:
            path: the file.
            expected_sha256: refuse files with another hash, unless "".

        Returns:
            SHA-256 of the file, in hex.

        Raises:
            BackboneMissing: there is no such file.
            PackError: the file cannot be read, is not the expected one or does not fit.
        """
        if not path.is_file():
            raise _no_file(path)
        try:
            digest = file_sha256(path)
        except OSError as error:
            why = Message("it cannot be read ({0})", error.strerror)
            raise PackError(
                str(path), why, Message("Check that the file is there and may be read.")
            ) from error
        if expected_sha256 and digest != expected_sha256:
            raise PackError(
                str(path),
                Message(
                    "sha256 {0}… is not the {1}… this pack was made with",
                    digest[:12],
                    expected_sha256[:12],
                ),
                Message("Use the DINOv3 file the pack was trained with."),
            )
        self.check_file(path)
        state = _read_state(path)
        if name := first_nonfinite(state):
            raise PackError(
                str(path), Message("its weights hold NaN or infinite numbers (in {0})", name), _TIMM
            )
        self.vit.load_state_dict(state)
        return digest

    def check_file(self, path: Path) -> None:
        """Check by names, shapes and types that ``path`` holds the weights of this ViT.

        Reads no tensor; the ViT itself may be on the meta device.

        Raises:
            BackboneMissing: there is no such file.
            PackError: the file cannot be read, or holds other tensors.
        """
        if not path.is_file():
            raise _no_file(path)
        wrong = mismatch(_tensors_in(path), self.vit.state_dict(), FLOATING)
        if wrong is not None:
            raise PackError(
                str(path), Message("not a {0} file: {1}", DINOV3_TIMM_NAME, wrong), _TIMM
            )


def check_backbone_file(path: Path, config: BackboneConfig | None = None) -> None:
    """Check that ``path`` holds DINOv3 weights for ``config`` (default: ViT-S/16).

    Fast, because only the header is read.

    Raises:
        BackboneMissing: there is no such file. PackError: it holds other tensors.
    """
    with torch.device("meta"):
        outline = Dinov3Backbone(config or BackboneConfig())
    outline.check_file(path)


def _no_file(path: Path) -> BackboneMissing:
    return BackboneMissing(
        str(path),
        Message("the DINOv3 weights are not there"),
        Message("Give the path of the file you have."),
    )


def _tensors_in(path: Path) -> dict[str, StoredTensor]:
    if path.suffix != ".safetensors":
        state = _read_state(path, "meta")
        return {name: StoredTensor(t.dtype, tuple(t.shape)) for name, t in state.items()}
    try:
        return stored_tensors(path)
    except OSError as error:
        raise PackError(
            str(path),
            Message("it cannot be read ({0})", error.strerror),
            Message("Check that the file is there and may be read."),
        ) from error
    except (ValueError, struct.error, RecursionError) as error:
        raise PackError(
            str(path), Message("cannot be read as weights ({0})", error), _TIMM
        ) from error


def _read_state(path: Path, place: str = "cpu") -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location=place, weights_only=True)
    except (SafetensorError, RuntimeError, ValueError, OSError, EOFError) as error:
        raise PackError(
            str(path), Message("cannot be read as weights ({0})", error), _TIMM
        ) from error
    except Exception as error:  # the exception type of the unpickler depends on the torch release
        raise PackError(
            str(path),
            Message("it is damaged or holds more than plain weights"),
            Message("Give the .safetensors file of the weights."),
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise PackError(
            str(path), Message("is not a table of tensors"), Message("Export the bare state dict.")
        )
    return state


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex, computed in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _EncoderBlock(nn.Module):
    """A standard pre-norm transformer block over tokens.

    A depthwise 3×3 convolution over the token map encodes positions, so that the block does not
    depend on the crop size of the training.
    """

    def __init__(self, dim: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        hidden = int(dim * mlp_ratio)
        self.heads = heads
        self.position = conv3(dim, dim, groups=dim)
        self.norm_attention = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.norm_feed = nn.LayerNorm(dim)
        self.feed = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        """N×D×h×w → N×D×h×w."""
        n, d, h, w = x.shape
        x = x + self.position(x)
        tokens = x.flatten(2).transpose(1, 2)
        qkv = self.qkv(self.norm_attention(tokens))
        q, k, v = qkv.view(n, h * w, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        tokens = tokens + self.project(mixed.transpose(1, 2).reshape(n, h * w, d))
        tokens = tokens + self.feed(self.norm_feed(tokens))
        mapped: Tensor = tokens.transpose(1, 2).reshape(n, d, h, w)
        return mapped


class EncoderBackbone(Backbone):
    """The small, trained transformer encoder of the "w/o DINOv3" ablation (Table 2)."""

    def __init__(self, config: BackboneConfig, in_channels: int) -> None:
        super().__init__(config)
        self.embed = nn.Conv2d(in_channels, config.dim, PATCH, stride=PATCH)
        self.blocks = nn.ModuleList(
            _EncoderBlock(config.dim, config.heads, config.mlp_ratio) for _ in range(config.depth)
        )

    def tokens(self, images: Tensor) -> list[Tensor]:
        """Token maps after the blocks in ``config.taps``."""
        x = self.embed(images - 0.5)
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.config.taps:
                maps.append(x)
        return maps


class NoBackbone(Backbone):
    """No backbone: tokens of zeros, so that the adapters see the image alone.

    The tokens are the same everywhere and in every image, so that one stands for the whole map.
    """

    def reduced_tokens(self, *images: Tensor) -> list[Tensor]:
        """Four maps N×D×1×1 of zeros for all ``images``."""
        count = sum(len(each) for each in images)
        return [images[0].new_zeros(count, self.config.dim, 1, 1)] * 4


def build_backbone(config: BackboneConfig, in_channels: int) -> Backbone:
    """The backbone for ``config``, with random weights."""
    if config.kind == "dinov3":
        return Dinov3Backbone(config)
    if config.kind == "none":
        return NoBackbone(config)
    return EncoderBackbone(config, in_channels)

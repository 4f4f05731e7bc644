"""Scores of a network over whole validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.available_memory import release_memory
from core.messages import Message
from core.metrics import evaluate, mean_defined, to_luma8
from core.missing_data import crop_to_valid
from core.models.network import UniFusionNet, pad_to_patches
from core.models.tiling import WHOLE_IMAGE, StripTiling, TilingStrategy
from core.progress import Progress
from core.types import BoolArray, FloatArray
from trainer.data.defocus import UInt16Array
from trainer.data.sampler import TrainingPair

_MAX_PIXELS, _TILE_PIXELS = 2**20, 2**18
"""Largest numbers of pixels of an image to score, and to process without tiling."""
METRICS = ("Qabf", "MI", "VIF")


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """Scores, and the first pair with its fusion, H×W×ch in [0, 1].

    Attributes:
        scores: mean of each metric over the pairs on which it is defined; one that is defined on
            none is missing.
        rows: the scores of every pair, in their order; NaN where undefined.
    """

    scores: dict[str, float]
    rows: tuple[dict[str, float], ...]
    a: FloatArray
    b: FloatArray
    fused: FloatArray


@torch.no_grad()
def validate(
    network: UniFusionNet,
    pairs: Sequence[TrainingPair],
    device: str,
    progress: Progress,
    metrics: Sequence[str] = METRICS,
) -> ValidationResult:
    """``metrics``, and reconstruction PSNR in dB, of ``network`` on ``pairs``.

    Images of more than 2**20 pixels are cropped to that many pixels at their centre. The crop
    depends on the image alone, not on the available memory, so that different runs are comparable.
    Pixels where a source has no data are not scored: both sources are filled from each other there.

    Raises:
        ValueError: ``pairs`` is empty. Cancelled: raised by ``progress``.
    """
    rows: list[dict[str, float]] = []
    first: tuple[FloatArray, FloatArray, FloatArray] | None = None
    for index, pair in enumerate(pairs):
        progress.check()
        progress.report(index, len(pairs), Message("validating"))
        part = _central_crop(pair)
        a, b = (_to_float(side[part]) for side in (pair.a, pair.b))
        valid = None if pair.valid is None else pair.valid[part]
        x, y = _to_tensor(a, device), _to_tensor(b, device)
        tiling = _tiling_for(x)
        features = network.encode(x, y, tiling)
        fused = _to_image(network.fuse(features, x, y, tiling), a)
        luma_a, luma_b, fused_luma = crop_to_valid(valid, to_luma8(a), to_luma8(b), to_luma8(fused))
        row = evaluate(luma_a, luma_b, fused_luma, metrics)
        reconstructions = network.reconstruct(features, tiling)
        del features
        if reconstructions is not None:
            rec_a, rec_b = (_to_image(r, a) for r in reconstructions)
            row["reconstruction_psnr"] = (_psnr(a, rec_a, valid) + _psnr(b, rec_b, valid)) / 2
        rows.append(row)
        release_memory()  # cached memory of large images could be missing for a training step
        first = first or (a, b, fused)
    if first is None:
        raise ValueError("validate() needs at least one pair")
    means = {name: mean_defined(row[name] for row in rows) for name in rows[0]}
    scores = {name: found.mean for name, found in means.items() if found.defined}
    return ValidationResult(scores, tuple(rows), *first)


def _tiling_for(image: Tensor) -> TilingStrategy:
    height, width = image.shape[2:]
    if height * width <= _TILE_PIXELS:
        return WHOLE_IMAGE
    return StripTiling(height, _TILE_PIXELS // width)


def _central_crop(pair: TrainingPair) -> tuple[slice, slice]:
    """The centre of an image of more than 2**20 pixels: as informative, with far less memory.

    Where the centre holds no data, a crop around a pixel that does.
    """
    height, width = pair.a.shape[:2]
    rows = min(height, max(_MAX_PIXELS // width, int(_MAX_PIXELS**0.5)))
    columns = min(width, _MAX_PIXELS // rows)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = np.s_[top : top + rows, left : left + columns]
    if pair.valid is not None and not pair.valid[part].any():
        row, column = np.argwhere(pair.valid)[0]
        top = int(np.clip(row - rows // 2, 0, height - rows))
        left = int(np.clip(column - columns // 2, 0, width - columns))
        part = np.s_[top : top + rows, left : left + columns]
    return part


def _to_float(packed: UInt16Array) -> FloatArray:
    return packed.astype(np.float32) / np.float32(65535.0)


def _to_tensor(pixels: FloatArray, device: str) -> Tensor:
    chw = np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]
    return pad_to_patches(torch.from_numpy(chw).to(device))[0]


def _to_image(output: Tensor, like: FloatArray) -> FloatArray:
    height, width = like.shape[:2]
    cut = output[0, :, :height, :width].float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(cut)


def _psnr(wanted: FloatArray, got: FloatArray, valid: BoolArray | None) -> float:
    squares = (wanted - got) ** 2
    error = float(np.mean(squares if valid is None else squares[valid], dtype=np.float64))
    return 10 * float(np.log10(1 / max(error, 1e-10)))

"""Figures of a network over whole validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.available_memory import release_memory
from core.messages import Message
from core.metrics import evaluate, to_luma8
from core.missing_data import judgeable
from core.models.network import UniFusionNet, pad_to_patches
from core.models.tiling import WHOLE_IMAGE, StripTiling, TilingStrategy
from core.progress import Progress
from core.types import BoolArray, FloatArray
from trainer.data.defocus import UInt16Array
from trainer.data.sampler import TrainingPair

_JUDGED, _AT_ONCE = 2**20, 2**18
"""Pixels of an image that are judged, at most, and that go through the network at once."""
METRICS = ("Qabf", "MI", "VIF")


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """Mean figures by name, and the first pair with what was made of it, H×W×ch in [0, 1]."""

    figures: dict[str, float]
    a: FloatArray
    b: FloatArray
    fused: FloatArray


@torch.no_grad()
def validate(
    network: UniFusionNet, pairs: Sequence[TrainingPair], device: str, progress: Progress
) -> ValidationResult:
    """Mean metrics, and reconstruction PSNR in dB, of ``network`` over ``pairs``.

    Of images of more than 2**20 pixels, as many in their middle are judged. The cut depends on
    the image alone, never on the memory there is: figures of two runs compare. Where a source
    holds no data, nothing is judged: both have been filled from one another there.

    Raises:
        ValueError: there is no pair. Cancelled: from ``progress``.
    """
    rows: list[dict[str, float]] = []
    first: tuple[FloatArray, FloatArray, FloatArray] | None = None
    for index, pair in enumerate(pairs):
        progress.check()
        progress.report(index, len(pairs), Message("validating"))
        part = _judged_part(pair)
        a, b = (_pixels(side[part]) for side in (pair.a, pair.b))
        valid = None if pair.valid is None else pair.valid[part]
        x, y = _tensor(a, device), _tensor(b, device)
        tiling = _walk(x)
        features = network.encode(x, y, tiling)
        fused = _cut(network.fuse(features, x, y, tiling), a)
        seen_a, seen_b, made = judgeable(valid, to_luma8(a), to_luma8(b), to_luma8(fused))
        row = evaluate(seen_a, seen_b, made, METRICS)
        reconstructions = network.reconstruct(features, tiling)
        del features
        if reconstructions is not None:
            rec_a, rec_b = (_cut(r, a) for r in reconstructions)
            row["reconstruction_psnr"] = (_psnr(a, rec_a, valid) + _psnr(b, rec_b, valid)) / 2
        rows.append(row)
        release_memory()  # of what large images took, a step beside it might not find enough
        first = first or (a, b, fused)
    if first is None:
        raise ValueError("validate() needs at least one pair")
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return ValidationResult(means, *first)


def _walk(image: Tensor) -> TilingStrategy:
    height, width = image.shape[2:]
    if height * width <= _AT_ONCE:
        return WHOLE_IMAGE
    return StripTiling(height, _AT_ONCE // width)


def _judged_part(pair: TrainingPair) -> tuple[slice, slice]:
    """The middle of an image of more than a megapixel: it says as much, for far less memory.

    Around a pixel with data where the middle holds none.
    """
    height, width = pair.a.shape[:2]
    rows = min(height, max(_JUDGED // width, int(_JUDGED**0.5)))
    columns = min(width, _JUDGED // rows)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = np.s_[top : top + rows, left : left + columns]
    if pair.valid is not None and not pair.valid[part].any():
        row, column = np.argwhere(pair.valid)[0]
        top = int(np.clip(row - rows // 2, 0, height - rows))
        left = int(np.clip(column - columns // 2, 0, width - columns))
        part = np.s_[top : top + rows, left : left + columns]
    return part


def _pixels(packed: UInt16Array) -> FloatArray:
    return packed.astype(np.float32) / np.float32(65535.0)


def _tensor(pixels: FloatArray, device: str) -> Tensor:
    chw = np.ascontiguousarray(pixels.transpose(2, 0, 1))[np.newaxis]
    return pad_to_patches(torch.from_numpy(chw).to(device))[0]


def _cut(output: Tensor, like: FloatArray) -> FloatArray:
    height, width = like.shape[:2]
    cut = output[0, :, :height, :width].float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(cut)


def _psnr(wanted: FloatArray, got: FloatArray, valid: BoolArray | None) -> float:
    squares = (wanted - got) ** 2
    error = float(np.mean(squares if valid is None else squares[valid], dtype=np.float64))
    return 10 * float(np.log10(1 / max(error, 1e-10)))

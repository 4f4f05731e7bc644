"""The latest validation images on disk, so that a resumed run can show them at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from core.io.atomic import atomic_write
from core.types import FloatArray
from trainer.events import PreviewImages

_KEY = "unifusion_strip"
_PARTS = ("a", "b", "now", "start")


def write_strip(path: Path, strip: PreviewImages, step: int) -> None:
    """Write the images with 8 bits per sample, for display.

    Raises:
        OutputError: they cannot be written; older ones are not changed.
    """
    tensors = {name: torch.from_numpy(_codes(getattr(strip, name))) for name in _PARTS}
    atomic_write(path, save(tensors, metadata={_KEY: json.dumps({"step": step})}))


def read_strip(path: Path) -> tuple[int, PreviewImages] | None:
    """Step and images (H×W×ch in [0, 1]), or None if they are missing or unreadable."""
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            step = json.loads((stream.metadata() or {})[_KEY])["step"]
            parts = [_pixels(stream.get_tensor(name).numpy()) for name in _PARTS]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None
    return int(step), PreviewImages(*parts)


def _codes(pixels: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)


def _pixels(codes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> FloatArray:
    if codes.ndim != 3 or codes.dtype != np.uint8:
        raise ValueError("these are no pictures")
    return codes.astype(np.float32) / np.float32(255)

"""The network's results before training, kept on disk for a resumed run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from core.io.atomic import atomic_write
from core.types import FloatArray

_KEY = "unifusion_start"
_SCORES, _SCORES_BEFORE = "scores", "figures"
"""The key of the scores in the header, and what version 0.1.0 called it."""


@dataclass(frozen=True, eq=False)
class InitialScores:
    """What the network was before training: scores, and the fused first pair."""

    scores: dict[str, float]
    fused: FloatArray


def write_start(path: Path, start: InitialScores, judged_sha256: str) -> None:
    header = {_SCORES: start.scores, "judged_sha256": judged_sha256}
    tensors = {"fused": torch.from_numpy(start.fused)}
    atomic_write(path, save(tensors, metadata={_KEY: json.dumps(header)}))


def read_start(path: Path, judged_sha256: str) -> InitialScores | None:
    """The results before the first step; None if missing or of other validation images."""
    header, start = _start_file(path)
    return start if header.get("judged_sha256") == judged_sha256 else None


def read_start_scores(path: Path) -> dict[str, float]:
    """The scores before the first step, {} where there are none."""
    _, start = _start_file(path)
    return start.scores if start is not None else {}


def _start_file(path: Path) -> tuple[dict[str, object], InitialScores | None]:
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            header = dict(json.loads((stream.metadata() or {})[_KEY]))
            fused = cast(FloatArray, stream.get_tensor("fused").numpy())
        stored = header[_SCORES if _SCORES in header else _SCORES_BEFORE]
        scores = {str(name): float(value) for name, value in stored.items()}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return {}, None
    return header, InitialScores(scores, fused)

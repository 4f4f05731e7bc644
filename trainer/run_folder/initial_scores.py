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
    """What the network was before training: scores, and the fused first pair.

    Attributes:
        step: of the state that was judged; not 0 where the pairs to judge by changed during the
            run, of which nothing is known from before.
    """

    scores: dict[str, float]
    fused: FloatArray
    step: int = 0


def write_start(path: Path, start: InitialScores, judged_sha256: str) -> None:
    header = {_SCORES: start.scores, "judged_sha256": judged_sha256, "step": start.step}
    tensors = {"fused": torch.from_numpy(start.fused)}
    atomic_write(path, save(tensors, metadata={_KEY: json.dumps(header)}))


def read_start(path: Path, judged_sha256: str) -> InitialScores | None:
    """The results before the first step; None if missing or of other validation images."""
    header, start = _start_file(path)
    return start if header.get("judged_sha256") == judged_sha256 else None


def kept_start(path: Path) -> InitialScores | None:
    """The results that the scores of a run are compared with, of whichever pairs; None without."""
    return _start_file(path)[1]


def _start_file(path: Path) -> tuple[dict[str, object], InitialScores | None]:
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            header = dict(json.loads((stream.metadata() or {})[_KEY]))
            fused = cast(FloatArray, stream.get_tensor("fused").numpy())
        stored = header[_SCORES if _SCORES in header else _SCORES_BEFORE]
        scores = {str(name): float(value) for name, value in stored.items()}
        step = int(header.get("step", 0))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return {}, None
    return header, InitialScores(scores, fused, step)

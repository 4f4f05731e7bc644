"""An evaluation whose means, ranks and tests can be followed by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import Message
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)

NAN = float("nan")
HOSTILE = "night/<img src=x onerror=\"a()\"> & 'q' $x_1$ 50%"
"""Name of a pair with all that HTML, LaTeX and matplotlib give a meaning to."""

_MI = {"first": [1.0, 2.0, 3.0, 4.0], "se<c>ond & co_1": [2.0, 3.0, 4.0, 5.0],
       "third": [1.5, 1.0, 3.5, NAN]}  # fmt: skip
_NABF = {"first": [0.1, 0.2, 0.3, 0.4], "se<c>ond & co_1": [0.2, 0.1, 0.4, 0.5],
         "third": [0.05, 0.3, 0.2, 0.1]}  # fmt: skip


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 16-bit grey source, a colour source and an 8-bit result."""
    folder = tmp_path_factory.mktemp("pictures")
    ramp = np.linspace(0, 65535, 400).astype(np.uint16)
    cv2.imwrite(str(folder / "a.png"), np.tile(ramp, (50, 1)))
    cv2.imwrite(str(folder / "b.png"), np.full((50, 400, 3), (0, 0, 200), np.uint8))
    cv2.imwrite(str(folder / "fused.png"), np.full((50, 400), 128, np.uint8))
    return folder


@pytest.fixture(scope="session")
def result(pictures: Path) -> EvaluationResult:
    """Three methods on five pairs; the last one failed with “third”, so four are in common."""
    names = [HOSTILE, "p2", "p3", "p4", "p5"]
    methods = []
    for method, mi in _MI.items():
        pairs = [
            PairScore(
                name,
                {"MI": value, "Nabf": nabf},
                seconds=0.5,
                peak_bytes=3 * 2**20,
                milliseconds={"MI": 2.0, "Nabf": 4.0},
                fused=None if method == "third" else pictures / "fused.png",
            )
            for name, value, nabf in zip(names[:4], mi, _NABF[method], strict=True)
        ]
        if method == "third":
            pairs.append(PairScore("p5", {}, error=Message("/home/ann/x.png: too large")))
        else:
            pairs.append(PairScore("p5", {"MI": 100.0, "Nabf": 0.0}))
        kind = "folder" if method == "third" else "classical"
        description = MethodDescription(method, kind, detail="/home/ann", parameters=12_345)
        methods.append(MethodScores(description, tuple(pairs), ignored=("stray.png",)))
    return EvaluationResult(
        tuple(methods),
        tuple(PairDescription(name, pictures / "a.png", pictures / "b.png") for name in names),
        ("MI", "Nabf"),
        settings={"task": "mif", "sources": "/home/ann/study"},
        versions={"UniFusion Studio": "1.2.3"},
        created="2026-11-30T05:00:00Z",
    )

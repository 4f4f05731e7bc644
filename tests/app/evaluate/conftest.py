"""The Evaluate workspace of a window, and results for it."""

from __future__ import annotations

from math import nan
from pathlib import Path

import numpy as np
import pytest

from app.evaluate.page import EvaluatePage
from app.shell.main_window import MainWindow
from core.errors import Message
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)
from tests.app.conftest import gradient, write_png

WAIT = 60_000
METRICS = ("MI", "PSNR", "Nabf")


@pytest.fixture
def page(window: MainWindow) -> EvaluatePage:
    """The page, on show."""
    window.workspaces.show_page("evaluate")
    found = window.workspaces.page("evaluate")
    assert isinstance(found, EvaluatePage)
    return found


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[PairDescription, ...]:
    """Eight pairs of small pictures on disk."""
    made = []
    for place in range(8):
        a = write_png(tmp_path / "a" / f"p{place}.png", gradient(32, 24))
        b = write_png(tmp_path / "b" / f"p{place}.png", gradient(32, 24)[:, ::-1])
        made.append(PairDescription(f"p{place}", a, b))
    return tuple(made)


@pytest.fixture
def result(pairs: tuple[PairDescription, ...], tmp_path: Path) -> EvaluationResult:
    """Three methods: “best” is 1 above “mid” on all pairs, which fails on p7; “low” is last."""
    values = {"mid": 5.0, "best": 6.0, "low": 1.0}
    methods = []
    for name, base in values.items():
        scores = []
        for place, pair in enumerate(pairs):
            if (name, place) == ("mid", 7):
                scores.append(PairScore(pair.name, {}, error=Message("it broke")))
                continue
            level = base + 0.01 * place - (100 if (name, place) == ("low", 3) else 0)
            undefined = name == "low" and place == 0
            row = {"MI": level, "PSNR": nan if undefined else 10 * base, "Nabf": -level}
            fused = write_png(tmp_path / name / f"p{place}.png", gradient(32, 24, np.uint8))
            scores.append(PairScore(pair.name, row, seconds=0.5, fused=fused))
        methods.append(
            MethodScores(MethodDescription(name, "folder", parameters=1200), tuple(scores))
        )
    return EvaluationResult(tuple(methods), pairs, METRICS)

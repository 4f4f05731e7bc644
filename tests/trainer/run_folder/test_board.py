"""The TensorBoard log says what the run's own log says. Read back by TensorBoard itself."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from tests.trainer.runs import CONFIG
from trainer.config.run_plan import BOARD
from trainer.events import Validated
from trainer.run.loop import RunPlan, train
from trainer.run_folder.history import read_curves

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
)


def test_tags_and_values_are_those_of_the_run(data: Path, plan: RunPlan) -> None:
    plan = replace(plan, validation=data, tensorboard=True)
    config = replace(CONFIG, steps=6, log_every=2, validate_every=3)
    judged = [e for e in train(config, plan) if isinstance(e, Validated)]
    board = accumulator.EventAccumulator(
        str(plan.run_folder / BOARD), size_guidance={"scalars": 0, "images": 0}
    )
    board.Reload()
    curves = read_curves(plan.log)
    tags = {
        **{f"loss/{name}": name for name in curves.series if not name.startswith(("lr", "sec"))},
        "rate/lower": "lr_lower",
        "rate/upper": "lr_upper",
    }
    scores = {f"validation/{name}": name for name in curves.validation}
    assert {"loss/lower", "loss/upper", "validation/score", "validation/Qabf"} <= {*tags, *scores}
    assert set(board.Tags()["scalars"]) == {*tags, *scores}
    for tag, name in tags.items():
        points = board.Scalars(tag)
        assert [p.step for p in points] == curves.steps.tolist() == [2, 4, 6]
        assert [p.value for p in points] == pytest.approx(curves.series[name], rel=1e-5), tag
    for tag, name in scores.items():
        points = board.Scalars(tag)
        assert [p.step for p in points] == curves.validation_steps.tolist() == [0, 3, 6]
        assert [p.value for p in points] == pytest.approx(curves.validation[name], rel=1e-5), tag
    images = board.Images("strip")
    assert [p.step for p in images] == [0, 3, 6]
    strip = judged[-1].strip
    assert (images[-1].height, images[-1].width) == (48, 4 * 48)
    assert _pixels(images[-1].encoded_image_string) == pytest.approx(
        np.concatenate([strip.a, strip.b, strip.now, strip.start], axis=1)[..., 0], abs=1 / 255
    )


def _pixels(png: bytes) -> np.ndarray:
    import cv2

    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    return found.astype(np.float32) / 255


def test_without_tensorboard_the_run_does_not_begin_and_says_what_to_do(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match="pip install tensorboard"):
        next(train(CONFIG, replace(plan, tensorboard=True)))
    assert not plan.checkpoint.exists()

"""A detector on made-up images: learns, goes on after an interruption, refuses what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InputError
from trainer.downstream.detection import DetectionPlan, DetectorFinished, fine_tune_detector
from trainer.downstream.fine_tuning import FineTuningStep


@pytest.fixture
def plan(tmp_path: Path) -> DetectionPlan:
    """Four grey images of 48×64 with one bright square each."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for index in range(4):
        pixels = rng.integers(0, 60, (48, 64), dtype=np.uint8)
        left, top = int(rng.integers(0, 40)), int(rng.integers(0, 24))
        pixels[top : top + 20, left : left + 20] = 220
        content = cv2.imencode(".png", pixels)[1].tobytes()
        (tmp_path / "images" / f"{index}.png").write_bytes(content)
        centre = f"{(left + 10) / 64} {(top + 10) / 48}"
        (tmp_path / "labels" / f"{index}.txt").write_text(f"0 {centre} {20 / 64} {20 / 48}\n")
    return DetectionPlan(
        tmp_path / "images", tmp_path / "labels", ("square",), steps=4, batch=1, width=64
    )


@pytest.mark.long
def test_an_interrupted_run_ends_as_an_uncut_one(plan: DetectionPlan, tmp_path: Path) -> None:
    whole = list(fine_tune_detector(plan))
    cut = replace(plan, checkpoint=tmp_path / "state.pt")
    first = fine_tune_detector(cut)
    losses = [next(first), next(first)]
    first.close()
    rest = list(fine_tune_detector(cut))
    assert [*losses, *rest[:-1]] == whole[:-1]
    assert all(isinstance(event, FineTuningStep) for event in whole[:-1])
    end = whole[-1]
    assert isinstance(end, DetectorFinished)
    assert end == rest[-1]
    assert end.images == 1
    assert 0 <= end.scores.map <= end.scores.map50 <= 1
    with pytest.raises(InputError, match="of other images, labels or settings"):
        next(fine_tune_detector(replace(cut, seed=5)))


def test_labels_without_image(plan: DetectionPlan) -> None:
    (plan.labels / "9.txt").write_text("")
    with pytest.raises(InputError, match="for the labels “9”"):
        next(fine_tune_detector(plan))


def test_only_the_images_of_a_split_count(plan: DetectionPlan) -> None:
    (plan.labels / "9.txt").write_text("")
    chosen = replace(plan, stems=frozenset("013"), steps=1)
    *_, end = fine_tune_detector(chosen)
    assert isinstance(end, DetectorFinished)
    with pytest.raises(InputError, match="there are no labels"):
        next(fine_tune_detector(replace(plan, stems=frozenset("x"))))


def test_labels_of_a_larger_image(plan: DetectionPlan) -> None:
    (plan.labels / "0.txt").unlink()
    (plan.labels / "0.xml").write_text(
        "<annotation><size><width>200</width><height>100</height></size><object><name>square</name>"
        "<bndbox><xmin>90</xmin><ymin>5</ymin><xmax>120</xmax><ymax>45</ymax></bndbox></object>"
        "</annotation>"
    )
    with pytest.raises(InputError, match="outside this image of 64 × 48"):
        next(fine_tune_detector(plan))


def test_nothing_there(plan: DetectionPlan, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there are no labels"):
        next(fine_tune_detector(replace(plan, labels=tmp_path / "empty")))
    with pytest.raises(InputError, match="there is no image"):
        next(fine_tune_detector(replace(plan, images=tmp_path / "empty")))


def test_foreign_weights(plan: DetectionPlan, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(b"no weights")
    with pytest.raises(InputError, match="no weights of this network"):
        next(fine_tune_detector(replace(plan, weights=tmp_path / "w.pt")))

"""A segmentation network on made-up images: learns, goes on, starts from weights, refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchvision.models import mobilenet_v3_large
from torchvision.models.segmentation import lraspp_mobilenet_v3_large

from core.errors import InputError
from trainer.downstream.fine_tuning import FineTuningStep, load_weights
from trainer.downstream.segmentation import (
    SegmentationPlan,
    SegmenterFinished,
    fine_tune_segmenter,
)


def save(path: Path, pixels: object) -> None:
    path.write_bytes(cv2.imencode(".png", np.asarray(pixels, dtype=np.uint8))[1].tobytes())


@pytest.fixture
def plan(tmp_path: Path) -> SegmentationPlan:
    """Six grey images of 64×80, bright on one side, with a border of pixels to ignore."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for index in range(6):
        pixels, mask = rng.integers(0, 60, (64, 80)), np.zeros((64, 80), np.uint8)
        edge = int(rng.integers(30, 50))
        pixels[:, edge:], mask[:, edge:] = pixels[:, edge:] + 180, 1
        mask[:2] = 255
        save(tmp_path / "images" / f"{index}.png", pixels)
        save(tmp_path / "masks" / f"{index}.png", mask)
    return SegmentationPlan(
        tmp_path / "images", tmp_path / "masks", ("dark", "bright", "never"), batch=2, width=64
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_it_learns(plan: SegmentationPlan) -> None:
    *steps, end = fine_tune_segmenter(replace(plan, steps=25))
    losses = [event.loss for event in steps if isinstance(event, FineTuningStep)]
    assert losses[0] == pytest.approx(np.log(3), abs=0.4)  # three classes, none known yet
    assert isinstance(end, SegmenterFinished)
    assert end.images == 2
    assert end.scores.by_class.keys() == {0, 1}
    assert end.scores.miou > 0.8


@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_run_ends_as_an_uncut_one(plan: SegmentationPlan, tmp_path: Path) -> None:
    plan = replace(plan, steps=4)
    whole = list(fine_tune_segmenter(plan))
    cut = replace(plan, checkpoint=tmp_path / "state.pt")
    first = fine_tune_segmenter(cut)
    losses = [next(first), next(first)]
    first.close()
    rest = list(fine_tune_segmenter(cut))
    assert [*losses, *rest] == whole
    with pytest.raises(InputError, match="of other images, labels or settings"):
        next(fine_tune_segmenter(replace(cut, seed=5)))


def test_masks_of_other_images(plan: SegmentationPlan) -> None:
    save(plan.labels / "9.png", np.zeros((64, 80)))
    with pytest.raises(InputError, match="for the labels “9”"):
        next(fine_tune_segmenter(plan))
    (plan.labels / "9.png").unlink()
    save(plan.labels / "3.png", np.zeros((32, 40)))
    with pytest.raises(InputError, match="it is 80 × 64 pixels and its mask 40 × 32"):
        next(fine_tune_segmenter(plan))
    save(plan.labels / "3.png", np.full((64, 80), 7))
    with pytest.raises(InputError, match="it has the value 7"):
        next(fine_tune_segmenter(plan))


def test_all_is_to_be_ignored(plan: SegmentationPlan) -> None:
    for mask in plan.labels.iterdir():
        save(mask, np.full((64, 80), 255))
    with pytest.raises(InputError, match="too few labelled images"):
        next(fine_tune_segmenter(plan))


def test_weights_of_the_network_of_other_classes_and_of_a_classifier(tmp_path: Path) -> None:
    def network(count: int) -> torch.nn.Module:
        made = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=count)
        assert isinstance(made, torch.nn.Module)
        return made

    head = tuple(f"classifier.{one}_classifier.{part}" for one in ("low", "high")
                 for part in ("weight", "bias"))  # fmt: skip
    path = tmp_path / "weights.pt"

    def loaded(state: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], set[str]]:
        """The state afterwards, and the names of the tensors that changed."""
        torch.save(state, path)
        model = network(3)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        load_weights(model, path, backbone="backbone.", head=head)
        after = model.state_dict()
        return after, {name for name in after if not torch.equal(after[name], before[name])}

    same = network(3).state_dict()
    after, _ = loaded(same)
    assert all(torch.equal(after[name], same[name]) for name in same)
    other = network(21).state_dict()
    after, changed = loaded(other)
    assert torch.equal(after["classifier.scale.1.weight"], other["classifier.scale.1.weight"])
    assert not changed & set(head)
    classifier = mobilenet_v3_large(weights=None).state_dict()
    after, changed = loaded(classifier)
    assert torch.equal(after["backbone.0.0.weight"], classifier["features.0.0.weight"])
    assert all(name.startswith("backbone.") for name in changed)
    for wrong in ({}, {"x": torch.zeros(1)}, {"features.0.0.weight": torch.zeros(1)}):
        with pytest.raises(InputError, match="no weights of this network"):
            loaded(wrong)

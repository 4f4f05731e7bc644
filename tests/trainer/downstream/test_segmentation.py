"""Masks, and scores of segmented images against values by hand."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputError
from trainer.downstream.masks import read_mask
from trainer.downstream.segmentation_scores import Classes, confusion, segmentation_scores


def classes(*rows: tuple[int, ...]) -> Classes:
    return np.array(rows, dtype=np.int64)


def test_the_mean_is_over_the_classes_in_the_truth() -> None:
    truth = classes((0, 0, 1, 1), (0, 0, 1, 255))
    found = classes((0, 1, 1, 3), (0, 0, 0, 2))
    scores = segmentation_scores(confusion(truth, found, 4, 255))
    # Class 0: 3 right, 4 true, 4 found; class 1: 1 right, 3 true, 2 found. Of classes 2 and 3 there
    # are none in the truth; the pixel to ignore counts nowhere.
    assert scores.by_class == {0: 3 / 5, 1: 1 / 4}
    assert scores.miou == pytest.approx((3 / 5 + 1 / 4) / 2)
    assert scores.accuracy == 4 / 7


def test_pixels_of_all_images_count_together() -> None:
    one = confusion(classes((0, 0)), classes((0, 1)), 2, 255)
    other = confusion(classes((1, 1)), classes((1, 1)), 2, 255)
    assert segmentation_scores(one + other).by_class == {0: 1 / 2, 1: 2 / 3}
    perfect = segmentation_scores(other)
    assert (perfect.miou, perfect.accuracy, perfect.by_class) == (1.0, 1.0, {1: 1.0})


def test_nothing_to_score_has_no_score() -> None:
    scores = segmentation_scores(confusion(classes((9, 9)), classes((0, 1)), 2, 9))
    assert isnan(scores.miou)
    assert isnan(scores.accuracy)
    with pytest.raises(ValueError, match="differ in size"):
        confusion(classes((0, 0)), classes((0,)), 2, 255)


def test_masks_of_indices(tmp_path: Path) -> None:
    values = np.array([[0, 1], [2, 255]], np.uint8)
    Image.fromarray(values).save(tmp_path / "grey.png")
    palette = Image.fromarray(values, mode="P")
    palette.putpalette([255, 0, 0, 0, 255, 0] + [7] * 762)
    palette.save(tmp_path / "palette.png")
    Image.fromarray(np.dstack([values] * 3)).save(tmp_path / "rgb.png")
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "deep.png")
    for name in ("grey", "palette", "rgb", "deep"):
        assert read_mask(tmp_path / f"{name}.png", 3, 255).tolist() == [[0, 1], [2, 255]], name


def test_masks_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[0, 3]], np.uint8)).save(path)
    with pytest.raises(InputError, match="it has the value 3, and there are 3 classes"):
        read_mask(path, 3, 255)
    Image.fromarray(np.array([[[0, 64, 128]]], np.uint8)).save(path)
    with pytest.raises(InputError, match="it shows classes as colours"):
        read_mask(path, 3, 255)
    path.write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot be read as a mask"):
        read_mask(path, 3, 255)

"""Mean intersection over union of segmented images, as the Pascal VOC challenge defines it.

Reference: Everingham et al., The Pascal Visual Object Classes Challenge, Int. J. Computer Vision
2015: pixels of all images together, and the mean over the classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class SegmentationScores:
    """Scores of a segmentation; NaN where no class is in the truth.

    Attributes:
        miou: mean over the classes in the truth of intersection over union.
        by_class: intersection over union of each class that is in the truth.
        accuracy: share of the pixels that have the right class.
    """

    miou: float
    by_class: Mapping[int, float]
    accuracy: float


def confusion(truth: Classes, found: Classes, count: int, ignore: int) -> Classes:
    """Pixels by true (rows) and found class, ``count`` × ``count``; those to ``ignore`` left out.

    Args:
        truth, found: classes of the same pixels.

    Raises:
        ValueError: the sizes differ.
    """
    if truth.shape != found.shape:
        raise ValueError("truth and found differ in size")
    valid = truth != ignore
    return np.bincount(count * truth[valid] + found[valid], minlength=count * count).reshape(
        count, count
    )


def segmentation_scores(matrix: Classes) -> SegmentationScores:
    """Scores of pixels counted by :func:`confusion`, of all images together."""
    right = np.diagonal(matrix)
    true, found = matrix.sum(axis=1), matrix.sum(axis=0)
    by_class = {
        int(index): float(right[index] / (true[index] + found[index] - right[index]))
        for index in np.flatnonzero(true)
    }
    if not by_class:
        return SegmentationScores(float("nan"), {}, float("nan"))
    mean = sum(by_class.values()) / len(by_class)
    return SegmentationScores(mean, by_class, float(right.sum() / true.sum()))

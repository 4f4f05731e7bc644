"""Mean average precision of detected boxes, as the COCO evaluation defines it.

Reference: Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; precision at 101
recalls, IoU from .50 to .95 in steps of .05, at most 100 boxes per image and class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.downstream.boxes import Boxes

Floats = NDArray[np.float64]
THRESHOLDS: tuple[float, ...] = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_RECALLS = np.linspace(0, 1, 101)
_MOST = 100


@dataclass(frozen=True, eq=False)
class DetectedBoxes:
    """Boxes that a detector found in one image; ``scores``: N, its confidence in each."""

    boxes: Boxes
    scores: Floats


@dataclass(frozen=True)
class DetectionScores:
    """Scores of a detector; NaN where no class has an object.

    Attributes:
        map50: mean over the classes of the average precision at an IoU of .5.
        map: mean over the classes and the ten thresholds.
        by_class: average precision over the ten thresholds of each class that has an object.
    """

    map50: float
    map: float
    by_class: Mapping[int, float]


def box_iou(one: Floats, other: Floats) -> Floats:
    """Intersection over union of N×4 and M×4 corners, N×M."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None, :] - common
    overlap: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return overlap


def detection_scores(found: Sequence[DetectedBoxes], truth: Sequence[Boxes]) -> DetectionScores:
    """Scores of the boxes ``found``, with the true ones of the same images in the same order.

    Raises:
        ValueError: there are not as many images in both.
    """
    classes = sorted({int(index) for boxes in truth for index in boxes.classes})
    table = np.array(
        [[_average_precision(found, truth, index, least) for least in THRESHOLDS]
         for index in classes]
    ).reshape(-1, len(THRESHOLDS))  # fmt: skip
    if not classes:
        return DetectionScores(float("nan"), float("nan"), {})
    by_class = {index: float(row.mean()) for index, row in zip(classes, table, strict=True)}
    return DetectionScores(float(table[:, 0].mean()), float(table.mean()), by_class)


def _average_precision(
    found: Sequence[DetectedBoxes], truth: Sequence[Boxes], index: int, least: float
) -> float:
    scores, hits, objects = [], [], 0
    for detected, true in zip(found, truth, strict=True):
        of_class = np.flatnonzero(detected.boxes.classes == index)
        order = of_class[np.argsort(-detected.scores[of_class], kind="stable")][:_MOST]
        wanted = true.corners[true.classes == index]
        objects += len(wanted)
        scores.append(detected.scores[order])
        hits.append(_hits(box_iou(detected.boxes.corners[order], wanted), least))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit = np.cumsum(np.concatenate(hits)[order])
    recall = hit / objects
    precision = hit / np.arange(1, len(hit) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[np.minimum(places, len(precision))].mean())


def _hits(overlap: Floats, least: float) -> NDArray[np.bool_]:
    """Which detections, best first, take an object that no better one has taken."""
    hits = np.zeros(len(overlap), dtype=bool)
    if not overlap.size:
        return hits
    free = overlap.copy()
    for row in range(len(free)):
        best = int(free[row].argmax())
        if free[row, best] >= least:
            hits[row] = True
            free[:, best] = -1
    return hits

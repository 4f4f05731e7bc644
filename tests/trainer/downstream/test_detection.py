"""Labels of boxes, and scores of detected ones against values by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from trainer.downstream.boxes import Boxes, read_coco, read_voc, read_yolo
from trainer.downstream.detection_scores import DetectedBoxes, box_iou, detection_scores

NAMES = ("People", "Car")


def boxes(*rows: tuple[float, ...]) -> Boxes:
    """Rows of left, top, right, bottom, class."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Boxes(table[:, :4], table[:, 4].astype(np.int64))


def detected(*rows: tuple[float, ...]) -> DetectedBoxes:
    """Rows of left, top, right, bottom, class, score."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return DetectedBoxes(Boxes(table[:, :4], table[:, 4].astype(np.int64)), table[:, 5])


def test_overlap() -> None:
    one, other = np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [0, 0, 2, 2], [2, 0, 4, 2]])
    assert box_iou(one, other).tolist() == [[1 / 7, 1.0, 0.0]]


def test_a_hit_a_miss_and_a_false_alarm() -> None:
    truth = [boxes((0, 0, 10, 10, 0), (20, 0, 30, 10, 0))]
    found = [detected((0, 0, 10, 10, 0, 0.9), (50, 50, 60, 60, 0, 0.8))]
    # Precision is 1 up to a recall of .5: 51 of the 101 recalls.
    assert detection_scores(found, truth).map50 == pytest.approx(51 / 101)


def test_false_alarm_ranked_first() -> None:
    truth = [boxes((0, 0, 10, 10, 0))]
    found = [detected((50, 50, 60, 60, 0, 0.9), (0, 0, 10, 10, 0, 0.8))]
    assert detection_scores(found, truth).map == pytest.approx(0.5)


def test_thresholds() -> None:
    truth = [boxes((0, 0, 10, 10, 0))]
    found = [detected((0, 0, 10, 7.2, 0, 0.9))]  # an IoU of .72: .50 to .70 of ten thresholds
    scores = detection_scores(found, truth)
    assert (scores.map50, scores.map) == (1.0, pytest.approx(0.5))


def test_second_box_of_one_object_is_a_false_alarm() -> None:
    truth = [boxes((0, 0, 10, 10, 0)), boxes((0, 0, 10, 10, 0))]
    found = [detected((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 0, 0.8)),
             detected((0, 0, 10, 10, 0, 0.7))]  # fmt: skip
    # Hit, false, hit: precision 1 to a recall of .5 (51 recalls), then 2/3 (50 recalls).
    assert detection_scores(found, truth).map == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_classes_count_alike_and_unknown_ones_not() -> None:
    truth = [boxes((0, 0, 10, 10, 0), (0, 0, 10, 10, 1))]
    found = [detected((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 5, 0.9))]
    scores = detection_scores(found, truth)
    assert (scores.map, scores.by_class) == (0.5, {0: 1.0, 1: 0.0})


def test_nothing_to_find_has_no_score() -> None:
    assert np.isnan(detection_scores([detected()], [boxes()]).map)
    assert detection_scores([detected()], [boxes((0, 0, 1, 1, 0))]).map == 0.0


def by_definition(found: list[DetectedBoxes], truth: list[Boxes], least: float) -> float:
    """Average precision of class 0, written from its definition with plain loops."""
    ranked = sorted(
        ((float(s), i, k) for i, d in enumerate(found) for k, s in enumerate(d.scores)),
        key=lambda item: -item[0],
    )
    taken: set[tuple[int, int]] = set()
    curve, hits = [], 0
    total = sum(len(t.corners) for t in truth)
    for rank, (_, image, k) in enumerate(ranked, 1):
        box, best, at = found[image].boxes.corners[k], least, None
        for j, other in enumerate(truth[image].corners):
            width = min(box[2], other[2]) - max(box[0], other[0])
            height = min(box[3], other[3]) - max(box[1], other[1])
            common = max(width, 0) * max(height, 0)
            areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (box, other)]
            overlap = common / (sum(areas) - common)
            if (image, j) not in taken and overlap >= best:
                best, at = overlap, j
        if at is not None:
            taken.add((image, at))
            hits += 1
        curve.append((hits / total, hits / rank))
    points = [max((p for r, p in curve if r >= k / 100), default=0.0) for k in range(101)]
    return sum(points) / 101


def test_against_the_definition() -> None:
    rng = np.random.default_rng(4)
    truth, found = [], []
    for _ in range(12):
        start = rng.uniform(0, 60, (7, 2))
        true = np.hstack([start, start + rng.uniform(5, 30, (7, 2))])
        near = true + rng.normal(0, 2.5, true.shape)
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        truth.append(Boxes(true, np.zeros(7, dtype=np.int64)))
        found.append(DetectedBoxes(Boxes(near, np.zeros(7, dtype=np.int64)), rng.random(7)))
    scores = detection_scores(found, truth)
    each = [by_definition(found, truth, 0.5 + 0.05 * step) for step in range(10)]
    assert 0.1 < scores.map < 0.9
    assert scores.map50 == pytest.approx(each[0], abs=1e-12)
    assert scores.map == pytest.approx(np.mean(each), abs=1e-12)


VOC = """<annotation><size><width>100</width><height>50</height></size><object><name>car</name>
<bndbox><xmin>10</xmin><ymin>5</ymin><xmax>30</xmax><ymax>45</ymax></bndbox></object></annotation>
"""


def coco(**changes: object) -> str:
    box = {"id": 7, "image_id": 1, "category_id": 9, "bbox": [10, 5, 20, 40], **changes}
    return json.dumps({
        "images": [{"id": 1, "file_name": "a/one.png", "width": 100, "height": 50}],
        "categories": [{"id": 9, "name": "Car"}], "annotations": [box],
    })  # fmt: skip


def test_three_formats_agree(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1 0.2 0.5 0.2 0.8\n\n")
    (tmp_path / "one.xml").write_text(VOC)
    (tmp_path / "all.json").write_text(coco())
    every = (
        read_yolo(tmp_path / "one.txt", (100, 50), NAMES),
        read_voc(tmp_path / "one.xml", NAMES),
        read_coco(tmp_path / "all.json", NAMES)["one"],
    )
    for found in every:
        np.testing.assert_allclose(found.corners, [[10, 5, 30, 45]])
        assert found.classes.tolist() == [1]


def test_no_object_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("")
    assert read_yolo(tmp_path / "one.txt", (100, 50), NAMES).corners.shape == (0, 4)


def read(path: Path) -> object:
    if path.suffix == ".txt":
        return read_yolo(path, (100, 50), NAMES)
    return read_voc(path, NAMES) if path.suffix == ".xml" else read_coco(path, NAMES)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.txt", "0 0.5 0.5 0.2 0.2\n5 0.5 0.5 0.2 0.2", "line 2: the class 5 has no name"),
        ("x.txt", "-1 0.5 0.5 0.2 0.2", "the class -1 has no name"),
        ("x.txt", "0 0.9 0.5 0.4 0.2", r"is outside the image of 100 × 50"),
        ("x.txt", "0 nan 0.5 0.4 0.2", "is outside the image"),
        ("x.txt", "0 0.5 0.5 0 0.2", "is empty"),
        ("x.txt", "0 0.5 0.5 0.2", "line 1: it is no box"),
        ("x.xml", VOC.replace(">car<", ">tram<"), "the class “tram” has no name"),
        ("x.xml", VOC.replace(">30<", ">130<"), "is outside the image"),
        ("x.xml", "<annotation>", "it is no Pascal VOC file"),
        ("x.xml", "<annotation/>", "it is no Pascal VOC file"),
        ("x.json", coco(image_id=3), "annotation 7: its image is not listed"),
        ("x.json", coco(category_id=3), "the class “” has no name"),
        ("x.json", coco(bbox=[1, 2]), "it is no COCO file"),
        ("x.json", "[]", "it is no COCO file"),
    ],
)
def test_bad_labels_are_explained(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_missing_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_voc(tmp_path / "none.xml", NAMES)

"""Planted spots have the contrast that is asked for, and rates count what they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.spot_planting import (
    FusedImage,
    Known,
    Planted,
    nearest,
    planted,
    seen,
    spots_shown,
)
from benchmarks.spot_records import Records
from benchmarks.spot_tables import alarm_table, area, best_threshold, interval, lost_share, rates
from core.retention import KEPT, measure_retention
from core.retention.appearance import ViewGrid
from core.types import FloatArray, Image, SourcePair
from core.units.palettes import find_palette


def _lab(image: Image) -> FloatArray:
    return ViewGrid.of(image).lab(image.normalised(), None)


def _grey(level: float) -> Image:
    data = np.full((120, 120, 1), level, np.float32)
    data[:12, :12] = 1  # the lightest hundredth
    return Image(data, spacing=(1.0, 1.0))


@pytest.mark.parametrize("contrast", [10.0, 40.0])
@pytest.mark.parametrize("palette", [None, "hot_iron"])
def test_the_middle_differs_by_the_contrast_asked_for(contrast: float, palette: str | None) -> None:
    plain = _grey(0.3)
    if palette is not None:
        plain = Image(plain.data, spacing=(1.0, 1.0), palette=find_palette(palette))
    spot = Planted(60, 60, 10.0, contrast)
    image = planted(plain, [spot])
    before, after = _lab(plain), _lab(image)
    assert np.linalg.norm(after[60, 60] - before[60, 60]) == pytest.approx(contrast, abs=1.5)
    assert after[60, 60, 0] > before[60, 60, 0]
    if palette is None:  # half as much 5 mm away, since L* is nearly straight in grey levels
        away = np.linalg.norm(after[60, 65] - before[60, 65])
        assert away == pytest.approx(contrast / 2, rel=0.1)
    assert np.array_equal(after[20, 20], before[20, 20])


def test_a_light_place_gets_a_dark_spot() -> None:
    image = planted(_grey(0.8), [Planted(60, 60, 10.0, 20.0)])
    assert image.data[60, 60, 0] < 0.8


def test_what_is_planted_is_seen_and_found() -> None:
    plain = _grey(0.3)
    spot = Planted(60, 60, 10.0, 30.0)
    image = planted(plain, [spot])
    size, visibility = seen(_lab(plain), _lab(image), spot, 1.0)
    # A Gaussian whose full width is the diameter: 0.74 − 0.24 of it, over the 0.67 of a disc.
    assert size == pytest.approx(30 * 0.76, rel=0.1)
    assert visibility == pytest.approx(size / 2, rel=0.01)  # nothing around it but the eye
    pair = SourcePair(image, plain)
    found = measure_retention(pair, image.normalised())
    grid = ViewGrid.of(image)
    assert nearest(found, "a", spot, grid) == pytest.approx(1, abs=0.02)
    assert np.isnan(nearest(found, "a", Planted(20, 60, 10.0, 30.0), grid))


def _known(share: float, found: float) -> Known:
    return Known(Planted(0, 0, 4.0, 10.0), visibility=1.0, share=share, found=found)


def test_rates_and_area_by_hand() -> None:
    """Three weaker ones, of which one is not found, and two that are not."""
    weak, kept = KEPT - 0.2, KEPT + 0.2
    rows = [
        _known(weak, 0.3),
        _known(weak, 0.55),
        _known(weak, float("nan")),
        _known(kept, 0.5),
        _known(kept, 0.9),
    ]
    assert rates(rows, 0.4) == (pytest.approx(1 / 3), 1)
    assert rates(rows, 0.6) == (pytest.approx(2 / 3), 0.5)
    assert best_threshold(rows) == pytest.approx(0.35)
    # 0.3 is below both, 0.55 below one, the one not found below none: 3 of 6.
    scores = [-np.nan_to_num(row.found, nan=2.0) for row in rows]
    assert area(scores, [row.is_weaker for row in rows]) == pytest.approx(0.5)
    assert np.isnan(area(scores, [True] * 5))


def test_an_interval_is_of_pairs_and_not_of_spots() -> None:
    assert interval([(5, 5)] * 6) == (1, 1)
    low, high = interval([(100, 100), (0, 100)] * 3)
    assert low < 0.2
    assert high > 0.8


def test_spots_that_the_source_does_not_show_are_planted_elsewhere() -> None:
    pair = SourcePair(_grey(0.3), _grey(0.3))
    image, spots = spots_shown(pair, "a", np.random.default_rng(3), 4)
    assert 1 <= len(spots) <= 4
    assert all(contrast >= 6 for _, contrast in spots)
    one = spots[0][0]
    assert abs(float(image.data[one.row, one.column, 0]) - 0.3) > 0.03


def _fused(known: tuple[Known, ...], share: float, part: str) -> FusedImage:
    spots = tuple((10.0, share, 6.0) for _ in range(4))
    return FusedImage(
        part=part, task="mif", pair="pet/one", method="pack", side="a", known=known, a=spots
    )


def test_an_alarm_is_tested_against_what_was_planted() -> None:
    weak, kept = (_known(0.4, 0.4),) * 3, (_known(0.9, 0.9),) * 3
    images = [_fused(weak, 0.4, "val"), _fused(weak, 0.9, "val"), _fused(kept, 0.9, "val")]
    assert lost_share(images[0].a) == 1
    used = next(line for line in alarm_table(images, images) if "(used)" in line)
    cells = [cell.strip() for cell in used.strip("| ").split("|")]
    # Two are true, of which one is said; the third is not said.
    assert cells[2:] == ["0.25", "3", "2", "0.75", "0.50", "1.00"]


def test_records_go_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "spots.jsonl"
    image = _fused((_known(0.4, float("nan")),), 0.4, "val")
    Records(file, {"spots": 8}).add((image,))
    with file.open("a") as stream:
        stream.write('[{"part": "va')
    records = Records(file, {"spots": 8})
    records.add((_fused((), 0.9, "train"),))
    known = Records(file, {"spots": 8}).known()
    assert known.keys() == {("val", "pet/one"), ("train", "pet/one")}
    (read,) = known["val", "pet/one"]
    assert read.a == image.a
    assert read.known[0].spot == image.known[0].spot
    assert np.isnan(read.known[0].found)
    with pytest.raises(SystemExit, match="other settings"):
        Records(file, {"spots": 9})


def test_colours_are_taken_as_they_are_shown() -> None:
    rgb = np.zeros((120, 120, 3), np.float32) + np.array([0.2, 0.1, 0.4], np.float32)
    rgb[:12, :12] = [1, 0.9, 0.2]
    image = planted(Image(rgb, spacing=(1.0, 1.0)), [Planted(60, 60, 10.0, 20.0)])
    want = cv2.cvtColor(image.data, cv2.COLOR_RGB2LAB)
    assert np.linalg.norm(want[60, 60] - want[30, 90]) == pytest.approx(20, abs=2.5)
    assert image.data[60, 60, 0] > 0.2  # towards the lightest colour

"""What made-up fused images show of made-up sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.baselines import BASELINES
from core.retention import ALARM, KEPT, Retention, SourceRetention, Spot, measure_retention
from core.types import FloatArray, Image, SourcePair

SIDE = 120


def _flat(level: float, channels: int = 1) -> FloatArray:
    return np.full((SIDE, SIDE, channels), level, np.float32)


def _spot(
    image: FloatArray, change: float | list[float], at: tuple[int, int] = (60, 60), size: float = 9
) -> FloatArray:
    rows, columns = np.indices(image.shape[:2])
    away = np.hypot(rows - at[0], columns - at[1])
    profile = np.exp(-4 * np.log(2) * (away / size) ** 2)[..., np.newaxis]
    return np.asarray(image + profile * np.array(change), np.float32)


def _pair(a: FloatArray, b: FloatArray) -> SourcePair:
    return SourcePair(Image(a, spacing=(1.0, 1.0)), Image(b, spacing=(1.0, 1.0)))


def test_the_identity_loses_nothing() -> None:
    for picture in (_spot(_flat(0.3), 0.15), _spot(_flat(0.5), -0.3), _flat(0.5)):
        found = measure_retention(_pair(picture, picture), picture)
        assert all(spot.share == pytest.approx(1, abs=0.02) for spot in found.a.spots)
        assert not found.is_alarm
        assert found.a.lost_share == found.b.lost_share == 0


def test_the_average_of_two_pictures_with_a_faint_spot_alarms() -> None:
    a, b = _spot(_flat(0.3), 0.12), _flat(0.3)
    found = measure_retention(_pair(a, b), BASELINES["average"].fuse(a, b))
    (spot,) = found.a.spots
    assert (spot.row, spot.column) == pytest.approx((60.5, 60.5))
    assert spot.share == pytest.approx(0.5, abs=0.04)
    assert spot.is_lost
    assert found.a.is_alarm
    assert found.is_alarm
    assert found.b.spots == ()
    swapped = measure_retention(_pair(b, a), BASELINES["average"].fuse(a, b))
    assert swapped.of("b").spots[0].share == pytest.approx(spot.share)


def test_the_maximum_loses_what_the_other_source_outshines() -> None:
    a, b = _spot(_flat(0.2), 0.2), _flat(0.6)
    found = measure_retention(_pair(a, b), BASELINES["maximum"].fuse(a, b))
    assert found.a.lost_share == 1
    dark = _flat(0.1)
    assert measure_retention(_pair(a, dark), BASELINES["maximum"].fuse(a, dark)).a.lost_share == 0


def test_texture_of_the_other_source_is_no_spot_of_this_one() -> None:
    rng = np.random.default_rng(1)
    a = _spot(_flat(0.3), 0.3)
    b = np.clip(0.5 + 0.1 * rng.standard_normal((SIDE, SIDE, 1)), 0, 1).astype(np.float32)
    only_b = measure_retention(_pair(a, b), b)
    assert only_b.a.spots[0].share < 0.25
    both = measure_retention(_pair(a, b), np.clip(b + a - 0.3, 0, 1))
    assert both.a.spots[0].share > 0.8


def test_a_spot_that_both_sources_show_may_come_from_either() -> None:
    a, b = _spot(_flat(0.3), 0.3), _spot(_flat(0.4), 0.3)
    for fused in (a, b):
        found = measure_retention(_pair(a, b), fused)
        assert found.a.spots[0].share > 0.8
        assert found.b.spots[0].share > 0.8


def test_a_bright_and_a_dark_spot_that_cancel_are_lost() -> None:
    a, b = _spot(_flat(0.4), 0.3), _spot(_flat(0.4), -0.3)
    found = measure_retention(_pair(a, b), _flat(0.4))
    assert found.a.lost_share == found.b.lost_share == 1


def test_a_colour_tells_a_spot_although_luma_does_not() -> None:
    """Red and green of nearly one lightness: the spot is only colour."""
    a = _flat(0.0, 3) + np.float32([0.75, 0.35, 0.35])
    a = _spot(a, [-0.47, 0.16, -0.03])
    pair = _pair(a, _flat(0.5))
    kept = measure_retention(pair, a)
    assert kept.a.spots[0].contrast > 30
    assert kept.a.spots[0].share == pytest.approx(1, abs=0.02)
    luma = (a @ np.float32([0.299, 0.587, 0.114]))[..., np.newaxis]
    assert measure_retention(pair, luma).a.lost_share == 1


def test_places_where_a_source_has_no_data_are_not_judged() -> None:
    a, b = _spot(_spot(_flat(0.3), 0.3, (30, 60)), 0.3, (90, 60)), _flat(0.3)
    pair = _pair(a, b)
    assert len(measure_retention(pair, b).a.lost) == 2
    mask = np.ones((SIDE, SIDE), np.bool_)
    mask[:60] = False
    masked = replace(pair, b=replace(pair.b, mask=mask))
    (spot,) = measure_retention(masked, b).a.spots
    assert spot.row == pytest.approx(90.5)


def test_windows_are_those_that_were_fused() -> None:
    a = Image(_spot(_flat(100.0), 10), window=(0.0, 255.0), spacing=(1.0, 1.0))
    b = Image(_flat(0.5), spacing=(1.0, 1.0))
    faint = measure_retention(SourcePair(a, b), b.normalised())
    assert faint.a.spots == ()
    narrow = replace(a, window=(90.0, 120.0))
    assert measure_retention(SourcePair(narrow, b), b.normalised()).a.lost_share == 1


def test_sizes_follow_the_pixels_of_the_image() -> None:
    """Rows twice as far apart: a spot of 8 mm is 8 columns and 4 rows."""
    wide = _spot(_flat(0.3), 0.4, size=9)[::2]
    image = Image(wide, spacing=(2.0, 1.0))
    spot = measure_retention(SourcePair(image, image), wide).a.spots[0]
    assert (spot.row, spot.column) == pytest.approx((30.25, 60.5), abs=0.5)
    assert spot.width == pytest.approx(2 * spot.height)
    assert spot.diameter_mm == pytest.approx(spot.width)


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="its sources are"):
        measure_retention(_pair(_flat(0.5), _flat(0.5)), np.zeros((5, 5, 1), np.float32))


def _made(contrast: float, share: float) -> Spot:
    return Spot(
        row=1,
        column=1,
        height=4,
        width=4,
        diameter_mm=4,
        contrast=contrast,
        shown=contrast * share,
    )


def test_shares_are_weighed_by_contrast() -> None:
    lost, kept = _made(10, KEPT - 0.01), _made(30, KEPT)
    source = SourceRetention((kept, lost))
    assert source.lost == (lost,)
    assert source.lost_share == pytest.approx(0.25)
    assert SourceRetention().lost_share == 0
    assert _made(10, 1.4).share == 1
    few = Retention(SourceRetention((_made(1 - ALARM, 1), _made(ALARM, 0))))
    assert not few.is_alarm
    more = Retention(SourceRetention((_made(0.99 - ALARM, 1), _made(ALARM, 0))))
    assert more.is_alarm

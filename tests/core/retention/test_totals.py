"""What is lost of several slices, and as figures."""

from __future__ import annotations

import pytest

from core.retention import (
    ALARM,
    FIGURES,
    Retention,
    RetentionTotals,
    SourceRetention,
    Spot,
    is_lost,
)


def _spot(contrast: float, share: float) -> Spot:
    return Spot(
        row=0, column=0, height=4, width=4, diameter_mm=4, contrast=contrast, shown=contrast * share
    )


def _found(*lost: float, kept: float = 0.0) -> Retention:
    spots = [_spot(one, 0) for one in lost] + ([_spot(kept, 1)] if kept else [])
    return Retention(SourceRetention(tuple(spots)))


def test_slices_add_up_by_contrast_and_alarms_keep_their_places() -> None:
    """10 of 40, 0 of 60 and 20 of 20 ΔE are lost: 30 of 120."""
    parts = [_found(10, kept=30), _found(kept=60), _found(8, 12)]
    found = [RetentionTotals.of(one, index) for index, one in enumerate(parts, 4)]
    total = sum(found, RetentionTotals())
    assert (total.a.spots, total.a.lost, total.images) == (5, 3, 3)
    assert total.a.share == pytest.approx(0.25)
    assert total.b.share == 0
    assert total.alarms == tuple(i for i, share in ((4, 0.25), (6, 1.0)) if share > ALARM)
    assert total.is_alarm == (ALARM < 0.25)
    assert total.of_side("a") is total.a
    assert str(total.text) == (
        "Lost in the fused picture: 3 of 5 spots of A (25 % of their contrast), 0 of 0 of B (0 %)."
    )


def test_figures_are_rounded_and_judged_by_the_same_threshold() -> None:
    total = RetentionTotals.of(_found(10.25, kept=31.5), 7)
    figures = total.figures
    assert tuple(figures) == FIGURES
    assert figures == {
        "lost_a": 0.2455,
        "lost_b": 0,
        "spots_a": 2,
        "spots_b": 0,
        "lost_images": float(total.is_alarm),
    }
    for share in (ALARM - 0.01, ALARM, ALARM + 0.01):
        assert is_lost({"lost_b": share}) == (share > ALARM)
    assert not is_lost({"SSIM": 0.9})

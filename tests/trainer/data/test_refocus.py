"""Simulated defocus: two views of one sharp picture."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.data.defocus import refocus


@pytest.fixture
def sharp() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 65536, (96, 96, 1)).astype(np.uint16)


def test_same_seed_same_views(sharp: np.ndarray) -> None:
    first, again = (refocus(sharp, np.random.default_rng(4)) for _ in range(2))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))


def test_far_from_the_outline_one_view_is_the_sharp_picture_and_the_other_is_not(
    sharp: np.ndarray,
) -> None:
    for seed in range(6):
        views = refocus(sharp, np.random.default_rng(seed))
        errors = [np.abs(view.astype(float) - sharp) for view in views]
        best, worst = np.minimum(*errors), np.maximum(*errors)
        exact = best <= 1
        assert exact.mean() > 0.4
        assert worst[exact].mean() > 1000


def test_a_flat_picture_stays_flat() -> None:
    flat = np.full((64, 80, 3), 30_000, np.uint16)
    for view in refocus(flat, np.random.default_rng(1)):
        assert view.shape == flat.shape
        assert np.abs(view.astype(int) - 30_000).max() <= 1


def test_both_orders_occur(sharp: np.ndarray) -> None:
    # The near view alone keeps its foreground; which of the two is sharper changes with the order.
    means = []
    for seed in range(24):
        a, b = refocus(sharp, np.random.default_rng(seed))
        means.append(float(a.astype(float).std()) > float(b.astype(float).std()))
    assert 0 < sum(means) < 24

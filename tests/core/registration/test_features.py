from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.registration.features import correlation, feature_kind, features
from tests.core.registration.scenes import texture

_ALL = np.ones((150, 200), np.bool_)


def _like(one: np.ndarray, other: np.ndarray, kind: str) -> float:
    return correlation(features(one, _ALL, kind), features(other, _ALL, kind), _ALL)


def test_orientation_does_not_mind_inverted_contrast_and_direction_does():
    grey = texture(200, 150)
    assert _like(grey, 1 - grey, "orientation") == pytest.approx(1, abs=1e-3)
    assert _like(grey, 1 - grey, "direction") == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize("kind", ["intensity", "direction", "orientation"])
def test_brightness_and_contrast_hardly_count(kind):
    grey = texture(200, 150)
    assert _like(grey, 0.3 + 0.5 * grey, kind) > 0.97


@pytest.mark.parametrize("kind", ["intensity", "direction", "orientation"])
def test_other_scenes_are_not_alike(kind):
    assert abs(_like(texture(200, 150), texture(200, 150, seed=1), kind)) < 0.15


def test_direction_survives_another_exposure():
    grey = texture(200, 150)
    assert _like(np.clip(grey * 2 - 0.4, 0, 1), np.clip(grey * 2 - 0.8, 0, 1), "direction") > 0.6


def test_focus_keeps_intensity_alike():
    grey = texture(200, 150)
    assert _like(grey, cv2.GaussianBlur(grey, (0, 0), 2.0), "intensity") > 0.6


def test_features_are_zero_where_nothing_is_measured():
    valid = _ALL.copy()
    valid[:, :90] = False
    for kind in ("intensity", "direction", "orientation"):
        found = features(texture(200, 150), valid, kind)
        assert not found[~valid].any()
        assert found[valid].any()


def test_each_task_compares_what_its_sources_share():
    kinds = [feature_kind(task) for task in ("mff", "mef", "ivif", "mif", "")]
    assert kinds == ["intensity", "direction", "orientation", "orientation", "orientation"]

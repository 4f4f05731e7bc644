"""The pictures made of a fusion result."""

from __future__ import annotations

import numpy as np
import pytest

from app.fuse.result_images import basis_of, feature_image, result_images
from app.viewer.display_state import FeatureView
from core.types import DeviceChoice, FusionResult


def result(features: np.ndarray | None, height: int, width: int) -> FusionResult:
    return FusionResult(
        fused=np.zeros((height, width, 1), np.float32),
        task="mif",
        method="m",
        device=DeviceChoice("cpu", "CPU", "test"),
        bit_depth=8,
        features_a=features,
        features_b=features,
    )


@pytest.mark.parametrize(("height", "width"), [(45, 62), (48, 64), (33, 70)])
def test_coarse_features_cover_whole_cells(height, width):
    features = np.random.default_rng(0).random((4, -(-height // 4), -(-width // 4)), np.float32)
    made = result(features, height, width)
    shown = feature_image(made, FeatureView(), basis_of(made))
    assert shown.size == (-(-width // 4) * 4, -(-height // 4) * 4)


def test_a_result_without_features_has_only_the_fused_picture():
    assert set(result_images(result(None, 4, 4), FeatureView(), None)) == {"fused"}

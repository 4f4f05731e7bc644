"""The pictures made of a fusion result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.fuse.result_images import basis_of, feature_image, result_images
from app.fuse.tasks import reconstruction_psnr
from app.viewer.colormaps import palette_named
from app.viewer.display_state import FeatureView
from core.types import DeviceChoice, FusionResult, Image, SourcePair


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


def test_a_source_with_a_palette_is_rebuilt_in_levels_and_compared_in_levels():
    """10 of 255 levels off is 28.13 dB, whatever colours the levels are shown in."""
    ramp = np.linspace(0, 200, 64, dtype=np.float32).reshape(8, 8, 1).round() / 255
    hot = Image(ramp, (0.0, 1.0), palette=palette_named("hot_iron"))
    grey = Image(ramp[::-1].copy(), (0.0, 1.0))
    off = np.float32(10 / 255)
    made = replace(
        result(None, 8, 8), reconstruction_a=ramp + off, reconstruction_b=grey.data + off
    )
    wanted = pytest.approx(20 * np.log10(255 / 10), abs=0.01)
    assert reconstruction_psnr(made, SourcePair(hot, grey)) == (wanted, wanted)
    masked = replace(hot, mask=np.ones((8, 8), bool))
    assert reconstruction_psnr(made, SourcePair(masked, grey)) == (wanted, wanted)

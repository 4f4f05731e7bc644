"""Chroma of exposures: clipped and nearly black pixels lend none, colours follow the fused luma."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fusion.chroma import luma, read_chroma
from core.fusion.classical_engine import fuse_classically
from core.fusion.color import merge, split
from core.io import read_pair
from core.pairing.folders import pair_folders
from core.tasks import ColourPolicy
from core.types import BitDepth, FloatArray, FusionRequest, Image, SourcePair

_BOTH, _VISIBLE = ColourPolicy("luma", "both"), ColourPolicy("luma", "b")
_DEGREES = 3.0
_CLIPPED, _BLACK = 250 / 255, 6 / 255
_WELL = (20 / 255, 240 / 255)


def _f32(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


def _pair(a: FloatArray, b: FloatArray, top: int = 255) -> SourcePair:
    depth: BitDepth = 8 if top == 255 else 16
    return SourcePair(
        *(Image(np.rint(top * x), window=(0.0, top), bit_depth=depth) for x in (a, b))
    )


def _exposed(light: FloatArray, factor: float) -> FloatArray:
    """A photograph of linear light: times the exposure, gamma 2.2, clipped."""
    return _f32(np.clip(light * factor, 0, 1) ** (1 / 2.2))


def _chroma(rgb: FloatArray) -> FloatArray:
    return read_chroma(Image(rgb), slice(None)).chroma


def _turn(first: FloatArray, second: FloatArray) -> FloatArray:
    """Angle in degrees between chroma H×W×2."""
    angles = [np.degrees(np.arctan2(c[..., 1], c[..., 0])) for c in (first, second)]
    difference: FloatArray = np.abs((angles[0] - angles[1] + 180) % 360 - 180)
    return difference


def _turns_where_the_other_is_bad(pair: SourcePair, merged: FloatArray) -> list[FloatArray]:
    """Turn of hue against the well exposed source, for pixels at which the other one is not.

    Only where both colours are well above the grey that a step of 8 bits could turn.
    """
    turns = []
    for good, bad in ((pair.a, pair.b), (pair.b, pair.a)):
        own, other = good.normalised(), bad.normalised()
        peak, beside = own.max(axis=2), other.max(axis=2)
        where = (peak >= _WELL[0]) & (peak <= _WELL[1])
        where &= (beside >= _CLIPPED) | (beside <= _BLACK)
        chroma, got = _chroma(own), _chroma(merged)
        where &= np.hypot(*np.moveaxis(chroma, -1, 0)) > 0.01
        where &= np.hypot(*np.moveaxis(got, -1, 0)) > 1e-3
        turns.append(_turn(chroma, got)[where])
    return turns


_COLOURS = st.tuples(*[st.floats(0.015625, 1.0, width=32)] * 3).filter(
    lambda c: max(c) > 1.3 * min(c)
)


@given(
    colours=st.lists(_COLOURS, min_size=1, max_size=8),
    share=st.floats(0.0, 1.0, width=32),
    top=st.sampled_from([255, 65535]),
)
@settings(max_examples=150, deadline=None)
def test_hue_is_that_of_the_well_exposed_frame(
    colours: list[tuple[float, float, float]], share: float, top: int
) -> None:
    """A clipped bright frame beside a good one, and a good one beside a nearly black one."""
    light = np.array([colours], np.float32)
    light /= light.max(axis=2, keepdims=True)
    # The largest channel is at 0.7 where exposure is right, far above 1, and at 2 % of full scale.
    right, over, under = (_exposed(light, factor) for factor in (0.7**2.2, 1.8, 0.02**2.2))
    for a, b in ((right, over), (under, right)):
        pair = _pair(a, b, top)
        parts = split(pair, _BOTH)
        fused = (1 - np.float32(share)) * parts.a + np.float32(share) * parts.b
        merged = merge(fused, parts)
        for turn in _turns_where_the_other_is_bad(pair, merged):
            assert turn.size == 0 or turn.max() < 0.1
        np.testing.assert_allclose(luma(merged), fused, atol=1e-5)


def test_a_clipped_sky_is_not_teal() -> None:
    """Blue at 0.9, clipped two stops later: G and B at 255 make cyan, which is not its colour."""
    light = np.array([[[0.08, 0.25, 0.7]]], np.float32)
    dark, bright = _exposed(light, 1), _exposed(light, 4)
    assert bright[0, 0, 1] == bright[0, 0, 2] == 1
    pair = _pair(dark, bright)
    merged = merge(np.full((1, 1, 1), 0.7, np.float32), split(pair, _BOTH))
    assert _turn(_chroma(dark), _chroma(merged)).max() < _DEGREES
    assert _turn(_chroma(bright), _chroma(merged)).max() > 15


@pytest.mark.parametrize("depth", [255, 65535])
def test_colours_follow_the_luma_up_to_twice(depth: int) -> None:
    """A dark blue beside white: chroma over luma stays up to a factor of two, then chroma stays."""
    dark = np.array([[[0.16, 0.2, 0.24]] * 4], np.float32)
    bright = np.ones_like(dark)
    bright[0, :, 2] = 252 / 255  # a grey frame would not be a source of chroma
    pair = _pair(dark, bright, depth)
    grey = luma(pair.a.normalised())[0, 0, 0]
    fused = np.array([[[0.75], [1.0], [1.6], [3.0]]], np.float32) * grey
    got = _chroma(merge(fused, split(pair, _BOTH)))[0]
    factors = got / _chroma(pair.a.normalised())[0]
    np.testing.assert_allclose(factors, _f32([[1, 1], [1, 1], [1.6, 1.6], [2, 2]]), rtol=1e-3)


def test_deep_values_keep_their_precision() -> None:
    """Neighbouring levels of 65536 stay apart in every channel."""
    ramp = np.linspace(0.4, 0.402, 100, dtype=np.float32)[np.newaxis, :, np.newaxis]
    dark = ramp * np.array([0.7, 0.9, 1.1], np.float32)
    pair = _pair(dark, np.ones_like(dark), 65535)
    parts = split(pair, _BOTH)
    merged = merge(parts.a, parts)
    assert np.rint(65535 * merged).max() <= 65535
    for channel in range(3):
        assert len(np.unique(np.rint(65535 * merged[..., channel]))) > 80
    np.testing.assert_allclose(merged, pair.a.normalised(), atol=1e-5)


def test_where_neither_is_well_exposed_the_better_one_prevails() -> None:
    """Beside black a clipped one gives the hue; of two clipped ones the darker counts more."""
    yellowish, speck = _f32([[[1, 0.8, 0.4]]]), _f32([[[0.004, 0.0, 0.008]]])
    pair = _pair(speck, yellowish)
    merged = merge(_f32([[[0.5]]]), split(pair, _BOTH))
    assert _turn(_chroma(pair.b.normalised()), _chroma(merged)).max() < _DEGREES
    white, red = _f32([[[1, 1, 0.9]]]), _f32([[[1, 0.3, 0.3]]])
    pair = _pair(red, white)
    merged = merge(_f32([[[0.6]]]), split(pair, _BOTH))
    assert _turn(_chroma(pair.a.normalised()), _chroma(merged)).max() < _DEGREES
    black = np.zeros((2, 2, 3), np.float32)
    np.testing.assert_array_equal(
        merge(np.full((2, 2, 1), 0.5, np.float32), split(_pair(black, 1 - black), _BOTH)), 0.5
    )


def test_there_is_no_step_where_a_channel_reaches_the_top() -> None:
    """From 200 to 255 in the clipping channel, neighbouring levels differ by a level or two."""
    peaks = np.arange(200, 256, dtype=np.float32)[np.newaxis, :] / 255
    bright = _f32(np.stack([0.5 * peaks, 0.8 * peaks, peaks], axis=2))
    dark = np.broadcast_to(_f32([0.25, 0.2, 0.1]), bright.shape)
    parts = split(SourcePair(Image(dark.copy()), Image(bright)), _BOTH)
    merged = 255 * merge(np.full_like(parts.a, 0.5), parts)
    assert np.abs(np.diff(merged, axis=1)).max() < 16
    assert np.abs(merged[0, 0] - merged[0, -1]).max() > 40


@pytest.mark.parametrize("policy", [_BOTH, _VISIBLE], ids=["both", "one"])
def test_bands_of_rows_make_no_difference(policy: ColourPolicy) -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.random((300, 700, 3), dtype=np.float32) * 1.2 for _ in range(2))
    fused = rng.random((300, 700, 1), dtype=np.float32)

    def merged(rows: slice) -> FloatArray:
        pair = SourcePair(*(Image(np.clip(x[rows], 0, 1)) for x in (a, b)))
        return merge(fused[rows], split(pair, policy))

    whole = merged(slice(None))
    strips = np.concatenate([merged(slice(top, top + 77)) for top in range(0, 300, 77)])
    np.testing.assert_allclose(whole, strips, atol=1e-6)


def test_one_clipped_source_keeps_its_saturation_in_the_dark() -> None:
    """A nearly white sky that infrared darkens stays nearly grey; other colours keep chroma."""
    sky, wall = _f32([0.85, 0.98, 1.0]), _f32([0.6, 0.7, 0.8])
    visible = np.stack([sky, wall])[np.newaxis]
    pair = SourcePair(Image(np.zeros((1, 2, 1), np.float32)), Image(visible))
    parts = split(pair, _VISIBLE)
    got = _chroma(merge(parts.b * np.float32(0.5), parts))[0]
    own = _chroma(visible)[0]
    np.testing.assert_allclose(got[0], 0.5 * own[0], atol=1e-5)
    np.testing.assert_allclose(got[1], own[1], atol=1e-5)
    np.testing.assert_allclose(merge(parts.b, parts), visible, atol=1e-6)


@pytest.mark.parametrize("method", ["average", "mertens"])
def test_hue_of_real_pairs(shared_data: Path, method: str) -> None:
    """All pixels of validation pairs at which one frame is well exposed and the other is not."""
    folder = shared_data / "val" / "mef"
    if not folder.is_dir():
        pytest.skip(f"no exposure pairs in {folder}")
    seen = 0
    for files in pair_folders(folder).matches:
        pair = read_pair(files.a, files.b)
        if pair.a.width * pair.a.height > 250_000:
            continue
        merged = fuse_classically(FusionRequest(pair, "mef", method)).fused
        for turn in _turns_where_the_other_is_bad(pair, merged):
            assert turn.size == 0 or turn.max() < _DEGREES
            seen += turn.size
    assert seen > 100_000

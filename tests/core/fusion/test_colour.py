"""Colour: luma by hand, exact luma after merging, chroma from the right source."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.fusion.chroma import luma, read_chroma
from core.fusion.color import merge, split
from core.tasks import TASKS, ChromaSource, ColourPolicy
from core.types import FloatArray, Image, SourcePair

_VALUES = st.floats(0, 1, width=32)


def _images(channels: int) -> st.SearchStrategy[FloatArray]:
    return hnp.arrays(np.float32, (4, 5, channels), elements=_VALUES)


def _pair(a: FloatArray, b: FloatArray) -> SourcePair:
    return SourcePair(Image(a), Image(b))


def _rgb(*pixels: tuple[float, float, float]) -> FloatArray:
    return np.array([pixels], dtype=np.float32)


_GREY = np.full((1, 1, 1), 0.25, dtype=np.float32)
_RED = _rgb((0.8, 0.2, 0.2))
_BLUE = _rgb((0.2, 0.2, 0.8))
_POLICIES = [ColourPolicy("luma", c) for c in ("a", "b", "both", "nearest")]
_POLICIES.append(ColourPolicy("rgb", "both"))


def test_luma_by_hand() -> None:
    got = luma(_rgb((1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.25, 1.0), (1, 1, 1)))
    assert got.shape == (1, 5, 1)
    assert got.dtype == np.float32
    expected = [0.299, 0.587, 0.114, 0.5 * 0.299 + 0.25 * 0.587 + 0.114, 1.0]
    np.testing.assert_allclose(got[0, :, 0], expected, atol=1e-6)


def test_chroma_by_hand() -> None:
    """JFIF: Cb = (B − Y)/1.772, Cr = (R − Y)/1.402; pure blue has Cb = 0.5, pure red Cr = 0.5."""
    found = read_chroma(Image(_rgb((1, 0, 0), (0, 0, 1))), slice(None))
    expected = [[-0.299 / 1.772, 0.5], [0.5, -0.114 / 1.402]]
    np.testing.assert_allclose(found.chroma[0], expected, atol=1e-6)
    np.testing.assert_allclose(found.luma[0], [0.299, 0.114], atol=1e-6)
    np.testing.assert_array_equal(found.peak, [[1, 1]])


@pytest.mark.parametrize("policy", _POLICIES, ids=lambda p: f"{p.mode}-{p.chroma}")
@pytest.mark.parametrize("channels", [1, 3])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_fusing_a_picture_with_itself_returns_it(
    policy: ColourPolicy, channels: int, data: st.DataObject
) -> None:
    image = data.draw(_images(channels))
    parts = split(_pair(image, image), policy)
    np.testing.assert_array_equal(parts.a, parts.b)
    merged = merge(parts.a, parts)
    assert merged.dtype == np.float32
    assert np.abs(merged - image).max() <= 1e-3


@given(a=_images(3), b=_images(3), fused=_images(1), source=st.sampled_from("ab"))
@settings(max_examples=150, deadline=None)
def test_luma_is_kept_and_values_stay_in_range(
    a: FloatArray, b: FloatArray, fused: FloatArray, source: ChromaSource
) -> None:
    merged = merge(fused, split(_pair(a, b), ColourPolicy("luma", source)))
    assert merged.min() >= 0
    assert merged.max() <= 1
    kept = merged if merged.shape[2] == 1 else luma(merged)
    assert np.abs(kept - fused).max() <= 1e-3


@given(
    rgb=st.tuples(*[st.floats(0.0, 1.0)] * 3).filter(lambda c: max(c) - min(c) > 0.1),
    grey=st.floats(0.05, 0.95),
)
@settings(max_examples=200, deadline=None)
def test_hue_is_kept_out_of_gamut(rgb: tuple[float, float, float], grey: float) -> None:
    """Against the standard library's HSV: brightening or darkening a colour never turns its hue."""
    image = _rgb(rgb)
    fused = np.full((1, 1, 1), grey, dtype=np.float32)
    merged = merge(fused, split(_pair(image, image), _POLICIES[0]))
    before = colorsys.rgb_to_hsv(*rgb)[0]
    after = colorsys.rgb_to_hsv(*(float(v) for v in merged[0, 0]))[0]
    distance = abs(before - after)
    assert min(distance, 1 - distance) < 2e-3


def test_chroma_is_reduced_no_further_than_needed() -> None:
    """Blue is luma 0.114 + (−0.114, −0.114, 0.886): at luma 0.5, 0.5/0.886 of it reaches B = 1."""
    blue = _rgb((0, 0, 1))
    merged = merge(np.full((1, 1, 1), 0.5, np.float32), split(_pair(blue, blue), _POLICIES[0]))
    scale = 0.5 / 0.886
    expected = [0.5 - scale * 0.114, 0.5 - scale * 0.114, 1.0]
    np.testing.assert_allclose(merged[0, 0], expected, atol=1e-5)


def test_black_and_white_take_no_chroma() -> None:
    parts = split(_pair(_RED, _RED), _POLICIES[0])
    for level in (0.0, 1.0):
        merged = merge(np.full((1, 1, 1), level, np.float32), parts)
        np.testing.assert_array_equal(merged, np.full((1, 1, 3), level, np.float32))


@pytest.mark.parametrize(
    ("source", "expected"), [("a", _RED), ("b", _BLUE)], ids=["from a", "from b"]
)
def test_named_source_gives_the_chroma(source: ChromaSource, expected: FloatArray) -> None:
    parts = split(_pair(_RED, _BLUE), ColourPolicy("luma", source))
    np.testing.assert_allclose(merge(luma(expected), parts), expected, atol=1e-5)


@pytest.mark.parametrize("source", ["a", "b", "both"])
@pytest.mark.parametrize("coloured_first", [True, False])
def test_a_grey_source_leaves_the_chroma_to_the_other(
    source: ChromaSource, coloured_first: bool
) -> None:
    pair = _pair(_RED, _GREY) if coloured_first else _pair(_GREY, _RED)
    parts = split(pair, ColourPolicy("luma", source))
    assert parts.channels == 3
    np.testing.assert_allclose(merge(luma(_RED), parts), _RED, atol=1e-5)


@pytest.mark.parametrize("policy", _POLICIES, ids=lambda p: f"{p.mode}-{p.chroma}")
def test_two_grey_sources_give_grey(policy: ColourPolicy) -> None:
    grey_as_rgb = np.repeat(np.full((1, 1, 1), 0.75, np.float32), 3, axis=2)
    parts = split(_pair(_GREY, grey_as_rgb), policy)
    assert parts.channels == 1
    assert not parts.colours
    assert parts.a.shape[2] == (3 if policy.mode == "rgb" else 1)
    merged = merge((parts.a + parts.b) / 2, parts)
    np.testing.assert_allclose(merged, np.full((1, 1, 1), 0.5), atol=1e-6)


def test_both_weights_by_distance_from_grey() -> None:
    """DeepFuse by hand, in its own 0…1 chroma: C = (C₁|C₁−½| + C₂|C₂−½|) / (|C₁−½| + |C₂−½|)."""
    # At this luma neither colour is brightened, and their mixture stays within the RGB cube.
    fused = np.full((1, 1, 1), 0.25, np.float32)
    merged = merge(fused, split(_pair(_RED, _BLUE), ColourPolicy("luma", "both")))
    for channel, span in ((0, 1.772), (1, 1.402)):
        index = 2 if channel == 0 else 0
        first, second = (
            float(p[0, 0, index] - luma(p)[0, 0, 0]) / span + 0.5 for p in (_RED, _BLUE)
        )
        weights = abs(first - 0.5), abs(second - 0.5)
        expected = (first * weights[0] + second * weights[1]) / sum(weights) - 0.5
        assert (merged[0, 0, index] - 0.25) / span == pytest.approx(expected, abs=1e-6)


def test_nearest_gives_a_copied_region_the_colour_of_its_source() -> None:
    rng = np.random.default_rng(2)
    a, b = (rng.random((12, 24, 3), dtype=np.float32) for _ in range(2))
    parts = split(_pair(a, b), ColourPolicy("luma", "nearest"))
    fused = parts.a.copy()
    fused[:, 12:] = parts.b[:, 12:]
    merged = merge(fused, parts)
    # Two columns on either side of the seam see both sources in their 5×5 neighbourhood.
    np.testing.assert_allclose(merged[:, :10], a[:, :10], atol=1e-5)
    np.testing.assert_allclose(merged[:, 14:], b[:, 14:], atol=1e-5)


def test_nearest_halfway_between_two_colours_is_their_mean() -> None:
    a, b = np.full((5, 5, 3), 0.4, np.float32), np.full((5, 5, 3), 0.6, np.float32)
    a[..., 0] += 0.1
    b[..., 2] += 0.1
    parts = split(_pair(a, b), ColourPolicy("luma", "nearest"))
    merged = merge((parts.a + parts.b) / 2, parts)
    np.testing.assert_allclose(merged, (a + b) / 2, atol=1e-5)


def test_both_is_defined_where_both_are_grey() -> None:
    a = _rgb((0.5, 0.5, 0.5), (0.8, 0.2, 0.2))
    b = _rgb((0.3, 0.3, 0.3), (0.2, 0.2, 0.8))
    merged = merge(np.full((1, 2, 1), 0.4, np.float32), split(_pair(a, b), _POLICIES[2]))
    np.testing.assert_allclose(merged[0, 0], [0.4, 0.4, 0.4], atol=1e-6)


def test_rgb_policy_expands_grey_and_keeps_colour() -> None:
    parts = split(_pair(_GREY, _RED), ColourPolicy("rgb", "both"))
    np.testing.assert_array_equal(parts.a, np.full((1, 1, 3), 0.25, np.float32))
    assert parts.channels == 3
    np.testing.assert_array_equal(merge(parts.b, parts), _RED)


def test_windows_are_applied() -> None:
    a = Image(np.full((1, 1, 1), 65535, np.float32), window=(0, 65535), bit_depth=16)
    b = Image(np.full((1, 1, 1), 51, np.float32), window=(0, 255))
    parts = split(SourcePair(a, b), _POLICIES[0])
    assert float(parts.a[0, 0, 0]) == 1.0
    assert float(parts.b[0, 0, 0]) == pytest.approx(0.2)


def test_fused_of_another_shape_is_refused() -> None:
    parts = split(_pair(_RED, _BLUE), _POLICIES[0])
    with pytest.raises(ValueError, match="fused is"):
        merge(_RED, parts)


def test_values_outside_are_clipped() -> None:
    parts = split(_pair(_GREY, _GREY), _POLICIES[0])
    assert float(merge(np.full((1, 1, 1), 1.5, np.float32), parts)[0, 0, 0]) == 1.0
    assert float(merge(np.full((1, 1, 1), -0.5, np.float32), parts)[0, 0, 0]) == 0.0


@pytest.mark.parametrize("task", list(TASKS))
def test_sources_are_left_alone(task: str) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.random((6, 7, 3), dtype=np.float32) for _ in range(2))
    copies = a.copy(), b.copy()
    parts = split(_pair(a, b), TASKS[task].colour)
    merge(parts.a, parts)
    np.testing.assert_array_equal(a, copies[0])
    np.testing.assert_array_equal(b, copies[1])

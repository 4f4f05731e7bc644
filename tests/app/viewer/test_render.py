"""From arrays to pictures: values computed by hand or by another road."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QImage

from app.viewer.colormaps import PALETTES, table
from app.viewer.histogram import count_values
from app.viewer.pyramid import RenderedImage, rendered_image, source_image
from app.viewer.rendering import LevelRegion, full_image, render, render_difference, thumbnail
from app.viewer.window_presets import deviation_window, percentile_window
from core.types import Image


def pixels_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def test_values_are_rounded_clipped_and_never_nan():
    grey = np.array([[[0.0], [1.0], [0.5], [2.0], [-1.0], [np.nan], [np.inf]]], np.float32)
    shown = pixels_of(full_image(rendered_image(grey)))
    assert shown[0, :, 0].tolist() == [0, 255, 128, 255, 0, 0, 255]
    assert (shown == shown[..., :1]).all()


def test_channels_keep_their_order():
    red = np.zeros((2, 3, 3), np.float32)
    red[..., 0] = 1
    assert pixels_of(full_image(rendered_image(red)))[1, 2].tolist() == [255, 0, 0]


@given(st.integers(1, 700), st.integers(1, 700))
def test_levels_halve_and_the_first_is_whole(width: int, height: int):
    made = rendered_image(np.zeros((height, width, 1), np.float32))
    sizes = [(level.shape[1], level.shape[0]) for level in made.levels]
    assert sizes[0] == (width, height) == made.size
    for (w, h), (next_w, next_h) in pairwise(sizes):
        assert (next_w, next_h) == (w // 2, h // 2)
    assert max(sizes[-1]) <= 256 or min(sizes[-1]) < 2


def test_a_fine_pattern_averages_to_grey_when_halved():
    board = (np.indices((512, 512)).sum(axis=0) % 2).astype(np.float32)[..., None]
    half = rendered_image(board).levels[1]
    assert set(np.unique(half)) == {128}


def as_image(data: np.ndarray, depth: int, **more: object) -> Image:
    array = data.astype(np.float32).reshape(*data.shape[:2], -1)
    top = {8: 255.0, 16: 65535.0}.get(depth)
    window = (0.0, top) if top else (float(data.min()), float(data.max()))
    return Image(array, window=window, bit_depth=depth, **more)


def everything(shown, level: int = 0) -> LevelRegion:
    height, width = shown.levels[level].shape[:2]
    return LevelRegion(level, left=0, top=0, right=width, bottom=height, width=width, height=height)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_window_maps_its_ends_to_black_and_white_and_is_linear_between(depth):
    top = 2**depth - 1
    shown = source_image(as_image(np.arange(256).reshape(16, 16) * (top // 255), depth))
    low, high = 0.2 * top, 0.6 * top
    grey = pixels_of(render(shown, everything(shown), (low, high), "grey"))[..., 0].astype(int)
    values = np.arange(256).reshape(16, 16) * (top // 255)
    expected = np.clip((values - low) / (high - low) * 255, 0, 255)
    assert np.abs(grey - expected).max() <= 0.51 + 1e-6


def test_a_narrow_window_on_sixteen_bits_shows_no_steps():
    ramp = np.linspace(1000, 1255, 256).round().reshape(1, 256)
    shown = source_image(as_image(ramp, 16))
    grey = pixels_of(render(shown, everything(shown), (1000, 1255), "grey"))
    assert len(np.unique(grey)) == 256


def test_float_sources_keep_their_unit_and_extent():
    data = np.array([[-3.0, 0.0], [5.0, 9.0]])
    shown = source_image(as_image(data, 32, unit="Bq/mL"))
    assert (shown.extent, shown.window, shown.unit) == ((-3.0, 9.0), (-3.0, 9.0), "Bq/mL")
    grey = pixels_of(render(shown, everything(shown), (0.0, 5.0), "grey"))[..., 0]
    assert grey.tolist() == [[0, 0], [255, 255]]


def test_signed_numbers_and_outliers_are_seen_as_they_are_fused():
    """What the pane shows in its own window is what is fused, to a grey level."""
    ramp = np.linspace(-300, 600, 256).reshape(16, 16)
    spoiled = ramp.copy()
    spoiled[0, 0] = 1e30
    for data, depth in ((ramp.round(), 16), (ramp, 32), (spoiled, 32)):
        image = Image(data[..., None].astype(np.float32), (-300, 600), bit_depth=depth)
        shown = source_image(image)
        grey = pixels_of(full_image(shown))[..., 0].astype(int)
        assert np.abs(grey - image.normalised()[..., 0] * 255).max() <= 0.6


def test_a_picture_of_equal_channels_takes_palettes_and_a_coloured_one_only_inverts():
    grey = np.repeat(np.arange(4.0).reshape(2, 2, 1) * 85, 3, axis=2)
    shown = source_image(as_image(grey, 8))
    assert not shown.is_colour
    hot = pixels_of(full_image(shown, palette="hot_iron"))
    assert hot[0, 0].tolist() == [0, 0, 0]
    assert hot[1, 1].tolist() == [255, 255, 255]
    assert hot[0, 1].tolist() == table("hot_iron")[85].tolist()
    coloured = grey.copy()
    coloured[0, 0, 0] = 10
    shown = source_image(as_image(coloured, 8))
    assert shown.is_colour
    assert pixels_of(full_image(shown, palette="hot_iron"))[0, 0].tolist() == [10, 0, 0]
    assert pixels_of(full_image(shown, palette="inverted"))[0, 0].tolist() == [245, 255, 255]


@pytest.mark.parametrize("name", [name for name in PALETTES if name != "pet_20_step"])
def test_palettes_go_from_end_to_end_without_jumps(name):
    colours = table(name).astype(int)
    assert colours.shape == (256, 3)
    assert np.abs(np.diff(colours, axis=0)).max() <= 9
    lightness = colours @ (0.299, 0.587, 0.114)
    ends = lightness[-1] - lightness[0]
    assert ends < -150 if name == "inverted" else ends > 150


PUBLISHED = {
    # Entries 0, 64, 128, 192 and 255. Viridis, inferno: as matplotlib writes them in hexadecimal.
    "viridis": ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
    "inferno": ["#000004", "#57106e", "#bc3754", "#f98e09", "#fcffa4"],
    # DICOM PS3.6, B.1.1 and B.1.2.
    "hot_iron": ["#000000", "#800000", "#ff0000", "#ff8004", "#ffffff"],
    "pet": ["#000000", "#017e7f", "#8000ff", "#ff8000", "#ffffff"],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_palettes_with_a_known_name_are_the_known_ones(name):
    colours = table(name)
    found = ["#" + bytes(colours[k]).hex() for k in (0, 64, 128, 192, 255)]
    assert found == PUBLISHED[name]


@pytest.mark.parametrize("name", ["viridis", "inferno"])
def test_whole_palettes_are_those_of_opencv(name):
    number = getattr(cv2, f"COLORMAP_{name.upper()}")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    np.testing.assert_array_equal(table(name), cv2.applyColorMap(ramp, number)[:, 0, ::-1])


def test_difference_is_second_minus_first_in_signed_colours():
    first = rendered_image(np.array([[[0.5], [0.5], [0.5], [0.0]]], np.float32))
    second = rendered_image(np.array([[[0.5], [0.75], [0.25], [1.0]]], np.float32))
    seen = pixels_of(render_difference(first, second, everything(first), 0.5))[0].astype(int)
    nothing, more, less, most = seen
    assert nothing.max() < 40
    assert more[0] > 200
    assert more[2] < 80
    assert less[2] > 200
    assert less[0] < 80
    assert most.tolist() == table("difference")[255].tolist()


def test_difference_of_a_source_is_taken_in_its_own_window():
    source = source_image(as_image(np.full((4, 4), 32768.0), 16))
    rebuilt = rendered_image(np.full((4, 4, 1), 0.5, np.float32))
    seen = pixels_of(render_difference(rebuilt, source, everything(rebuilt), 0.25))
    assert seen.max() < 40


def test_thumbnails_fit_and_keep_the_shape():
    tall = rendered_image(np.full((1000, 300, 3), 0.5, np.float32))
    image = thumbnail(tall, 48)
    assert (image.width(), image.height()) == (14, 48)
    assert image.pixelColor(5, 20).red() == 128


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_percentiles_are_those_of_numpy(kind, channels):
    rng = np.random.default_rng(5)
    top = np.iinfo(kind).max
    codes = (rng.beta(2, 9, (61, 47, channels)) * top).astype(kind)
    shown = RenderedImage((codes,), (47, 61), (0.0, float(top)), (0.0, float(top)))
    for low, high in ((1, 99), (5, 95), (0, 100), (33.3, 50)):
        expected = np.percentile(codes, (low, high))
        np.testing.assert_allclose(percentile_window(shown, low, high), expected, rtol=1e-9)


def test_two_deviations_around_the_mean_leave_the_background_out():
    codes = np.zeros((10, 10, 1), np.uint8)
    codes[:2] = 100
    codes[2:4] = 120
    shown = RenderedImage((codes,), (10, 10), (0.0, 510.0), (0.0, 510.0))
    # The pixels are 100 and 120, in half each: mean 110, deviation 10; a code is two units.
    assert deviation_window(shown, 2.0) == pytest.approx((180.0, 260.0))
    flat = RenderedImage((codes * 0 + 7,), (10, 10), (0.0, 510.0), (0.0, 510.0))
    assert deviation_window(flat, 2.0) == (0.0, 510.0)
    empty = RenderedImage((codes * 0,), (10, 10))
    assert deviation_window(empty, 2.0) == (0.0, 1.0)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("bins", [7, 64])
def test_histograms_count_as_numpy_does(kind, bins):
    rng = np.random.default_rng(6)
    top = np.iinfo(kind).max
    codes = (rng.beta(3, 3, (50, 40, 3)) * top).astype(kind)
    shown = RenderedImage((codes,), (40, 50), (0.0, float(top)), (0.0, float(top)))
    found = count_values(shown.sampled, shown.extent, shown.window, bins)
    low, high = int(codes.min()), int(codes.max()) + 1
    step = -(-(high - low) // bins)
    edges = np.arange(low, high + step, step)
    for channel, row in enumerate(found.counts):
        np.testing.assert_array_equal(row, np.histogram(codes[..., channel], edges)[0])
    assert found.counts.sum() == codes.size
    assert found.span == pytest.approx((low, high - 1))

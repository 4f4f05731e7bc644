"""Palettes: the published tables, and what their luma is good for."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_palette_files

from core.fusion.chroma import luma
from core.types import Image
from core.units.palettes import PALETTES, find_palette, palette_table

_OF_PYDICOM = {
    "hot_iron": "hotiron.dcm",
    "hot_metal_blue": "hotmetalblue.dcm",
    "pet": "pet.dcm",
    "pet_20_step": "pet20step.dcm",
}


def _is_monotonic(name: str) -> bool:
    """Whether the BT.601 luma of a palette rises throughout, or falls throughout."""
    steps = np.diff(palette_table(name) @ np.array([0.299, 0.587, 0.114]))
    return bool((steps > 0).all() or (steps < 0).all())


@pytest.mark.parametrize("name", _OF_PYDICOM)
def test_tables_are_those_of_dicom(name) -> None:
    (path,) = get_palette_files(_OF_PYDICOM[name])
    header = pydicom.dcmread(path)
    published = [
        np.frombuffer(header[f"{channel}PaletteColorLookupTableData"].value, np.uint8)
        for channel in ("Red", "Green", "Blue")
    ]
    np.testing.assert_array_equal(palette_table(name), np.stack(published, axis=1))


def test_the_others_are_grey_and_grey_upside_down() -> None:
    assert set(PALETTES) == {"grey", "inverted", *_OF_PYDICOM}
    np.testing.assert_array_equal(palette_table("grey")[77], [77, 77, 77])
    np.testing.assert_array_equal(palette_table("inverted"), palette_table("grey")[::-1])
    with pytest.raises(ValueError, match="sepia"):
        palette_table("sepia")


def test_tables_cannot_be_written_to() -> None:
    for name in PALETTES:
        with pytest.raises(ValueError, match="read-only"):
            palette_table(name)[0] = 1


def test_which_palettes_are_monotonic() -> None:
    assert {name: _is_monotonic(name) for name in PALETTES} == {
        "grey": True,
        "inverted": True,
        "hot_iron": True,
        "hot_metal_blue": True,
        "pet": False,
        "pet_20_step": False,
    }


def _shown(values: np.ndarray, window: tuple[float, float], name: str) -> np.ndarray:
    """A row of values as an image in that palette shows them, W×C."""
    image = Image(data=values.reshape(1, -1, 1), window=window, palette=find_palette(name))
    return image.normalised()[0]


@pytest.mark.parametrize("name", [name for name in PALETTES if _is_monotonic(name)])
def test_more_never_looks_like_less_in_a_monotonic_palette(name) -> None:
    values = np.sort(np.random.default_rng(1).uniform(-1, 12, 5000).astype(np.float32))
    light = luma(_shown(values, (0.0, 10.0), name)[np.newaxis])[0, :, 0]
    steps = np.diff(light) * (-1 if name == "inverted" else 1)
    assert steps.min() >= -1e-6
    assert abs(light[-1] - light[0]) > 0.9


def test_colours_are_those_of_the_nearest_entry() -> None:
    pixels = _shown(np.array([-3, 2, 4.5, 7, 99], np.float32), (2.0, 7.0), "hot_iron")
    assert pixels.dtype == np.float32
    table = palette_table("hot_iron") / np.float32(255)
    np.testing.assert_array_equal(pixels, table[[0, 0, 128, 255, 255]])
    levels = np.arange(256, dtype=np.float32)
    every = _shown(levels, (0.0, 255.0), "pet")
    np.testing.assert_array_equal(np.rint(every * 255).astype(np.uint8), palette_table("pet"))


def test_grey_is_no_palette_and_inverted_has_one_channel() -> None:
    assert find_palette("grey") is None
    shown = _shown(np.array([0, 51, 255], np.float32), (0.0, 255.0), "inverted")
    assert shown.shape == (3, 1)
    np.testing.assert_allclose(shown[:, 0], [1, 0.8, 0], atol=1e-6)


def test_pixels_without_data_are_black_in_every_palette() -> None:
    mask = np.array([[True, False]])
    for name in ("inverted", "pet", "hot_iron"):
        image = Image(
            data=np.full((1, 2, 1), 200, np.float32),
            window=(0.0, 255.0),
            mask=mask,
            palette=find_palette(name),
        )
        shown = image.normalised()
        assert not shown[0, 1].any()
        assert shown[0, 0].any()


def test_an_image_in_colour_has_no_palette() -> None:
    with pytest.raises(ValueError, match="no palette"):
        Image(data=np.zeros((2, 2, 3), np.float32), palette=find_palette("pet"))

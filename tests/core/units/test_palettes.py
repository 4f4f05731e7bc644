"""Palettes: the published tables, and what their luma is good for."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.data import get_palette_files

from core.errors import InputError
from core.fusion.color import luma
from core.units.palettes import PALETTES, colour, is_monotonic, palette_table

_OF_PYDICOM = {
    "hot_iron": "hotiron.dcm",
    "hot_metal_blue": "hotmetalblue.dcm",
    "pet": "pet.dcm",
    "pet_20_step": "pet20step.dcm",
}


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
    assert {name: is_monotonic(name) for name in PALETTES} == {
        "grey": True,
        "inverted": True,
        "hot_iron": True,
        "hot_metal_blue": True,
        "pet": False,
        "pet_20_step": False,
    }


@pytest.mark.parametrize("name", [name for name in PALETTES if is_monotonic(name)])
def test_more_never_looks_like_less_in_a_monotonic_palette(name) -> None:
    values = np.sort(np.random.default_rng(1).uniform(-1, 12, (1, 5000)).astype(np.float32))
    light = luma(colour(values, (0.0, 10.0), name))[0, :, 0]
    steps = np.diff(light) * (-1 if name == "inverted" else 1)
    assert steps.min() >= -1e-6
    assert abs(light[-1] - light[0]) > 0.9


def test_colours_are_those_of_the_nearest_entry() -> None:
    values = np.array([[-3, 2, 4.5, 7, 99]], np.float32)
    pixels = colour(values, (2.0, 7.0), "hot_iron")
    assert pixels.dtype == np.float32
    assert pixels.shape == (1, 5, 3)
    table = palette_table("hot_iron") / np.float32(255)
    np.testing.assert_array_equal(pixels[0], table[[0, 0, 128, 255, 255]])
    np.testing.assert_array_equal(values, np.array([[-3, 2, 4.5, 7, 99]], np.float32))


def test_colours_of_integers_and_of_a_window_that_is_none() -> None:
    pixels = colour(np.arange(256, dtype=np.float32), (0.0, 255.0), "pet")
    np.testing.assert_array_equal(np.rint(pixels * 255).astype(np.uint8), palette_table("pet"))
    with pytest.raises(InputError):
        colour(np.zeros((2, 2), np.float32), (1.0, 1.0), "pet")

"""Writing: right numbers, depth kept, provenance inside, sources never overwritten."""

from __future__ import annotations

import errno
import json
import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pil

from core.errors import OutputError
from core.io import WRITE_SUFFIXES, read_image, write_image
from core.types import BitDepth, FloatArray

_LOSSLESS = [".png", ".tif", ".tiff", ".bmp", ".webp"]
_PROVENANCE = {"Software": "UniFusion Studio 0.1", "Sources": "Größe.png, 图.tif", "Task": "mif"}


def _pixels(channels: int, shape: tuple[int, int] = (9, 13)) -> FloatArray:
    rng = np.random.default_rng(channels)
    pixels = rng.random((*shape, channels), dtype=np.float32)
    pixels[0, 0], pixels[0, 1] = 0, 1
    return pixels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [8, 16, 32])
@pytest.mark.parametrize("suffix", _LOSSLESS)
def test_round_trip(tmp_path: Path, suffix: str, depth: BitDepth, channels: int) -> None:
    pixels = _pixels(channels)
    path = tmp_path / f"Größe 图{suffix.upper()}"
    notes = write_image(path, pixels, bit_depth=depth, provenance=_PROVENANCE)
    kept = min(depth, {".png": 16, ".tif": 32, ".tiff": 32}.get(suffix, 8))
    image = read_image(path)
    assert image.bit_depth == kept
    if channels == 1:
        assert not image.is_colour
    if kept == 32:
        np.testing.assert_array_equal(image.data, pixels)
    else:
        top = 2**kept - 1
        # Independent rounding: no stored step may be more than half a step away.
        error = np.abs(image.data[..., :channels].astype(np.float64) - pixels * float(top))
        assert error.max() <= 0.5 + 1e-6
    short = [note for note in notes if f"keeps {kept} of {depth} bits" in note]
    assert bool(short) is (kept < depth)
    assert sum("BMP has no place" in note for note in notes) == (suffix == ".bmp")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@given(step=st.integers(0, 65535), offset=st.floats(-0.49, 0.49), depth=st.sampled_from([8, 16]))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rounds_to_the_nearest_step(
    tmp_path: Path, step: int, offset: float, depth: BitDepth
) -> None:
    top = 2**depth - 1
    step = min(step, top)
    # Away from the middle between two steps, which float32 cannot name exactly.
    value = np.float32((step + offset * 0.9) / top)
    write_image(tmp_path / "r.png", np.full((1, 1, 1), value), bit_depth=depth)
    assert read_image(tmp_path / "r.png").data[0, 0, 0] == step


def test_every_16_bit_value_survives(tmp_path: Path) -> None:
    """All 65,536 values, there and back, in grey and in the three channels of RGB."""
    values = np.arange(65536, dtype=np.float32).reshape(256, 256, 1)
    for suffix in (".png", ".tif"):
        path = tmp_path / f"v{suffix}"
        write_image(path, values / np.float32(65535), bit_depth=16)
        np.testing.assert_array_equal(read_image(path).data, values)
        rgb = np.concatenate([values, values[::-1], values.transpose(1, 0, 2)], axis=2)
        write_image(path, rgb / np.float32(65535), bit_depth=16)
        np.testing.assert_array_equal(read_image(path).data, rgb)


def test_jpeg_is_close_and_says_what_it_loses(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    pixels = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.float32(0.5)), axis=2)
    for suffix in (".jpg", ".jpeg"):
        notes = write_image(tmp_path / f"j{suffix}", pixels, bit_depth=16, provenance=_PROVENANCE)
        assert notes == ("JPEG keeps 8 of 16 bits; TIFF keeps them all.",)
        assert np.abs(read_image(tmp_path / f"j{suffix}").normalised() - pixels).max() < 0.02
    grey = pixels[..., :1]
    assert write_image(tmp_path / "g.jpg", grey, bit_depth=8) == ()
    assert read_image(tmp_path / "g.jpg").data.shape == (64, 64, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_is_valid_for_others_with_provenance(
    tmp_path: Path, depth: BitDepth, channels: int
) -> None:
    path = tmp_path / "p.png"
    write_image(path, _pixels(channels), bit_depth=depth, provenance=_PROVENANCE)
    with Pil.open(path) as image:
        image.load()
        assert dict(getattr(image, "text", {})) == _PROVENANCE
    other = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    other = other[..., ::-1] if channels == 3 else other[..., None]
    assert other.dtype == (np.uint8 if depth == 8 else np.uint16)
    np.testing.assert_array_equal(read_image(path).data, other)


def test_levels_are_the_nearest_ones(tmp_path: Path) -> None:
    """All halves between two levels and what is next to them, against exact fractions."""
    halves = (np.arange(255) + 0.5) / 255
    near = np.float32(halves)
    values = np.concatenate([near, np.nextafter(near, np.float32(0)), np.nextafter(near, 1)])
    values = values.astype(np.float32).reshape(-1, 1, 1)
    expected = [math.floor(Fraction(float(v)) * 255 + Fraction(1, 2)) for v in values.ravel()]
    write_image(tmp_path / "l.png", values, bit_depth=8)
    np.testing.assert_array_equal(read_image(tmp_path / "l.png").data.ravel(), expected)


def test_provenance_in_other_formats(tmp_path: Path) -> None:
    for suffix in (".tif", ".jpg", ".webp"):
        write_image(tmp_path / f"p{suffix}", _pixels(3), bit_depth=8, provenance=_PROVENANCE)
    with tifffile.TiffFile(tmp_path / "p.tif") as tif:
        assert json.loads(tif.pages[0].description) == _PROVENANCE
    with Pil.open(tmp_path / "p.jpg") as image:
        assert json.loads(image.info["comment"]) == _PROVENANCE
    with Pil.open(tmp_path / "p.webp") as image:
        assert json.loads(image.getexif()[0x010E]) == _PROVENANCE


def test_odd_provenance_keys_do_no_harm(tmp_path: Path) -> None:
    odd = {"x" * 200: "long", "": "empty", "图": "not Latin", "nul\0": "a\0b"}
    for suffix in WRITE_SUFFIXES:
        path = tmp_path / f"p{suffix}"
        write_image(path, _pixels(1), bit_depth=8, provenance=odd)
        assert read_image(path).size == (13, 9)


def test_values_outside_are_clipped(tmp_path: Path) -> None:
    pixels = np.array([[[-0.5], [1.5]]], np.float32)
    for suffix, depth in ((".png", 8), (".png", 16), (".tif", 32)):
        write_image(tmp_path / f"c{suffix}", pixels, bit_depth=depth)  # type: ignore[arg-type]
        normalised = read_image(tmp_path / f"c{suffix}").normalised()
        np.testing.assert_array_equal(normalised, [[[0], [1]]])


@pytest.mark.parametrize("suffix", [".xyz", "", ".gif", ".png.bak"])
def test_unknown_suffix(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match=r"not a picture format.*\.png, \.tif"):
        write_image(tmp_path / f"a{suffix}", _pixels(1), bit_depth=8)
    assert list(tmp_path.iterdir()) == []


def test_sources_are_protected_under_every_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.png"
    write_image(source, _pixels(1), bit_depth=8)
    before = source.read_bytes()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    names = [source, Path("source.png"), tmp_path / "sub" / ".." / "source.png"]
    if hasattr(os, "symlink"):
        (tmp_path / "soft.png").symlink_to(source)
        os.link(source, tmp_path / "hard.png")
        names += [tmp_path / "soft.png", tmp_path / "hard.png"]
    for name in names:
        with pytest.raises(OutputError, match="one of the sources"):
            write_image(name, _pixels(3), bit_depth=8, protect=[Path("other.png"), source])
    assert source.read_bytes() == before
    write_image(tmp_path / "result.png", _pixels(3), bit_depth=8, protect=[source])


def test_overwriting_can_be_forbidden(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_image(path, _pixels(1), bit_depth=8, overwrite=False)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="there is a file of that name"):
        write_image(path, _pixels(3), bit_depth=8, overwrite=False)
    assert path.read_bytes() == before
    write_image(path, _pixels(3), bit_depth=8)
    assert path.read_bytes() != before


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_missing_folder(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match=r"does not exist.*Create the folder") as caught:
        write_image(tmp_path / "no" / f"a{suffix}", _pixels(1), bit_depth=8)
    assert f"a{suffix}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", WRITE_SUFFIXES)
def test_full_disk_leaves_the_old_file(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system reports a full disk when the data are flushed; nothing else is replaced here."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"precious")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"the disk is full. Free some space"):
        write_image(path, _pixels(3), bit_depth=8)
    assert path.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_format_limits_are_explained(tmp_path: Path) -> None:
    long = np.zeros((1, 20_000, 1), np.float32)
    with pytest.raises(OutputError, match=r"16383 pixels a side.*20000×1.*PNG or TIFF"):
        write_image(tmp_path / "a.webp", long, bit_depth=8)
    for suffix in (".png", ".tif", ".jpg", ".bmp"):
        write_image(tmp_path / f"a{suffix}", long, bit_depth=8)
        assert read_image(tmp_path / f"a{suffix}").size == (20_000, 1)
    with pytest.raises(OutputError, match="65500 pixels a side"):
        write_image(tmp_path / "b.jpg", np.zeros((1, 65_501, 1), np.float32), bit_depth=8)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 5), np.float32),
        np.zeros((4, 5, 2), np.float32),
        np.zeros((0, 5, 3), np.float32),
        np.full((4, 5, 1), np.nan, np.float32),
    ],
    ids=["2-D", "two channels", "empty", "nan"],
)
def test_wrong_arrays_are_programming_errors(tmp_path: Path, pixels: Any) -> None:
    with pytest.raises(ValueError, match=r"expected height|NaN"):
        write_image(tmp_path / "a.png", pixels, bit_depth=8)
    assert list(tmp_path.iterdir()) == []


def test_read_only_and_transposed_arrays(tmp_path: Path) -> None:
    pixels = _pixels(3).transpose(1, 0, 2)[::-1]
    pixels.flags.writeable = False
    for suffix in WRITE_SUFFIXES:
        write_image(tmp_path / f"a{suffix}", pixels, bit_depth=8)
        error = np.abs(read_image(tmp_path / f"a{suffix}").normalised() - pixels)
        assert error.max() < (0.4 if "j" in suffix else 0.003)


def test_real_picture_is_written_bit_for_bit(shared_data: Path, tmp_path: Path) -> None:
    for source in sorted((shared_data / "val" / "mif").glob("[ab]/*.png"))[::7]:
        image = read_image(source)
        write_image(tmp_path / "copy.png", image.normalised(), bit_depth=8, protect=[source])
        np.testing.assert_array_equal(read_image(tmp_path / "copy.png").data, image.data)

"""What the reader turns into grey or sRGB: CMYK, transparency, orientation, colour profiles."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil
from PIL import ImageCms, ImageOps

from core.io import read_image
from core.types import Image

_RNG = np.random.default_rng(7)
_GREY8 = _RNG.integers(0, 256, (11, 17), dtype=np.uint8)
_RGB8 = _RNG.integers(0, 256, (11, 17, 3), dtype=np.uint8)
_GREY16 = _RNG.integers(0, 65536, (11, 17), dtype=np.uint16)


def _as_hwc(array: Any) -> Any:
    return array if array.ndim == 3 else array[..., None]


def _expect(image: Image, array: Any, window: tuple[float, float], depth: int) -> None:
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, _as_hwc(array).astype(np.float32))
    assert image.window == window
    assert image.bit_depth == depth


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_without_profile(tmp_path: Path, suffix: str) -> None:
    cmyk = np.zeros((16, 16, 4), np.uint8)
    cmyk[:] = (0, 128, 255, 51)
    Pil.fromarray(cmyk, "CMYK").save(tmp_path / f"c{suffix}", **_JPEG_BEST.get(suffix, {}))
    image = read_image(tmp_path / f"c{suffix}")
    # R = 255·(1−0)(1−0.2), G = 255·(1−128/255)(1−0.2), B = 0
    expected = np.broadcast_to([204.0, 127 * 0.8, 0.0], (16, 16, 3))
    np.testing.assert_allclose(image.data, expected, atol=2)
    assert image.notes == ("CMYK was converted to RGB.",)


_JPEG_BEST: dict[str, dict[str, Any]] = {".jpg": {"quality": 100, "subsampling": 0}}


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("opaque", [True, False])
def test_alpha_8_bit(tmp_path: Path, mode: str, suffix: str, opaque: bool) -> None:
    colours = _GREY8[..., None] if mode == "LA" else _RGB8
    alpha = np.full((11, 17, 1), 255, np.uint8)
    if not opaque:
        alpha[:5] = 0
        alpha[5] = 51  # a fifth
    picture = Pil.fromarray(np.concatenate([colours, alpha], axis=2), mode)
    extra = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    picture.save(tmp_path / f"a{suffix}", **extra)
    image = read_image(tmp_path / f"a{suffix}")
    if suffix == ".webp" and mode == "LA":
        colours = np.repeat(colours, 3, axis=2)
    expected = colours.astype(float) * (alpha / 255)
    np.testing.assert_allclose(image.data, expected, atol=1e-4)
    assert image.notes == (() if opaque else ("Transparent areas were put on black.",))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_alpha_16_bit(tmp_path: Path, channels: int, suffix: str) -> None:
    array = _RNG.integers(0, 65536, (6, 5, channels), dtype=np.uint16)
    if suffix == ".png":
        (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(array))
    else:
        photometric = "rgb" if channels == 4 else "minisblack"
        tifffile.imwrite(
            tmp_path / "a.tif",
            array,
            photometric=photometric,
            planarconfig="contig",
            extrasamples=["unassalpha"],
        )
    image = read_image(tmp_path / f"a{suffix}")
    expected = array[..., :-1].astype(float) * array[..., -1:] / 65535
    np.testing.assert_allclose(image.data, expected, rtol=1e-6)
    assert image.bit_depth == 16
    assert image.notes == ("Transparent areas were put on black.",)


def test_tiff_extra_channels(tmp_path: Path) -> None:
    array = _RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="rgb", extrasamples=["assocalpha"])
    associated = read_image(path)
    np.testing.assert_array_equal(associated.data, array[..., :3])
    assert associated.notes == ("Transparent areas were put on black.",)
    tifffile.imwrite(path, array, photometric="rgb", extrasamples=["unspecified"])
    unknown = read_image(path)
    np.testing.assert_array_equal(unknown.data, array[..., :3])
    assert "unknown meaning" in unknown.notes[0]


def _png(bits: int, colour: int, row: bytes, transparent: bytes) -> bytes:
    """A one-row PNG of two pixels with a tRNS chunk, put together by hand."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        whole = kind + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = struct.pack(">IIBBBBB", 2, 1, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tRNS", transparent)
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key", "expected"),
    [
        (8, 0, bytes([200, 100]), b"\0\xc8", [[0], [100]]),
        (8, 2, bytes([1, 2, 3, 4, 5, 6]), b"\0\1\0\2\0\3", [[0, 0, 0], [4, 5, 6]]),
        (16, 0, struct.pack(">2H", 40000, 300), struct.pack(">H", 40000), [[0], [300]]),
        (
            16,
            2,
            struct.pack(">6H", 1000, 2000, 3000, 400, 500, 600),
            struct.pack(">3H", 1000, 2000, 3000),
            [[0, 0, 0], [400, 500, 600]],
        ),
    ],
)
def test_png_transparent_colour(
    tmp_path: Path, bits: int, colour: int, row: bytes, key: bytes, expected: list[list[int]]
) -> None:
    (tmp_path / "t.png").write_bytes(_png(bits, colour, row, key))
    image = read_image(tmp_path / "t.png")
    np.testing.assert_array_equal(image.data[0], expected)
    assert image.notes[0] == "Transparent areas were put on black."


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_orientation_against_pillow(tmp_path: Path, orientation: int, suffix: str) -> None:
    smooth = cv2.GaussianBlur(_RGB8, (0, 0), 3)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"o{suffix}"
    Pil.fromarray(smooth).save(path, exif=exif.tobytes())
    with Pil.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    image = read_image(path)
    np.testing.assert_array_equal(image.data, expected)
    assert image.size == ((17, 11) if orientation < 5 else (11, 17))
    assert bool(image.notes) is (orientation > 1)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_16_bit(tmp_path: Path, orientation: int) -> None:
    """6: the first row is the right-hand side of the scene; 8: the left; 3: upside down."""
    tag = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "o.tif", _GREY16, extratags=tag, metadata=None)
    turns = {3: 2, 6: -1, 8: 1}[orientation]
    _expect(read_image(tmp_path / "o.tif"), np.rot90(_GREY16, turns), (0, 65535), 16)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    Pil.fromarray(_GREY16).save(tmp_path / "o.png", exif=exif.tobytes())
    _expect(read_image(tmp_path / "o.png"), np.rot90(_GREY16, turns), (0, 65535), 16)


_ADOBE = imagecodecs.cms_profile("adobergb")
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_profile_is_converted_to_srgb(tmp_path: Path, suffix: str) -> None:
    """Against Pillow's own colour management."""
    smooth = cv2.GaussianBlur(_RGB8, (0, 0), 3)
    path = tmp_path / f"p{suffix}"
    Pil.fromarray(smooth).save(path, icc_profile=_ADOBE)
    with Pil.open(path) as stored:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_ADOBE))
        expected = np.asarray(
            ImageCms.profileToProfile(stored.convert("RGB"), source, _SRGB), np.float32
        )
        raw = np.asarray(stored.convert("RGB"), np.float32)
    image = read_image(path)
    assert np.abs(image.data - expected).max() <= 1
    assert np.abs(image.data - raw).max() > 3
    assert "Adobe RGB" in image.notes[0]


def _png_with_profile(array: Any, profile: bytes) -> bytes:
    content = imagecodecs.png_encode(array)
    body = b"iCCPp\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:33] + chunk + content[33:]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_profile_16_bit(tmp_path: Path, suffix: str) -> None:
    """The Adobe RGB (1998) and sRGB standards by their formulas, to a few thousandths."""
    rgb = np.array([[[0.5, 0.5, 0.5], [0.6, 0.5, 0.4], [0.4, 0.45, 0.5]]])
    array = np.round(rgb * 65535).astype(np.uint16)
    path = tmp_path / f"p{suffix}"
    if suffix == ".png":
        path.write_bytes(_png_with_profile(array, _ADOBE))
    else:
        tifffile.imwrite(path, array, photometric="rgb", iccprofile=_ADOBE)
    to_xyz = np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    )
    from_xyz = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    linear = rgb ** (563 / 256) @ to_xyz.T @ from_xyz.T
    expected = 1.055 * linear ** (1 / 2.4) - 0.055
    image = read_image(path)
    assert image.bit_depth == 16
    np.testing.assert_allclose(image.normalised(), expected, atol=4e-3)
    assert "Adobe RGB" in image.notes[0]


def test_srgb_and_unusable_profiles_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Pil.fromarray(_RGB8).save(path, icc_profile=_SRGB.tobytes())
    assert read_image(path).notes == ()
    for profile in (b"not a profile at all", _ADOBE[:200]):
        Pil.fromarray(_RGB8).save(path, icc_profile=profile)
        image = read_image(path)
        _expect(image, _RGB8, (0, 255), 8)
        assert "could not be used" in image.notes[0]


@pytest.mark.parametrize("array", [_GREY8, _GREY16], ids=["8", "16"])
def test_grey_profiles(tmp_path: Path, array: Any) -> None:
    """A linear grey profile: the sRGB curve by its formula. The picture stays grey."""
    linear = imagecodecs.cms_profile("gray", whitepoint=[0.345703, 0.358539, 1.0], gamma=1.0)
    (tmp_path / "g.png").write_bytes(_png_with_profile(array, linear))
    image = read_image(tmp_path / "g.png")
    assert image.data.shape == (11, 17, 1)
    top = image.window[1]
    value = array / top
    expected = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    assert np.abs(image.data[..., 0] - expected * top).max() <= max(1.0, top * 2e-3)


def test_grey_picture_with_rgb_profile_stays_grey(tmp_path: Path) -> None:
    Pil.fromarray(_GREY8).save(tmp_path / "g.png", icc_profile=_ADOBE)
    image = read_image(tmp_path / "g.png")
    assert image.data.shape == (11, 17, 1)
    assert np.abs(image.data[..., 0] - _GREY8).max() <= 12  # gamma 2.2 against the sRGB curve

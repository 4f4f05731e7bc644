"""Colours as files describe them: EXIF of Adobe RGB, gamma and primaries of PNG, empty alpha."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.io import read_image

_RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
_PATCHES = np.array([[[200, 50, 50], [50, 200, 50], [50, 50, 200], [128, 128, 128]]], np.uint8)
_SRGB_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
_ADOBE_CHRM = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)


def _encoded(linear: Any) -> Any:
    """sRGB's curve, 0…1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _adobe_to_srgb(values: Any) -> Any:
    """8-bit Adobe RGB as 8-bit sRGB, by the matrices of the two standards; both have D65."""
    to_xyz = np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    )
    from_xyz = np.array(
        [[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]]
    )
    linear = (values / 255.0) ** (563 / 256)
    return _encoded(np.clip(linear @ to_xyz.T @ from_xyz.T, 0, 1)) * 255


def _png(path: Path, array: Any, *parts: tuple[bytes, bytes]) -> Path:
    content = bytes(imagecodecs.png_encode(array))
    added = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    path.write_bytes(content[:33] + added + content[33:])
    return path


def _gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 1e5))


def test_linear_png_is_encoded(tmp_path: Path) -> None:
    """128 of 255 in linear light is 188 in sRGB."""
    for array in (_RAMP, np.dstack([_RAMP] * 3)):
        image = read_image(_png(tmp_path / "l.png", array, _gamma(1.0)))
        expected = _encoded(array / 255.0).reshape(image.data.shape) * 255
        assert np.abs(image.data - expected).max() <= 1
        assert image.data[8, 0, 0] == 188
        assert "gamma 1.0" in image.notes[0]
    deep = _RAMP.astype(np.uint16) * 257
    image = read_image(_png(tmp_path / "l16.png", deep, _gamma(1.0)))
    assert np.abs(image.data[..., 0] / 65535 - _encoded(_RAMP / 255.0)).max() < 2e-3
    assert image.window == (0.0, 65535.0)


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (_gamma(1 / 2.2),),
        (_gamma(0.45455), (b"cHRM", struct.pack(">8I", *_SRGB_CHRM))),
        (_gamma(1.0), (b"sRGB", b"\0")),  # sRGB wins
        (_gamma(1.0), (b"iCCP", b"x\0\0" + zlib.compress(imagecodecs.cms_profile("srgb")))),
        (_gamma(1.0), (b"cICP", bytes((1, 13, 0, 1)))),
    ],
    ids=["none", "usual", "usual primaries", "sRGB", "iCCP", "cICP"],
)
def test_png_that_is_srgb_is_left_alone(tmp_path: Path, parts: Any) -> None:
    image = read_image(_png(tmp_path / "s.png", _PATCHES, *parts))
    if not any(kind == b"iCCP" for kind, _ in parts):
        assert image.notes == ()
    assert np.abs(image.data - _PATCHES).max() <= 1


def test_png_primaries(tmp_path: Path) -> None:
    """Adobe RGB told by numbers alone."""
    parts = (_gamma(256 / 563), (b"cHRM", struct.pack(">8I", *_ADOBE_CHRM)))
    image = read_image(_png(tmp_path / "p.png", _PATCHES, *parts))
    assert np.abs(image.data - _adobe_to_srgb(_PATCHES)).max() <= 2
    assert image.data[0, 3].tolist() == pytest.approx([128] * 3, abs=1)  # grey stays grey


@pytest.mark.parametrize("mark", [_gamma(0.0), _gamma(30000.0), (b"cHRM", bytes(32))])
def test_gamma_that_makes_no_sense(tmp_path: Path, mark: Any) -> None:
    image = read_image(_png(tmp_path / "g.png", _PATCHES, mark))
    np.testing.assert_array_equal(image.data, _PATCHES)
    assert "left out" in image.notes[0]


def test_sbit_changes_nothing(tmp_path: Path) -> None:
    """Samples are scaled to the full range already, whatever their precision was."""
    deep = _RAMP.astype(np.uint16) * 257
    image = read_image(_png(tmp_path / "b.png", deep, (b"sBIT", b"\x0c")))
    np.testing.assert_array_equal(image.data[..., 0], deep)
    assert image.notes == ()


def _exif(space: int, index: str | None) -> Pil.Exif:
    exif = Pil.Exif()
    tags: dict[int, Any] = {0xA001: space}
    if index is not None:
        tags[0xA005] = {1: index}
    exif[0x8769] = tags
    return exif


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_adobe_rgb_told_by_exif(tmp_path: Path, suffix: str) -> None:
    patches = np.kron(_PATCHES, np.ones((16, 16, 1), np.uint8))
    path = tmp_path / f"a.{suffix}"
    options: dict[str, Any] = {"quality": 100, "lossless": True}
    options |= {"subsampling": 0} if suffix == "jpg" else {}

    def save(exif: Pil.Exif) -> None:
        Pil.fromarray(patches).save(path, exif=exif, **options)

    save(_exif(0xFFFF, "R03"))
    image = read_image(path)
    expected = _adobe_to_srgb(patches)
    assert np.abs(image.data - expected).max() <= 4
    assert np.abs(expected - patches).max() > 15
    assert "Adobe RGB" in image.notes[0]
    for other in (_exif(1, "R98"), _exif(0xFFFF, None), _exif(0xFFFF, "R98"), Pil.Exif()):
        save(other)
        plain = read_image(path)
        assert plain.notes == ()
        assert np.abs(plain.data - patches).max() <= 3


def _tiff_with_exif(rgb: Any, index: bytes) -> bytes:
    """A plain TIFF with EXIF inside, as cameras and raw converters write it."""
    height, width, _ = rgb.shape
    pixels = rgb.tobytes()

    def directory(*tags: tuple[int, int, int, bytes]) -> bytes:
        entries = b"".join(struct.pack("<HHI", *tag[:3]) + tag[3].ljust(4, b"\0") for tag in tags)
        return struct.pack("<H", len(tags)) + entries + bytes(4)

    def number(value: int) -> bytes:
        return struct.pack("<I", value)

    first = 8
    exif = first + 2 + 10 * 12 + 4
    inner = exif + 2 + 2 * 12 + 4
    bits = inner + 2 + 12 + 4
    start = bits + 6
    return (
        b"II*\0"
        + number(first)
        + directory(
            (256, 4, 1, number(width)),
            (257, 4, 1, number(height)),
            (258, 3, 3, number(bits)),
            (259, 3, 1, number(1)),
            (262, 3, 1, number(2)),
            (273, 4, 1, number(start)),
            (277, 3, 1, number(3)),
            (278, 4, 1, number(height)),
            (279, 4, 1, number(len(pixels))),
            (0x8769, 4, 1, number(exif)),
        )
        + directory((0xA001, 3, 1, number(0xFFFF)), (0xA005, 4, 1, number(inner)))
        + directory((1, 2, 4, index))
        + struct.pack("<3H", 8, 8, 8)
        + pixels
    )


def test_adobe_rgb_told_by_exif_in_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(_tiff_with_exif(_PATCHES, b"R03\0"))
    image = read_image(path)
    assert np.abs(image.data - _adobe_to_srgb(_PATCHES)).max() <= 2
    assert "Adobe RGB" in image.notes[0]
    path.write_bytes(_tiff_with_exif(_PATCHES, b"R98\0"))
    np.testing.assert_array_equal(read_image(path).data, _PATCHES)


def test_an_embedded_profile_beats_exif(tmp_path: Path) -> None:
    profile = bytes(imagecodecs.cms_profile("srgb"))
    Pil.fromarray(_PATCHES).save(
        tmp_path / "p.jpg", exif=_exif(0xFFFF, "R03"), icc_profile=profile, quality=100
    )
    assert not any("Adobe" in note for note in read_image(tmp_path / "p.jpg").notes)


def _bitmap(alpha: int) -> bytes:
    """32-bit BMP with a mask for alpha (a V4 header), as many programs write."""
    pixels = b"".join(bytes((row, 255 - row, 7, alpha)) for row in range(16) for _ in range(16))
    header = struct.pack("<IiiHHIIiiII", 108, 16, 16, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    rest = b"BGRs" + bytes(48)
    start = 14 + len(header) + len(masks) + len(rest)
    head = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return head + header + masks + rest + pixels


def test_bitmap_with_empty_alpha_is_opaque(tmp_path: Path) -> None:
    (tmp_path / "full.bmp").write_bytes(_bitmap(255))
    (tmp_path / "empty.bmp").write_bytes(_bitmap(0))
    (tmp_path / "half.bmp").write_bytes(_bitmap(51))
    full, empty = read_image(tmp_path / "full.bmp"), read_image(tmp_path / "empty.bmp")
    assert full.data.max() == 255
    np.testing.assert_array_equal(full.data, empty.data)
    assert full.notes == ()
    assert "transparent everywhere" in empty.notes[0]
    np.testing.assert_allclose(read_image(tmp_path / "half.bmp").data, full.data / 5, atol=0.01)


@pytest.mark.parametrize("kind", ["png", "tif", "webp"])
def test_empty_alpha_of_other_kinds(tmp_path: Path, kind: str) -> None:
    empty = np.dstack(
        [np.kron(_PATCHES, np.ones((9, 9, 1), np.uint8)), np.zeros((9, 36), np.uint8)]
    )
    path = tmp_path / f"e.{kind}"
    options: dict[str, Any] = {"lossless": True, "exact": True} if kind == "webp" else {}
    Pil.fromarray(empty).save(path, **options)
    np.testing.assert_array_equal(read_image(path).data, empty[..., :3])


def test_linear_sixteen_bit_tiff(tmp_path: Path) -> None:
    """An embedded linear profile, in RGB and grey."""
    deep = _RAMP.astype(np.uint16) * 257
    places = {"whitepoint": (0.3127, 0.329, 1.0), "primaries": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06)}
    rgb = imagecodecs.cms_profile("rgb", gamma=1.0, **places)
    grey = imagecodecs.cms_profile("gray", whitepoint=(0.345703, 0.358539, 1.0), gamma=1.0)
    for array, profile in ((np.dstack([deep] * 3), rgb), (deep, grey)):
        photometric = "rgb" if array.ndim == 3 else "minisblack"
        path = tmp_path / "t.tif"
        tifffile.imwrite(path, array, photometric=photometric, iccprofile=profile)
        image = read_image(path)
        expected = _encoded(_RAMP / 255.0)[..., None]
        assert np.abs(image.data / 65535 - expected).max() < 2e-3
        assert "embedded" in image.notes[0]

"""Kinds of files: told by content, whatever their name; read with the right depth and white."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pytest
from PIL import Image as Pil

from core.errors import InputError
from core.io import READERS, is_image, probe_image, read_image
from tests.core.io.dicom_files import dataset_of

_RNG = np.random.default_rng(9)
_GREY = _RNG.integers(0, 256, (23, 31), dtype=np.uint8)
_RGB = _RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
_TWELVE = _RNG.integers(0, 4096, (23, 31), dtype=np.uint16)


def _pillow(kind: str, array: Any = _RGB, **options: Any) -> bytes:
    stream = io.BytesIO()
    Pil.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


def _dicom(array: Any) -> bytes:
    stream = io.BytesIO()
    dataset_of(array, "OT").save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _nifti(array: Any) -> bytes:
    colour = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    voxels = np.ascontiguousarray(array.swapaxes(0, 1)).view(colour)
    return bytes(nibabel.Nifti1Image(voxels, np.diag([-1.0, -1.0, 1.0, 1.0])).to_bytes())


_FILES: dict[str, tuple[str, bytes]] = {
    "PNG": ("png", _pillow("PNG")),
    "JPEG": ("jpg jpeg jpe jfif", _pillow("JPEG")),
    "TIFF": ("tif tiff", _pillow("TIFF")),
    "BMP": ("bmp dib", _pillow("BMP")),
    "WebP": ("webp", _pillow("WEBP", lossless=True)),
    "GIF": ("gif", _pillow("GIF")),
    "Netpbm": ("pgm ppm pbm pnm", _pillow("PPM")),
    "JPEG 2000": ("jp2 j2k", imagecodecs.jpeg2k_encode(_RGB, level=0)),
    "JPEG XL": ("jxl", imagecodecs.jpegxl_encode(_RGB, lossless=True)),
    "JPEG-LS": ("jls", imagecodecs.jpegls_encode(_RGB)),
    "AVIF": ("avif", _pillow("AVIF")),
    "DICOM": ("dcm dicom ima", _dicom(_RGB)),
    "NIfTI": ("nii nii.gz", _nifti(_RGB)),
}


@pytest.mark.parametrize("kind", _FILES)
def test_told_by_content(tmp_path: Path, kind: str) -> None:
    suffixes, content = _FILES[kind]
    for name in (
        "none",
        "wrong.png",
        "wrong.tif",
        "odd.xyz",
        *(f"a.{s}" for s in suffixes.split()),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert is_image(path)
        image, header = read_image(path), probe_image(path)
        assert image.size == (31, 23)
        assert (header.kind, header.upright_size, header.frames) == (kind, (31, 23), 1)
        assert header.bit_depth == image.bit_depth == 8
    for suffix in suffixes.split():
        assert f".{suffix}" in READERS.suffixes
    if kind not in ("JPEG", "GIF", "AVIF"):  # exact kinds
        np.testing.assert_array_equal(image.data, _RGB)


def test_every_reader_tells_its_header() -> None:
    assert set(_FILES) | {"HEIC"} == set(READERS.names)
    assert all(READERS.recognise(content).name == kind for kind, (_, content) in _FILES.items())


def test_what_is_no_image(tmp_path: Path) -> None:
    contents = (
        b"",
        b"BMW and other cars are no bitmaps.",
        b"P5 is what some call it",
        b"GIF",
        b"IIII",
        bytes(600),
        b"P6",
        b"RIFF....WAVEfmt ",
        b"....ftypisom....isommp42",
        b"....ftypqt  ",
    )
    for number, content in enumerate(contents):
        path = tmp_path / f"file{number}"
        path.write_bytes(content)
        assert not is_image(path), content
    assert not is_image(tmp_path / "nowhere")
    assert not is_image(tmp_path)
    assert not is_image(tmp_path / "nul\0")
    (tmp_path / "text.png").write_text("no image, but called one: reading tells")
    assert is_image(tmp_path / "text.png")


def test_kinds_not_read_yet_are_named(tmp_path: Path) -> None:
    heic = (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
        + b"\0\0\0\x14ispe\0\0\0\0"
        + struct.pack(">II", 40, 30)
    )
    for name, content, words in (
        ("a.jxr", b"II\xbc\x01" + bytes(99), "JPEG XR"),
        ("b.heic", heic, "HEIC pictures need a decoder"),
        ("b", heic, "HEIC"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=words) as told:
            read_image(path)
        assert "xport" in told.value.remedy
        assert "HEIC" not in told.value.remedy
    assert is_image(tmp_path / "b")


@pytest.mark.parametrize("channels", [1, 3])
def test_twelve_bits(tmp_path: Path, channels: int) -> None:
    """16-bit depth, and 4095 is white."""
    deep = _TWELVE if channels == 1 else np.dstack([_TWELVE, _TWELVE // 2, 4095 - _TWELVE])
    smooth = np.ascontiguousarray(
        np.broadcast_to(np.linspace(0, 4095, 64, dtype=np.uint16), (48, 64))
        if channels == 1
        else np.full((48, 64, 3), (4000, 2000, 100), np.uint16)
    )
    options: dict[str, Any] = {"bitspersample": 12}
    exact = {
        "a.jp2": imagecodecs.jpeg2k_encode(deep, level=0, **options),
        "a.jxl": imagecodecs.jpegxl_encode(deep, lossless=True, **options),
    }
    if channels == 1:
        exact["lossless.jpg"] = imagecodecs.ljpeg_encode(deep, **options)
    for name, content in exact.items():
        (tmp_path / name).write_bytes(content)
        image = read_image(tmp_path / name)
        assert (image.bit_depth, image.window) == (16, (0.0, 4095.0))
        assert probe_image(tmp_path / name).bit_depth == 16
        np.testing.assert_array_equal(image.data, deep.reshape(image.data.shape))
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg8_encode(smooth, level=98, **options))
    image = read_image(tmp_path / "a.jpg")
    assert (image.bit_depth, image.window) == (16, (0.0, 4095.0))
    assert np.abs(image.data - smooth.reshape(image.data.shape)).max() <= 60


def test_jpegls_depth_is_that_of_its_header(tmp_path: Path) -> None:
    """Written with 16 bits the same numbers have another white than with 12."""
    content = bytearray(imagecodecs.jpegls_encode(_TWELVE))
    (tmp_path / "a.jls").write_bytes(content)
    image = read_image(tmp_path / "a.jls")
    np.testing.assert_array_equal(image.data[..., 0], _TWELVE)
    assert image.container == (0.0, 65535.0)
    frame = content.index(b"\xff\xf7")
    assert content[frame + 4] == 16
    path = tmp_path / "named.jpg"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_image(path).data[..., 0], _TWELVE)


@pytest.mark.parametrize("top", [1, 15, 255, 1023, 65535])
@pytest.mark.parametrize("text", [True, False])
def test_netpbm_values(tmp_path: Path, top: int, text: bool) -> None:
    grey = _RNG.integers(0, top + 1, (5, 7))
    grey[0, 0] = top
    head = b"# a comment\n7\t5 # another\n%d\n" % top
    if text:
        content = b"P2\n" + head + b"\n".join(b" ".join(b"%d" % v for v in row) for row in grey)
    else:
        content = b"P5\n" + head + grey.astype(">u2" if top > 255 else np.uint8).tobytes()
    (tmp_path / "a.pgm").write_bytes(content)
    image = read_image(tmp_path / "a.pgm")
    white = 255 if top <= 255 else top
    assert image.window == (0.0, float(white))
    np.testing.assert_array_equal(image.data[..., 0], grey * white // top)
    assert image.bit_depth == probe_image(tmp_path / "a.pgm").bit_depth == (8 if top < 256 else 16)


def test_netpbm_colour_and_bitmaps(tmp_path: Path) -> None:
    (tmp_path / "a.ppm").write_bytes(b"P3 2 1 255 1 2 3 4 5 6")
    np.testing.assert_array_equal(read_image(tmp_path / "a.ppm").data, [[[1, 2, 3], [4, 5, 6]]])
    (tmp_path / "a.ppm").write_bytes(b"P6 2 1 65535\n" + bytes(range(12)))
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.ppm").data, [[[1, 515, 1029], [1543, 2057, 2571]]]
    )
    for content in (b"P1 3 2\n101\n0 1 0", b"P4 3 2\n\xa0\x40"):  # 1 is black
        (tmp_path / "a.pbm").write_bytes(content)
        np.testing.assert_array_equal(
            read_image(tmp_path / "a.pbm").data[..., 0], [[0, 255, 0], [255, 0, 255]]
        )
    for content in (
        b"P5 2 2 10\n\0\1\2\x0b",
        b"P2 2 1 255 1 256",
        b"P2 2 1 0 1 1",
        b"P2 2 1 255 1 x",
    ):
        (tmp_path / "b.pgm").write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            read_image(tmp_path / "b.pgm")


def test_avif_and_jxl_with_alpha_and_turned(tmp_path: Path) -> None:
    half = np.dstack([_RGB, np.full(_GREY.shape, 128, np.uint8)])
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(half, lossless=True))
    image = read_image(tmp_path / "a.jxl")
    np.testing.assert_allclose(image.data, _RGB * (128 / 255), atol=0.01)
    assert "black" in image.notes[0]
    exif = Pil.Exif()
    exif[0x0112] = 6
    Pil.fromarray(_RGB).save(tmp_path / "t.avif", exif=exif, quality=100)
    assert read_image(tmp_path / "t.avif").size == (23, 31)


def test_flir_photographs_are_pictures(shared_data: Path) -> None:
    """The radiometric part is left alone; the visible picture is what a viewer shows."""
    paths = sorted((shared_data / "thermal").glob("*.jpg"))
    if not paths:
        pytest.skip("no thermal photographs beside the real pairs")
    for path in paths:
        image = read_image(path)
        with Pil.open(path) as picture:
            np.testing.assert_array_equal(image.data, np.asarray(picture.convert("RGB")))
        assert not any("damaged" in note for note in image.notes)


def test_readers_need_neither_torch_nor_qt() -> None:
    code = "import sys, core.io\nprint([m for m in ('torch', 'PySide6') if m in sys.modules])"
    root = Path(__file__).resolve().parents[3]
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert told.stdout.strip() == "[]"

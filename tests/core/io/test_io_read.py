"""Reading good files: every format and depth, against the numbers they were made from."""

from __future__ import annotations

import io
import json
import logging
import threading
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.io import READERS, Reader, ReaderRegistry, read_image
from core.types import Image, ImageHeader

_RNG = np.random.default_rng(7)
_GREY8 = _RNG.integers(0, 256, (11, 17), dtype=np.uint8)
_RGB8 = _RNG.integers(0, 256, (11, 17, 3), dtype=np.uint8)
_GREY16 = _RNG.integers(0, 65536, (11, 17), dtype=np.uint16)
_RGB16 = _RNG.integers(0, 65536, (11, 17, 3), dtype=np.uint16)


def _as_hwc(array: Any) -> Any:
    return array if array.ndim == 3 else array[..., None]


def _expect(image: Image, array: Any, window: tuple[float, float], depth: int) -> None:
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, _as_hwc(array).astype(np.float32))
    assert image.window == window
    assert image.bit_depth == depth


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"])
@pytest.mark.parametrize("array", [_GREY8, _RGB8], ids=["grey", "rgb"])
def test_8_bit_lossless(tmp_path: Path, suffix: str, array: Any) -> None:
    path = tmp_path / f"Größe 图像{suffix}"
    if suffix == ".gif":
        array = array // 128 * 255  # few enough colours for a palette
    Pil.fromarray(array).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    image = read_image(str(path))
    grey = array.ndim == 2
    if suffix == ".webp" and grey:  # WebP has no grey
        array = np.repeat(array[..., None], 3, axis=2)
    if suffix == ".gif" and image.data.shape[2] == 3 and grey:
        array = np.repeat(array[..., None], 3, axis=2)
    _expect(image, array, (0, 255), 8)
    assert image.origin == path
    assert image.name == path.name
    assert image.is_colour is not grey
    if suffix != ".gif":
        assert image.notes == ()


@pytest.mark.parametrize("array", [_GREY8, _RGB8], ids=["grey", "rgb"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_against_opencv(tmp_path: Path, array: Any, progressive: bool) -> None:
    path = tmp_path / "a.jpeg"
    smooth = cv2.GaussianBlur(array, (0, 0), 2)
    Pil.fromarray(smooth).save(path, quality=95, progressive=progressive)
    other = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    other = other[..., ::-1] if array.ndim == 3 else other[..., None]
    image = read_image(path)
    assert image.data.shape == _as_hwc(array).shape
    assert np.abs(image.data - other).max() <= 3
    assert image.window == (0, 255)


@pytest.mark.parametrize("array", [_GREY16, _RGB16], ids=["grey", "rgb"])
@pytest.mark.parametrize(
    "writer", ["opencv", "imagecodecs", "tiff", "tiff-zlib", "tiff-big-endian"]
)
def test_16_bit_keeps_all_bits(tmp_path: Path, array: Any, writer: str) -> None:
    path = tmp_path / ("é.tif" if "tiff" in writer else "é.png")
    if writer == "opencv":
        swapped = array[..., ::-1] if array.ndim == 3 else array
        path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(swapped))[1].tobytes())
    elif writer == "imagecodecs":
        path.write_bytes(imagecodecs.png_encode(array))
    else:
        tifffile.imwrite(
            path,
            array,
            photometric="rgb" if array.ndim == 3 else "minisblack",
            compression="zlib" if "zlib" in writer else None,
            byteorder=">" if "big" in writer else "<",
        )
    image = read_image(path)
    _expect(image, array, (0, 65535), 16)
    assert image.notes == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3)], ids=["grey", "rgb"])
def test_float_tiff(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    values = _RNG.random(shape).astype(dtype)
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    for scale, window in ((1, (0.0, 1.0)), (-300, None)):
        array = values * dtype(scale)
        tifffile.imwrite(tmp_path / "f.tif", array, photometric=photometric)
        window = window or (float(array.min()), float(array.max()))
        expected = tuple(float(np.float32(v)) for v in window)
        _expect(read_image(tmp_path / "f.tif"), array, expected, 32)


@pytest.mark.parametrize(
    ("value", "window", "shown"),
    [(0.0, (0, 1), 0), (0.5, (0, 1), 0.5), (1.0, (0, 1), 1), (300, (0, 300), 1), (-5, (-5, 0), 0)],
)
def test_constant_float(
    tmp_path: Path, value: float, window: tuple[float, float], shown: float
) -> None:
    tifffile.imwrite(tmp_path / "c.tif", np.full((4, 5), value, np.float32))
    image = read_image(tmp_path / "c.tif")
    assert image.window == window
    np.testing.assert_array_equal(image.normalised(), np.full((4, 5, 1), shown, np.float32))


@pytest.mark.parametrize("value", [1e-45, 1e-38])
def test_tiny_float_ranges_can_be_shown(tmp_path: Path, value: float) -> None:
    array = np.array([[-value, value]], np.float32)
    tifffile.imwrite(tmp_path / "c.tif", array)
    np.testing.assert_array_equal(read_image(tmp_path / "c.tif").normalised()[0, :, 0], [0, 1])


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_stay_as_stored(tmp_path: Path, bits: int) -> None:
    array = _GREY16 >> (16 - bits)
    tifffile.imwrite(tmp_path / "p.tif", array, bitspersample=bits)
    _expect(read_image(tmp_path / "p.tif"), array, (0, 2**bits - 1), 16)


def test_12_bits_in_16_bit_words_with_stated_maximum(tmp_path: Path) -> None:
    array = _GREY16 >> 4
    tag = [(281, "H", 1, 4095, True)]
    tifffile.imwrite(tmp_path / "p.tif", array, extratags=tag)
    _expect(read_image(tmp_path / "p.tif"), array, (0, 4095), 16)
    tifffile.imwrite(tmp_path / "lie.tif", _GREY16, extratags=tag)
    _expect(read_image(tmp_path / "lie.tif"), _GREY16, (0, 65535), 16)


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_are_stretched(tmp_path: Path, bits: int) -> None:
    array = _GREY8 >> (8 - bits)
    tifffile.imwrite(tmp_path / "p.tif", array, bitspersample=bits)
    image = read_image(tmp_path / "p.tif")
    factor = 255 // (2**bits - 1)
    _expect(image, array * factor, (0, 255), 8)
    assert "stretched" in image.notes[0]


@pytest.mark.parametrize(
    ("dtype", "depth"), [("i1", 8), ("i2", 16), ("i4", 32), ("u4", 32), ("i8", 32)]
)
def test_integers_without_a_natural_range(tmp_path: Path, dtype: str, depth: int) -> None:
    array = np.array([[3, 7], [100, 11]], dtype)
    if dtype[0] == "i":
        array = array - np.array(50, dtype)
    tifffile.imwrite(tmp_path / "i.tif", array)
    image = read_image(tmp_path / "i.tif")
    _expect(image, array, (float(array.min()), float(array.max())), depth)
    assert "integers" in image.notes[0]


def test_min_is_white(tmp_path: Path) -> None:
    for array, top in ((_GREY8, 255), (_GREY16, 65535)):
        tifffile.imwrite(tmp_path / "w.tif", array, photometric="miniswhite")
        image = read_image(tmp_path / "w.tif")
        _expect(image, top - array.astype(int), (0, top), 8 if top == 255 else 16)
        assert "swapped" in image.notes[0]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_bilevel(tmp_path: Path, suffix: str) -> None:
    array = _GREY8 > 127
    Pil.fromarray(array).save(tmp_path / f"b{suffix}")
    image = read_image(tmp_path / f"b{suffix}")
    _expect(image, array * 255, (0, 255), 8)
    assert any("grey levels" in note for note in image.notes)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".gif"])
def test_palette(tmp_path: Path, suffix: str) -> None:
    small = Pil.fromarray(_RGB8).quantize(16)
    small.save(tmp_path / f"p{suffix}")
    image = read_image(tmp_path / f"p{suffix}")
    _expect(image, np.asarray(small.convert("RGB")), (0, 255), 8)
    assert image.notes == ("The palette was expanded to RGB.",)


@pytest.mark.parametrize("tiled", [False, True])
def test_planar_tiff(tmp_path: Path, tiled: bool) -> None:
    array = _RNG.integers(0, 65536, (40, 36, 3), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "p.tif",
        np.moveaxis(array, 2, 0),
        photometric="rgb",
        planarconfig="separate",
        tile=(16, 16) if tiled else None,
    )
    _expect(read_image(tmp_path / "p.tif"), array, (0, 65535), 16)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "packbits", "zstd", "jpeg"])
def test_compressed_tiff(tmp_path: Path, compression: str) -> None:
    smooth = cv2.GaussianBlur(_RNG.integers(0, 256, (64, 48, 3), dtype=np.uint8), (0, 0), 4)
    path = tmp_path / "c.tif"
    if compression == "jpeg":
        Pil.fromarray(smooth).save(path, compression="jpeg", quality=95)
    else:
        tifffile.imwrite(path, smooth, photometric="rgb", compression=compression)
    image = read_image(path)
    tolerance = 4 if compression == "jpeg" else 0
    assert np.abs(image.data - smooth).max() <= tolerance
    assert image.notes == ()


def test_tiff_thumbnail_pages_are_not_pages(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "t.tif") as tif:
        tif.write(_GREY8, metadata=None)
        tif.write(_GREY8[::2, ::2], subfiletype=1, metadata=None)
    _expect(read_image(tmp_path / "t.tif"), _GREY8, (0, 255), 8)


def test_content_beats_suffix(tmp_path: Path) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, _GREY16)
    (tmp_path / "really_tiff.png").write_bytes(stream.getvalue())
    _expect(read_image(tmp_path / "really_tiff.png"), _GREY16, (0, 65535), 16)
    stream = io.BytesIO()
    Pil.fromarray(_RGB8).save(stream, "PNG")
    for name in ("really_png.tif", "no_suffix", "really_png.xyz"):
        (tmp_path / name).write_bytes(stream.getvalue())
        _expect(read_image(tmp_path / name), _RGB8, (0, 255), 8)


def test_several_shots_in_one_jpeg(tmp_path: Path) -> None:
    first, second = Pil.fromarray(_RGB8), Pil.fromarray(255 - _RGB8)
    first.save(tmp_path / "m.jpg", "MPO", save_all=True, append_images=[second], quality=95)
    image = read_image(tmp_path / "m.jpg")
    stream = io.BytesIO()
    first.save(stream, "JPEG", quality=95)
    stream.seek(0)
    np.testing.assert_array_equal(image.data, np.asarray(Pil.open(stream)))
    assert "2 pictures" in image.notes[0]


def test_jpeg_with_a_film_behind_it(tmp_path: Path) -> None:
    """Phones append films; start-of-scan bytes in one are no sign of a missing end."""
    stream = io.BytesIO()
    Pil.fromarray(_RGB8).save(stream, "JPEG")
    (tmp_path / "plain.jpg").write_bytes(stream.getvalue())
    (tmp_path / "film.jpg").write_bytes(stream.getvalue() + b"film\xff\xda\0\1" * 50)
    film, plain = read_image(tmp_path / "film.jpg"), read_image(tmp_path / "plain.jpg")
    np.testing.assert_array_equal(film.data, plain.data)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (20_000, 1), (20_000, 3)])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_unusual_sizes(tmp_path: Path, size: tuple[int, int], suffix: str) -> None:
    array = np.full((size[1], size[0]), 128, np.uint8)
    Pil.fromarray(array).save(tmp_path / f"s{suffix}")
    image = read_image(tmp_path / f"s{suffix}")
    assert image.size == size
    _expect(image, array, (0, 255), 8)


def test_threads_may_read_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Warnings stay on after many overlapping reads, and every result is right."""
    Pil.fromarray(_RGB8).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", _GREY16)
    wrong: list[str] = []

    def work() -> None:
        for _ in range(10):
            if not np.array_equal(read_image(tmp_path / "a.png").data, _RGB8):
                wrong.append("png")
            if not np.array_equal(read_image(tmp_path / "b.tif").data[..., 0], _GREY16):
                wrong.append("tif")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not [r for r in caplog.get_records("call") if r.levelno >= logging.WARNING]
    with pytest.raises(DeprecationWarning):
        _warn()


def _warn() -> None:
    import warnings

    warnings.warn("still an error under this suite's settings", DeprecationWarning, stacklevel=1)


def test_registry() -> None:
    assert set(READERS.suffixes) >= {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
    assert READERS.names[0] == "PNG"

    def read(path: Path) -> Image:
        return Image(np.zeros((1, 1, 1), np.float32), origin=path)

    def probe(path: Path) -> ImageHeader:
        return ImageHeader("X", 1, 1)

    registry = ReaderRegistry()
    mine = Reader("X", (".x",), lambda head: head.startswith(b"XX"), read, probe)
    registry.add(mine)
    assert registry.find(b"XX..", ".png") is mine
    assert registry.find(b"....", ".X") is mine
    assert registry.find(b"....", ".png") is None
    with pytest.raises(ValueError, match="two readers are called"):
        registry.add(Reader("X", (".y",), lambda head: False, read, probe))
    with pytest.raises(ValueError, match="claim the suffix"):
        registry.add(Reader("Y", (".x",), lambda head: False, read, probe))
    with pytest.raises(ValueError, match="lower case"):
        registry.add(Reader("Z", (".Z",), lambda head: False, read, probe))
    assert registry.suffixes == (".x",)
    registry.remove("X")
    assert registry.suffixes == registry.names == ()
    assert registry.find(b"XX..", ".x") is None


def test_real_pictures_against_opencv(shared_data: Path) -> None:
    """Each set's first files: same size, same grey-or-colour, near the same numbers."""
    manifest = sorted((shared_data / "val").glob("*/[ab]/*"))[::11]
    assert manifest
    for path in manifest:
        image = read_image(path)
        other = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        other = other[..., ::-1] if other.ndim == 3 else other[..., None]
        assert image.data.shape == other.shape, path
        # Decoders may differ by rounding in JPEG; PNG is exact.
        difference = np.abs(image.data - other)
        assert difference.max() <= (0 if path.suffix == ".png" else 6), path
        assert image.notes == ()


def test_notes_are_plain_json_text(tmp_path: Path) -> None:
    Pil.fromarray(_RGB8).quantize(8).save(tmp_path / "p.png")
    assert json.loads(json.dumps(read_image(tmp_path / "p.png").notes))

"""Damage inside a file whose end looks right: told, and shown only on wish."""

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

from core.errors import DamagedImage, InputError
from core.io import probe_image, read_image, read_pair

_END = b"\xff\xd9"
_RNG = np.random.default_rng(15)


def _scene(height: int = 120, width: int = 160) -> Any:
    noise = _RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


_SCENE = _scene()


def _jpeg(**options: Any) -> bytes:
    stream = io.BytesIO()
    mode = options.pop("mode", "RGB")
    Pil.fromarray(_SCENE).convert(mode).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def _refused(path: Path, content: bytes, words: str = "damaged or incomplete") -> InputError:
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_image(path)
    assert caught.value.remedy
    return caught.value


_JPEGS = {
    "baseline": _jpeg(),
    "grey": _jpeg(mode="L"),
    "cmyk": _jpeg(mode="CMYK"),
    "progressive": _jpeg(progressive=True),
    "restart": _jpeg(restart_marker_rows=1),
    "subsampled": _jpeg(subsampling=2),
    "12-bit": bytes(
        imagecodecs.jpeg8_encode(_SCENE[..., 0].astype(np.uint16) * 16, bitspersample=12, level=90)
    ),
    "lossless": bytes(
        imagecodecs.ljpeg_encode(_SCENE[..., 0].astype(np.uint16) * 16, bitspersample=12)
    ),
}


@pytest.mark.parametrize("kind", _JPEGS)
def test_jpeg_cut_with_its_end_mark_put_back(tmp_path: Path, kind: str) -> None:
    content = _JPEGS[kind]
    path = tmp_path / "cut.jpg"
    path.write_bytes(content)
    assert read_image(path).size == (160, 120)
    start = content.index(b"\xff\xda") + 20
    for part in (0.05, 0.3, 0.6, 0.9, 0.97):
        cut = content[: start + int((len(content) - start) * part)]
        _refused(path, cut.rstrip(b"\xff") + _END)


def test_real_jpegs_cut_with_their_end_mark_put_back(shared_data: Path, tmp_path: Path) -> None:
    """Every one of them, at 30, 60 and 90 %; the intact ones are read without a note."""
    paths = sorted(shared_data.glob("train/*/[ab]/*.jpg"))[::25]
    assert len(paths) >= 30
    for path in paths:
        content = path.read_bytes()
        assert read_image(path).notes == ()
        for part in (0.3, 0.6, 0.9):
            _refused(tmp_path / "cut.jpg", content[: int(len(content) * part)] + _END)


def test_progressive_without_its_last_scans(tmp_path: Path) -> None:
    """Cut between two scans nothing is amiss but that detail is missing."""
    content = _JPEGS["progressive"]
    scans = [at for at in range(len(content)) if content[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    for scan in (scans[1], scans[-1]):
        tables = content.rfind(b"\xff\xc4", 0, scan)  # the tables that belong to the scan
        end = tables if tables > scans[scans.index(scan) - 1] else scan
        _refused(tmp_path / "p.jpg", content[:end] + _END, "scans are missing")


def test_what_may_follow_or_fill_an_intact_jpeg(tmp_path: Path) -> None:
    """Films, fill bytes and a thumbnail with an end mark of its own are no damage."""
    intact = _JPEGS["baseline"]
    path = tmp_path / "a.jpg"
    path.write_bytes(intact)
    expected = read_image(path).data
    thumbnail = io.BytesIO()
    Pil.fromarray(_SCENE[:40, :40]).save(thumbnail, "JPEG")
    inside = b"Exif\0\0" + thumbnail.getvalue()
    app1 = b"\xff\xe1" + struct.pack(">H", len(inside) + 2) + inside
    for content in (
        intact + b"film\xff\xda\0\1" * 50,
        intact + bytes(100),
        intact[:-2] + bytes(9) + _END,
        intact[:-2] + b"\xff" * 5 + _END,
        intact[:2] + app1 + intact[2:],
    ):
        path.write_bytes(content)
        image = read_image(path)
        np.testing.assert_array_equal(image.data, expected)
        assert image.notes == ()


def test_a_hole_in_the_scan_is_told(tmp_path: Path) -> None:
    content = bytearray(_JPEGS["baseline"])
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    _refused(tmp_path / "hole.jpg", bytes(content))


def test_damaged_jpeg_shown_on_wish(tmp_path: Path) -> None:
    content = _JPEGS["baseline"]
    path = tmp_path / "cut.jpg"
    path.write_bytes(content)
    whole = read_image(path)
    assert read_image(path, damaged="show").notes == ()
    path.write_bytes(content[: len(content) // 2] + _END)
    shown = read_image(path, damaged="show")
    assert shown.size == whole.size
    assert "damaged" in shown.notes[0]
    np.testing.assert_array_equal(shown.data[:32], whole.data[:32])
    with pytest.raises(DamagedImage, match="--show-damaged") as refused:
        read_image(path)
    assert refused.value.can_be_shown
    pair = read_pair(path, path, damaged="show")
    np.testing.assert_array_equal(pair.a.data, shown.data)
    (tmp_path / "t.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DamagedImage, match="damaged") as refused:
        read_image(tmp_path / "t.png", damaged="show")
    assert not refused.value.can_be_shown
    assert "--show-damaged" not in str(refused.value)


def _png(colour_type: int, bits: int, rows: bytes, *, finished: bool) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    width = 48 * 8 // (bits * channels)
    packer = zlib.compressobj()
    packed = packer.compress(rows) + packer.flush(zlib.Z_FINISH if finished else zlib.Z_SYNC_FLUSH)
    palette = part(b"PLTE", bytes(range(256)) * 3) if colour_type == 3 else b""
    header = part(b"IHDR", struct.pack(">IIBBBBB", width, 30, bits, colour_type, 0, 0, 0))
    end = part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + palette + part(b"IDAT", packed) + end


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("colour_type", "bits"),
    [(0, 1), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 8), (4, 8), (6, 8)],
)
def test_png_without_its_last_rows(
    tmp_path: Path, colour_type: int, bits: int, finished: bool
) -> None:
    """All checksums are right; rows are missing."""
    rows = b"".join(b"\0" + _RNG.integers(0, 200, 48, np.uint8).tobytes() for _ in range(30))
    path = tmp_path / "rows.png"
    path.write_bytes(_png(colour_type, bits, rows, finished=True))
    assert read_image(path).height == 30
    for missing in (1, 15, 29):
        short = _png(colour_type, bits, rows[: 49 * (30 - missing)], finished=finished)
        _refused(path, short)


def test_gif_and_webp_whose_data_end_early(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Pil.fromarray(_SCENE).quantize(64).save(stream, "GIF")
    content = stream.getvalue()
    at = content.index(b"\x2c") + 11
    blocks = []
    while content[at]:
        blocks.append(content[at : at + 1 + content[at]])
        at += 1 + content[at]
    head = content[: content.index(b"\x2c") + 11]
    assert len(blocks) > 4
    for keep in (1, len(blocks) // 2, len(blocks) - 1):
        _refused(tmp_path / "g.gif", head + b"".join(blocks[:keep]) + b"\0;")
    for lossless in (True, False):
        stream = io.BytesIO()
        Pil.fromarray(_SCENE).save(stream, "WEBP", lossless=lossless)
        whole = stream.getvalue()
        for part in (0.3, 0.6, 0.9):
            kept = int((len(whole) - 20) * part) // 2 * 2
            cut = bytearray(whole[: 20 + kept])
            cut[4:8], cut[16:20] = struct.pack("<I", 12 + kept), struct.pack("<I", kept)
            _refused(tmp_path / "w.webp", bytes(cut))


def test_gif_with_something_behind_it(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Pil.fromarray(_SCENE).save(stream, "GIF", comment=b"its;own;ends;" * 30)
    content = stream.getvalue()
    path = tmp_path / "g.gif"
    path.write_bytes(content + b"more than sixty-four bytes of something else" * 9)
    assert read_image(path).size == (160, 120)
    _refused(path, content[:-1])
    _refused(path, content[:-1] + b"\x77;")


@pytest.mark.parametrize(
    "codec",
    ["none", "zlib", "lzw", "packbits", "zstd", "lzma", "jpeg", "jpeg2000", "jpegxl"]
    + ["jpegxr", "webp", "lerc", "png"],
)
def test_tiff_strip_of_short_length(tmp_path: Path, codec: str) -> None:
    """The directory is whole, and the strip's length says less than it takes."""
    path = tmp_path / "s.tif"
    options: dict[str, Any] = {} if codec == "none" else {"compression": codec}
    tifffile.imwrite(path, _SCENE, rowsperstrip=40, photometric="rgb", **options)
    whole = read_image(path).data
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages[0].tags["StripByteCounts"]
        at, counts, form = tag.valueoffset, list(tag.value), {3: "H", 4: "I"}[int(tag.dtype)]
    content = path.read_bytes()
    for part in (0, 0.3, 0.8):
        short = list(counts)
        short[1] = int(counts[1] * part)
        table = struct.pack(f"<{len(short)}{form}", *short)
        _refused(path, content[:at] + table + content[at + len(table) :])
    path.write_bytes(content)
    np.testing.assert_array_equal(read_image(path).data, whole)


@pytest.mark.long
def test_modern_kinds_cut_short(tmp_path: Path) -> None:
    avif = io.BytesIO()
    Pil.fromarray(_SCENE).save(avif, "AVIF")
    kinds = {
        ".jp2": imagecodecs.jpeg2k_encode(_SCENE, level=0),
        ".jxl": imagecodecs.jpegxl_encode(_SCENE, lossless=True),
        ".jls": imagecodecs.jpegls_encode(_SCENE),
        ".avif": avif.getvalue(),
        ".ppm": b"P6 160 120 255\n" + _SCENE.tobytes(),
    }
    for suffix, content in kinds.items():
        path = tmp_path / f"m{suffix}"
        path.write_bytes(content)
        assert read_image(path).size == (160, 120)
        assert probe_image(path).upright_size == (160, 120)
        for part in (0.3, 0.6, 0.9):
            _refused(path, content[: int(len(content) * part)])


def test_what_is_said_of_damage_names_nothing_of_the_decoder(tmp_path: Path) -> None:
    avif = io.BytesIO()
    Pil.fromarray(_SCENE).save(avif, "AVIF")
    told = _refused(tmp_path / "c.avif", avif.getvalue()[: len(avif.getvalue()) * 6 // 10])
    assert " object at 0x" not in str(told)
    assert "(cannot be decoded)" in str(told)

"""What the bytes of a file cannot hold is refused before anything is allocated."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.errors import InputError
from core.io import probe_image, read_image
from core.io.readers.claims import min_deflated, min_lzw, min_packbits


def _refused_at_once(path: Path, words: str) -> None:
    begun = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(InputError, match=words):
        read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - begun < 5
    assert peak < 50_000_000


def _saved(kind: str, **options: Any) -> bytearray:
    stream = io.BytesIO()
    Pil.fromarray(np.full((40, 50), 99, np.uint8)).save(stream, kind, **options)
    return bytearray(stream.getvalue())


def _claiming(kind: str, side: int) -> bytes:
    """A picture of 50×40 whose header says ``side``×``side``."""
    content = _saved(kind.split("-")[0])
    if kind == "GIF":
        content[6:10] = struct.pack("<HH", side, side)
        frame = content.index(b"\x2c")
        content[frame + 5 : frame + 9] = struct.pack("<HH", side, side)
    elif kind == "GIF-canvas":  # the frame itself is small
        content[6:10] = struct.pack("<HH", side, side)
    elif kind == "JPEG":
        frame = content.index(b"\xff\xc0")
        content[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    elif kind == "PNG":
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    elif kind == "BMP":
        content[18:26] = struct.pack("<ii", side, side)
    elif kind == "WEBP":
        assert content[12:16] == b"VP8 "
        content[26:30] = struct.pack("<HH", side, side)
    return bytes(content)


@pytest.mark.parametrize("side", [3000, 16000])
@pytest.mark.parametrize("kind", ["GIF", "GIF-canvas", "JPEG", "PNG", "BMP", "WEBP"])
def test_a_claim_no_such_file_can_hold(tmp_path: Path, kind: str, side: int) -> None:
    path = tmp_path / f"claim.{kind.split('-')[0].lower()}"
    path.write_bytes(_claiming(kind, side))
    _refused_at_once(path, f"it claims {side}×{side} pixels")


@pytest.mark.parametrize("codec", ["none", "zlib", "lzw", "packbits", "jpeg"])
def test_a_claim_no_such_tiff_can_hold(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "claim.tif"
    options: dict[str, Any] = {} if codec == "none" else {"compression": codec}
    array = np.full((40, 50), 99, np.uint8)
    tifffile.imwrite(path, array, metadata=None, **options)
    with tifffile.TiffFile(path, mode="r+") as tif:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tif.pages[0].tags[name].overwrite(16_000)
    _refused_at_once(path, "it claims 16000×16000|corrupted|damaged")


def test_text_and_binary_netpbm_claims(tmp_path: Path) -> None:
    for kind in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"):
        depth = b"" if kind in (b"P1", b"P4") else b" 255"
        (tmp_path / "c.pnm").write_bytes(kind + b" 16000 16000" + depth + b"\n0 0 0 0 0")
        _refused_at_once(tmp_path / "c.pnm", "it claims 16000×16000")


def test_hostile_files(shared_data: Path) -> None:
    folder = shared_data / "hostile"
    if not folder.is_dir():
        pytest.skip("no hostile files beside the real pairs")
    for name, words in {
        "19999_claims.gif": "19999×19999 pixels, which 144 bytes cannot hold",
        "19999x19999_claims.jpg": "19999×19999 pixels, which 690 bytes cannot hold",
        "prog_scans.jpg": "2006 scans",
        "valid_20k_deflate.tif": "19999×19999 pixels but has only",
        "jpegxr_sigfpe.tif": "crashed|damaged",
    }.items():
        _refused_at_once(folder / name, words)
    assert probe_image(folder / "valid_20k_deflate.tif").width == 19999


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "gif", "webp", "bmp"])
def test_flat_pictures_are_read(tmp_path: Path, kind: str) -> None:
    """As few bytes as a picture of that size can have."""
    array = np.full((1500, 2000), 7, np.uint8)
    path = tmp_path / f"flat.{kind}"
    options = {"png": {"optimize": True}, "tif": {"compression": "tiff_adobe_deflate"}}
    options |= {"jpg": {"quality": 1, "optimize": True}, "webp": {"lossless": True}}
    Pil.fromarray(array).save(path, **options.get(kind, {}))
    image = read_image(path)
    assert image.size == (2000, 1500)
    assert np.abs(image.data - 7).max() <= 8


@pytest.mark.parametrize("codec", ["zlib", "lzw", "packbits", "zstd", "lzma"])
def test_flat_tiffs_are_read(tmp_path: Path, codec: str) -> None:
    array = np.zeros((3000, 4000), np.uint8)
    tifffile.imwrite(tmp_path / "f.tif", array, compression=codec, rowsperstrip=3000)
    image = read_image(tmp_path / "f.tif")
    assert image.size == (4000, 3000)
    assert not image.data.any()


def test_bounds_of_the_codecs() -> None:
    """No real compressor goes below them."""
    for size in (1000, 100_000, 5_000_000):
        assert min_deflated(size) <= len(zlib.compress(bytes(size), 9))
        stream = io.BytesIO()
        Pil.fromarray(np.zeros((size // 1000, 1000), np.uint8)).save(stream, "GIF")
        assert min_lzw(size) <= len(stream.getvalue())
    assert min_packbits(128) == 2  # one count and one value make 128
    assert min_lzw(10**9) > 250_000


def test_scans_beyond_all_need(tmp_path: Path) -> None:
    """The same scan a thousand times: nothing is missing, and it would take forever."""
    stream = io.BytesIO()
    Pil.fromarray(np.zeros((4000, 4000), np.uint8)).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    last = content.rindex(b"\xff\xda")
    scan = content[last:-2]
    (tmp_path / "s.jpg").write_bytes(content[:-2] + scan * 1000 + b"\xff\xd9")
    _refused_at_once(tmp_path / "s.jpg", r"10\d\d scans")
    (tmp_path / "s.jpg").write_bytes(content)
    assert read_image(tmp_path / "s.jpg").size == (4000, 4000)

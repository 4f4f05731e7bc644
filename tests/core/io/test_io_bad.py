"""Bad files: each refused with its name, the reason and a remedy; never half a picture."""

from __future__ import annotations

import io
import logging
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.errors import InputError
from core.io import read_image

_RNG = np.random.default_rng(3)
_GREY = _RNG.integers(0, 256, (40, 52), dtype=np.uint8)
_RGB = _RNG.integers(0, 256, (40, 52, 3), dtype=np.uint8)
_RGB16 = _RNG.integers(0, 65536, (40, 52, 3), dtype=np.uint16)


@pytest.fixture(autouse=True)
def _nothing_logged(caplog: pytest.LogCaptureFixture) -> Any:
    yield
    records = caplog.get_records("call")
    assert not [r for r in records if r.levelno >= logging.WARNING]


def _refused(path: Path, words: str) -> InputError:
    with pytest.raises(InputError, match=words) as caught:
        read_image(path)
    message = str(caught.value)
    assert path.name in message
    assert caught.value.why
    assert caught.value.remedy
    assert "Traceback" not in message
    assert " object at 0x" not in message
    return caught.value


def _encoded(kind: str) -> bytes:
    if kind == "png16":
        return bytes(imagecodecs.png_encode(_RGB16))
    stream = io.BytesIO()
    if kind.startswith("tiff"):
        compression = {"tiff": None, "tiff-zlib": "zlib", "tiff-float": "zlib"}[kind]
        array = _RGB16.astype(np.float32) if kind == "tiff-float" else _RGB16
        tifffile.imwrite(stream, array, photometric="rgb", compression=compression, rowsperstrip=8)
    elif kind == "progressive":
        Pil.fromarray(_RGB).save(stream, "JPEG", progressive=True)
    else:
        extra = {"lossless": True} if kind == "webp-lossless" else {}
        Pil.fromarray(_RGB).save(stream, kind.split("-")[0], **extra)
    return stream.getvalue()


_KINDS = [
    *("png", "png16", "jpeg", "progressive", "bmp", "webp", "webp-lossless", "gif"),
    *("tiff", "tiff-zlib", "tiff-float"),
]
_SUFFIX = {"progressive": ".jpg", "jpeg": ".jpg", "png16": ".png"}


@pytest.mark.parametrize("kind", _KINDS)
def test_truncated_anywhere(tmp_path: Path, kind: str) -> None:
    content = _encoded(kind)
    path = tmp_path / f"cut{_SUFFIX.get(kind, '.' + kind.split('-')[0])}"
    path.write_bytes(content)
    read_image(path)
    step = max(1, len(content) // 40)
    # The last byte of a GIF ends nothing, and of a WebP it may be padding.
    cuts = {*range(5, len(content) - 1, step), len(content) - 2}
    for cut in sorted(cuts):
        path.write_bytes(content[:cut])
        _refused(path, "damaged or incomplete|not a")


@pytest.mark.parametrize("kind", _KINDS)
def test_random_damage_never_escapes(tmp_path: Path, kind: str) -> None:
    """Flipped bytes give a picture or an InputError: no other error, warning or log record."""
    content = _encoded(kind)
    rng = np.random.default_rng(len(content))
    path = tmp_path / f"bad{_SUFFIX.get(kind, '.' + kind.split('-')[0])}"
    outcomes = set()
    for trial in range(60):
        damaged = bytearray(content)
        # Half of the trials hit the header, where the interesting failures are.
        reach = min(400, len(damaged)) if trial % 2 else len(damaged)
        for at in rng.integers(0, reach, 3):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            image = read_image(path)
            outcomes.add("read")
            np.testing.assert_array_equal(np.isfinite(image.normalised()), True)
        except InputError as error:
            outcomes.add("refused" if path.name in str(error) else "unnamed")
    assert "refused" in outcomes
    assert "unnamed" not in outcomes


def test_damaged_tiff_directory_written_last(tmp_path: Path) -> None:
    path = tmp_path / "last.tif"
    Pil.fromarray(_RGB).save(path)
    content = path.read_bytes()
    for cut in (20, 200, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:cut])
        _refused(path, "damaged or incomplete")


def test_tiff_without_some_strips(tmp_path: Path) -> None:
    """A strip that is not there would be read as black."""
    path = tmp_path / "sparse.tif"
    tifffile.imwrite(path, _GREY, rowsperstrip=8, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        counts = tif.pages[0].tags["StripByteCounts"]
        at, size = counts.valueoffset, len(counts.value)
    content = bytearray(path.read_bytes())
    width = 2 if counts.dtype == 3 else 4
    content[at : at + width] = bytes(width)
    path.write_bytes(bytes(content))
    _refused(path, f"{size - 1} of {size} parts")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp", ".gif", ".xyz", ""])
def test_not_a_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_text("Dear Sir or Madam, this is no picture. " * 30)
    _refused(path, "not a picture|not a TIFF")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".xyz"])
def test_empty(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"empty{suffix}"
    path.touch()
    _refused(path, "the file is empty")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_a_few_bytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"few{suffix}"
    for content in (
        b"\x89PNG\r\n\x1a\n",
        b"II*\0",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"\xff\xd8\xff",
        b"x",
    ):
        path.write_bytes(content)
        _refused(path, "damaged|not a")


def test_missing_folder_and_odd_names(tmp_path: Path) -> None:
    _refused(tmp_path / "nowhere.png", "no such file")
    _refused(tmp_path, "it is a folder")
    (tmp_path / "file").write_bytes(b"x")
    _refused(tmp_path / "file" / "child.png", "cannot be read|no such file")
    _refused(tmp_path / ("x" * 300 + ".png"), "cannot be read")
    with pytest.raises(InputError):
        read_image(tmp_path / "nul\0.png")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_file_the_system_will_not_read() -> None:
    _refused(Path("/proc/self/mem"), "cannot be read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    _refused(tmp_path / "pipe.png", "device")


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    Pil.fromarray(_GREY).save(path)
    path.chmod(0)
    _refused(path, "may not be read")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif"])
def test_animated(tmp_path: Path, suffix: str) -> None:
    frames = [Pil.fromarray(_RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(3)]
    path = tmp_path / f"film{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)
    error = _refused(path, "3 frames")
    assert "Save the one you want" in error.remedy


def test_several_pages(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, _RNG.integers(0, 9, (4, 8, 9), dtype=np.uint8), photometric="minisblack")
    _refused(path, "4 pages")
    pages = [Pil.fromarray(_GREY) for _ in range(2)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    _refused(path, "2 pages")
    stack = _RNG.integers(0, 9, (5, 32, 32), dtype=np.uint8)
    tifffile.imwrite(path, stack, truncate=True)
    _refused(path, "5 slices")
    tifffile.imwrite(path, stack, volumetric=True, tile=(16, 16, 16))
    _refused(path, r"\d+ slices")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nothing_but_no_numbers(tmp_path: Path, dtype: Any, number: float) -> None:
    tifffile.imwrite(tmp_path / "nan.tif", np.full((6, 7), number, dtype))
    _refused(tmp_path / "nan.tif", "not one of its pixels holds data")


@pytest.mark.parametrize(
    "values", [[0.0, 1e39], [-3e38, 3e38], [np.finfo(np.float64).max, 0.0]], ids=str
)
def test_numbers_too_large(tmp_path: Path, values: list[float]) -> None:
    tifffile.imwrite(tmp_path / "big.tif", np.array([values]))
    _refused(tmp_path / "big.tif", "too large")


def test_kinds_of_samples_that_make_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "odd.tif"
    tifffile.imwrite(path, np.zeros((4, 5), np.complex64))
    _refused(path, "makes no picture")
    tifffile.imwrite(path, np.zeros((8, 9, 5), np.uint8), photometric="minisblack", planarconfig=1)
    _refused(path, "5 channels")
    lab = Pil.fromarray(_RGB).convert("LAB")
    lab.save(path)
    _refused(path, "colour model .*LAB")


def _png_claiming(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(bytes(1000))
    end = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + header + chunk + end


def test_absurd_sizes_are_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_claiming(30_000, 20_000))
    error = _refused(path, "30000×20000 pixels are more than the limit of 400 million")
    assert "smaller" in error.remedy
    path.write_bytes(_png_claiming(0, 5))
    _refused(path, "no pixels")
    bmp = bytearray(_encoded("bmp"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    (tmp_path / "bomb.bmp").write_bytes(bytes(bmp))
    _refused(tmp_path / "bomb.bmp", "60000×60000")
    tif = tmp_path / "bomb.tif"
    tifffile.imwrite(tif, _GREY, metadata=None)
    with tifffile.TiffFile(tif, mode="r+") as file:
        file.pages[0].tags["ImageWidth"].overwrite(60_000)
        file.pages[0].tags["ImageLength"].overwrite(50_000)
    _refused(tif, "60000×50000")


def test_wrong_checksum_is_refused(tmp_path: Path) -> None:
    for kind in ("png", "png16"):
        content = bytearray(_encoded(kind))
        content[len(content) // 2] ^= 0xFF
        (tmp_path / "c.png").write_bytes(bytes(content))
        _refused(tmp_path / "c.png", "checksum of part IDAT")


def test_scans_without_a_scan_in_them_are_refused_plainly(tmp_path: Path) -> None:
    for name, content, words in (
        ("scan.dcm", bytes(128) + b"DICM" + bytes(99), "header is incomplete"),
        ("scan", bytes(128) + b"DICM" + bytes(99), "header is incomplete"),
        ("text.dcm", b"no scan, but called one", "not DICOM"),
        ("brain.nii", bytes(344) + b"n+1\0" + bytes(99), "damaged"),
        ("brain.nii.gz", b"\x1f\x8b\x08\0" + bytes(99), "damaged"),
        ("text.nii", b"no scan, but called one", "not NIfTI"),
    ):
        (tmp_path / name).write_bytes(content)
        _refused(tmp_path / name, words)


def test_volumes_are_no_pictures(shared_data: Path) -> None:
    error = _refused(shared_data / "clinical" / "nifti_spm12" / "PET.nii", "a volume of 91 slices")
    assert "with another volume" in error.remedy

"""Small intact pictures of every kind the readers know, made here."""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import nibabel
import numpy as np
import tifffile
from PIL import Image as Pil
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.core.io.dicom_files import dataset_of, slice_tags


@dataclass(frozen=True)
class Seed:
    """One intact file.

    Attributes:
        name: kind and variant.
        suffix: with the dot.
        content: its bytes.
        end: bytes a decoder takes for the end of such a file; what a cut file is given.
        checked: every byte of it is covered by a checksum, so that no change may go unnoticed.
        cuts_tell: a file cut short cannot look whole to its decoder.
    """

    name: str
    suffix: str
    content: bytes
    end: bytes = b""
    checked: bool = False
    cuts_tell: bool = True


def _images() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(7)
    rgb = cv2.GaussianBlur(rng.integers(0, 256, (61, 77, 3), dtype=np.uint8), (0, 0), 2)
    rgb = cv2.normalize(rgb, None, 0, 255, cv2.NORM_MINMAX)
    grey = np.ascontiguousarray(rgb[..., 1])
    return grey, rgb, grey.astype(np.uint16) * 16 + 7


def _pillow(array: Any, kind: str, mode: str = "", **options: Any) -> bytes:
    stream = io.BytesIO()
    image = Pil.fromarray(array)
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


def _tiff(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    tifffile.imwrite(stream, array, photometric=photometric, **options)
    return stream.getvalue()


def _jpegs(grey: Any, rgb: Any, deep: Any) -> list[Seed]:
    end = b"\xff\xd9"
    return [
        Seed("jpeg", ".jpg", _pillow(rgb, "JPEG", quality=90), end),
        Seed("jpeg-grey", ".jpg", _pillow(grey, "JPEG", quality=90), end),
        Seed("jpeg-cmyk", ".jpg", _pillow(rgb, "JPEG", "CMYK"), end),
        Seed("jpeg-progressive", ".jpg", _pillow(rgb, "JPEG", progressive=True), end),
        Seed("jpeg-restart", ".jpg", _pillow(rgb, "JPEG", restart_marker_rows=1), end),
        Seed("jpeg-12", ".jpg", imagecodecs.jpeg8_encode(deep, bitspersample=12, level=95), end),
        Seed("jpeg-lossless", ".jpg", imagecodecs.ljpeg_encode(deep, bitspersample=12), end),
        Seed("jpeg-ls", ".jls", imagecodecs.jpegls_encode(rgb), end),
    ]


def _pngs(grey: Any, rgb: Any, deep: Any) -> list[Seed]:
    end = b"\0\0\0\0IEND\xaeB`\x82"
    alpha = np.dstack([rgb, 255 - grey])
    return [
        Seed("png", ".png", _pillow(rgb, "PNG"), end, checked=True),
        Seed("png-16", ".png", imagecodecs.png_encode(deep), end, checked=True),
        Seed("png-palette", ".png", _pillow(rgb, "PNG", "P"), end, checked=True),
        Seed("png-1", ".png", _pillow(grey, "PNG", "1"), end, checked=True),
        Seed("png-alpha", ".png", _pillow(alpha, "PNG"), end, checked=True),
    ]


def _others(grey: Any, rgb: Any, deep: Any) -> list[Seed]:
    text = b"P3\n3 2\n255\n" + b" ".join(b"%d" % value for value in range(11, 29)) + b"\n"
    return [
        Seed("bmp", ".bmp", _pillow(rgb, "BMP")),
        Seed("bmp-palette", ".bmp", _pillow(rgb, "BMP", "P")),
        Seed("gif", ".gif", _pillow(rgb, "GIF"), b"\0;"),
        Seed("webp", ".webp", _pillow(rgb, "WEBP")),
        Seed("webp-lossless", ".webp", _pillow(rgb, "WEBP", lossless=True)),
        Seed("pgm", ".pgm", _pillow(grey, "PPM")),
        Seed("ppm", ".ppm", _pillow(rgb, "PPM")),
        Seed("ppm-text", ".ppm", text, cuts_tell=False),  # "28" may be cut to "2"
        Seed("jp2", ".jp2", imagecodecs.jpeg2k_encode(rgb, level=0), b"\xff\xd9"),
        Seed("j2k-16", ".j2k", imagecodecs.jpeg2k_encode(deep, codecformat="j2k"), b"\xff\xd9"),
        Seed("jxl", ".jxl", imagecodecs.jpegxl_encode(rgb, lossless=True)),
        Seed("jxl-lossy", ".jxl", imagecodecs.jpegxl_encode(rgb, level=90)),
        Seed("avif", ".avif", _pillow(rgb, "AVIF", quality=80)),
    ]


def _tiffs(grey: Any, rgb: Any, deep: Any) -> list[Seed]:
    found = [Seed("tiff-float", ".tif", _tiff(deep.astype(np.float32) / 4000))]
    for codec in ("none", "zlib", "lzw", "packbits", "zstd", "lzma", "jpeg"):
        options = {} if codec == "none" else {"compression": codec}
        found.append(Seed(f"tiff-{codec}", ".tif", _tiff(rgb, rowsperstrip=16, **options)))
    for codec in ("jpeg2000", "jpegxl", "jpegxr", "webp", "lerc", "png"):
        found.append(Seed(f"tiff-{codec}", ".tif", _tiff(rgb, compression=codec)))
    found.append(Seed("tiff-tiled", ".tif", _tiff(deep, tile=(16, 16), compression="zlib")))
    found.append(Seed("tiff-bilevel", ".tif", _pillow(grey, "TIFF", "1", compression="group4")))
    return found


def _dicom(array: Any, *, coded: bytes = b"", syntax: str = "", **tags: Any) -> bytes:
    plain = {} if coded or not syntax else {"syntax": syntax}
    made = dataset_of(array, "CT", **slice_tags(0), RescaleSlope="1", **plain, **tags)
    if coded:
        made.file_meta.TransferSyntaxUID = syntax
        made.PixelData = encapsulate([coded])
        made["PixelData"].is_undefined_length = True
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _scans(grey: Any, rgb: Any, deep: Any) -> list[Seed]:
    """Bytes behind the pixels of an uncompressed slice may go; those of tags are not covered."""
    j2k = imagecodecs.jpeg2k_encode(deep, level=0, codecformat="j2k")
    jls, lossless = imagecodecs.jpegls_encode(deep), imagecodecs.ljpeg_encode(deep)
    one = nibabel.Nifti1Image(deep[..., np.newaxis].astype(np.int16), np.eye(4))
    rle = dataset_of(deep, "CT", **slice_tags(0))
    rle.compress(RLELossless, generate_instance_uid=False)
    stream = io.BytesIO()
    rle.save_as(stream, enforce_file_format=True)
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    return [
        Seed("dicom", ".dcm", _dicom(deep)),
        Seed("dicom-rgb", ".dcm", _dicom(rgb)),
        Seed("dicom-implicit", ".dcm", _dicom(deep, syntax=ImplicitVRLittleEndian)),
        Seed("dicom-rle", ".dcm", stream.getvalue(), end),
        Seed("dicom-j2k", ".dcm", _dicom(deep, coded=j2k, syntax=JPEG2000Lossless), end),
        Seed("dicom-jls", ".dcm", _dicom(deep, coded=jls, syntax=JPEGLSLossless), end),
        Seed("dicom-jpeg", ".dcm", _dicom(deep, coded=lossless, syntax=JPEGLosslessSV1), end),
        Seed("nifti", ".nii", one.to_bytes()),
        Seed("nifti-gz", ".nii.gz", gzip.compress(one.to_bytes(), mtime=0)),
    ]


def seeds(hostile: Path | None = None) -> list[Seed]:
    """All of them, and the small files of a folder that has been found hostile."""
    images = _images()
    found = [
        *_jpegs(*images),
        *_pngs(*images),
        *_others(*images),
        *_tiffs(*images),
        *_scans(*images),
    ]
    if hostile is not None and hostile.is_dir():
        for path in sorted(hostile.iterdir()):
            if path.stat().st_size <= 1 << 19:
                content = path.read_bytes()
                found.append(Seed(f"hostile/{path.name}", path.suffix, content, cuts_tell=False))
    return found

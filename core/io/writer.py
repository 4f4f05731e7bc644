"""Atomic writing of images with their bit depth and provenance."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import tifffile

from core.errors import Message, OutputError
from core.io.atomic import atomic_write, output_error
from core.io.readers.kinds import PNG_SIGNATURE
from core.printable import valid
from core.types import BitDepth, FloatArray

Provenance = Mapping[str, str]
_Samples = npt.NDArray[Any]
_IMAGE_DESCRIPTION = 0x010E
_CACHED_SAMPLES = 32_768
_LEVEL = 1
"""Compression level, 1…9: higher levels take up to three times as long for a few per cent."""
_CARRY_TAGS = (".png", ".jpg", ".jpeg", ".webp")
_JPEG_SEGMENT = 65_000
_SIDE_LIMITS = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}


def write_image(
    path: str | Path,
    pixels: FloatArray,
    *,
    bit_depth: BitDepth,
    provenance: Provenance | None = None,
    protect: Sequence[Path] = (),
    overwrite: bool = True,
    folder_later: bool = False,
    tags: bytes = b"",
) -> tuple[str, ...]:
    """Write an image atomically in the format of its suffix.

    Args:
        path: .png, .tif, .tiff, .jpg, .jpeg, .bmp or .webp.
        pixels: H×W×(1 or 3) float32 in [0, 1]; values outside are clipped.
        bit_depth: 8 or 16 (unsigned), or 32 (float, TIFF only). PNG supports at most 16 bits, JPEG,
            BMP and WebP 8; a note reports the reduction.
        provenance: stored in the file if the format supports it.
        protect: files that must not be overwritten (the sources).
        overwrite: whether another existing file may be replaced.
        folder_later: as in :func:`core.io.atomic.atomic_path`.
        tags: an EXIF block (see :mod:`core.io.exif`), supported by PNG, JPEG and WebP.

    Returns:
        Notes about what the format could not store, one sentence each.

    Raises:
        OutputError: the suffix is unknown, the folder is missing or not writable, the disk is full,
            the image is too large for the format, or the file must not be overwritten.
        ValueError: ``pixels`` is not such an array, or holds NaN or Inf.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    encode = _ENCODERS.get(suffix)
    if encode is None:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("the suffix “{0}” is not a picture format that can be written", path.suffix),
            Message("Use one of: {0}.", ", ".join(_ENCODERS)),
        )
    _check_pixels(pixels)
    _check_side(path, suffix, pixels)
    check_target(path, protect=protect, overwrite=overwrite)
    depth, notes = _depth_for(suffix, bit_depth)
    if provenance and suffix == ".bmp":
        notes.append(Message("BMP has no place for how the picture was made."))
    if tags and suffix not in _CARRY_TAGS:
        notes.append(
            Message("{0} carries no camera tags here; PNG and JPEG do.", suffix[1:].upper())
        )
    try:
        content = encode(_quantised(pixels, depth), dict(provenance or {}), tags)
    except MemoryError as error:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("there is not enough memory"),
            Message("Close other programs."),
        ) from error
    atomic_write(path, content, folder_later=folder_later)
    return tuple(notes)


def check_target(path: Path, *, protect: Sequence[Path] = (), overwrite: bool = True) -> None:
    """Refuse to overwrite a source, or any file if ``overwrite`` is False.

    Raises:
        OutputError: the file exists and must not be overwritten.
    """
    what = Message("Cannot write {0}", path)
    for source in protect:
        if _same(path, Path(source)):
            raise OutputError(
                what,
                Message("it is one of the sources, which are never overwritten"),
                Message("Use another name."),
            )
    try:
        is_there = not overwrite and path.exists()
    except OSError as error:
        raise output_error(path, error) from error
    if is_there:
        raise OutputError(
            what,
            Message("there is a file of that name"),
            Message("Use another name or allow overwriting."),
        )


def check_folder(path: Path) -> None:
    """Refuse a file or folder ``path`` where there is no folder for it.

    Raises:
        OutputError: its parent is missing, or cannot be looked at.
    """
    try:
        is_there = path.parent.is_dir()
    except OSError as error:
        raise output_error(path, error) from error
    if not is_there:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("there is no folder {0}", path.parent),
            Message("Create it first."),
        )


def _same(path: Path, source: Path) -> bool:
    """Whether both paths are the same file, including links, relative paths and other case."""
    try:
        return path.resolve() == source.resolve() or path.samefile(source)
    except (OSError, RuntimeError, ValueError):
        return False


def _check_pixels(pixels: FloatArray) -> None:
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
        raise ValueError(f"expected height×width×1 or 3, got {pixels.shape}")
    if not np.isfinite(pixels).all():
        raise ValueError("the picture holds NaN or Inf")


def _check_side(path: Path, suffix: str, pixels: FloatArray) -> None:
    limit = _SIDE_LIMITS.get(suffix)
    height, width = pixels.shape[:2]
    if limit is not None and max(height, width) > limit:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message(
                "this format holds {0} pixels a side at most; the picture has {1}×{2}",
                limit,
                width,
                height,
            ),
            Message("Save it as PNG or TIFF."),
        )


def _depth_for(suffix: str, wanted: BitDepth) -> tuple[BitDepth, list[str]]:
    most: BitDepth = 32 if suffix in (".tif", ".tiff") else 16 if suffix == ".png" else 8
    if wanted <= most:
        return wanted, []
    label = {".png": "PNG", ".bmp": "BMP", ".webp": "WebP"}.get(suffix, "JPEG")
    return most, [Message("{0} keeps {1} of {2} bits; TIFF keeps them all.", label, most, wanted)]


def _quantised(pixels: FloatArray, depth: BitDepth) -> _Samples:
    if depth == 32:
        return np.clip(pixels.astype(np.float32, copy=False), 0.0, 1.0)
    top = 2**depth - 1
    samples = np.empty(pixels.shape, np.uint8 if depth == 8 else np.uint16)
    # In blocks of rows, so that the float64 values stay in the processor's cache.
    rows = max(1, _CACHED_SAMPLES // (pixels.shape[1] * pixels.shape[2]))
    for start in range(0, len(pixels), rows):
        part = slice(start, start + rows)
        # In float64: 65535 steps plus a half need more bits than float32 has near 1.
        steps = np.clip(pixels[part].astype(np.float32, copy=False), 0.0, 1.0).astype(np.float64)
        steps *= top
        steps += 0.5
        samples[part] = steps  # truncates
    return samples


def _as_json(provenance: Provenance) -> str:
    return json.dumps(provenance, ensure_ascii=True)


def _cv2_encode(suffix: str, samples: _Samples) -> bytes:
    swapped = samples[..., ::-1] if samples.shape[2] == 3 else samples
    done, content = cv2.imencode(suffix, np.ascontiguousarray(swapped))
    if not done:
        raise ValueError(f"the encoder of {suffix} refused {samples.shape} {samples.dtype}")
    return content.tobytes()


def _png(samples: _Samples, provenance: Provenance, tags: bytes) -> bytes:
    content = _cv2_encode(".png", samples)
    after_header = len(PNG_SIGNATURE) + 25  # IHDR: 13 bytes plus 12
    texts = b"".join(_text_chunk(key, value) for key, value in provenance.items())
    if tags:
        texts += _chunk(b"eXIf" + tags)
    return content[:after_header] + texts + content[after_header:]


def _chunk(body: bytes) -> bytes:
    """A PNG chunk; ``body`` starts with its type."""
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _text_chunk(key: str, value: str) -> bytes:
    """An uncompressed iTXt chunk (PNG specification 11.3.3.4): keyword in Latin-1, UTF-8 text."""
    keyword = key.encode("latin-1", "replace").replace(b"\0", b"?")[:79].strip() or b"Comment"
    return _chunk(b"iTXt" + keyword + b"\0\0\0\0\0" + valid(value).replace("\0", "").encode())


def _bmp(samples: _Samples, provenance: Provenance, tags: bytes) -> bytes:
    return _cv2_encode(".bmp", samples)


def _pil(samples: _Samples) -> PIL.Image.Image:
    return PIL.Image.fromarray(samples if samples.shape[2] == 3 else samples[..., 0])


def _jpeg(samples: _Samples, provenance: Provenance, tags: bytes) -> bytes:
    stream = io.BytesIO()
    extra: dict[str, Any] = {}
    if provenance:
        extra["comment"] = _as_json(provenance).encode()[:65_000]
    if tags and len(tags) < _JPEG_SEGMENT:
        extra["exif"] = b"Exif\0\0" + tags
    _pil(samples).save(stream, "JPEG", quality=95, subsampling=0, **extra)
    return stream.getvalue()


def _webp(samples: _Samples, provenance: Provenance, tags: bytes) -> bytes:
    stream = io.BytesIO()
    exif = PIL.Image.Exif()
    if tags:
        exif.load(b"Exif\0\0" + tags)
    if provenance:
        exif[_IMAGE_DESCRIPTION] = _as_json(provenance)
    extra = {"exif": exif.tobytes()} if provenance or tags else {}
    _pil(samples).save(stream, "WEBP", lossless=True, **extra)
    return stream.getvalue()


def _tiff(samples: _Samples, provenance: Provenance, tags: bytes) -> bytes:
    stream = io.BytesIO()
    colour = samples.shape[2] == 3
    tifffile.imwrite(
        stream,
        samples if colour else samples[..., 0],
        photometric="rgb" if colour else "minisblack",
        compression="zlib",
        compressionargs={"level": _LEVEL},
        predictor=samples.dtype.kind == "u",
        description=_as_json(provenance) if provenance else None,
        metadata=None,
        software="UniFusion Studio",
    )
    return stream.getvalue()


_ENCODERS: dict[str, Callable[[_Samples, Provenance, bytes], bytes]] = {
    ".png": _png,
    ".tif": _tiff,
    ".tiff": _tiff,
    ".jpg": _jpeg,
    ".jpeg": _jpeg,
    ".bmp": _bmp,
    ".webp": _webp,
}

WRITE_SUFFIXES: tuple[str, ...] = tuple(_ENCODERS)
"""Suffixes of supported output formats."""

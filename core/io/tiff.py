"""Reader of TIFF files: 1 to 64 bits, integers and floats, grey, RGB, palette and CMYK."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from core.errors import InputError, Said
from core.io.decoded import (
    Decoded,
    Samples,
    check_frames,
    check_size,
    damaged,
    decoding,
    finish,
)
from core.io.kinds import is_tiff
from core.io.registry import HEAD_BYTES
from core.io.tags import missing, scale_of, stated_ranges
from core.types import BitDepth, Image

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_JPEG = (6, 7, 33007, 34892)
_ORIENTATION, _MAX_SAMPLE, _PROFILE = 274, 281, 34675
_UNSPECIFIED, _ASSOCIATED = 0, 1


def read_tiff(path: Path) -> Image:
    """The one picture in ``path``.

    Raises:
        InputError: the file cannot be opened, is no TIFF, is incomplete, holds several pages,
            samples of a kind that makes no picture, NaN or Inf, or is too large.
    """
    with decoding(path):
        with path.open("rb") as stream:
            if not is_tiff(stream.read(HEAD_BYTES)):
                raise InputError(str(path), "its content is not a TIFF picture", "Export it again.")
            stream.seek(0)
            with tifffile.TiffFile(stream) as tif:
                page = _only_page(path, tif)
                _check_layout(path, page)
                _check_complete(path, tif, page)
                decoded = _decode(path, page)
        return finish(path, decoded)


def _only_page(path: Path, tif: Any) -> Any:
    count = len(tif.pages)
    if count == 0:
        raise damaged(path, Said("it holds no picture"))
    # Thumbnails and pyramid levels are smaller copies, not pictures of their own.
    full = sum(not tif.pages[index].is_reduced for index in range(min(count, 1000)))
    check_frames(path, max(full, 1) if count <= 1000 else count, Said("pages"))
    page = tif.pages[0]
    check_frames(path, max(_hidden_slices(tif, page), page.imagedepth), Said("slices"))
    return page


def _hidden_slices(tif: Any, page: Any) -> int:
    """Slices that some programs store behind a single page."""
    if tif.is_imagej and tif.imagej_metadata:
        return int(tif.imagej_metadata.get("images", 1))
    if tif.is_shaped and tif.shaped_metadata:
        shape = tif.shaped_metadata[0].get("shape", page.shape)
        return max(1, int(math.prod(shape)) // max(1, int(math.prod(page.shape))))
    return 1


def _check_layout(path: Path, page: Any) -> None:
    check_size(path, int(page.imagewidth), int(page.imagelength))
    if page.dtype is None or page.dtype.kind not in "uifb":
        kind = Said("unknown") if page.dtype is None else page.dtype.name
        raise InputError(
            str(path),
            Said("its samples are of a kind that makes no picture ({0})", kind),
            "Export it as 8-bit, 16-bit or floating-point TIFF.",
        )
    if page.samplesperpixel > 4:
        raise InputError(
            str(path),
            Said("it has {0} channels; a picture has 1, 3 or 4", int(page.samplesperpixel)),
            "Export it as grey or RGB.",
        )
    known = (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK)
    from_jpeg = page.photometric == _YCBCR and page.compression in _JPEG
    if page.photometric not in known and not from_jpeg:
        name = getattr(page.photometric, "name", str(page.photometric))
        raise InputError(
            str(path),
            Said("its colour model ({0}) is not supported", name),
            "Export it as grey or RGB.",
        )


def _check_complete(path: Path, tif: Any, page: Any) -> None:
    """tifffile fills missing strips with zeros; half a picture is refused here instead."""
    expected = math.prod(page.chunked)
    size = tif.filehandle.size
    whole = sum(
        offset > 0 and count > 0 and offset + count <= size
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    )
    if whole < expected or whole < len(page.dataoffsets):
        promised = max(expected, len(page.dataoffsets))
        raise damaged(path, Said("{0} of {1} parts are there", whole, promised))


def _decode(path: Path, page: Any) -> Decoded:
    samples: Samples = page.asarray()
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    elif samples.ndim == 2:
        samples = samples[..., np.newaxis]
    if samples.ndim != 3:
        raise damaged(path, Said("unexpected shape {0}", samples.shape))
    notes: list[str] = []
    mask = missing(page, samples)
    if page.photometric == _PALETTE:
        decoded = _from_palette(page, samples, notes)
    elif page.photometric == _CMYK:
        if samples.shape[2] != 4:
            raise damaged(path, Said("CMYK with {0} channels", samples.shape[2]))
        decoded = _plain(page, samples, notes)
        decoded.kind = "cmyk"
    else:
        decoded = _plain(page, samples, notes)
        _take_alpha(page, decoded, notes)
    profile = page.tags.get(_PROFILE)
    decoded.profile = bytes(profile.value) if profile is not None else None
    decoded.orientation = int(page.tags.valueof(_ORIENTATION, 1))
    decoded.notes = notes
    decoded.mask = mask
    if decoded.kind == "grey" and page.photometric != _MIN_IS_WHITE:
        decoded.stated = stated_ranges(page)
        decoded.scale, decoded.unit = scale_of(page)
    return decoded


def _plain(page: Any, samples: Samples, notes: list[str]) -> Decoded:
    """Grey, RGB or CMYK samples with the value of white."""
    kind = samples.dtype.kind
    bits = int(page.bitspersample)
    depth: BitDepth = 8 if bits <= 8 else 16 if bits <= 16 else 32
    if kind == "f":
        return Decoded(samples, "grey", None, 32)
    if kind == "i" or bits > 16:
        text = (
            "{0}-bit signed integers, which have no black and white of their own."
            if kind == "i"
            else "{0}-bit unsigned integers, which have no black and white of their own."
        )
        notes.append(Said(text, bits))
        return Decoded(samples, "grey", None, depth)
    top = 2**bits - 1
    if bits < 8:
        if bits == 1:
            notes.append(Said("Black and white was expanded to grey levels 0 and 255."))
        else:
            notes.append(Said("{0}-bit values were stretched to 0…255.", bits))
        samples = (samples.astype(np.uint16) * 255 // top).astype(np.uint8)
        top = 255
    if bits == 16:
        top = _container_top(page, samples)
    if page.photometric == _MIN_IS_WHITE:
        samples = (top - samples.astype(np.int32)).clip(0).astype(samples.dtype)
        notes.append(Said("Black and white were swapped, as the file asks for."))
    return Decoded(samples, "grey", top, depth)


def _container_top(page: Any, samples: Samples) -> int:
    """White of 10-, 12- or 14-bit values in 16-bit words, where the file says so; else 65535."""
    stated = page.tags.valueof(_MAX_SAMPLE, 65535)
    stated = int(max(stated) if isinstance(stated, tuple) else stated)
    honest = stated in (1023, 4095, 16383) and int(samples.max()) <= stated
    return stated if honest else 65535


def _take_alpha(page: Any, decoded: Decoded, notes: list[str]) -> None:
    """Tell colour from extra channels."""
    channels = decoded.pixels.shape[2]
    colours = 3 if channels >= 3 else 1
    decoded.kind = "rgb" if colours == 3 else "grey"
    if channels == colours:
        return
    extra = page.extrasamples[-1] if page.extrasamples else _UNSPECIFIED
    if extra == _UNSPECIFIED:
        notes.append(Said("An extra channel of unknown meaning was left out."))
    else:
        decoded.alpha = decoded.pixels[..., -1]
        decoded.premultiplied = extra == _ASSOCIATED
    decoded.pixels = decoded.pixels[..., :colours]


def _from_palette(page: Any, samples: Samples, notes: list[str]) -> Decoded:
    table = np.asarray(page.colormap)
    # The standard has 16-bit entries; some writers put 8-bit ones there.
    table = table.astype(np.uint8) if table.max() < 256 else (table >> 8).astype(np.uint8)
    index = np.minimum(samples[..., 0].astype(np.int64), table.shape[1] - 1)
    notes.append(Said("The palette was expanded to RGB."))
    return Decoded(table.T[index], "rgb", 255, 8)

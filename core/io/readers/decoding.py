"""Steps common to all readers, from decoded samples to :class:`core.types.Image`."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from core.errors import DamagedImage, InputError, Message
from core.io import nodata
from core.io.readers.icc import cmyk_to_rgb, to_srgb
from core.io.values import Range, windowed
from core.types import BitDepth, BoolArray, FloatArray, Image

MAX_PIXELS = 400_000_000
"""Larger images are refused: they exceed the memory, and some files only declare such sizes."""

SampleArray = npt.NDArray[Any]
SampleKind = Literal["grey", "rgb", "cmyk"]
_Array = TypeVar("_Array", FloatArray, BoolArray)

# Log messages of the decoder are not for the user: errors and notes replace them.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)


@dataclass
class Decoded:
    """An image as decoded from a file.

    Attributes:
        pixels: H×W×C in the stored type; C = 1 (grey), 3 (rgb) or 4 (cmyk).
        kind: meaning of the channels.
        top: value of white for unsigned integers; None for other types, which have no natural
            range.
        bit_depth: bit depth of the file.
        alpha: H×W opacity, 0…``top`` (or 0…1), or None.
        premultiplied: ``pixels`` have been multiplied by ``alpha``.
        profile: embedded ICC profile, or one built from other information in the file, or None.
        profile_note: note about a profile that is not embedded.
        orientation: EXIF orientation, 1…8.
        notes: conversions so far.
        mask: H×W, False where the file declares missing data; None if it declares nothing.
        stated: value ranges given in the file (smallest and largest value, a display range).
        scale: (factor, offset) from stored values to values in the unit.
        unit: unit of the scaled values, "" for none.
    """

    pixels: SampleArray
    kind: SampleKind
    top: int | None
    bit_depth: BitDepth
    alpha: SampleArray | None = None
    _: KW_ONLY
    premultiplied: bool = False
    profile: bytes | None = None
    profile_note: str = ""
    orientation: int = 1
    notes: list[str] = field(default_factory=list)
    mask: BoolArray | None = None
    stated: tuple[Range, ...] = ()
    scale: tuple[float, float] = (1.0, 0.0)
    unit: str = ""


class _WarningFilter:
    """Ignores warnings while any reader is active; unlike the standard context, thread-safe.

    The standard context manager saves and restores the filters of the process: two threads that
    leave in the wrong order would disable warnings permanently.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._saved: warnings.catch_warnings[None] | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._depth == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")
            self._depth += 1
        try:
            yield
        finally:
            with self._lock:
                self._depth -= 1
                if self._depth == 0 and self._saved is not None:
                    self._saved.__exit__(None, None, None)
                    self._saved = None


_warning_filter = _WarningFilter()


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Suppress warnings of a decoder and turn every exception into an InputError."""
    try:
        with _warning_filter():
            yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            str(path),
            Message("there is not enough memory to read it"),
            Message("Close other programs or use a smaller picture."),
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise file_error(path, error) from error
        raise damaged(path, str(error)) from error
    # Decoders raise errors of any type for malicious bytes (struct, index, zlib, their own).
    except Exception as error:
        raise damaged(path, str(error)) from error


def file_error(path: Path, error: OSError) -> InputError:
    """The user-facing error for ``error``, raised while opening or reading ``path``."""
    if isinstance(error, FileNotFoundError):
        return InputError(
            str(path), Message("there is no such file"), Message("Check the name and the folder.")
        )
    if isinstance(error, PermissionError):
        return InputError(
            str(path),
            Message("it may not be read"),
            Message("Change its permissions or copy it elsewhere."),
        )
    reason = error.strerror or str(error)
    return InputError(
        str(path),
        Message("it cannot be read ({0})", reason),
        Message("Check the disk and the name."),
    )


def damaged(path: Path, detail: str) -> DamagedImage:
    """The error for a file of a known format that cannot be decoded."""
    if not isinstance(detail, Message):  # messages of decoders may be long
        lines = detail.strip().splitlines()
        tells = lines and " object at 0x" not in lines[0]  # internals of the decoder
        detail = lines[0][:160].rstrip(".") if tells else Message("cannot be decoded")
    return DamagedImage(
        str(path),
        Message("the file is damaged or incomplete ({0})", detail),
        Message("Copy or export it again."),
    )


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an image without pixels or with too many, before decoding.

    Raises:
        InputError: as described.
    """
    if width < 1 or height < 1:
        raise InputError(
            str(path),
            Message("the picture has no pixels ({0}×{1})", width, height),
            Message("Export it again."),
        )
    if width * height > MAX_PIXELS:
        raise InputError(
            str(path),
            Message(
                "{0}×{1} pixels are more than the limit of {2} million",
                width,
                height,
                MAX_PIXELS // 10**6,
            ),
            Message("Crop it or make it smaller."),
        )


def check_frames(path: Path, frames: int, what: Message) -> None:
    """Refuse a file with several images.

    Raises:
        InputError: ``frames`` is not 1; the message names the number and ``what`` they are.
    """
    if frames != 1:
        raise InputError(
            str(path),
            Message("it holds {0} {1}, and only one picture can be fused", frames, what),
            Message("Save the one you want as a file of its own."),
        )


def finish(path: Path, decoded: Decoded) -> Image:
    """Convert to an upright float32 image in sRGB on black, with its mask and its window.

    Raises:
        InputError: no pixel has data, or values exceed the range of float32.
    """
    notes = list(decoded.notes)
    mask = nodata.intersection(decoded.mask, nodata.finite(decoded.pixels))
    nodata.check_any(path, mask)
    pixels = _to_grey_or_srgb(decoded, notes)
    data = _as_float32(path, pixels, mask)
    if decoded.alpha is not None:
        data = _composite_on_black(data, decoded, notes)
    odd: list[float] = []
    if pixels.dtype.kind in "fi":
        mask, odd = nodata.mask_usual_values(data, mask)
    notes += nodata.note_of(mask, odd)
    if mask is not None:
        data[~mask] = data[mask].min()
    if decoded.orientation in _TURNS:
        data = upright(data, decoded.orientation)
        mask = None if mask is None else upright(mask, decoded.orientation)
        notes.append(Message("Turned upright, as the file's orientation mark says."))
    factor, offset = decoded.scale
    image = Image(
        data=np.ascontiguousarray(_scaled(data, decoded.scale)),
        bit_depth=decoded.bit_depth,
        unit=decoded.unit,
        origin=path,
        notes=tuple(notes),
        container=_container(decoded, data),
        mask=mask,
    )
    return windowed(
        image, [(low * factor + offset, high * factor + offset) for low, high in decoded.stated]
    )


def _to_grey_or_srgb(decoded: Decoded, notes: list[str]) -> SampleArray:
    if decoded.kind != "cmyk" and not decoded.profile:
        return decoded.pixels
    # The colour library supports whole 8 or 16 bits only; other values are not converted.
    convertible = decoded.top in (255, 65535)
    converted = None
    if decoded.profile and convertible:
        converted, note = to_srgb(decoded.pixels, decoded.kind, decoded.profile)
        note = decoded.profile_note or note
        notes.extend([note] if note else [])
    elif decoded.profile:
        notes.append(
            Message("The embedded colour profile was left out: it does not fit these numbers.")
        )
    if decoded.kind == "cmyk":
        notes.append(Message("CMYK was converted to RGB."))
        if converted is None:
            top = decoded.top if decoded.top else 1
            converted = cmyk_to_rgb(decoded.pixels, top)
    return decoded.pixels if converted is None else converted


def _as_float32(path: Path, pixels: SampleArray, mask: BoolArray | None) -> FloatArray:
    """A float32 copy; values of pixels without data are undefined."""
    with np.errstate(over="ignore", invalid="ignore"):
        data = pixels.astype(np.float32)
        if mask is not None:
            data[~mask] = 0
        span = data.max() - data.min() if pixels.dtype.kind not in "ub" else 0
    if not np.isfinite(span):
        raise InputError(
            str(path),
            Message("its numbers are too large (over 10^38)"),
            Message("Scale them down and save again."),
        )
    return data


def _scaled(data: FloatArray, scale: tuple[float, float]) -> FloatArray:
    factor, offset = scale
    if scale == (1.0, 0.0):
        return data
    return (data * factor + offset).astype(np.float32)


def _container(decoded: Decoded, data: FloatArray) -> Range | None:
    """The range of the file format, scaled; 0…1 for floats within it; otherwise None."""
    factor, offset = decoded.scale
    if decoded.top:
        return offset, decoded.top * factor + offset
    unit = decoded.bit_depth == 32 and decoded.pixels.dtype.kind == "f" and not decoded.unit
    inside = unit and decoded.scale == (1.0, 0.0) and data.min() >= 0 and data.max() <= 1
    return (0.0, 1.0) if inside else None


def _composite_on_black(data: FloatArray, decoded: Decoded, notes: list[str]) -> FloatArray:
    assert decoded.alpha is not None
    opaque = decoded.top if decoded.top else 1
    if np.all(decoded.alpha >= opaque):
        return data
    if not np.any(decoded.alpha):  # a channel that was never filled in, as in many bitmap files
        notes.append(Message("It would be transparent everywhere; its opacity was left out."))
        return data
    notes.append(Message("Transparent areas were put on black."))
    if decoded.premultiplied:
        return data
    cover = np.clip(decoded.alpha.astype(np.float32) / np.float32(opaque), 0, 1)
    covered: FloatArray = data * cover[..., np.newaxis]
    return covered


# Orientation: (transpose first, then flip rows, then flip columns).
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(data: _Array, orientation: int) -> _Array:
    """``data`` (H×W or H×W×C) transformed by EXIF orientation 2…8; unchanged for others."""
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    if swap:
        data = data.swapaxes(0, 1)
    return data[:: -1 if rows else 1, :: -1 if columns else 1]

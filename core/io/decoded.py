"""The steps every reader shares between decoded samples and an :class:`core.types.Image`."""

from __future__ import annotations

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Said
from core.io.profile import cmyk_to_rgb, to_srgb
from core.types import BitDepth, FloatArray, Image

MAX_PIXELS = 400_000_000
"""Larger pictures are refused: no network here could take them, and some files only claim so."""

Samples = npt.NDArray[Any]
Kind = Literal["grey", "rgb", "cmyk"]

# Nothing a decoder logs is for the user: what matters becomes an error or a note.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)


@dataclass
class Decoded:
    """A picture as its decoder gave it.

    Attributes:
        pixels: H×W×C in the type on file; C = 1 (grey), 3 (rgb) or 4 (cmyk).
        kind: what the channels are.
        top: value of full white for unsigned integers; None for all other numbers, which have no
            natural range.
        bit_depth: depth of the file.
        alpha: H×W opacity, 0…``top`` (or 0…1), or None.
        premultiplied: True when ``pixels`` were multiplied by ``alpha`` already.
        profile: embedded ICC profile, or one made of what the file says; or None.
        profile_note: what to say of a profile that is not embedded.
        orientation: EXIF orientation, 1…8.
        notes: what was done so far.
    """

    pixels: Samples
    kind: Kind
    top: int | None
    bit_depth: BitDepth
    alpha: Samples | None = None
    premultiplied: bool = False
    profile: bytes | None = None
    profile_note: str = ""
    orientation: int = 1
    notes: list[str] = field(default_factory=list)


class _Silence:
    """Ignores warnings while any reader is at work; unlike the standard one, threads may overlap.

    The standard context saves and restores the process's filters, so that two threads leaving in
    the wrong order would leave warnings off for good.
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


_silence = _Silence()


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Around a decoder: no warnings get out, and whatever it raises becomes an InputError."""
    try:
        with _silence():
            yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(
            str(path),
            "there is not enough memory to read it",
            "Close other programs or use a smaller picture.",
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise file_error(path, error) from error
        raise damaged(path, str(error)) from error
    # Decoders meet hostile bytes with errors of every kind (struct, index, zlib, their own).
    except Exception as error:
        raise damaged(path, str(error)) from error


def file_error(path: Path, error: OSError) -> InputError:
    """What ``error``, met while opening or reading ``path``, means for a person."""
    if isinstance(error, FileNotFoundError):
        return InputError(str(path), "there is no such file", "Check the name and the folder.")
    if isinstance(error, PermissionError):
        return InputError(
            str(path), "it may not be read", "Change its permissions or copy it elsewhere."
        )
    reason = error.strerror or str(error)
    return InputError(
        str(path), Said("it cannot be read ({0})", reason), "Check the disk and the name."
    )


def damaged(path: Path, detail: str) -> InputError:
    """The file is of a known kind but cannot be decoded."""
    if not isinstance(detail, Said):  # what a decoder says may be long
        lines = detail.strip().splitlines()
        detail = lines[0][:160].rstrip(".") if lines else Said("cannot be decoded")
    return InputError(
        str(path),
        Said("the file is damaged or incomplete ({0})", detail),
        "Copy or export it again.",
    )


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture without pixels or with absurdly many, before anything is decoded.

    Raises:
        InputError: as said.
    """
    if width < 1 or height < 1:
        raise InputError(
            str(path),
            Said("the picture has no pixels ({0}×{1})", width, height),
            "Export it again.",
        )
    if width * height > MAX_PIXELS:
        raise InputError(
            str(path),
            Said(
                "{0}×{1} pixels are more than the limit of {2} million",
                width,
                height,
                MAX_PIXELS // 10**6,
            ),
            "Crop it or make it smaller.",
        )


def check_frames(path: Path, frames: int, what: Said) -> None:
    """Refuse a file of several pictures.

    Raises:
        InputError: ``frames`` is not 1; the message says how many and ``what`` they are.
    """
    if frames != 1:
        raise InputError(
            str(path),
            Said("it holds {0} {1}, and only one picture can be fused", frames, what),
            "Save the one you want as a file of its own.",
        )


def finish(path: Path, decoded: Decoded) -> Image:
    """Colours to sRGB, transparency onto black, upright, float32, with its window.

    Raises:
        InputError: a floating-point picture holds NaN, Inf, or numbers float32 cannot hold.
    """
    notes = list(decoded.notes)
    pixels = _to_grey_or_srgb(decoded, notes)
    data = _as_float32(path, pixels)
    if decoded.alpha is not None:
        data = _onto_black(data, decoded, notes)
    if decoded.orientation in _TURNS:
        data = upright(data, decoded.orientation)
        notes.append(Said("Turned upright, as the file's orientation mark says."))
    window = (0.0, float(decoded.top)) if decoded.top else _float_window(path, data)
    return Image(
        data=np.ascontiguousarray(data),
        window=window,
        bit_depth=decoded.bit_depth,
        origin=path,
        notes=tuple(notes),
    )


def _to_grey_or_srgb(decoded: Decoded, notes: list[str]) -> Samples:
    if decoded.kind != "cmyk" and not decoded.profile:
        return decoded.pixels
    # The colour library takes whole 8 or 16 bits; other numbers are kept as they are.
    convertible = decoded.top in (255, 65535)
    converted = None
    if decoded.profile and convertible:
        converted, note = to_srgb(decoded.pixels, decoded.kind, decoded.profile)
        note = decoded.profile_note or note
        notes.extend([note] if note else [])
    elif decoded.profile:
        text = "The embedded colour profile was left out: it does not fit these numbers."
        notes.append(Said(text))
    if decoded.kind == "cmyk":
        notes.append(Said("CMYK was converted to RGB."))
        if converted is None:
            top = decoded.top if decoded.top else 1
            converted = cmyk_to_rgb(decoded.pixels, top)
    return decoded.pixels if converted is None else converted


def _as_float32(path: Path, pixels: Samples) -> FloatArray:
    if pixels.dtype.kind in "ub":
        return pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        number = int(np.count_nonzero(~np.isfinite(pixels).all(axis=2)))
        if number:
            text = (
                "{0} pixel is not a number or infinite (NaN or Inf)"
                if number == 1
                else "{0} pixels are not a number or infinite (NaN or Inf)"
            )
            raise InputError(
                str(path),
                Said(text, number),
                "Replace them by real numbers and save it again.",
            )
    with np.errstate(over="ignore"):
        data = pixels.astype(np.float32)
        span = data.max() - data.min()
    if not np.isfinite(span):
        raise InputError(
            str(path), "its numbers are too large (over 10^38)", "Scale them down and save again."
        )
    return data


def _onto_black(data: FloatArray, decoded: Decoded, notes: list[str]) -> FloatArray:
    assert decoded.alpha is not None
    opaque = decoded.top if decoded.top else 1
    if np.all(decoded.alpha >= opaque):
        return data
    if not np.any(decoded.alpha):  # a channel that was never filled in, as in many bitmaps
        notes.append(Said("It would be transparent everywhere; its opacity was left out."))
        return data
    notes.append(Said("Transparent areas were put on black."))
    if decoded.premultiplied:
        return data
    cover = np.clip(decoded.alpha.astype(np.float32) / np.float32(opaque), 0, 1)
    covered: FloatArray = data * cover[..., np.newaxis]
    return covered


def _float_window(path: Path, data: FloatArray) -> tuple[float, float]:
    """(0, 1) where it holds all values; else least to greatest; else 0 to the constant."""
    low, high = float(data.min()), float(data.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low < high:
        return low, high
    return min(low, 0.0), max(high, 0.0)


# Orientation: (swap rows and columns first, then flip rows, then flip columns).
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(data: FloatArray, orientation: int) -> FloatArray:
    """``data`` (H×W×C) turned and mirrored as EXIF orientation 2…8 says; else unchanged."""
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    if swap:
        data = data.transpose(1, 0, 2)
    return data[:: -1 if rows else 1, :: -1 if columns else 1]

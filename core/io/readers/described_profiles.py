"""Colour profiles described instead of embedded: EXIF of Adobe RGB, gAMA and cHRM of PNG."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import imagecodecs

from core.errors import Message
from core.io.readers.decoding import Decoded

_EXIF_PART, _INTEROPERABILITY_PART = 0x8769, 0xA005
_COLOUR_SPACE, _UNCALIBRATED, _INDEX, _ADOBE_RGB = 0xA001, 0xFFFF, 1, "R03"
_SRGB_WHITE = (0.3127, 0.3290)
_SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_D50 = (0.345703, 0.358539, 1.0)
_SRGB_GAMMA, _GAMMA_TOLERANCE, _PLACE_TOLERANCE = 1 / 2.2, 0.05, 0.01
_SANE_GAMMA = (0.1, 10.0)
_SRGB_CODES = (1, 13)  # cICP: primaries of BT.709, curve of sRGB


def described_profile(
    embedded: Any, marks: Mapping[bytes, bytes], exif: Any, decoded: Decoded
) -> bytes | None:
    """The ICC profile of the image, embedded or built from other information; None for sRGB.

    Adds a note to ``decoded`` if the profile was built.

    Args:
        embedded: ICC profile from the file, or None.
        marks: data of the colour chunks of a PNG by type; empty for other formats.
        exif: tags as read by Pillow, or None.
        decoded: provides type and depth of the samples, and receives the note.
    """
    if b"cICP" in marks:
        return _from_cicp(marks[b"cICP"], embedded, decoded)
    if isinstance(embedded, bytes) and embedded:
        return embedded
    if b"sRGB" in marks:
        return None
    if b"gAMA" in marks or b"cHRM" in marks:
        return _from_png(marks, decoded)
    if decoded.kind == "rgb" and is_adobe_rgb(exif):
        decoded.profile_note = Message("Colours were converted from Adobe RGB, which EXIF names.")
        return bytes(imagecodecs.cms_profile("adobergb"))
    return None


def is_adobe_rgb(exif: Any) -> bool:
    """Whether EXIF declares Adobe RGB the way cameras do: "uncalibrated" and index R03."""
    if exif is None:
        return False
    try:
        if exif.get_ifd(_EXIF_PART).get(_COLOUR_SPACE) != _UNCALIBRATED:
            return False
        index = exif.get_ifd(_INTEROPERABILITY_PART).get(_INDEX, "")
    except Exception:  # damaged tags are ignored
        return False
    text = index.decode("latin-1") if isinstance(index, bytes) else str(index)
    return text.strip("\0 ") == _ADOBE_RGB


def _from_cicp(mark: bytes, embedded: Any, decoded: Decoded) -> bytes | None:
    if len(mark) == 4 and tuple(mark[:2]) == _SRGB_CODES:
        return None
    decoded.notes.append(
        Message("Its colours are described by codes this program does not know; they were kept.")
    )
    return embedded if isinstance(embedded, bytes) and embedded else None


def _from_png(marks: Mapping[bytes, bytes], decoded: Decoded) -> bytes | None:
    gamma = _SRGB_GAMMA
    if len(marks.get(b"gAMA", b"")) == 4:
        gamma = struct.unpack(">I", marks[b"gAMA"])[0] / 1e5
    places = (*_SRGB_WHITE, *_SRGB_PRIMARIES)
    if len(marks.get(b"cHRM", b"")) == 32:
        places = tuple(value / 1e5 for value in struct.unpack(">8I", marks[b"cHRM"]))
    if gamma <= 0 or not _SANE_GAMMA[0] <= 1 / gamma <= _SANE_GAMMA[1] or not all(places[1::2]):
        decoded.notes.append(Message("Its gamma makes no sense and was left out."))
        return None
    usual = zip(places, (*_SRGB_WHITE, *_SRGB_PRIMARIES), strict=True)
    same_places = decoded.kind == "grey" or all(abs(a - b) <= _PLACE_TOLERANCE for a, b in usual)
    if same_places and abs(gamma / _SRGB_GAMMA - 1) <= _GAMMA_TOLERANCE:
        return None
    decoded.profile_note = Message(
        "Values were converted to sRGB from gamma {0}, which the file states.", round(1 / gamma, 2)
    )
    if decoded.kind == "grey":
        return bytes(imagecodecs.cms_profile("gray", whitepoint=_D50, gamma=1 / gamma))
    white = (*places[:2], 1.0)
    return bytes(
        imagecodecs.cms_profile("rgb", whitepoint=white, primaries=places[2:], gamma=1 / gamma)
    )

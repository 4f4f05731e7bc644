"""Metadata of a camera in a source, for an export that keeps it at the user's request."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL.Image

_FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP")
_EXIF, _GPS = 0x8769, 0x8825
_BASE = (0x010F, 0x0110, 0x0132, 0x013B, 0x8298)
"""Make, model, date, artist, copyright. Tags about the stored pixels (size, orientation,
resolution, description) do not apply to another image."""
_LEFT_OUT = (0x927C, 0x9286, 0xA002, 0xA003, 0xA005, 0xA40B)
"""Maker's note and comment, whose format is unknown; sizes; offsets into the original file."""


@dataclass(frozen=True)
class Tags:
    """Tags of a source that another image may carry.

    Attributes:
        block: an EXIF block as TIFF bytes, without the leading "Exif".
        has_place: whether it contains the location (GPS).
    """

    block: bytes
    has_place: bool


def read_tags(path: Path) -> Tags | None:
    """Camera, time and location from the file; None if it has none, or if they are damaged.

    Reads the header of the file only.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path, formats=_FORMATS) as image:
                found = image.getexif()
                base = {tag: found[tag] for tag in _BASE if tag in found}
                shot = _plain(found.get_ifd(_EXIF))
                place = dict(found.get_ifd(_GPS))
            kept = PIL.Image.Exif()
            for tag, value in base.items():
                kept[tag] = value
            if shot:
                kept[_EXIF] = shot
            if place:
                kept[_GPS] = place
            if not (base or shot or place):
                return None
            return Tags(kept.tobytes().removeprefix(b"Exif\0\0"), bool(place))
    except Exception:  # damaged blocks raise various errors, and none of them is a reason to fail
        return None


def _plain(tags: dict[int, Any]) -> dict[int, Any]:
    return {tag: value for tag, value in tags.items() if tag not in _LEFT_OUT}

"""Presentation contexts: what kinds of images are exchanged, and in what encodings."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_CONTEXTS = 127
"""Of an association (PS3.8 9.3.2), less the one of the service itself."""

_EXPLICIT, _IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
_COMPRESSED = (
    "1.2.840.10008.1.2.4.70",  # JPEG lossless, first-order prediction
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS lossless
    "1.2.840.10008.1.2.5",  # RLE
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.57",  # JPEG lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near lossless
    "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
    "1.2.840.10008.1.2.4.202",  # HTJ2K lossless, RPCL
    "1.2.840.10008.1.2.4.203",  # HTJ2K
)
"""What this program can decode."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_USUAL = tuple(
    _STORAGE + ending
    for ending in (
        "128",  # PET
        "4",  # MR
        "2",  # CT
        "20",  # nuclear medicine
        "130",  # enhanced PET
        "4.1",  # enhanced MR
        "4.3",  # enhanced MR colour
        "2.1",  # enhanced CT
        "7",  # secondary capture
        "7.1",
        "7.2",
        "7.3",
        "7.4",
        "30",  # parametric map
        "66.4",  # segmentation
        "481.3",  # RT structure set
        "1",  # computed radiography
        "1.1",  # digital X-ray
        "6.1",  # ultrasound
    )
)
"""Kinds of images to ask for where an archive does not say what it has."""


def uncompressed() -> tuple[str, ...]:
    """Transfer syntaxes that every archive knows."""
    return _EXPLICIT, _IMPLICIT


def get_contexts(kinds: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Contexts in which images of ``kinds`` may come; the usual kinds where it is empty.

    An archive chooses one encoding in each context. So that it can send what it holds without
    encoding it anew, each compressed one has a context of its own, as far as there is room.
    """
    chosen = list(kinds or _USUAL)[:_MOST_CONTEXTS]
    contexts = [(kind, uncompressed()) for kind in chosen]
    room = (_MOST_CONTEXTS - len(contexts)) // len(chosen)
    return contexts + [(kind, (one,)) for one in _COMPRESSED[:room] for kind in chosen]


def listen_contexts(kinds: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What is accepted of an archive that sends (C-MOVE); the usual kinds where it is empty."""
    return [(kind, (*uncompressed(), *_COMPRESSED)) for kind in kinds or _USUAL]

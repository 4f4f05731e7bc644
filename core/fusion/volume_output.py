"""Fused slices as pictures, one for each."""

from __future__ import annotations

from pathlib import Path

from core.fusion.volume_fusion import FusedSlice
from core.geometry.planes import PlaneName
from core.io.writer import write_image
from core.types import RESEARCH_NOTICE, BitDepth

_NOTICE = {"notice": RESEARCH_NOTICE}
"""In slices that show one source alone, hence nothing that a network made."""


def slice_file(plane: PlaneName, index: int) -> str:
    """The file name of slice ``index``, from 0."""
    return f"{plane}_{index + 1:03d}.png"


def write_slice(path: Path, one: FusedSlice) -> tuple[str, ...]:
    """Write one slice as a picture of 16 bits, or as float where the format can; returns notes.

    Raises:
        OutputError: see :func:`core.io.writer.write_image`.
    """
    depth: BitDepth = 32 if path.suffix.lower() in (".tif", ".tiff") else 16
    provenance = _NOTICE if one.result is None else one.result.provenance
    written = write_image(
        path, one.pixels, bit_depth=depth, provenance={**provenance, "picture": one.shows}
    )
    return (*one.notes, *written)

"""What becomes of fused slices: one volume, or a picture for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.fusion.volume_fusion import FusedSlice
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PlaneName
from core.io.volume_writer import FusedVolume, write_volume
from core.io.writer import write_image
from core.types import RESEARCH_NOTICE, BitDepth

_NOTICE = {"notice": RESEARCH_NOTICE}
"""In slices that show one source alone, hence nothing that a network made."""


@dataclass(frozen=True, eq=False)
class CollectedVolume:
    """All fused slices of a plane in one volume.

    Attributes:
        volume: the voxels on the grid of B.
        provenance: of its slices.
        notes: of its slices, each once.
    """

    volume: FusedVolume
    provenance: dict[str, str]
    notes: tuple[str, ...]

    def write(self, path: Path, *, protect: Iterable[Path] = ()) -> None:
        """Write it as :func:`core.io.volume_writer.write_volume` does.

        Raises:
            OutputError: as that function.
        """
        write_volume(path, self.volume, provenance=self.provenance, protect=tuple(protect))


def collect(slices: Iterable[FusedSlice], grid: VoxelGrid, plane: PlaneName) -> CollectedVolume:
    """Fill a volume with ``slices``, of which there must be at least one.

    Raises:
        FusionError, Cancelled: as the slices raise it.
    """
    volume: FusedVolume | None = None
    notes: dict[str, None] = {}
    provenance = dict(_NOTICE)
    for one in slices:
        volume = volume or FusedVolume(grid, one.pixels.shape[2])
        volume.put(plane, one.index, one.pixels)
        notes |= dict.fromkeys(one.notes)
        if one.result is not None:
            provenance |= one.result.provenance
    assert volume is not None, "planes have at least one slice"
    said = {**provenance, "picture": "fused", "plane": plane}
    return CollectedVolume(volume, said, tuple(notes))


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

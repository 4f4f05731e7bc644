"""Writes fused volumes as NIfTI-1 files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel.nifti1 import Nifti1Extension

from core.errors import Message, OutputError
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PlaneName, axes_of, turned
from core.io.atomic import atomic_path
from core.io.writer import check_target
from core.types import Affine, FloatArray

VOLUME_SUFFIXES = (".nii", ".nii.gz")
"""Suffixes of volumes that can be written."""

_RGB24 = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER = 1
_LEVEL = 1
_DESCRIPTION_BYTES = 79


def is_volume_name(path: Path) -> bool:
    """Whether the name of ``path`` is that of a volume file."""
    return path.name.lower().endswith(VOLUME_SUFFIXES)


class FusedVolume:
    """A fused volume on the grid of source B, which is filled slice by slice.

    In colour its voxels are held with 8 bits per channel, in grey as float32; as in the file.
    """

    def __init__(self, grid: VoxelGrid, channels: int) -> None:
        """``channels``: 1 or 3. All voxels are 0 to begin with."""
        self.grid = grid
        kind = np.uint8 if channels == 3 else np.float32
        self._voxels: npt.NDArray[Any] = np.zeros((*grid.shape, channels), kind)

    def put(self, plane: PlaneName, index: int, pixels: FloatArray) -> None:
        """Set a slice.

        Args:
            plane, index: as in :func:`core.geometry.planes.slice_at`.
            pixels: H×W×C float32 in [0, 1], turned as that function turns them.
        """
        axes = axes_of(self.grid, plane)
        values = quantised(pixels, self._voxels.dtype)
        for channel in range(self._voxels.shape[3]):
            turned(self._voxels[..., channel], axes)[index] = values[..., channel]

    @classmethod
    def of_slices(cls, grid: VoxelGrid, plane: PlaneName, slices: npt.NDArray[Any]) -> FusedVolume:
        """The volume that all slices of a plane are, N×H×W×C uint8 or float32; nothing is copied.

        Args:
            grid: of the volume.
            plane: that the slices lie in.
            slices: in the order of :func:`core.geometry.planes.axes_of`; may be a memory map.
        """
        axes = axes_of(grid, plane)
        back = slices[tuple(slice(None, None, -1 if flip else 1) for flip in axes.flipped)]
        made = cls.__new__(cls)
        made.grid = grid
        made._voxels = back.transpose(*np.argsort(axes.order), 3)
        return made

    @property
    def voxels(self) -> npt.NDArray[Any]:
        """K×J×I×C uint8 (colour), or float32 in [0, 1] (grey)."""
        return self._voxels


def quantised(pixels: FloatArray, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Values in [0, 1] as they are stored: rounded to uint8, or clipped as float32."""
    values: npt.NDArray[Any] = np.clip(pixels, 0.0, 1.0)
    if kind == np.uint8:
        values = np.floor(values.astype(np.float64) * 255 + 0.5)
    return values.astype(kind)


def write_volume(
    path: str | Path,
    volume: FusedVolume,
    *,
    provenance: Mapping[str, str],
    protect: Sequence[Path] = (),
) -> None:
    """Write a volume atomically as .nii or .nii.gz, with the affine of its grid.

    In colour as RGB24 (three bytes a voxel), in grey as float32. ``provenance`` is in a comment
    extension as JSON, its software and notice in the description too.

    Raises:
        OutputError: the name is that of no volume, the folder is missing or not writable, the disk
            is full, or the file is one of ``protect``.
    """
    path = Path(path)
    check_volume_target(path, protect=protect)
    image = _image(volume.voxels, volume.grid.affine, provenance)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile("", "wb", _LEVEL, stream, mtime=0) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(stream)


def check_volume_target(path: Path, *, protect: Sequence[Path] = ()) -> None:
    """Refuse names that are not of volumes, and sources.

    Raises:
        OutputError: see :func:`write_volume`.
    """
    if not is_volume_name(path):
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("volumes are written as .nii or .nii.gz"),
            Message("Use another name."),
        )
    check_target(path, protect=protect)


def _image(voxels: npt.NDArray[Any], affine: Affine, provenance: Mapping[str, str]) -> Any:
    """A ``nibabel.Nifti1Image`` (most of nibabel is not typed)."""
    plain = voxels.view(_RGB24)[..., 0] if voxels.dtype == np.uint8 else voxels[..., 0]
    to_ras = _TO_RAS @ affine
    # The file's first axis is the one whose voxels lie next to each other: columns.
    make: Any = nibabel.Nifti1Image
    image = make(plain.transpose(2, 1, 0), to_ras)
    header = image.header
    header.set_xyzt_units("mm", "sec")
    image.set_sform(to_ras, _SCANNER)
    image.set_qform(to_ras, _SCANNER if _has_right_angles(affine) else 0)
    if voxels.dtype != np.uint8:
        header["cal_min"], header["cal_max"] = 0.0, 1.0
    said = "; ".join(provenance[key] for key in ("software", "notice") if key in provenance)
    plain_text = said.replace("–", "-").encode("ascii", "replace")
    header["descrip"] = plain_text[:_DESCRIPTION_BYTES]
    if provenance:
        comment = json.dumps(dict(provenance), ensure_ascii=True).encode()
        header.extensions.append(Nifti1Extension("comment", comment))
    return image


def _has_right_angles(affine: Affine) -> bool:
    """Whether the axes are square to each other, which the quaternion of a header supposes."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() < 1e-4)

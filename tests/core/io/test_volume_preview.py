"""The slice of a volume that stands for it in lists."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.errors import InputError
from core.geometry.grids import VoxelGrid
from core.io.volume_preview import middle_slice_image
from core.io.volume_writer import FusedVolume, write_volume


def _written(path: Path, channels: int, pixels: np.ndarray) -> Path:
    """Three slices of 4×5, of which the middle one holds ``pixels``."""
    volume = FusedVolume(VoxelGrid((3, 4, 5), np.diag([2.0, 2.0, 3.0, 1.0])), channels)
    volume.put("axial", 1, pixels)
    write_volume(path, volume, provenance={})
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_the_middle_slice_as_it_was_put(tmp_path: Path, channels: int) -> None:
    pixels = np.linspace(0, 1, 4 * 5 * channels, dtype=np.float32).reshape(4, 5, channels)
    image = middle_slice_image(_written(tmp_path / "x.nii.gz", channels, pixels))
    assert image.window == (0.0, 255.0)
    np.testing.assert_allclose(image.data / 255, pixels, atol=0.5 / 255 + 1e-6)


def test_sources_from_their_least_to_their_greatest(tmp_path: Path) -> None:
    data = np.zeros((5, 4, 3, 2), np.int16)
    data[:, :, 1, 0] = np.arange(20).reshape(5, 4) * 100 - 300
    nibabel.save(nibabel.Nifti1Image(data, np.diag([-1, -1, 1, 1])), tmp_path / "s.nii")
    image = middle_slice_image(tmp_path / "s.nii")
    assert image.data.shape == (4, 5, 1)
    assert (image.data.min(), image.data.max()) == (0, 255)
    assert image.data[0, 1, 0] == pytest.approx(255 * 4 / 19)


def test_what_is_no_volume_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.nii.gz").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(InputError, match="cannot be read as a volume"):
        middle_slice_image(tmp_path / "x.nii.gz")

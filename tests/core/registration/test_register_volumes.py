from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from core.errors import Cancelled, InputError
from core.io.volumes import list_series, read_volume
from core.progress import NullProgress
from core.registration.registering import register
from core.registration.volume_levels import levels_of
from core.types import Volume
from tests.core.registration.scenes import image_of, texture


def _phantom(shape=(36, 44, 40), spacing=(3.0, 2.5, 2.5), seed=0) -> Volume:
    """A head of several tissues, none of its axes like another."""
    generator = np.random.default_rng(seed)
    slices, rows, columns = (np.linspace(-1, 1, n) for n in shape)
    z, y, x = np.meshgrid(slices, rows, columns, indexing="ij")
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 + (z / 0.8) ** 2 < 1
    tissue = ndimage.gaussian_filter(generator.standard_normal(shape), 3)
    data = np.where(inside, 2 + np.digitize(tissue / tissue.std(), [-0.7, 0, 0.7]), 0)
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    affine[:3, 3] = -50, -55, -54
    return Volume(data=data.astype(np.float32), affine=affine)


def _other_modality(volume: Volume) -> Volume:
    """The same head with other values for its tissues, blurred."""
    values = np.array([0, 1, 9, 3, 7, 1, 1], np.float32)[volume.data.astype(int)]
    return replace(volume, data=ndimage.gaussian_filter(values, 0.6))


def _rigid(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    x, y, z = np.deg2rad(degrees)
    around = [
        np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]),
        np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]),
        np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]),
    ]
    matrix = np.eye(4)
    matrix[:3, :3] = around[2] @ around[1] @ around[0]
    matrix[:3, 3] = shift
    return matrix


def _moved(volume: Volume, truth: np.ndarray) -> Volume:
    """Laid elsewhere in the patient; no voxel is resampled."""
    return replace(volume, affine=truth @ volume.affine)


def _error(found: np.ndarray, truth: np.ndarray, volume: Volume) -> float:
    """Mean distance at eight points inside, in mm."""
    ends = [(0.3 * (n - 1), 0.7 * (n - 1)) for n in volume.shape[::-1]]
    voxels = np.array(np.meshgrid(*ends)).reshape(3, -1)
    points = (volume.affine @ np.vstack([voxels, np.ones(8)]))[:3]
    off = (found - truth)[:3, :3] @ points + (found - truth)[:3, 3:]
    return float(np.linalg.norm(off, axis=0).mean())


@pytest.mark.long
def test_a_known_rigid_transform_is_found_across_modalities():
    fixed = _phantom()
    truth = _rigid((4, -3, 6), (9, -7, 5))
    result = register(fixed, _moved(_other_modality(fixed), truth), "rigid")
    assert _error(result.transform.array, truth, fixed) < 0.5
    assert result.transform.dimension == 3
    assert result.verdict == "good"
    assert result.after > result.before


@pytest.mark.parametrize("kind", ["translation", "similarity", "affine"])
def test_other_kinds_are_found(kind):
    fixed = _phantom()
    truth = np.eye(4)
    truth[:3, 3] = 8, -6, 4
    if kind == "similarity":
        truth[:3, :3] *= 1.06
    if kind == "affine":
        truth[:3, :3] = np.diag([1.05, 0.96, 1.0])
        truth[0, 1] = 0.04
    result = register(fixed, _moved(fixed, truth), kind)
    assert _error(result.transform.array, truth, fixed) < 0.6
    assert result.transform.kind == kind


def test_grids_that_share_no_place_are_brought_together():
    fixed = _phantom()
    truth = _rigid((0, 0, 0), (400, 0, 0))
    result = register(fixed, _moved(fixed, truth), "rigid")
    assert result.before == 0
    assert _error(result.transform.array, truth, fixed) < 0.5


def test_the_same_call_gives_the_same_result_up_to_rounding():
    fixed = _phantom((20, 24, 22))
    moving = _moved(fixed, _rigid((3, 0, 0), (4, 0, 0)))
    first, second = (register(fixed, moving, "rigid").transform.array for _ in range(2))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_what_cannot_be_compared_fails():
    fixed = _phantom((20, 24, 22))
    noise = np.random.default_rng(0).standard_normal(fixed.shape).astype(np.float32)
    assert register(fixed, replace(fixed, data=noise), "rigid").verdict == "failed"
    for constant in (0.0, 7.0):
        flat = replace(fixed, data=np.full(fixed.shape, constant, np.float32))
        result = register(fixed, flat, "rigid")
        assert result.verdict == "failed"
        assert result.reasons
        assert result.spread == np.inf


@pytest.mark.parametrize("factor", [1.0, 1e-30])
def test_equal_volumes_lie_on_each_other(factor):
    """What linear interpolation takes from the moved one is no reason to doubt."""
    fixed = _phantom((24, 28, 26))
    result = register(fixed, replace(fixed, data=fixed.data * np.float32(factor)), "rigid")
    assert _error(result.transform.array, np.eye(4), fixed) < 0.3
    assert result.verdict == "good", result.reasons


def test_thick_slices_are_found_within_half_a_slice():
    fixed = _phantom((48, 44, 40), spacing=(2.0, 2.5, 2.5))
    affine = fixed.affine @ np.diag([1.0, 1, 4, 1])
    truth = _rigid((0, 0, 4), (5, -3, 6))
    thick = _moved(replace(fixed, data=fixed.data[::4].copy(), affine=affine), truth)
    result = register(fixed, thick, "rigid")
    assert _error(result.transform.array, truth, fixed) < 4


def test_nothing_measured_fails():
    fixed = _phantom((20, 24, 22))
    mask = np.zeros(fixed.shape, np.bool_)
    assert register(fixed, replace(fixed, mask=mask), "rigid").verdict == "failed"


def test_values_that_are_not_finite_are_no_data():
    fixed = _phantom()
    data = fixed.data.copy()
    data[:, :6] = np.nan
    truth = _rigid((0, 0, 5), (6, 0, 0))
    moving = _moved(replace(fixed, data=data), truth)
    result = register(fixed, moving, "rigid")
    assert _error(result.transform.array, truth, fixed) < 0.5


@pytest.mark.parametrize("shape", [(1, 30, 30), (30, 3, 30)])
def test_single_slices_are_refused(shape):
    thin = Volume(data=np.random.default_rng(0).random(shape).astype(np.float32), affine=np.eye(4))
    for pair in ((thin, _phantom()), (_phantom(), thin)):
        with pytest.raises(InputError, match="too few") as caught:
            register(*pair, "rigid")
        assert caught.value.remedy


def test_a_homography_of_volumes_is_refused():
    with pytest.raises(InputError, match="pictures only"):
        register(_phantom(), _phantom(), "homography")


def test_a_picture_and_a_volume_are_refused():
    with pytest.raises(InputError, match="one is a picture"):
        register(_phantom(), image_of(texture(64, 64)), "rigid")


def test_a_sheared_grid_is_worked_on_at_right_angles():
    volume = _phantom()
    sheared = volume.affine.copy()
    sheared[1, 2] = 0.6
    (level,) = levels_of(replace(volume, affine=sheared), (1.0,), NullProgress())
    axes = level.grid.affine[:3, :3]
    np.testing.assert_allclose(
        axes.T @ axes, np.diag(np.square(np.linalg.norm(axes, axis=0))), atol=1e-9
    )
    inside = level.grid.to_voxel(volume.affine[:3, 3])
    assert (inside > -1).all()


class _StopAfter(NullProgress):
    def __init__(self, checks: int) -> None:
        self._left = checks
        self.stopped = 0.0

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.stopped = self.stopped or time.monotonic()
            raise Cancelled


@pytest.mark.parametrize("checks", [0, 130, 220])
def test_cancelling_is_heard_within_a_second(checks):
    progress = _StopAfter(checks)
    with pytest.raises(Cancelled):
        register(_phantom(), _other_modality(_phantom()), "rigid", progress=progress)
    assert time.monotonic() - progress.stopped < 1


def test_itk_is_imported_by_those_who_need_it():
    code = "import core.registration, sys; sys.exit('SimpleITK' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _series(folder):
    (series,) = list_series(folder).series
    return read_volume(series)


@pytest.mark.long
def test_a_real_series_moved_by_a_known_transform_comes_back(shared_data):
    clinical = shared_data / "clinical"
    stated = json.loads((clinical / "derived/rigid/truth.json").read_text())
    truth = np.array(stated["STS_002"]["p_moved = M p_original (LPS mm)"])
    fixed = _series(clinical / "sts_petmr_ct/dicom/STS_002/MR_T1")
    result = register(fixed, _series(clinical / "derived/rigid/STS_002"), "rigid")
    assert _error(result.transform.array, truth, fixed) < 0.1
    assert result.verdict == "good"


@pytest.mark.long
def test_a_thigh_that_moved_between_scanners_is_not_called_good(shared_data):
    study = shared_data / "clinical/sts_petmr_ct/dicom/STS_002"
    result = register(_series(study / "PET"), _series(study / "MR_T1"), "rigid")
    assert result.verdict != "good"

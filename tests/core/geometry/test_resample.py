"""One volume on the grid of another: by hand, against scipy, on real data, and its memory."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from core.errors import Cancelled, InputError
from core.geometry.alignment import Alignment, lined_up
from core.geometry.grids import VoxelGrid, grid_of
from core.geometry.resample import resample_onto
from core.progress import NullProgress
from core.types import Affine, FloatArray, Volume
from tests.core.geometry.loading import from_dicom, from_nifti


def random_volume(shape: tuple[int, int, int], affine: Affine, seed: int = 0) -> Volume:
    data = np.random.default_rng(seed).uniform(-5, 20, shape).astype(np.float32)
    return Volume(data=data, affine=affine, modality="PT", unit="SUVbw")


def scaled(*spacing: float, start: tuple[float, float, float] = (0, 0, 0)) -> Affine:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = start
    return affine


def turn(degrees: float, axis: int = 2) -> Affine:
    first, second = (n for n in range(3) if n != axis)
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    affine = np.eye(4)
    affine[first, first] = affine[second, second] = cosine
    affine[first, second], affine[second, first] = -sine, sine
    return affine


OBLIQUE = turn(17) @ turn(-8, 0) @ turn(31, 1)


def masked(volume: Volume) -> FloatArray:
    """Its values, NaN where the mask does not hold."""
    return volume.data if volume.mask is None else np.where(volume.mask, volume.data, np.nan)


def by_scipy(volume: Volume, points: np.ndarray, order: int = 1) -> np.ndarray:
    """Values at points in patient mm, NaN beyond the centres of the outer voxels."""
    inverse = np.linalg.inv(volume.affine)
    ijk = points @ inverse[:3, :3].T + inverse[:3, 3]
    values = map_coordinates(
        volume.data.astype(np.float64), ijk.T[::-1], order=order, mode="constant", cval=np.nan
    )
    return np.asarray(values)


def random_points(grid: VoxelGrid, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (k, j, i) of a grid, and where they lie."""
    rng = np.random.default_rng(5)
    voxels = np.stack([rng.integers(0, n, count) for n in grid.shape], axis=1)
    return voxels, grid.to_patient(voxels[:, ::-1])


# --- by hand


def test_halfway_between_voxels_is_their_mean() -> None:
    data = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    volume = Volume(data=data, affine=np.eye(4))
    at = scaled(1, 1, 1, start=(0.5, 0.5, 0.5))
    assert resample_onto(volume, VoxelGrid((1, 1, 1), at)).data[0, 0, 0] == 3.5
    at = scaled(1, 1, 1, start=(0.25, 1, 0))
    assert resample_onto(volume, VoxelGrid((1, 1, 1), at)).data[0, 0, 0] == 2.25


def test_field_of_view_is_the_voxels_not_their_centres() -> None:
    volume = Volume(data=np.full((1, 1, 4), 7, np.float32), affine=scaled(2, 2, 2))
    grid = VoxelGrid((1, 1, 6), scaled(2, 2, 2, start=(-3, 0.9, -0.9)))
    made = resample_onto(volume, grid)
    assert made.mask is not None
    # Centres at −3, −1, 1, 3, 5, 7: the volume reaches from −1 to 7.
    assert made.mask.ravel().tolist() == [False, True, True, True, True, True]
    assert made.data.ravel().tolist() == [0, 7, 7, 7, 7, 7]
    beside = resample_onto(volume, VoxelGrid((1, 1, 6), scaled(2, 2, 2, start=(-3, 1.1, 0))))
    assert beside.mask is not None
    assert not beside.mask.any()


def test_outside_of_a_ct_is_its_least_value() -> None:
    data = np.linspace(-1000, 400, 8, dtype=np.float32).reshape(2, 2, 2)
    volume = Volume(data=data, affine=np.eye(4), modality="CT", unit="HU")
    made = resample_onto(volume, VoxelGrid((2, 2, 4), np.eye(4)))
    assert (made.data[..., 2:] == -1000).all()


def test_what_tells_a_volume_goes_along() -> None:
    volume = random_volume((3, 4, 5), scaled(4, 4, 4))
    made = resample_onto(volume, VoxelGrid((3, 4, 5), scaled(2, 2, 2)))
    assert (made.unit, made.modality, made.window) == ("SUVbw", "PT", (0.0, 1.0))
    np.testing.assert_array_equal(made.affine, scaled(2, 2, 2))


def test_nearest_takes_only_values_that_are_there() -> None:
    volume = random_volume((5, 6, 7), OBLIQUE @ scaled(3, 3, 3))
    grid = VoxelGrid((9, 9, 9), scaled(2, 2, 2, start=(2, 1, 3)))
    made = resample_onto(volume, grid, "nearest")
    assert made.mask is not None
    assert made.mask.any()
    assert np.isin(made.data[made.mask], volume.data).all()
    voxels, points = random_points(grid)
    right = by_scipy(volume, points, order=0)
    known = ~np.isnan(right)
    np.testing.assert_array_equal(made.data[tuple(voxels[known].T)], right[known])


def test_a_voxel_without_a_value_spoils_those_it_contributes_to() -> None:
    mask = np.ones((1, 1, 6), bool)
    mask[0, 0, 2] = False
    data = np.arange(6, dtype=np.float32).reshape(1, 1, 6)
    volume = Volume(data=data, affine=np.eye(4), mask=mask)
    fine = resample_onto(volume, VoxelGrid((1, 1, 11), scaled(0.5, 1, 1)))
    assert fine.mask is not None
    assert np.flatnonzero(~fine.mask).tolist() == [3, 4, 5]


# --- against scipy


@pytest.mark.parametrize(
    "affine",
    [
        scaled(1.3, 0.9, 1.1, start=(2, 3, 4)),
        scaled(-1.3, 0.9, -1.1, start=(30, 3, 30)),
        OBLIQUE @ scaled(1.5, 1.2, 1.4, start=(5, 5, 0)),
        np.array([[0, 0, 1.5, 3], [1.1, 0, 0, 4], [0, -1.2, 0, 35], [0, 0, 0, 1]]),
    ],
    ids=["scaled", "flipped", "oblique", "transposed"],
)
def test_linear_is_that_of_scipy(affine) -> None:
    volume = random_volume((20, 22, 24), scaled(2, 2, 2))
    grid = VoxelGrid((25, 26, 27), affine)
    made = resample_onto(volume, grid)
    voxels, points = random_points(grid)
    right = by_scipy(volume, points)
    known = ~np.isnan(right)
    assert known.mean() > 0.3
    np.testing.assert_allclose(made.data[tuple(voxels[known].T)], right[known], atol=2e-5)
    assert made.mask is None or made.mask[tuple(voxels[known].T)].all()


# --- properties


def test_the_same_grid_is_bit_for_bit() -> None:
    volume = random_volume((7, 8, 9), OBLIQUE @ scaled(1.1, 1.3, 2.7, start=(-31.7, 4.1, 9.9)))
    made = resample_onto(volume, grid_of(volume))
    assert made.data.tobytes() == volume.data.tobytes()
    assert made.mask is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
def test_turned_by_right_angles_is_bit_for_bit(order) -> None:
    volume = random_volume((7, 8, 9), OBLIQUE @ scaled(1.1, 1.3, 2.7, start=(-31.7, 4.1, 9.9)))
    mixed = np.zeros((4, 4))
    mixed[3, 3] = 1
    shape = tuple(volume.shape[axis] for axis in order)
    for new, old in enumerate(order):  # axes of the data; those of affines count backwards
        mixed[2 - old, 2 - new] = -1 if new == 1 else 1
        if new == 1:
            mixed[2 - old, 3] = volume.shape[old] - 1
    grid = VoxelGrid((shape[0], shape[1], shape[2]), volume.affine @ mixed)
    made = resample_onto(volume, grid)
    assert made.mask is None
    np.testing.assert_array_equal(made.data, volume.data.transpose(order)[:, ::-1])


def test_patient_and_grid_may_turn_together() -> None:
    volume = random_volume((10, 11, 12), scaled(2, 2, 3))
    grid = VoxelGrid((12, 13, 14), scaled(1.7, 1.9, 2.3, start=(1, 1, 1)))
    together = OBLIQUE @ scaled(1, 1, 1, start=(100, -50, 20))
    turned = Volume(data=volume.data, affine=together @ volume.affine, modality="PT")
    one = resample_onto(volume, grid)
    other = resample_onto(turned, VoxelGrid(grid.shape, together @ grid.affine))
    np.testing.assert_allclose(masked(one), masked(other), atol=1e-4)


def test_there_and_back() -> None:
    k, j, i = np.mgrid[0:24, 0:24, 0:24] / 24
    smooth = np.sin(3 * i) + np.cos(4 * j) * k
    volume = Volume(data=smooth.astype(np.float32), affine=scaled(2, 2, 2))
    fine = VoxelGrid((80, 80, 80), turn(20) @ scaled(0.9, 0.9, 0.9, start=(-5, -15, -10)))
    back = resample_onto(resample_onto(volume, fine), grid_of(volume))
    assert back.mask is not None
    inside = back.mask
    assert inside.mean() > 0.5
    assert np.abs(back.data - volume.data)[inside].max() < 0.03  # of a range of 3


def test_linear_functions_of_place_are_exact() -> None:
    grid = VoxelGrid((15, 16, 17), OBLIQUE @ scaled(2, 2.5, 3))
    voxels = np.stack(np.meshgrid(*(np.arange(n) for n in (17, 16, 15)), indexing="ij"), -1)
    values = (grid.to_patient(voxels) @ (0.3, -0.7, 1.1)).T
    volume = Volume(data=np.ascontiguousarray(values).astype(np.float32), affine=grid.affine)
    # Within the centres of the outer voxels, beyond which values stay what they are.
    inner = VoxelGrid((9, 9, 9), OBLIQUE @ scaled(2.2, 2.1, 3.4, start=(8, 9, 8)))
    made = resample_onto(volume, inner)
    assert made.mask is None
    voxels, points = random_points(inner)
    np.testing.assert_allclose(made.data[tuple(voxels.T)], points @ (0.3, -0.7, 1.1), atol=2e-5)


def test_coarser_grids_keep_the_mean_and_do_not_alias() -> None:
    data = np.zeros((8, 32, 32), np.float32)
    data[:, ::2] = 10  # stripes that every second row would see as all or nothing
    volume = Volume(data=data, affine=np.eye(4))
    affine = scaled(2, 2, 2, start=(0.5, 0.5, 0.5))
    made = resample_onto(volume, VoxelGrid((4, 16, 16), affine))
    np.testing.assert_allclose(made.data, 5)
    spot = np.zeros((12, 12, 12), np.float32)
    spot[7, 4, 6] = 27
    affine = scaled(3, 3, 3, start=(1, 1, 1))
    made = resample_onto(Volume(data=spot, affine=np.eye(4)), VoxelGrid((4, 4, 4), affine))
    assert made.data[2, 1, 2] == pytest.approx(1)
    assert made.data.sum() == pytest.approx(1)


# --- progress and memory


class _Stop(NullProgress):
    """Cancels at the third slice."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def report(self, done: float, total: float, stage: str) -> None:
        self.seen.append(done)

    def check(self) -> None:
        if len(self.seen) == 3:
            raise Cancelled


def test_it_tells_where_it_is_and_can_be_cancelled() -> None:
    progress = _Stop()
    volume = random_volume((5, 5, 5), np.eye(4))
    with pytest.raises(Cancelled):
        resample_onto(volume, VoxelGrid((9, 9, 9), scaled(0.5, 0.5, 0.5)), progress=progress)
    assert progress.seen == [0, 1, 2]


def test_memory_is_source_result_and_little_else() -> None:
    volume = random_volume((40, 100, 100), scaled(2, 2, 2))
    grid = VoxelGrid((40, 300, 300), OBLIQUE @ scaled(0.6, 0.6, 1.5, start=(20, 20, 20)))
    tracemalloc.start()
    made = resample_onto(volume, grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    result = made.data.nbytes + (0 if made.mask is None else made.mask.nbytes)
    assert peak - result < 8 * 2**20
    assert result > 16 * 2**20


@pytest.mark.slow
def test_a_large_volume_onto_a_large_grid() -> None:
    """512×512×300 from 512×512×300, in a process of its own: time and peak memory."""
    program = (
        "import resource, time, numpy as np\n"
        "from core.types import Volume\n"
        "from core.geometry.grids import VoxelGrid\n"
        "from core.geometry.resample import resample_onto\n"
        "data = np.zeros((300, 512, 512), np.float32); data[::2] = 1\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "affine = np.eye(4); affine[:2, :2] = [[0.98, -0.17], [0.17, 0.98]]\n"
        "start = time.process_time()\n"
        "made = resample_onto(Volume(data=data, affine=np.eye(4)), VoxelGrid(data.shape, affine))\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "result = made.data.nbytes + made.mask.nbytes\n"
        "print((after - before) * 1024 - result, time.process_time() - start)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    extra, seconds = map(float, ran.stdout.split())
    assert extra < 100 * 2**20
    assert seconds < 60


# --- real data


def hot_centre(volume: Volume) -> np.ndarray:
    """Patient mm of the centre of mass of what is above half of the greatest value."""
    weights = np.where(masked(volume) > volume.data.max() / 2, volume.data, 0).astype(np.float64)
    k, j, i = (np.arange(n) for n in volume.shape)
    total = weights.sum()
    ijk = (
        (weights.sum((0, 1)) @ i) / total,
        (weights.sum((0, 2)) @ j) / total,
        (weights.sum((1, 2)) @ k) / total,
    )
    return grid_of(volume).to_patient(ijk)


def test_real_pet_and_mr_lie_on_each_other(shared_data: Path) -> None:
    study = shared_data / "clinical" / "sts_petmr_ct"
    folders = study / "dicom" / "STS_002"
    pet, mr = (from_dicom(folders / kind / "image") for kind in ("PET", "MR_T1"))
    assert lined_up(pet, mr) is Alignment.AS_ACQUIRED
    made = resample_onto(pet, grid_of(mr))
    half_voxel = min(pet.spacing) / 2
    assert np.linalg.norm(hot_centre(made) - hot_centre(pet)) < half_voxel / 5
    # The same two, converted by another program and laid over each other by scipy.
    niftis = study / "nifti" / "STS_002"
    other_pet, other_mr = (from_nifti(niftis / f"{kind}_image.nii.gz") for kind in ("PET", "MR_T1"))
    voxels, points = random_points(grid_of(mr))
    right = by_scipy(other_pet, points)
    known = ~np.isnan(right)
    assert known.mean() > 0.3
    assert made.mask is None, "the MR lies inside of the PET"
    np.testing.assert_allclose(
        made.data[tuple(voxels[known].T)], right[known], atol=1e-3 * pet.data.max()
    )
    by_name = by_scipy(other_mr, points)
    known = ~np.isnan(by_name)
    np.testing.assert_allclose(mr.data[tuple(voxels[known].T)], by_name[known], atol=1)


def test_moved_study_is_not_registered(shared_data: Path) -> None:
    clinical = shared_data / "clinical"
    pet = from_dicom(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / "PET" / "image")
    moved = next(path for path in (clinical / "derived" / "rigid").rglob("*.dcm")).parent
    assert lined_up(pet, from_dicom(moved)) is Alignment.NOT_REGISTERED


def test_made_up_pet_and_mr_are_the_templates_they_came_from(shared_data: Path) -> None:
    clinical = shared_data / "clinical"
    pet, mr = (from_dicom(clinical / "dicom_synthetic" / kind) for kind in ("PT", "MR"))
    assert lined_up(pet, mr) is Alignment.AS_ACQUIRED
    made = resample_onto(pet, grid_of(mr))
    template = from_nifti(clinical / "nifti_spm12" / "PET.nii")
    voxels, points = random_points(grid_of(mr), 20_000)
    right = by_scipy(template, points)
    known = ~np.isnan(right) & (right > 0)
    if made.mask is not None:
        known &= made.mask[tuple(voxels.T)]
    own = made.data[tuple(voxels[known].T)]
    assert np.corrcoef(own, right[known])[0, 1] > 0.99
    # A shift by half a voxel of the PET would show.
    shifted = by_scipy(template, points[known] + [pet.spacing[2] / 2, 0, 0])
    valid = ~np.isnan(shifted)
    assert np.corrcoef(own[valid], shifted[valid])[0, 1] < np.corrcoef(own, right[known])[0, 1]


def test_nibabel_agrees_on_where_a_voxel_is(shared_data: Path) -> None:
    path = shared_data / "clinical" / "nifti_nibabel"
    for file in sorted(path.glob("someones_*.nii*")):
        volume, image = from_nifti(file), nibabel.load(file)
        x, y, z = grid_of(volume).to_patient([3, 4, 5])
        np.testing.assert_allclose(
            nibabel.affines.apply_affine(image.affine, [3, 4, 5]), [-x, -y, z], atol=1e-9
        )


def test_a_grid_whose_voxels_are_rooms_is_refused_before_memory_is_taken() -> None:
    """Voxels of 2 m over those of 4 mm: 125 million places within each."""
    volume = random_volume((4, 5, 6), scaled(4, 4, 4))
    grid = VoxelGrid((40, 64, 64), scaled(2000, 2000, 2000))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"holds 500×500×500 voxels of the other"):
        resample_onto(volume, grid)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_thick_slab_over_thin_slices_is_made() -> None:
    volume = random_volume((300, 2, 2), scaled(1, 1, 1))
    slab = resample_onto(volume, VoxelGrid((1, 2, 2), scaled(1, 1, 300, start=(0, 0, 149.5))))
    np.testing.assert_allclose(slab.data[0], volume.data.mean(axis=0), rtol=1e-4)

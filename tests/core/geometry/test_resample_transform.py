"""Volumes through a transform: by hand, against SimpleITK, and back onto themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import TwoPatients, VolumesApart
from core.fusion.slices import align, registration_notes, slice_pair
from core.geometry.alignment import Alignment
from core.geometry.grids import VoxelGrid, grid_of
from core.geometry.resample import resample_onto
from core.io.pairs import MIRRORED
from core.io.volumes import list_series, load_study_volume
from core.types import Affine, PairTransform, Transform, Volume
from tests.core.geometry.test_resample import OBLIQUE, random_volume, scaled, turn


def moved(x: float, y: float, z: float) -> Transform:
    return Transform.of("translation", scaled(1, 1, 1, start=(x, y, z)))


def test_a_whole_voxel_moves_every_value_unchanged():
    volume = random_volume((4, 5, 6), scaled(2, 3, 4))
    out = resample_onto(volume, grid_of(volume), transform=moved(2, -3, 4))
    np.testing.assert_array_equal(out.data[:3, 1:, :5], volume.data[1:, :4, 1:])
    assert out.mask is not None
    assert out.mask.sum() == 3 * 4 * 5


def test_a_transform_that_leads_onto_the_own_grid_interpolates_nothing():
    volume = random_volume((4, 5, 6), OBLIQUE @ scaled(2, 3, 4))
    back = Transform.of("rigid", OBLIQUE)
    grid = VoxelGrid(volume.shape, np.linalg.inv(OBLIQUE) @ volume.affine)
    out = resample_onto(volume, grid, transform=back)
    np.testing.assert_array_equal(out.data, volume.data)
    np.testing.assert_array_equal(out.affine, grid.affine)
    assert out.mask is None


def itk_image(sitk: object, volume: Volume) -> object:
    image = sitk.GetImageFromArray(volume.data.astype(np.float64))  # type: ignore[attr-defined]
    set_grid(image, volume.affine)
    return image


def set_grid(image: object, affine: Affine) -> None:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())  # type: ignore[attr-defined]
    image.SetOrigin(affine[:3, 3].tolist())  # type: ignore[attr-defined]
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["rigid", "similarity", "affine"])
@pytest.mark.parametrize("turned", [False, True])
def test_values_are_those_of_simpleitk(kind, turned):
    sitk = pytest.importorskip("SimpleITK")
    affine = (OBLIQUE if turned else np.eye(4)) @ scaled(2, 2.5, 3, start=(-20, 4, 7))
    volume = random_volume((14, 17, 20), affine)
    linear = {
        "rigid": turn(5, 0) @ turn(-8, 1) @ turn(3),
        "similarity": 1.1 * turn(5, 0) @ turn(-8, 1),
        "affine": np.array([[1.1, 0.1, 0, 0], [0, 0.9, -0.05, 0], [0.02, 0, 1, 0], [0, 0, 0, 1]]),
    }[kind]
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear[:3, :3], (3.3, -1.7, 2.9)
    transform = Transform.of(kind, matrix)
    # About as fine as the volume: coarser grids are averaged here, which ITK does not do.
    grid = VoxelGrid((15, 18, 21), scaled(2, 2.2, 2.7, start=(-22, 1, 5)))
    out = resample_onto(volume, grid, transform=transform)
    theirs = sitk.AffineTransform(3)
    theirs.SetMatrix(matrix[:3, :3].ravel().tolist())
    theirs.SetTranslation(matrix[:3, 3].tolist())
    reference = sitk.Image(21, 18, 15, sitk.sitkFloat64)
    set_grid(reference, grid.affine)
    found = sitk.Resample(itk_image(sitk, volume), reference, theirs, sitk.sitkLinear, -999.0)
    wanted = sitk.GetArrayFromImage(found)
    assert out.mask is not None
    inside = out.mask & (wanted > -999)
    # A centre may lie on the border itself, up to rounding.
    assert (out.mask != (wanted > -999)).sum() <= 2
    assert 0.2 < inside.mean() < 1
    np.testing.assert_allclose(out.data[inside], wanted[inside], atol=2e-4)


def pair_of_frames() -> tuple[Volume, Volume]:
    rng = np.random.default_rng(2)
    smooth = rng.uniform(0, 10, (8, 9, 10)).astype(np.float32)
    b = Volume(
        data=smooth, affine=scaled(2, 2, 2), modality="MR", window=(0, 10), frame_of_reference="1"
    )
    place = moved(40, -6, 8)
    # The same head, as a scanner with another origin measured it.
    a = replace(
        b, affine=place.array @ b.affine, modality="PT", unit="SUVbw", frame_of_reference="2"
    )
    return a, b


def test_a_registered_pair_lies_voxel_on_voxel():
    a, b = pair_of_frames()
    with pytest.raises(VolumesApart):
        align(a, b)
    by = PairTransform(moved(40, -6, 8), "a", origin="registered", verdict="doubtful")
    pair = align(a, b, transform=by)
    np.testing.assert_array_equal(pair.a.data, b.data)
    assert pair.alignment is Alignment.REGISTERED
    assert pair.a.frame_of_reference == "1"
    assert pair.transform == by
    assert slice_pair(pair, "axial", 3).transform == by
    notes = registration_notes(pair)
    assert "by -40.0, 6.0, -8.0 mm" in notes[0]
    assert "doubtful" in notes[1]


def test_a_mirrored_volume_is_said_to_be():
    a, b = pair_of_frames()
    mirror = Transform.of("affine", moved(40, -6, 8).array @ np.diag([-1.0, 1, 1, 1]))
    notes = registration_notes(align(a, b, transform=PairTransform(mirror, "a")))
    assert notes[1:] == (MIRRORED,)


def test_a_is_the_one_that_is_resampled_whichever_was_registered_onto_the_other():
    a, b = pair_of_frames()
    by = PairTransform(moved(-40, 6, -8), "b")
    pair = align(a, b, transform=by)
    assert pair.b is b
    np.testing.assert_array_equal(pair.a.data, b.data)
    assert pair.transform is not None
    assert pair.transform.moving == "a"


def test_a_transform_accepts_neither_two_patients_nor_nothing_in_common():
    a, b = pair_of_frames()
    with pytest.raises(TwoPatients):
        align(
            replace(a, patient="x"),
            replace(b, patient="y"),
            transform=PairTransform(moved(40, -6, 8), "a"),
        )
    with pytest.raises(VolumesApart):
        align(a, b, transform=PairTransform(moved(-400, 0, 0), "a"))


def test_a_pair_without_a_transform_says_nothing_of_one():
    _, b = pair_of_frames()
    assert registration_notes(align(b, b)) == ()


def load(folder: Path) -> Volume:
    (series,) = list_series([folder]).series
    return load_study_volume(series)


def test_the_known_transform_of_real_volumes_brings_the_scan_back(shared_data: Path):
    """An MR whose headers were moved rigidly: nothing is resampled on the way back."""
    clinical = shared_data / "clinical"
    folder = clinical / "derived" / "rigid"
    if not folder.is_dir():
        pytest.skip("no moved series in the shared data")
    truth = json.loads((folder / "truth.json").read_text())["STS_002"]
    original = load(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / "MR_T1")
    there = load(folder / "STS_002")
    by = PairTransform(Transform.of("rigid", truth["p_moved = M p_original (LPS mm)"]), "a")
    pair = align(there, original, transform=by)
    inside = np.ones(original.shape, bool) if pair.a.mask is None else pair.a.mask
    assert inside.mean() > 0.99
    span = float(np.ptp(original.data))
    assert np.abs(pair.a.data - original.data)[inside].max() < 1e-3 * span
    # Without it they lie several millimetres apart.
    apart = align(there, original)
    assert np.abs(apart.a.data - original.data).max() > 0.3 * span


def test_what_shares_no_place_can_be_shown_but_not_as_registered():
    a, b = pair_of_frames()
    far = replace(a, affine=moved(300, 0, 0).array @ a.affine)
    for by in (None, PairTransform(moved(-400, 0, 0), "a")):
        pair = align(far, b, transform=by, show_apart=True)
        assert pair.alignment is Alignment.APART
        assert pair.transform is None
        # Both have one shape: the middle of one on that of the other is voxel on voxel.
        np.testing.assert_allclose(pair.a.data, b.data, atol=1e-4)
        assert pair.drawn_by is not None
        np.testing.assert_allclose(pair.drawn_by.array, moved(340, -6, 8).array, atol=1e-9)

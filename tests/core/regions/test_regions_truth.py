"""Regions on files whose values are known, and against programs that are not ours."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from scipy import ndimage

from core.geometry.grids import grid_of
from core.io.dicom_output import DicomChoices, read_dicom_source
from core.io.volumes import list_series, load_study_volume, series_suv
from core.regions import (
    DrawingPlane,
    MeasuredSource,
    MeasuredSources,
    RectangleRegion,
    RegionFigures,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    find_voxels,
    measure_region,
    measure_regions,
)
from core.regions.files import write_regions_segmentation
from core.types import PairTransform, Transform

_RADIUS = 6.203504908994  # of 1 cm³


@pytest.fixture(scope="session")
def clinical(shared_data: Path) -> Path:
    folder = shared_data / "clinical"
    if not (folder / "derived").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    return folder


def source(path: Path) -> MeasuredSource:
    (header,) = list_series(path).series
    return MeasuredSource(load_study_volume(header), series_suv(header))


def pixels(one: MeasuredSource, index: int, rows: range, columns: range) -> RectangleRegion:
    """The rectangle around those pixels of a slice."""
    grid = grid_of(one.volume)
    _, down, across = grid.spacing
    middle = (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2, index
    axes = one.volume.affine[:3, :2] / [across, down]
    plane = DrawingPlane(tuple(grid.to_patient(middle)), tuple(axes[:, 0]), tuple(axes[:, 1]))  # type: ignore[arg-type]
    halves = len(columns) * across / 2 - 1e-3, len(rows) * down / 2 - 1e-3
    return RectangleRegion("pixels", plane, halves)


def test_read_outs_of_scanners_are_those_that_are_published(clinical: Path) -> None:
    truth = json.loads((clinical / "suv" / "truth.json").read_text())["with_answer"]
    seen = 0
    for name, known in truth.items():
        (folder,) = (clinical / "suv").glob(f"*/{name}")
        one = source(folder)
        for index in range(one.volume.shape[0]):
            square = pixels(one, index, range(14, 19), range(8, 13))
            hot = pixels(one, index, range(20, 21), range(22, 23))
            of_square, of_hot = (
                measure_region(region, MeasuredSources(one), "a") for region in (square, hot)
            )
            assert of_square.unit.startswith("SUV"), name
            assert of_square.voxels == 25
            wanted = known["square_suv_rows14-18_cols8-12"]
            assert of_square.mean.value == pytest.approx(wanted, rel=known["tolerance"]), name
            assert of_hot.voxels == 1
            wanted = known["hot_voxel_row20_col22_suv"]
            assert of_hot.maximum.value == pytest.approx(wanted, rel=known["tolerance"]), name
            assert of_square.suv is not None
            assert of_square.suv.factor == pytest.approx(
                known["suvbw_factor"], rel=known["tolerance"]
            )
            seen += 1
    assert seen >= 12


def test_a_series_without_suv_never_gives_one(clinical: Path) -> None:
    seen = 0
    for folder in sorted((clinical / "suv" / "traps").iterdir()):
        if len(list_series(folder).series) > 1:  # slices in another unit are a series of their own
            continue
        one = source(folder)
        assert not one.volume.unit.startswith("SUV"), folder
        middle = grid_of(one.volume).to_patient((np.array(one.volume.shape[::-1]) - 1) / 2)
        ball = SphereRegion("s", tuple(middle), 20.0)
        figures = measure_region(
            ThresholdRegion(ball, Threshold("suv", 0.5)), MeasuredSources(one), "a"
        )
        assert all(figure.value is None for figure in figures.figures.values()), folder
        assert one.suv is not None
        assert one.suv.blamed[0] in figures.mean.reason
        own = measure_region(ball, MeasuredSources(one), "a")
        assert not own.mean.unit.startswith("SUV")
        assert own.tlg.value is None
        seen += 1
    assert seen >= 5


def test_the_synthetic_phantom_by_hand(clinical: Path) -> None:
    """Stored numbers of one slice by pydicom, times its slope and the factor by the textbook."""
    folder = clinical / "dicom_synthetic" / "PT"
    files = sorted(map(dcmread, folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    index, rows, columns = 20, range(28, 33), range(30, 37)
    stored = files[index].pixel_array[28:33, 30:37] * float(files[index].RescaleSlope)
    suv = stored * 70_000 / (185e6 * 2 ** (-3600 / 6586.2))
    one = source(folder)
    found = measure_region(pixels(one, index, rows, columns), MeasuredSources(one), "a")
    assert found.voxels == 35
    assert found.mean.value == pytest.approx(suv.mean(), rel=1e-5)
    assert found.sd.value == pytest.approx(suv.std(ddof=1), rel=1e-5)
    assert found.minimum.value == pytest.approx(suv.min(), rel=1e-5)
    assert found.maximum.value == pytest.approx(suv.max(), rel=1e-5)
    assert found.volume.value == pytest.approx(35 * 0.064)


def real(clinical: Path, name: str) -> MeasuredSource:
    return source(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / name)


def test_the_real_pet_in_its_mask_as_simpleitk_has_it(clinical: Path) -> None:
    """The outline that came with the data, as rectangles around the runs of its pixels.

    The PET of another program (NIfTI), read and measured by SimpleITK.
    """
    folder = clinical / "sts_petmr_ct" / "nifti" / "STS_002"
    mask = sitk.Cast(sitk.ReadImage(str(folder / "PET_mask.nii.gz")), sitk.sitkUInt8)
    theirs = sitk.LabelStatisticsImageFilter()
    theirs.Execute(sitk.ReadImage(str(folder / "PET_image.nii.gz")), mask)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask)
    one = real(clinical, "PET")
    sources = MeasuredSources(one)
    found: list[RegionFigures] = []
    for k, j in np.argwhere(sitk.GetArrayFromImage(mask).any(axis=2)):
        row = sitk.GetArrayFromImage(mask)[k, j]
        labels, count = ndimage.label(row)
        for label in range(1, count + 1):
            run = np.flatnonzero(labels == label)
            region = pixels(one, int(k), range(j, j + 1), range(run[0], run[-1] + 1))
            found.append(measure_region(region, sources, "a"))
    counts = np.array([figures.voxels for figures in found])
    means = np.array([figures.mean.value for figures in found], float)
    spreads = np.array([figures.sd.value or 0.0 for figures in found])
    mean = (counts * means).sum() / counts.sum()
    squares = ((counts - 1) * spreads**2 + counts * (means - mean) ** 2).sum()
    assert counts.sum() == theirs.GetCount(1) == 555
    assert mean == pytest.approx(theirs.GetMean(1), rel=1e-6)
    assert math.sqrt(squares / 554) == pytest.approx(theirs.GetSigma(1), rel=1e-6)
    assert min(one.minimum.value for one in found) == pytest.approx(theirs.GetMinimum(1))
    assert max(one.maximum.value for one in found) == pytest.approx(theirs.GetMaximum(1))
    volume = sum(one.volume.value for one in found)
    assert volume == pytest.approx(shape.GetPhysicalSize(1) / 1000, rel=1e-6)
    peaks = [one.peak.value for one in found if one.peak.value is not None]
    assert max(peaks) == pytest.approx(
        another_peak(one.volume, sitk.GetArrayFromImage(mask) > 0), rel=2e-3
    )


def another_peak(volume: Any, inside: np.ndarray) -> float:
    """By a convolution with a kernel of its own, voxels sampled at 21³ points."""
    spacing = np.array(volume.spacing)
    reach = [math.ceil(_RADIUS / one) for one in spacing]
    fine = (np.arange(21) + 0.5) / 21 - 0.5
    cube = np.stack(np.meshgrid(fine, fine, fine, indexing="ij"), -1).reshape(-1, 3)
    kernel = np.zeros([2 * one + 1 for one in reach])
    for at in product(*(range(size) for size in kernel.shape)):
        apart = (np.array(at) - reach + cube) * spacing
        kernel[at] = ((apart**2).sum(1) <= _RADIUS**2).mean()
    means = ndimage.convolve(volume.data.astype(float), kernel / kernel.sum(), mode="nearest")
    return float(means[inside].max())


@pytest.mark.parametrize("share", [0.41, 0.5])
def test_a_threshold_on_the_real_pet_as_simpleitk_has_it(clinical: Path, share: float) -> None:
    one = real(clinical, "PET")
    volume = one.volume
    k, j, i = np.unravel_index(int(volume.data.argmax()), volume.shape)
    centre = tuple(float(x) for x in grid_of(volume).to_patient((i, j, k)))
    region = ThresholdRegion(SphereRegion("Tumour", centre, 30.0), Threshold("share", share))
    ours = measure_region(region, MeasuredSources(one), "a")
    image = sitk.ReadImage(
        str(clinical / "sts_petmr_ct" / "nifti" / "STS_002" / "PET_image.nii.gz")
    )
    ball = sitk.Image(image.GetSize(), sitk.sitkUInt8)
    ball.CopyInformation(image)
    for at in product(*(range(size) for size in image.GetSize())):
        there = np.array(image.TransformIndexToPhysicalPoint(at))
        ball[at] = int(np.linalg.norm(there - centre) <= 30.0)
    within = sitk.LabelStatisticsImageFilter()
    within.Execute(image, ball)
    label = sitk.And(ball, sitk.Cast(image >= share * within.GetMaximum(1), sitk.sitkUInt8))
    theirs, shape = sitk.LabelStatisticsImageFilter(), sitk.LabelShapeStatisticsImageFilter()
    theirs.Execute(image, label)
    shape.Execute(label)
    assert ours.voxels == theirs.GetCount(1)
    assert ours.mean.value == pytest.approx(theirs.GetMean(1), rel=1e-6)
    assert ours.sd.value == pytest.approx(theirs.GetSigma(1), rel=1e-6)
    assert ours.minimum.value == pytest.approx(theirs.GetMinimum(1), rel=1e-6)
    assert ours.maximum.value == pytest.approx(21.67575, abs=1e-5)
    mtv = shape.GetPhysicalSize(1) / 1000
    assert ours.mtv.value == pytest.approx(mtv, rel=1e-6)
    assert ours.tlg.value == pytest.approx(mtv * theirs.GetMean(1), rel=1e-6)


def test_a_place_on_the_moved_mr_is_found_on_the_pet(clinical: Path) -> None:
    """By the transform that the MR was moved by; the fields that move with it hold the same."""
    folder = clinical / "derived" / "rigid"
    truth = json.loads((folder / "truth.json").read_text())
    matrix = np.array(truth["STS_002"]["p_moved = M p_original (LPS mm)"])
    pet, mr = real(clinical, "PET"), real(clinical, "MR_T1")
    moved = source(folder / "STS_002")
    np.testing.assert_allclose(matrix @ mr.volume.affine, moved.volume.affine, atol=1e-2)
    centre = grid_of(mr.volume).to_patient((57, 45, 17))
    there = matrix[:3, :3] @ centre + matrix[:3, 3]
    # B is the moved MR: its points are led back to the PET.
    by = PairTransform(Transform.of("affine", np.linalg.inv(matrix)), "a")
    region = SphereRegion(
        "s", tuple(there), 12.0, frame_of_reference=moved.volume.frame_of_reference
    )
    plain = SphereRegion("s", tuple(centre), 12.0, frame_of_reference=mr.volume.frame_of_reference)
    through = measure_regions([region], MeasuredSources(pet, moved, transform=by))
    direct = measure_regions([plain], MeasuredSources(pet, mr))
    for one, other in zip(through, direct, strict=True):
        assert one.voxels == pytest.approx(other.voxels, rel=0.01)
        assert one.mean.value == pytest.approx(other.mean.value, rel=1e-3)
    refused = measure_regions([region], MeasuredSources(pet, moved))
    assert refused[0].mean.value is None
    assert refused[1].mean.value == through[1].mean.value


def test_the_voxels_of_both_grids_share_one_place(clinical: Path) -> None:
    pet, mr = real(clinical, "PET"), real(clinical, "MR_T1")
    sources = MeasuredSources(pet, mr)
    middle = grid_of(mr.volume).to_patient((57, 45, 17))
    ball = SphereRegion("s", tuple(middle), 14.0)
    whole = 4 / 3 * math.pi * 14.0**3 / 1000
    for side in ("a", "b"):
        mask = find_voxels(ball, sources, side).mask
        volume = sources.source(side).volume
        size = mask.count * math.prod(volume.spacing) / 1000
        # Whole voxels of 0.1 ml in the PET and 0.003 ml in the MR.
        assert size == pytest.approx(whole, rel=0.05 if side == "a" else 0.02)


@pytest.mark.parametrize(
    "name",
    ["sts_petmr_ct/dicom/STS_002/PET", "derived/rigid/STS_002", "derived/enhanced/STS_002_PET.dcm"],
)
def test_a_segmentation_lies_on_the_images_that_it_refers_to(
    clinical: Path, tmp_path: Path, name: str
) -> None:
    """Straight, oblique and enhanced; the geometry of each frame to 1e-4 mm, by tags alone."""
    (header,) = list_series(clinical / name).series
    one = MeasuredSource(load_study_volume(header))
    middle = grid_of(one.volume).to_patient((np.array(one.volume.shape[::-1]) - 1) / 2)
    region = SphereRegion("s", tuple(middle), 20.0)
    sources = MeasuredSources(one)
    refers = read_dicom_source(header, 0, DicomChoices())
    write_regions_segmentation(tmp_path / "s.dcm", [region], sources, "a", refers)
    tags = dcmread(tmp_path / "s.dcm")
    places = {
        (image.SOPInstanceUID, index): place_of(image, index) for image, index in refers.images
    }
    shared = tags.SharedFunctionalGroupsSequence[0]
    turn = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    spacing = np.array(shared.PixelMeasuresSequence[0].PixelSpacing, float)
    # Bits follow each other over all frames. (GDCM reads beyond them where frames do not fill their
    # bytes; test_region_files has those that do, and reads by it.)
    size = len(tags.PerFrameFunctionalGroupsSequence), tags.Rows, tags.Columns
    bits = np.unpackbits(np.frombuffer(tags.PixelData, np.uint8), bitorder="little")
    frames = bits[: math.prod(size)].reshape(size) > 0
    total = 0.0
    for pixels, groups in zip(frames, tags.PerFrameFunctionalGroupsSequence, strict=True):
        (image,) = groups.DerivationImageSequence[0].SourceImageSequence
        index = int(image.get("ReferencedFrameNumber") or 1) - 1
        position, orientation, distances = places[image.ReferencedSOPInstanceUID, index]
        place = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        np.testing.assert_allclose(place, position, atol=1e-4)
        np.testing.assert_allclose(turn, orientation, atol=1e-6)
        np.testing.assert_allclose(spacing, distances, atol=1e-4)
        k = round(float(grid_of(one.volume).to_voxel(place)[2]))
        total += float(one.volume.data[k][pixels].sum(dtype=float))
    found = measure_region(region, sources, "a")
    assert frames.sum() == found.voxels
    assert total / frames.sum() == pytest.approx(found.mean.value, rel=1e-9)


def place_of(image: Any, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position, orientation and spacing of an image, by its own tags."""
    if "PerFrameFunctionalGroupsSequence" not in image:
        named = (image.ImagePositionPatient, image.ImageOrientationPatient, image.PixelSpacing)
    else:
        groups = image.PerFrameFunctionalGroupsSequence[index]
        shared = image.SharedFunctionalGroupsSequence[0]
        oriented = groups if "PlaneOrientationSequence" in groups else shared
        measured = groups if "PixelMeasuresSequence" in groups else shared
        named = (
            groups.PlanePositionSequence[0].ImagePositionPatient,
            oriented.PlaneOrientationSequence[0].ImageOrientationPatient,
            measured.PixelMeasuresSequence[0].PixelSpacing,
        )
    position, orientation, spacing = (np.array(one, float) for one in named)
    return position, orientation, spacing

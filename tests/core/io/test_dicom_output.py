"""DICOM that is given back: geometry, colours, references, identity and notice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from core.errors import Cancelled, InputError, OutputError
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PLANES, PlaneAxes, PlaneName, axes_of
from core.io.dicom_output import (
    CORNERS,
    DicomChoices,
    FusedSeries,
    read_dicom_sources,
    write_fused_files,
    write_fused_folder,
)
from core.io.dicom_output.notice import place_notice
from core.io.dicom_output.sources import hidden_uid
from core.io.volumes import list_series
from tests.core.io.dicom_files import BIRTH, ID
from tests.core.io.studies import write_mr, write_pet

SHAPE = (5, 70, 110)
_TURN = np.array([[0.96, 0.28, 0.0], [-0.28, 0.96, 0.0], [0.0, 0.0, 1.0]]).T
GRID = VoxelGrid(
    SHAPE,
    np.block([[_TURN * [0.9, 1.1, 2.5], np.array([[-31.25], [12.5], [7.0]])], [0, 0, 0, 1]]),
)
PROVENANCE = {
    "software": "UniFusion Studio 9.9",
    "method": "mif-compact",
    "weights_sha256": "abc123",
    "notice": "Research use only – AI-generated image",
}
PLANTED = ("Zweistein", "Ottokar", ID, BIRTH)
needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian: dicom3tools)"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = tmp_path_factory.mktemp("study")
    write_pet(folder / "PT")
    write_mr(folder / "MR")
    return tuple(list_series(folder / name).series[0] for name in ("PT", "MR"))  # type: ignore[return-value]


def _fused(study: tuple[Any, Any], plane: PlaneName = "axial", **wanted: Any) -> FusedSeries:
    """Random dark colours with a bright ball, on an oblique grid."""
    axes = axes_of(GRID, plane)
    rng = np.random.default_rng(3)
    slices = rng.integers(0, 30, (*axes.shape, 3), np.uint8)
    slices[:, 30:40, 40:60] = (200, 120, 10)
    sources = read_dicom_sources(*study, (0, 0), DicomChoices(**wanted))
    return FusedSeries(slices, axes, sources, PROVENANCE)


def _read(path: Path) -> list[pydicom.Dataset]:
    return sorted(
        (pydicom.dcmread(one) for one in path.iterdir()), key=lambda tags: tags.InstanceNumber
    )


def _corner(axes: PlaneAxes, index: int) -> Any:
    return axes.affine[:3] @ np.array([0, 0, index, 1])


@pytest.mark.parametrize("plane", PLANES)
def test_geometry_and_colours_of_the_multi_frame_file(
    study: Any, tmp_path: Path, plane: PlaneName
) -> None:
    fused = _fused(study, plane)
    write_fused_folder(tmp_path / "out", fused)
    (tags,) = _read(tmp_path / "out")
    assert tags.SOPClassUID.name == "Multi-frame True Color Secondary Capture Image Storage"
    assert tags.ImageType == ["DERIVED", "SECONDARY"]
    shared = tags.SharedFunctionalGroupsSequence[0]
    measures = shared.PixelMeasuresSequence[0]
    between, down, across = fused.axes.spacing
    np.testing.assert_allclose(measures.PixelSpacing, (down, across), atol=1e-4)
    np.testing.assert_allclose(float(measures.SpacingBetweenSlices), between, atol=1e-4)
    turned = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient).reshape(2, 3)
    columns = fused.axes.affine[:3, :2].T
    np.testing.assert_allclose(turned * [[across], [down]], columns, atol=1e-4)
    for index, groups in enumerate(tags.PerFrameFunctionalGroupsSequence):
        place = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(place, _corner(fused.axes, index), atol=1e-4)
    unmarked = np.ones(fused.slices.shape[1:3], bool)
    unmarked[:30], unmarked[-30:] = False, False
    np.testing.assert_array_equal(tags.pixel_array[:, unmarked], fused.slices[:, unmarked])


def test_single_frames_are_read_by_another_program(study: Any, tmp_path: Path) -> None:
    """SimpleITK sorts them into one volume of the same place and the same colours."""
    fused = _fused(study, layout="single", notice="top-left")
    write_fused_folder(tmp_path / "out", fused)
    reader = sitk.ImageSeriesReader()
    names = reader.GetGDCMSeriesFileNames(str(tmp_path / "out"))
    assert len(names) == SHAPE[0]
    reader.SetFileNames(names)
    image = reader.Execute()
    assert image.GetSize() == SHAPE[::-1]
    for voxel in ((0, 0, 0), (109, 0, 0), (0, 69, 0), (109, 69, 4)):
        wanted = fused.axes.affine[:3] @ np.array([*voxel, 1.0])
        np.testing.assert_allclose(
            image.TransformContinuousIndexToPhysicalPoint(voxel), wanted, atol=1e-4
        )
    got = sitk.GetArrayFromImage(image)
    np.testing.assert_array_equal(got[:, 35:], fused.slices[:, 35:])


def test_multi_frame_is_read_by_another_program(study: Any, tmp_path: Path) -> None:
    fused = _fused(study, notice="top-left")
    write_fused_files(tmp_path / "out.dcm", fused)
    image = sitk.ReadImage(str(tmp_path / "out.dcm"))
    corner = image.TransformContinuousIndexToPhysicalPoint((109, 69, 4))
    np.testing.assert_allclose(corner, fused.axes.affine[:3] @ [109, 69, 4, 1], atol=1e-4)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image)[:, 35:], fused.slices[:, 35:])


@pytest.mark.skipif(
    shutil.which("dcm2niix") is None, reason="dcm2niix is not installed (Debian: dcm2niix)"
)
@pytest.mark.parametrize("layout", ["multi", "single"])
def test_dcm2niix_finds_each_voxel_where_it_is(study: Any, tmp_path: Path, layout: Any) -> None:
    """Whatever order it stores voxels in: the place of each holds the colour of that place."""
    fused = _fused(study, layout=layout, notice="top-left")
    write_fused_folder(tmp_path / "out", fused)
    command = ["dcm2niix", "-f", "made", "-o", tmp_path, tmp_path / "out"]
    subprocess.run(command, capture_output=True, check=True)
    image = nibabel.load(tmp_path / "made.nii")
    stored = np.asarray(image.dataobj)
    colours = np.stack([stored[name] for name in "RGB"], axis=-1)
    assert colours.shape[:3] == SHAPE[::-1]
    for i, j, k in ((0, 69, 0), (109, 69, 4), (45, 36, 2), (7, 50, 3)):
        point = np.diag([-1, -1, 1, 1]) @ fused.axes.affine @ [i, j, k, 1]
        found = np.linalg.inv(image.affine) @ point
        np.testing.assert_allclose(found, np.rint(found), atol=1e-3)
        voxel = tuple(np.rint(found).astype(int)[:3])
        np.testing.assert_array_equal(colours[voxel], fused.slices[k, j, i])


@pytest.mark.parametrize("layout", ["multi", "single"])
def test_it_refers_to_both_sources_and_is_new(study: Any, tmp_path: Path, layout: Any) -> None:
    fused = _fused(study, layout=layout)
    for name in ("one", "two"):
        write_fused_folder(tmp_path / name, fused)
    files = _read(tmp_path / "one")
    made = {str(tags.SOPInstanceUID) for tags in files + _read(tmp_path / "two")}
    assert len(made) == 2 * len(files)
    assert len({tags.SeriesInstanceUID for tags in files}) == 1
    known = [tags for tags, _ in fused.sources.images]
    assert made.isdisjoint({str(tags.SOPInstanceUID) for tags in known})
    wanted = {(tags.SeriesInstanceUID, tags.SOPClassUID, tags.SOPInstanceUID) for tags in known}
    for tags in files:
        (study_item,) = tags.StudiesContainingOtherReferencedInstancesSequence
        assert study_item.StudyInstanceUID == known[0].StudyInstanceUID
        referred = {
            (series.SeriesInstanceUID, one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID)
            for series in study_item.ReferencedSeriesSequence
            for one in series.ReferencedInstanceSequence
        }
        assert referred == wanted if layout == "multi" else referred < wanted
        assert {one[0] for one in referred} == {one[0] for one in wanted}
        assert tags.FrameOfReferenceUID == known[0].FrameOfReferenceUID
        for word in ("UniFusion Studio 9.9", "mif-compact", "abc123", "Research use only"):
            assert word in tags.DerivationDescription


def test_each_slice_names_the_images_it_is_made_of(tmp_path: Path) -> None:
    """On the MR's own grid: its slice, and the two PET slices around it, 3 mm apart."""
    write_pet(tmp_path / "PT")
    write_mr(tmp_path / "MR")
    a, b = (list_series(tmp_path / name).series[0] for name in ("PT", "MR"))
    axes = axes_of(VoxelGrid(b.shape, b.affine), "axial")
    sources = read_dicom_sources(a, b, (0, 0), DicomChoices())
    slices = np.zeros((*axes.shape, 3), np.uint8)
    write_fused_files(tmp_path / "out.dcm", FusedSeries(slices, axes, sources))
    tags = pydicom.dcmread(tmp_path / "out.dcm")
    depth = {
        str(one.SOPInstanceUID): float(one.ImagePositionPatient[2]) for one, _ in sources.images
    }
    places = []
    for groups in tags.PerFrameFunctionalGroupsSequence:
        found = groups.DerivationImageSequence[0].SourceImageSequence
        places.append([depth[one.ReferencedSOPInstanceUID] for one in found])
    assert places[0] == [0.0, 0.0]
    assert places[1] == [2.5, 3.0, 0.0]
    assert places[6] == [15.0, 15.0]
    kept = {(one.ReferencedSOPClassUID.name, one.SpatialLocationsPreserved)
            for groups in tags.PerFrameFunctionalGroupsSequence
            for one in groups.DerivationImageSequence[0].SourceImageSequence}  # fmt: skip
    assert kept == {
        ("MR Image Storage", "YES"),
        ("Positron Emission Tomography Image Storage", "NO"),  # resampled to the MR's pixels
    }
    single = replace(sources, choices=DicomChoices(layout="single"))
    write_fused_folder(tmp_path / "single", FusedSeries(slices, axes, single))
    tags = pydicom.dcmread(tmp_path / "single" / "fused_0002.dcm")
    named = {str(one.ReferencedSOPInstanceUID) for one in tags.SourceImageSequence}
    (other,) = tags.StudiesContainingOtherReferencedInstancesSequence
    listed = {
        str(one.ReferencedSOPInstanceUID)
        for one_series in other.ReferencedSeriesSequence
        for one in one_series.ReferencedInstanceSequence
    }
    assert listed == named
    assert len(named) == 3


@pytest.mark.parametrize(
    ("what", "moved"),
    [
        ("flipped", np.diag([-1.0, 1, 1, 1])),
        ("shifted", np.array([[1.0, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])),
        ("coarser", np.diag([1.01, 1.01, 1, 1])),
        ("as it is", np.eye(4)),
    ],
)
def test_pixels_elsewhere_than_those_of_the_source_are_said_to_be(
    tmp_path: Path, what: str, moved: Any
) -> None:
    write_mr(tmp_path / "MR")
    (series,) = list_series(tmp_path / "MR").series
    sources = read_dicom_sources(series, series, (0, 0), DicomChoices())
    axes = axes_of(VoxelGrid(series.shape, series.affine), "axial")
    written = replace(axes, affine=axes.affine @ moved)
    said = {str(one.SpatialLocationsPreserved) for one in sources.source_images(written, 2)}
    assert said == {"YES" if what == "as it is" else "NO"}


@pytest.mark.parametrize("layout", ["multi", "single"])
@pytest.mark.parametrize("replace_uids", [False, True])
def test_nobody_is_named(study: Any, tmp_path: Path, layout: Any, replace_uids: bool) -> None:
    fused = _fused(study, layout=layout, replace_uids=replace_uids)
    notes = write_fused_folder(tmp_path / "out", fused)
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        for planted in PLANTED:
            assert planted.encode() not in content
        tags = pydicom.dcmread(path)
        assert tags.PatientIdentityRemoved == "YES"
        assert tags.BurnedInAnnotation == "NO"
        codes = [one.CodeValue for one in tags.DeidentificationMethodCodeSequence]
        assert codes == ["113100"] if replace_uids else codes == ["113100", "113110"]
        assert str(tags.StudyDate) == ""
        assert tags.StudyInstanceUID == hidden_uid(fused.sources.images[0][0].StudyInstanceUID)
        known = {
            str(one.get(keyword))
            for one, _ in fused.sources.images
            for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
        }
        assert any(uid.encode() in content for uid in known) != replace_uids
    assert any("PS3.15" in note for note in notes)
    assert any("face" in note for note in notes)


def test_identity_is_kept_when_asked(study: Any, tmp_path: Path) -> None:
    fused = _fused(study, keep_identity=True)
    notes = write_fused_folder(tmp_path / "out", fused)
    (tags,) = _read(tmp_path / "out")
    source = fused.sources.b[0][0]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID"):
        assert source.get(keyword)
        assert tags.get(keyword) == source.get(keyword)
    assert tags.PatientIdentityRemoved == "NO"
    assert "DeidentificationMethodCodeSequence" not in tags
    assert "StudiesContainingOtherReferencedInstancesSequence" not in tags
    assert len(tags.ReferencedSeriesSequence) == 2
    assert any("name and ID are in the files" in note for note in notes)


def test_a_kept_name_keeps_its_letters(tmp_path: Path) -> None:
    """Of a source in Latin-1, in a file in UTF-8."""
    name = "Jürgens^Zoë"
    for folder, write in (("PT", write_pet), ("MR", write_mr)):
        write(tmp_path / folder, PatientName=name, SpecificCharacterSet="ISO_IR 100")
    study = tuple(list_series(tmp_path / folder).series[0] for folder in ("PT", "MR"))
    write_fused_files(tmp_path / "out.dcm", _fused(study, keep_identity=True))  # type: ignore[arg-type]
    tags = pydicom.dcmread(tmp_path / "out.dcm")
    assert str(tags.PatientName) == name
    assert tags.SpecificCharacterSet == "ISO_IR 192"
    assert name.encode("utf-8") in (tmp_path / "out.dcm").read_bytes()


def test_there_is_no_identity_of_two_patients(study: Any) -> None:
    a, b = study
    other = replace(a, patient="another")
    with pytest.raises(InputError, match="two different patients"):
        read_dicom_sources(other, b, (0, 0), DicomChoices(keep_identity=True))


def test_names_burned_into_a_source_are_told(tmp_path: Path) -> None:
    write_pet(tmp_path / "PT")
    write_mr(tmp_path / "MR", BurnedInAnnotation="YES", LossyImageCompression="01")
    study = tuple(list_series(tmp_path / name).series[0] for name in ("PT", "MR"))
    notes = write_fused_files(tmp_path / "out.dcm", _fused(study))  # type: ignore[arg-type]
    tags = pydicom.dcmread(tmp_path / "out.dcm")
    assert tags.BurnedInAnnotation == "YES"
    assert tags.LossyImageCompression == "01"
    assert any("burned into" in note for note in notes)


def test_the_notice_takes_the_emptiest_corner_in_all_slices(study: Any) -> None:
    for free in CORNERS:
        slices = np.full((4, 60, 120, 3), 90, np.uint8)
        rows = slice(0, 30) if free.startswith("top") else slice(30, 60)
        columns = slice(0, 110) if free.endswith("left") else slice(10, 120)
        slices[:, rows, columns] = 0
        notice = place_notice(PROVENANCE["notice"], (60, 120), "auto", slices)
        assert (notice.corner, notice.covered) == (free, 0)
        burned = notice.burn(slices[0])
        changed = (burned != slices[0]).any(axis=2)
        assert changed.any()
        assert slices[0][changed].max() == 0
    asked = place_notice(PROVENANCE["notice"], (60, 120), "top-left", slices)
    assert (asked.corner, asked.covered) == ("top-left", 4)


@pytest.mark.parametrize("layout", ["multi", "single"])
def test_a_notice_below_covers_nothing(study: Any, tmp_path: Path, layout: Any) -> None:
    """The slices are whole, at the same place, and the letters stand in rows of their own."""
    fused = _fused(study, layout=layout, notice="below")
    write_fused_folder(tmp_path / "out", fused)
    files = _read(tmp_path / "out")
    stacks = [tags.pixel_array for tags in files]
    pixels = np.concatenate([one.reshape(-1, *one.shape[-3:]) for one in stacks])
    np.testing.assert_array_equal(pixels[:, :70], fused.slices)
    assert (files[0].Rows, files[0].Columns) == (pixels.shape[1], 110)
    assert pixels.shape[1] > 75
    assert (pixels[:, 70:] == 190).any()
    if layout == "single":
        np.testing.assert_allclose(files[0].ImagePositionPatient, _corner(fused.axes, 0), atol=1e-4)


def test_the_notice_of_small_slices() -> None:
    def text_in(*size: int) -> str:
        return place_notice(
            PROVENANCE["notice"], size, "auto", np.zeros((1, *size, 3), np.uint8)
        ).text  # type: ignore[arg-type]

    assert text_in(512, 512) == text_in(80, 100) == "Research use only - AI-generated image"
    assert text_in(40, 90) == "Research use only"
    assert text_in(12, 12) == ""


@needs_dciodvfy
@pytest.mark.parametrize("keep_identity", [False, True])
@pytest.mark.parametrize("layout", ["multi", "single"])
def test_dciodvfy_finds_no_error(
    study: Any, tmp_path: Path, layout: Any, keep_identity: bool
) -> None:
    fused = _fused(study, layout=layout, keep_identity=keep_identity)
    write_fused_folder(tmp_path / "out", fused)
    for path in sorted((tmp_path / "out").iterdir())[:2]:
        ran = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        said = (ran.stdout + ran.stderr).splitlines()
        assert any("SCImage" in line for line in said)
        assert [line for line in said if line.startswith(("Error", "Abort"))] == []


# --- bad targets


def test_a_folder_with_files_is_refused(study: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_fused_folder(tmp_path / "out", _fused(study))
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match=r"holds other files.*new folder"):
        write_fused_folder(tmp_path / "out", _fused(study))
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    with pytest.raises(OutputError, match="there is no folder"):
        write_fused_folder(tmp_path / "none" / "out", _fused(study))


@pytest.mark.parametrize("layout", ["multi", "single"])
def test_nothing_stays_of_a_series_that_was_cancelled(
    study: Any, tmp_path: Path, layout: Any
) -> None:
    class Stops:
        def __init__(self) -> None:
            self.calls = 0

        def report(self, done: float, total: float, stage: str) -> None: ...

        def check(self) -> None:
            self.calls += 1
            if self.calls > SHAPE[0] + 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        write_fused_folder(tmp_path / "out", _fused(study, layout=layout), Stops())
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_when_the_disk_is_full(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_notice: Any, pixels: Any) -> Any:
        full.calls += 1  # type: ignore[attr-defined]
        if full.calls > 3:  # type: ignore[attr-defined]
            raise OSError(28, "No space left on device")
        return pixels

    full.calls = 0  # type: ignore[attr-defined]
    monkeypatch.setattr("core.io.dicom_output.notice.PlacedNotice.burn", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_fused_folder(tmp_path / "out", _fused(study, layout="single"))
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_file_can_hold_is_refused_before_it_is_written(
    study: Any, tmp_path: Path
) -> None:
    class Many:
        shape = (6000, 512, 512, 3)
        nbytes = 6000 * 512 * 512 * 3

        def __len__(self) -> int:
            return 0

        def __iter__(self) -> Iterator[Any]:
            return iter(())

    fused = replace(_fused(study), slices=Many())
    with pytest.raises(OutputError, match="--dicom single"):
        write_fused_files(tmp_path / "out.dcm", fused)
    assert list(tmp_path.iterdir()) == []

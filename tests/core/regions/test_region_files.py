"""Regions in files, figures as CSV, masks as DICOM SEG read by programs that are not ours."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from core.errors import InputError, OutputError, RegionError
from core.geometry.grids import grid_of
from core.io.dicom_output import DicomChoices, read_dicom_source
from core.io.volumes import list_series, load_study_volume, series_suv
from core.regions import (
    DistanceLine,
    DrawingPlane,
    EllipseRegion,
    MeasuredSource,
    MeasuredSources,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    find_voxels,
    measure_regions,
)
from core.regions.files import (
    read_regions,
    write_figures,
    write_regions,
    write_regions_segmentation,
)
from tests.core.io.dicom_files import BIRTH, ID
from tests.core.io.studies import write_mr, write_pet

_BALL = SphereRegion("Läsion", (16.5, 16.5, 10.5), 9.0)
_REGIONS = (
    _BALL,
    ThresholdRegion(replace(_BALL, name="=41 %"), Threshold("share", 0.41)),
    EllipseRegion("Flat", DrawingPlane((16, 15, 9), (1, 0, 0), (0, 1, 0)), (8.0, 5.0)),
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Headers, and the sources as they are measured."""
    folder = tmp_path_factory.mktemp("study")
    write_pet(folder / "PT")
    write_mr(folder / "MR", 12)
    headers = [list_series(folder / name).series[0] for name in ("PT", "MR")]
    read = [MeasuredSource(load_study_volume(one), series_suv(one)) for one in headers]
    return headers, MeasuredSources(read[0], read[1])


def test_regions_come_back_from_their_file(tmp_path: Path) -> None:
    every = (*_REGIONS, DistanceLine("Width", (0, 0, 0), (3, 4, 0)))
    write_regions(tmp_path / "r.json", every)
    assert read_regions(tmp_path / "r.json") == every


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": "unifusion regions", "version": 1}', "\x00", "[" * 100_000],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match="no regions"):
        read_regions(tmp_path / "r.json")


def test_bad_files_name_themselves(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_regions(tmp_path / "none.json")
    with pytest.raises(InputError, match="no regions"):
        read_regions(tmp_path)
    path = tmp_path / "r.json"
    write_regions(path, [_BALL])
    path.write_text(path.read_text().replace('"radius": 9.0', '"radius": -9.0'))
    with pytest.raises(RegionError, match=r"r\.json"):
        read_regions(path)
    path.write_text(json.dumps({"format": "unifusion regions", "version": 9, "regions": []}))
    with pytest.raises(InputError, match="newer version"):
        read_regions(path)


def test_the_table_has_a_row_for_each_region_and_source(study: Any, tmp_path: Path) -> None:
    _, sources = study
    line = DistanceLine("Width", (0, 0, 0), (3, 4, 0))
    found = measure_regions(_REGIONS, sources)
    write_figures(tmp_path / "f.csv", found, [line])
    text = (tmp_path / "f.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["region"], row["source"]) for row in rows] == [
        ("Läsion", "A"), ("Läsion", "B"), ("'=41 %", "A"), ("'=41 %", "B"), ("Flat", "A"),
        ("Flat", "B"), ("Width", ""),
    ]  # fmt: skip
    for row, one in zip(rows, found, strict=False):
        assert float(row["mean"]) == pytest.approx(one.mean.value, rel=1e-5)
        assert int(row["voxels"]) == one.voxels
        assert row["unit"] == one.unit
        assert (row["peak"] == "") == (one.peak.value is None)
    assert rows[0]["unit"] == "SUVbw"
    assert float(rows[0]["suv_factor"]) == pytest.approx(80_000 / 320e6)
    assert "PatientWeight (0010,1030) 80 kg" in rows[0]["suv_from"]
    assert rows[1]["unit"] == ""
    assert "No mtv" in rows[0]["notes"]
    assert float(rows[-1]["length_mm"]) == 5
    for planted in ("Zweistein", "Ottokar", ID, BIRTH):
        assert planted not in text


def read_back(path: Path) -> dict[int, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Of each segment its frames: pixels by GDCM (SimpleITK), and affine by the tags alone."""
    tags = pydicom.dcmread(path)
    frames = sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0
    np.testing.assert_array_equal(frames, tags.pixel_array.reshape(frames.shape) > 0)
    shared = tags.SharedFunctionalGroupsSequence[0]
    turn = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    down, beside = (float(one) for one in shared.PixelMeasuresSequence[0].PixelSpacing)
    found: dict[int, list[Any]] = {}
    for pixels, groups in zip(frames, tags.PerFrameFunctionalGroupsSequence, strict=True):
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        place = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        step = np.stack([turn[:3] * beside, turn[3:] * down], axis=1)
        found.setdefault(number, []).append((pixels, place, step))
    return found


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_segmentation_has_the_voxels_that_were_measured(
    study: Any, tmp_path: Path, side: Any
) -> None:
    headers, sources = study
    header = headers["ab".index(side)]
    path = tmp_path / "s.dcm"
    refers = read_dicom_source(header, 0, DicomChoices())
    write_regions_segmentation(path, _REGIONS, sources, side, refers)
    tags = pydicom.dcmread(path)
    assert [one.SegmentLabel for one in tags.SegmentSequence] == ["Läsion", "=41 %", "Flat"]
    assert [one.SegmentAlgorithmType for one in tags.SegmentSequence] == [
        "MANUAL", "SEMIAUTOMATIC", "MANUAL",
    ]  # fmt: skip
    assert (tags.Modality, tags.SegmentationType) == ("SEG", "BINARY")
    originals = {image.SOPInstanceUID: image for image, _ in refers.b}
    assert tags.FrameOfReferenceUID == next(iter(originals.values())).FrameOfReferenceUID
    volume = sources.source(side).volume
    assert (tags.Rows, tags.Columns) == volume.shape[1:]
    found = read_back(path)
    for number, region in enumerate(_REGIONS, 1):
        mask = find_voxels(region, sources, side).mask
        centres = {
            tuple(np.round(grid_of(volume).to_patient(at[::-1]), 4))
            for at in np.argwhere(mask.whole())
        }
        read = {
            tuple(np.round(place + step @ at[::-1], 4))
            for pixels, place, step in found[number]
            for at in np.argwhere(pixels)
        }
        assert len(read) == mask.count
        assert read == centres
    # Each frame refers to the image of its own slice, which lies at the same place.
    for groups in tags.PerFrameFunctionalGroupsSequence:
        (image,) = groups.DerivationImageSequence[0].SourceImageSequence
        original = originals[image.ReferencedSOPInstanceUID]
        np.testing.assert_allclose(
            np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float),
            np.array(original.ImagePositionPatient, float),
            atol=1e-4,
        )
    shared = tags.SharedFunctionalGroupsSequence[0]
    np.testing.assert_allclose(
        np.array(shared.PixelMeasuresSequence[0].PixelSpacing, float),
        np.array(original.PixelSpacing, float),
        atol=1e-4,
    )


@pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian: dicom3tools)"
)
@pytest.mark.parametrize("keep_identity", [False, True])
@pytest.mark.parametrize("side", ["a", "b"])
def test_dciodvfy_finds_no_error(
    study: Any, tmp_path: Path, side: Any, keep_identity: bool
) -> None:
    headers, sources = study
    choices = DicomChoices(keep_identity=keep_identity)
    refers = read_dicom_source(headers["ab".index(side)], 0, choices)
    path = tmp_path / "s.dcm"
    notes = write_regions_segmentation(path, _REGIONS, sources, side, refers)
    ran = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    said = (ran.stdout + ran.stderr).splitlines()
    assert "Segmentation" in said
    assert [line for line in said if line.startswith(("Error", "Abort"))] == []
    content = path.read_bytes()
    assert (ID.encode() in content) == keep_identity
    assert not keep_identity or any("name and ID are in" in note for note in notes)


def test_a_segmentation_names_nobody_and_has_new_uids(study: Any, tmp_path: Path) -> None:
    headers, sources = study
    refers = read_dicom_source(headers[0], 0, DicomChoices(replace_uids=True))
    written = []
    for name in ("s.dcm", "t.dcm"):
        write_regions_segmentation(tmp_path / name, _REGIONS, sources, "a", refers)
        content = (tmp_path / name).read_bytes()
        for planted in ("Zweistein", "Ottokar", ID, BIRTH):
            assert planted.encode() not in content
        for image, _ in refers.b:
            for uid in (image.SOPInstanceUID, image.SeriesInstanceUID, image.StudyInstanceUID):
                assert str(uid).encode() not in content
        written.append(pydicom.dcmread(tmp_path / name))
    one, other = written
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID
    assert one.StudyInstanceUID == other.StudyInstanceUID
    assert one.PatientIdentityRemoved == "YES"


def test_what_is_not_there_is_said_and_never_written(study: Any, tmp_path: Path) -> None:
    headers, sources = study
    refers = read_dicom_source(headers[0], 0, DicomChoices())
    away = SphereRegion("Away", (500, 0, 0), 5)
    none = ThresholdRegion(replace(_BALL, name="Hot"), Threshold("suv", 1000))
    notes = write_regions_segmentation(
        tmp_path / "s.dcm", [away, _BALL, none], sources, "a", refers
    )
    assert any("“Away” is not in the segmentation" in note for note in notes)
    assert any("“Hot” has no voxel" in note for note in notes)
    assert len(pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence) == 1
    with pytest.raises(OutputError, match="no region has a voxel"):
        write_regions_segmentation(tmp_path / "t.dcm", [away], sources, "a", refers)
    with pytest.raises(OutputError, match="refers to DICOM"):
        write_regions_segmentation(tmp_path / "t.dcm", [_BALL], sources, "a", replace(refers, b=()))
    with pytest.raises(OutputError, match=r"suffix \.dcm"):
        write_regions_segmentation(tmp_path / "t.nii", [_BALL], sources, "a", refers)
    assert [path.name for path in tmp_path.iterdir()] == ["s.dcm"]

"""Resampled PET as a parametric map: values, unit, place, references, identity."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from core.errors import Cancelled, OutputError
from core.fusion.slices import align
from core.geometry.grids import grid_of
from core.geometry.planes import PLANES, axes_of, turned
from core.io.dicom_output import (
    DicomChoices,
    check_map_target,
    read_dicom_sources,
    write_parametric_map,
)
from core.io.volumes import list_series, load_study_volume
from tests.core.io.dicom_files import BIRTH, ID
from tests.core.io.studies import write_mr, write_pet


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The pair, and what its maps refer to; the PET ends below the last slices of the MR."""
    folder = tmp_path_factory.mktemp("study")
    write_pet(folder / "PT")
    write_mr(folder / "MR", 12)
    a, b = (list_series(folder / name).series[0] for name in ("PT", "MR"))
    pair = align(load_study_volume(a), load_study_volume(b))
    return pair, read_dicom_sources(a, b, (0, 0), DicomChoices())


@pytest.mark.parametrize("plane", PLANES)
def test_values_are_those_of_a_on_the_grid_of_b(study: Any, tmp_path: Path, plane: Any) -> None:
    """Read by highdicom, another reader than ours, in SUV by weight."""
    pair, sources = study
    axes = axes_of(grid_of(pair.b), plane)
    write_parametric_map(tmp_path / "pet.dcm", pair.a, axes, sources)
    tags = pydicom.dcmread(tmp_path / "pet.dcm")
    mask, data = (turned(one, axes) for one in (pair.a.mask, pair.a.data))
    assert not mask.all()
    places = [
        groups.PlanePositionSequence[0].ImagePositionPatient
        for groups in tags.PerFrameFunctionalGroupsSequence
    ]
    order = np.rint([axes.position_of(np.array(place, float))[2] for place in places]).astype(int)
    assert sorted(order) == list(range(axes.shape[0]))
    np.testing.assert_array_equal(tags.pixel_array, np.where(mask, data, np.nan)[order])
    mapping = tags.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "{SUVbw}g/ml"
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1, 0)
    volume = highdicom.imread(tmp_path / "pet.dcm").get_volume()
    for index in ((0, 0, 0), (3, 2, 1)):
        point = volume.affine @ [*index, 1]
        i, j, k = np.rint(grid_of(pair.b).to_voxel(point[:3])).astype(int)
        np.testing.assert_allclose(grid_of(pair.b).to_patient((i, j, k)), point[:3], atol=1e-4)
        value = pair.a.data[k, j, i] if pair.a.mask[k, j, i] else np.nan
        np.testing.assert_allclose(volume.array[index], value, rtol=1e-6)


def test_it_comes_back_in_its_unit(study: Any, tmp_path: Path) -> None:
    pair, sources = study
    write_parametric_map(tmp_path / "pet.dcm", pair.a, axes_of(grid_of(pair.b), "axial"), sources)
    again = load_study_volume(list_series(tmp_path / "pet.dcm").series[0])
    assert again.unit == "SUVbw"
    assert grid_of(again).is_same(grid_of(pair.b))
    np.testing.assert_array_equal(again.mask, pair.a.mask)
    np.testing.assert_array_equal(again.data[again.mask], pair.a.data[pair.a.mask])
    assert again.frame_of_reference == pair.b.frame_of_reference


def test_it_refers_to_the_sources_and_names_nobody(study: Any, tmp_path: Path) -> None:
    pair, sources = study
    notes = write_parametric_map(
        tmp_path / "pet.dcm", pair.a, axes_of(grid_of(pair.b), "axial"), sources
    )
    content = (tmp_path / "pet.dcm").read_bytes()
    for planted in ("Zweistein", "Ottokar", ID, BIRTH):
        assert planted.encode() not in content
    assert any("PS3.15" in note for note in notes)
    tags = pydicom.dcmread(tmp_path / "pet.dcm")
    (other,) = tags.StudiesContainingOtherReferencedInstancesSequence
    assert {one.SeriesInstanceUID for one in other.ReferencedSeriesSequence} == {
        image.SeriesInstanceUID for image, _ in sources.images
    }
    assert tags.PatientIdentityRemoved == "YES"


@pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian: dicom3tools)"
)
@pytest.mark.parametrize("keep_identity", [False, True])
def test_dciodvfy_finds_no_error(study: Any, tmp_path: Path, keep_identity: bool) -> None:
    pair, sources = study
    sources = replace(sources, choices=DicomChoices(keep_identity=keep_identity))
    write_parametric_map(tmp_path / "pet.dcm", pair.a, axes_of(grid_of(pair.b), "axial"), sources)
    command = ["dciodvfy", tmp_path / "pet.dcm"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (ran.stdout + ran.stderr).splitlines()
    assert "ParametricMap" in said
    assert [line for line in said if line.startswith(("Error", "Abort"))] == []


def test_what_has_no_unit_makes_no_map(study: Any, tmp_path: Path) -> None:
    pair, sources = study
    axes = axes_of(grid_of(pair.b), "axial")
    with pytest.raises(OutputError, match="no unit"):
        write_parametric_map(tmp_path / "a.dcm", replace(pair.a, unit=""), axes, sources)
    with pytest.raises(OutputError, match="A has none"):
        write_parametric_map(tmp_path / "a.dcm", pair.a, axes, replace(sources, a=()))
    with pytest.raises(OutputError, match=r"the suffix \.dcm"):
        check_map_target(tmp_path / "a.nii")
    with pytest.raises(OutputError, match="no folder"):
        check_map_target(tmp_path / "none" / "a.dcm")
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_of_a_cancelled_map(study: Any, tmp_path: Path) -> None:
    class Stops:
        def report(self, done: float, total: float, stage: str) -> None:
            self.done = done

        def check(self) -> None:
            if getattr(self, "done", 0) >= 4:
                raise Cancelled

    pair, sources = study
    with pytest.raises(Cancelled):
        write_parametric_map(
            tmp_path / "a.dcm", pair.a, axes_of(grid_of(pair.b), "axial"), sources, Stops()
        )
    assert list(tmp_path.iterdir()) == []

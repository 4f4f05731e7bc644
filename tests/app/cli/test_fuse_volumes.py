"""``unifusion fuse`` on series and volumes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.main import app
from core.baselines import BASELINES
from core.fusion.engine import FusionEngine
from core.fusion.slices import align, lone_slice, slice_pair
from core.fusion.volume_fusion import SliceSettings, fuse_slices
from core.geometry.grids import grid_of
from core.geometry.planes import PLANES, axes_of, turned
from core.io import read_image, write_image
from core.io.volumes import list_series, load_study_volume
from core.types import FusionRequest
from tests.core.io.dicom_files import BIRTH, ID, item, write_series

METHOD = "average"
runner = CliRunner()
_rng = np.random.default_rng(5)


def _run(*words: object) -> Result:
    return runner.invoke(app, [str(word) for word in words])


def _fuse(a: Path, b: Path, out: Path, *more: object, method: str = METHOD) -> Result:
    return _run("fuse", a, b, "--task", "mif", "--pack", method, "-o", out, *more)


def _write_pet(folder: Path, **tags: Any) -> Path:
    """8 slices of 12×12 voxels of 3 mm, SUV by weight 1/4000 of the stored values."""
    drug = item(RadionuclideTotalDose=320e6, RadionuclideHalfLife=6586.2, Radiopharmaceutical="F")
    wanted: dict[str, Any] = {
        "SeriesInstanceUID": "1.2.3.1.7",
        "SeriesDescription": "FDG",
        "SeriesNumber": 7,
        "Units": "BQML",
        "DecayCorrection": "ADMIN",
        "CorrectedImage": ["DECY", "ATTN"],
        "PatientWeight": 80,
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "SeriesTime": "100000",
        "RadiopharmaceuticalInformationSequence": [drug],
    }
    stored = _rng.integers(0, 40_000, (8, 12, 12), dtype=np.uint16)
    places = tags.pop("places", None)
    geometry = {"spacing": (3.0, 3.0, 3.0), "origin": (0.0, 0.0, 0.0)}
    if places is not None:
        stored = stored[: len(places)]
    write_series(folder, stored, "PT", geometry=geometry, places=places, **wanted | tags)
    return folder


def _write_mr(folder: Path, slices: int = 10, **tags: Any) -> Path:
    """10 slices of 20×16 voxels of 2×1.5 mm at 3.2 mm, of which the last lie above the PET."""
    stored = _rng.integers(0, 900, (slices, 20, 16), dtype=np.uint16)
    geometry = {"spacing": (3.2, 1.5, 2.0), "origin": (1.0, 1.0, 0.0)}
    write_series(folder, stored, "MR", geometry=geometry, **tags)
    return folder


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    return _write_pet(tmp_path / "PT"), _write_mr(tmp_path / "MR")


def _pair(study: tuple[Path, Path]) -> Any:
    a, b = (load_study_volume(list_series(folder).series[0]) for folder in study)
    return align(a, b)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_volume_is_the_slices_fused(
    study: tuple[Path, Path], tmp_path: Path, plane: Any, suffix: str
) -> None:
    """On the MR's grid, each slice is what the engine makes of the pair of that slice."""
    out = tmp_path / f"out{suffix}"
    ran = _fuse(*study, out, "--plane", plane)
    assert ran.exit_code == 0, ran.output
    image = nibabel.load(out)
    pair = _pair(study)
    np.testing.assert_allclose(image.affine, np.diag([-1, -1, 1, 1]) @ pair.b.affine, atol=1e-5)
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    stored = np.asarray(image.dataobj)
    voxels = np.stack([stored[name].T for name in "RGB"], axis=-1)
    assert voxels.shape == (10, 20, 16, 3)
    axes, engine = axes_of(grid_of(pair.b), plane), FusionEngine("cpu")
    lone = 0
    for index in range(axes.shape[0]):
        got = np.stack([turned(voxels[..., c], axes)[index] for c in range(3)], axis=-1)
        sources = slice_pair(pair, plane, index)
        if lone_slice(pair, plane, index) == "b":
            lone += 1
            wanted = np.repeat(sources.b.normalised(), 3, axis=2)
        else:
            wanted = engine.fuse(FusionRequest(sources, "mif", METHOD)).fused
        np.testing.assert_array_equal(got, np.floor(wanted.astype(float) * 255 + 0.5))
    assert lone == {"axial": 2, "coronal": 0, "sagittal": 0}[plane]


def test_volume_says_what_it_is(study: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.nii.gz"
    assert _fuse(*study, out).exit_code == 0
    image = nibabel.load(out)
    assert b"Research use only" in image.header["descrip"].tobytes()
    (extension,) = image.header.extensions
    said = json.loads(extension.get_content())
    assert said["method"] == METHOD
    assert said["window_a"].endswith("SUVbw")
    assert "Research use only" in said["notice"]


def test_folder_of_slices(study: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "slices"
    ran = _fuse(*study, out, "--plane", "sagittal", "--png")
    assert ran.exit_code == 0, ran.output
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"sagittal_{n:03d}.png" for n in range(1, 17)]
    sources = slice_pair(_pair(study), "sagittal", 4)
    fused = FusionEngine("cpu").fuse(FusionRequest(sources, "mif", METHOD)).fused
    written = read_image(out / "sagittal_005.png")
    np.testing.assert_allclose(written.data / 65535, fused, atol=1 / 65535)


def test_one_slice_in_its_own_window_and_palette(study: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "one.tif"
    windows = ("--window-a", 1, 6, "--window-b", 100, 700)
    ran = _fuse(*study, out, "--slice", 3, *windows, "--palette-a", "pet", "--suv", "bw")
    assert ran.exit_code == 0, ran.output
    sources = slice_pair(
        _pair(study), "axial", 2, windows=((1, 6), (100, 700)), palettes=("pet", None)
    )
    fused = FusionEngine("cpu").fuse(FusionRequest(sources, "mif", METHOD)).fused
    np.testing.assert_array_equal(read_image(out).data, fused)


def test_grey_sources_give_a_grey_volume(study: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "grey.nii"
    assert _fuse(*study, out, "--palette-a", "grey").exit_code == 0
    image = nibabel.load(out)
    values = np.asarray(image.dataobj)
    assert values.dtype == np.float32
    assert 0 <= values.min() < values.max() <= 1


def test_nifti_files(study: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = tmp_path / "a.nii.gz", tmp_path / "b.nii"
    for path in (a, b):
        data = _rng.uniform(0, 5, (6, 7, 4)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(data, np.diag([2.0, 2, 3, 1])), path)
    ran = _fuse(a, b, tmp_path / "out.nii.gz", "--palette-a", "hot_iron")
    assert ran.exit_code == 0, ran.output
    assert "Not registered" in ran.output
    image = nibabel.load(tmp_path / "out.nii.gz")
    assert image.shape == (6, 7, 4)
    np.testing.assert_array_equal(image.affine, nibabel.load(b).affine)


def test_frames(study: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = tmp_path / "a.nii", tmp_path / "b.nii"
    data = _rng.uniform(0, 5, (6, 7, 4, 3)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), a)
    nibabel.save(nibabel.Nifti1Image(data[..., 0], np.eye(4)), b)
    ran = _fuse(a, b, tmp_path / "o.nii", "--frame-a", 2)
    assert ran.exit_code == 0
    assert "Frame 2 of 3" in ran.output
    ran = _fuse(a, b, tmp_path / "o.nii", "--frame-a", 4)
    assert ran.exit_code == 2
    assert "the series has 3" in ran.output


def test_single_slices_with_a_place_are_volumes(study: tuple[Path, Path], tmp_path: Path) -> None:
    """Two DICOM files: in millimetres and in SUV, into a picture without --slice."""
    a, b = (next(folder.glob("IM00_0.dcm")) for folder in study)
    ran = _fuse(a, b, tmp_path / "out.png", "--window-a", 0, 10)
    assert ran.exit_code == 0, ran.output
    written = read_image(tmp_path / "out.png")
    assert (written.size, written.is_colour) == ((16, 20), True)
    pair = align(*(load_study_volume(list_series(path).series[0]) for path in (a, b)))
    sources = slice_pair(pair, "axial", 0, windows=((0, 10), None))
    fused = FusionEngine("cpu").fuse(FusionRequest(sources, "mif", METHOD)).fused
    np.testing.assert_allclose(written.data / 65535, fused, atol=1 / 65535)


# --- several series


def test_the_only_fitting_series_is_taken_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    _write_pet(folder / "1")
    _write_pet(folder / "2", SeriesDescription="NAC", SeriesInstanceUID="1.2.3.1.8")
    _write_mr(folder / "3")
    ran = _fuse(folder, folder, tmp_path / "out.nii.gz")
    assert ran.exit_code == 0, ran.output
    assert "A is" in ran.output
    assert "“FDG”" in ran.output
    assert "one frame of reference" in ran.output


def test_several_that_fit_are_listed_and_chosen_by_key(tmp_path: Path) -> None:
    _write_pet(tmp_path / "PT")
    _write_mr(tmp_path / "MR" / "1")
    _write_mr(
        tmp_path / "MR" / "2", SeriesDescription="T2", SeriesInstanceUID="1.2.3.1.2", EchoTime=90
    )
    out = tmp_path / "out.nii.gz"
    ran = _fuse(tmp_path / "PT", tmp_path / "MR", out)
    assert ran.exit_code == 2
    assert "“T1 ax”" in ran.output
    assert "“T2”" in ran.output
    assert "--series-b KEY" in ran.output
    assert not out.exists()
    (key,) = (one.key for one in list_series(tmp_path / "MR").series if one.title == "T2")
    assert _fuse(tmp_path / "PT", tmp_path / "MR", out, "--series-b", key[:6]).exit_code == 0
    ran = _fuse(tmp_path / "PT", tmp_path / "MR", out, "--series-b", "zz")
    assert ran.exit_code == 2
    assert "--series-b zz: 0 series" in ran.output


# --- what is refused, and accepted


def test_other_frame_of_reference(tmp_path: Path) -> None:
    study = _write_pet(tmp_path / "PT"), _write_mr(tmp_path / "MR", FrameOfReferenceUID="1.2.9")
    out = tmp_path / "out.nii.gz"
    ran = _fuse(*study, out)
    assert ran.exit_code == 2
    assert "different frames of reference" in ran.output
    assert "--not-registered" in ran.output
    assert not out.exists()
    ran = _fuse(*study, out, "--not-registered")
    assert ran.exit_code == 0
    assert "Not registered: A and B have different frames" in ran.output


def test_two_patients_are_told_before_their_frames(tmp_path: Path) -> None:
    other = {"PatientID": "another", "FrameOfReferenceUID": "1.2.9"}
    study = _write_pet(tmp_path / "PT"), _write_mr(tmp_path / "MR", **other)
    ran = _fuse(*study, tmp_path / "out.nii.gz", "--not-registered")
    assert ran.exit_code == 2
    assert "two different patients" in ran.output
    ran = _fuse(*study, tmp_path / "out.nii.gz", "--accept-patients")
    assert ran.exit_code == 2
    assert "different frames of reference" in ran.output


def test_two_patients(tmp_path: Path) -> None:
    study = _write_pet(tmp_path / "PT"), _write_mr(tmp_path / "MR", PatientID="another")
    ran = _fuse(*study, tmp_path / "out.nii.gz")
    assert ran.exit_code == 2
    assert "two different patients" in ran.output
    ran = _fuse(*study, tmp_path / "out.nii.gz", "--accept-patients")
    assert ran.exit_code == 0
    assert "Accepted: A and B are of two different patients." in ran.output


def test_gap(tmp_path: Path) -> None:
    study = _write_pet(tmp_path / "PT", places=[0, 1, 2, 4, 5, 6]), _write_mr(tmp_path / "MR")
    ran = _fuse(*study, tmp_path / "out.nii.gz")
    assert ran.exit_code == 2
    assert "slice is missing" in ran.output
    ran = _fuse(*study, tmp_path / "out.nii.gz", "--accept-gap")
    assert ran.exit_code == 0, ran.output
    assert "Accepted: " in ran.output


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("one.png", (), "there are 10 axial slices"),
        ("one.nii.gz", ("--slice", 2), "one slice is no volume"),
        ("one.png", ("--slice", 11), "there are 10 axial slices"),
        ("one.png", ("--slice", 0), "They count from 1"),
        ("one.xyz", (), "the format .xyz is not known"),
        ("none/one.nii", (), "there is no folder"),
        ("PT", (), "the sources are in it"),
        ("o.nii", ("--plane", "oblique"), "axial, coronal, sagittal"),
        ("o.nii", ("--suv", "kg"), "bw, lbm, bsa, ibw"),
        ("o.nii", ("--palette-a", "gold"), "hot_iron"),
        ("o.nii", ("--recon", "r"), "they are for pictures"),
        ("o.nii", ("--register", "--crop"), "it is for pictures"),
        ("o.dcm", ("--dicom", "single"), "needs a folder"),
        ("o.dcm", ("--parametric", "map.nii"), "a parametric map is a DICOM file"),
        ("o.dcm", ("--dicom", "many"), "multi, single"),
        ("o", ("--notice", "middle"), "top-left"),
        ("o", ("--slice", 2), "one slice is no volume"),
        ("", (), "it holds other files"),
        ("none/o", (), "there is no folder"),
    ],
)
def test_wrong_words(
    study: tuple[Path, Path], tmp_path: Path, out: str, more: Sequence[object], said: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    ran = _fuse(*study, tmp_path / out, *more)
    assert ran.exit_code == 2
    assert said in ran.output
    assert sorted(tmp_path.rglob("*")) == before


def test_sources_are_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    data = _rng.uniform(0, 5, (6, 7, 4)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path)
    before = path.read_bytes()
    ran = _fuse(path, path, path)
    assert ran.exit_code == 2
    assert "one of the sources" in ran.output
    assert path.read_bytes() == before


def test_options_of_volumes_mean_nothing_for_pictures(tmp_path: Path) -> None:
    a = tmp_path / "a.png"
    write_image(a, _rng.random((8, 8, 1), dtype=np.float32), bit_depth=8)
    ran = _fuse(a, a, tmp_path / "out.png", "--slice", 2)
    assert ran.exit_code == 2
    assert "have no slices" in ran.output


def test_options_of_volumes_do_not_hide_why_a_volume_cannot_be_read(tmp_path: Path) -> None:
    voxels = np.zeros((4, 5, 6), np.complex64)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "c.nii")
    ran = _fuse(tmp_path / "c.nii", tmp_path / "c.nii", tmp_path / "out.png", "--slice", 2)
    assert ran.exit_code == 2
    assert "complex64" in ran.output
    assert "have no slices" not in ran.output


def test_palette_of_a_grey_picture(tmp_path: Path) -> None:
    a, b = tmp_path / "a.png", tmp_path / "b.png"
    for path in (a, b):
        write_image(path, _rng.random((8, 8, 1), dtype=np.float32), bit_depth=8)
    assert _fuse(a, b, tmp_path / "out.png", "--palette-a", "hot_iron").exit_code == 0
    assert read_image(tmp_path / "out.png").is_colour
    coloured = tmp_path / "c.png"
    write_image(coloured, _rng.random((8, 8, 3), dtype=np.float32), bit_depth=8)
    ran = _fuse(coloured, b, tmp_path / "out.png", "--palette-a", "hot_iron")
    assert ran.exit_code == 2
    assert "in colour already" in ran.output


def test_a_cancelled_volume_leaves_nothing(
    study: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between two slices: exit code 130, no file and no part of one."""
    out = tmp_path / "out.nii.gz"

    def interrupted(*given: Any) -> Any:
        slices = fuse_slices(*given)
        yield next(slices)
        os.kill(os.getpid(), 2)
        yield from slices

    monkeypatch.setattr("core.fusion.volume_targets.fuse_slices", interrupted)
    before = sorted(tmp_path.rglob("*"))
    ran = _fuse(*study, out)
    assert ran.exit_code == 130
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_becomes_a_dicom_series(study: tuple[Path, Path], tmp_path: Path) -> None:
    """The slices of the NIfTI volume, in the geometry of the MR; nobody is named."""
    assert _fuse(*study, tmp_path / "out.nii").exit_code == 0
    ran = _fuse(*study, tmp_path / "out", "--dicom", "single")
    assert ran.exit_code == 0, ran.output
    assert "PS3.15" in ran.output
    stored = np.asarray(nibabel.load(tmp_path / "out.nii").dataobj)
    volume = np.stack([stored[name].T for name in "RGB"], axis=-1)
    files = sorted((tmp_path / "out").iterdir())
    assert len(files) == len(volume) == 10
    for index, path in enumerate(files):
        tags = pydicom.dcmread(path)
        np.testing.assert_array_equal(tags.pixel_array, volume[index])
        np.testing.assert_allclose(tags.ImagePositionPatient, (1, 1, 3.2 * index), atol=1e-4)
        for planted in ("Zweistein", "Ottokar", ID, BIRTH):
            assert planted.encode() not in path.read_bytes()
    ran = _fuse(*study, tmp_path / "out")
    assert ran.exit_code == 2
    assert "it holds other files" in ran.output
    (listed,) = list_series(tmp_path / "out").series
    assert "it holds colours" in str(listed.problem)


def test_pet_is_written_in_its_unit(study: tuple[Path, Path], tmp_path: Path) -> None:
    ran = _fuse(*study, tmp_path / "o.nii", "--parametric", tmp_path / "map.dcm")
    assert ran.exit_code == 0, ran.output
    again = load_study_volume(list_series(tmp_path / "map.dcm").series[0])
    pair = _pair(study)
    assert again.unit == "SUVbw"
    np.testing.assert_array_equal(again.data[again.mask], pair.a.data[pair.a.mask])


def test_a_run_that_was_ended_early_goes_on(
    study: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.dcm", tmp_path / "out.dcm"
    assert _fuse(*study, whole).exit_code == 0
    before = set(tmp_path.iterdir())

    def ended(*given: Any) -> Any:
        slices = fuse_slices(*given)
        for _ in range(4):
            yield next(slices)
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("core.fusion.volume_targets.fuse_slices", ended)
        assert _fuse(*study, out).exit_code == 1
    assert not out.exists()
    asked: list[Any] = []

    def watched(*given: Any) -> Any:
        asked.append(list(given[3]))
        yield from fuse_slices(*given)

    monkeypatch.setattr("core.fusion.volume_targets.fuse_slices", watched)
    ran = _fuse(*study, out)
    assert ran.exit_code == 0, ran.output
    assert asked == [list(range(4, 10))]
    assert "4 slices of a run that had ended early were kept" in ran.output
    assert set(tmp_path.iterdir()) == {*before, out}
    one, other = (pydicom.dcmread(path).pixel_array for path in (whole, out))
    np.testing.assert_array_equal(one, other)


def test_slices_of_a_run_have_one_progress(study: tuple[Path, Path]) -> None:
    reported: list[float] = []

    class Listener:
        def report(self, done: float, total: float, stage: str) -> None:
            reported.append(done / total)

        def check(self) -> None:
            pass

    settings = SliceSettings("mif", METHOD)
    made = list(fuse_slices(FusionEngine("cpu"), _pair(study), settings, [3, 9, 1], Listener()))
    assert [one.index for one in made] == [3, 9, 1]
    assert [one.shows for one in made] == ["fused", "b", "fused"]
    assert reported == sorted(reported)
    assert reported[-1] == 1
    assert {one.pixels.shape[2] for one in made} == {3}


def test_nobody_is_named(study: tuple[Path, Path], tmp_path: Path) -> None:
    ran = _fuse(*study, tmp_path / "out.nii")
    content = (tmp_path / "out.nii").read_bytes().decode("latin-1")
    for text in (ran.output, content):
        for planted in ("Zweistein", "Ottokar", ID, BIRTH):
            assert planted not in text


# --- real series


@pytest.fixture(scope="session")
def clinical(shared_data: Path) -> Path:
    folder = shared_data / "clinical"
    if not (folder / "sts_petmr_ct").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    return folder


def test_real_pet_on_its_mr(clinical: Path, tmp_path: Path) -> None:
    study = clinical / "sts_petmr_ct" / "dicom" / "STS_002"
    out = tmp_path / "out.nii.gz"
    ran = _fuse(study / "PET", study / "MR_T1", out)
    assert ran.exit_code == 0, ran.output
    image = nibabel.load(out)
    other = nibabel.load(clinical / "sts_petmr_ct" / "nifti" / "STS_002" / "MR_T1_image.nii.gz")
    assert image.shape == other.shape
    corners = np.array([[0, 0, 0, 1], [*(np.array(image.shape) - 1), 1]]).T
    here, there = image.affine @ corners, other.affine @ corners
    np.testing.assert_allclose(np.sort(here, axis=1), np.sort(there, axis=1), atol=1e-2)


def test_real_templates_and_synthetic_series(clinical: Path, tmp_path: Path) -> None:
    files = clinical / "nifti_spm12"
    assert _fuse(files / "PET.nii", files / "T1.nii", tmp_path / "a.nii.gz").exit_code == 0
    series = clinical / "dicom_synthetic"
    ran = _fuse(series, series, tmp_path / "b.png", "--slice", 40, method=next(iter(BASELINES)))
    assert ran.exit_code == 0, ran.output
    assert read_image(tmp_path / "b.png").is_colour

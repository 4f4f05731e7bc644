"""NIfTI: the affine is obeyed, values are scaled, one slice is an image and more are a volume."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from core.errors import InputError, OutputError, SeriesError
from core.geometry.grids import VoxelGrid
from core.geometry.planes import axes_of
from core.io import is_image, probe_image, read_image
from core.io.dicom_output.placing import across
from core.io.volumes import list_series, read_volume
from core.types import Volume

_RNG = np.random.default_rng(31)
_DATA = _RNG.integers(-500, 3000, (6, 5, 4)).astype(np.int16)
_AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2.5, 0, -126], [0, 0, 3.0, -72], [0, 0, 0, 1]])
_RAS_TO_LPS = np.diag([-1.0, -1, 1, 1])


def _save(
    path: Path, data: Any = _DATA, affine: Any = _AFFINE, kind: Any = nibabel.Nifti1Image
) -> Path:
    nibabel.save(kind(data, affine), path)
    return path


def _read(path: Path, frame: int = 0) -> Volume:
    return read_volume(list_series(path).series[0], frame)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.nii", nibabel.Nifti1Image),
        ("a.nii.gz", nibabel.Nifti1Image),
        ("b.nii", nibabel.Nifti2Image),
        ("b.nii.gz", nibabel.Nifti2Image),
        ("c.hdr", nibabel.Nifti1Pair),
        ("d.img", nibabel.Nifti2Pair),
    ],
)
def test_kinds_of_files(tmp_path: Path, name: str, kind: Any) -> None:
    path = _save(tmp_path / name, kind=kind)
    volume = _read(path)
    np.testing.assert_array_equal(volume.data, _DATA.T)
    np.testing.assert_allclose(volume.affine, _RAS_TO_LPS @ _AFFINE)
    assert (volume.modality, volume.unit, volume.patient) == ("OT", "", "")
    assert [one.shape for one in list_series(tmp_path).series] == [(4, 5, 6)]


def test_oblique_and_sheared_affines(tmp_path: Path) -> None:
    affine = _AFFINE.copy()
    affine[:3, :3] = _RNG.normal(size=(3, 3))
    volume = _read(_save(tmp_path / "a.nii", affine=affine))
    place = volume.affine @ [3, 2, 1, 1]
    np.testing.assert_allclose(_RAS_TO_LPS @ place, affine @ [3, 2, 1, 1], rtol=1e-5)


def test_sform_wins_over_qform_and_neither_is_said(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(_DATA, None)
    other = _AFFINE.copy()
    other[:3, 3] = 7
    image.set_qform(other, 1)
    image.set_sform(_AFFINE, 2)
    nibabel.save(image, tmp_path / "both.nii")
    np.testing.assert_allclose(_read(tmp_path / "both.nii").affine, _RAS_TO_LPS @ _AFFINE)
    image.set_sform(_AFFINE, 0)
    nibabel.save(image, tmp_path / "q.nii")
    np.testing.assert_allclose(_read(tmp_path / "q.nii").affine, _RAS_TO_LPS @ other)
    image.set_qform(other, 0)
    nibabel.save(image, tmp_path / "none.nii")
    volume = _read(tmp_path / "none.nii")
    assert volume.spacing == pytest.approx((3.0, 2.5, 2.0))
    assert "left and right" in volume.notes[0]


def test_units_of_length(tmp_path: Path) -> None:
    for unit, factor in (("mm", 1.0), ("meter", 1000.0), ("micron", 0.001), ("unknown", 1.0)):
        own = np.diag([1 / factor] * 3 + [1.0]) @ _AFFINE
        image = nibabel.Nifti1Image(_DATA, own)
        image.header.set_xyzt_units(xyz=unit)
        nibabel.save(image, tmp_path / "a.nii")
        expected = np.array((3.0, 2.5, 2.0))
        assert _read(tmp_path / "a.nii").spacing == pytest.approx(tuple(expected))


@pytest.mark.parametrize("unit", ["meter", "mm"])
def test_voxels_that_nothing_has_are_refused(tmp_path: Path, unit: str) -> None:
    """Millimetres said to be metres: two metres a voxel."""
    size = 1.0 if unit == "meter" else 1000.0
    image = nibabel.Nifti1Image(_DATA, np.diag([2 * size, 2 * size, 3 * size, 1]))
    image.header.set_xyzt_units(xyz=unit)
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(InputError, match=r"a voxel is 3000 mm wide.*xyzt_units"):
        _read(tmp_path / "a.nii")


def test_voxels_of_a_microscope(tmp_path: Path) -> None:
    """Half a micrometre: tiny is not flat."""
    image = nibabel.Nifti1Image(_DATA, np.diag([0.5, 0.5, 0.5, 1]))
    image.header.set_xyzt_units(xyz="micron")
    nibabel.save(image, tmp_path / "a.nii")
    assert _read(tmp_path / "a.nii").spacing == pytest.approx((0.0005,) * 3)


def test_values_are_scaled_and_nan_is_no_data(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(_DATA, _AFFINE)
    image.header.set_slope_inter(0.25, -3)
    image.header["cal_min"], image.header["cal_max"] = 10, 200
    nibabel.save(image, tmp_path / "a.nii.gz")
    expected = np.asarray(nibabel.load(tmp_path / "a.nii.gz").dataobj).T
    volume = _read(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(volume.data, expected, rtol=1e-6)
    assert volume.window == (10.0, 200.0)
    floats = _DATA.astype(np.float32)
    floats[1, 2, 3] = np.nan
    volume = _read(_save(tmp_path / "f.nii", floats))
    assert volume.mask is not None
    assert np.argwhere(~volume.mask).tolist() == [[3, 2, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float64, ">i2", ">f4"])
def test_kinds_of_numbers(tmp_path: Path, dtype: Any) -> None:
    data = np.abs(_DATA).astype(dtype)
    path = tmp_path / "a.nii"
    header = nibabel.Nifti1Header(endianness=">" if ">" in str(dtype) else "<")
    header.set_data_dtype(dtype)
    nibabel.save(nibabel.Nifti1Image(data, _AFFINE, header), path)
    np.testing.assert_array_equal(_read(path).data, data.T.astype(np.float32))


def test_four_dimensions_offer_frames(tmp_path: Path) -> None:
    data = _RNG.integers(0, 99, (6, 5, 4, 3)).astype(np.int16)
    for name in ("a.nii", "a.nii.gz"):
        path = _save(tmp_path / name, data)
        series = list_series(path).series[0]
        assert (series.frames, series.shape) == (3, (4, 5, 6))
        for frame in range(3):
            np.testing.assert_array_equal(read_volume(series, frame).data, data[..., frame].T)
        with pytest.raises(IndexError):
            read_volume(series, 3)


def test_one_slice_is_an_image_turned_upright(tmp_path: Path) -> None:
    """Seen from the feet: left of the patient on the right, front above."""
    data = np.arange(30, dtype=np.int16).reshape(6, 5, 1)
    image = read_image(_save(tmp_path / "las.nii", data))  # x grows to the left, y to the front
    np.testing.assert_array_equal(image.data[..., 0], data[:, ::-1, 0].T)
    assert image.spacing == (2.5, 2.0)
    sagittal = np.zeros((4, 4))
    sagittal[1, 0], sagittal[2, 1], sagittal[0, 2], sagittal[3, 3] = 2.0, 3.0, 1.0, 1.0
    image = read_image(_save(tmp_path / "sag.nii.gz", data, sagittal))  # i to the front, j up
    np.testing.assert_array_equal(image.data[..., 0], data[::-1, ::-1, 0].T)
    assert image.spacing == (3.0, 2.0)
    assert is_image(tmp_path / "sag.nii.gz")
    header = probe_image(tmp_path / "sag.nii.gz")
    assert (header.kind, header.width, header.height, header.frames) == ("NIfTI", 6, 5, 1)


def test_colours_are_an_image_and_no_volume(tmp_path: Path) -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb = _RNG.integers(0, 256, (6, 5, 1, 3), dtype=np.uint8)
    path = _save(tmp_path / "a.nii", rgb.view(kind).reshape(6, 5, 1))
    image = read_image(path)
    assert image.bit_depth == 8
    np.testing.assert_array_equal(image.data, rgb[:, ::-1, 0].swapaxes(0, 1))
    with pytest.raises(SeriesError, match="colours"):
        _read(path)


def test_a_volume_is_no_picture(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.nii.gz")
    assert probe_image(path).frames == 4
    with pytest.raises(InputError, match="a volume of 4 slices") as told:
        read_image(path)
    assert "one slice" not in told.value.remedy
    assert "volume" in told.value.remedy


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cut_short_anywhere(tmp_path: Path, name: str) -> None:
    path = _save(tmp_path / name, _DATA[..., :1])
    content = path.read_bytes()
    end = 8 if name.endswith(".gz") else 0  # the checksum at the end of a gzip file
    for cut in (*range(1, len(content) - end, 37), len(content) - end - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(InputError):
            read_image(path)
        with pytest.raises(InputError):
            _read(path)


def test_a_header_that_promises_too_much(tmp_path: Path) -> None:
    for name in ("a.nii", "a.nii.gz"):
        path = _save(tmp_path / name)
        content = bytearray(
            gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
        )
        content[42:48] = np.array([30_000, 30_000, 9], "<i2").tobytes()
        path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
        with pytest.raises(InputError, match=r"cut short|memory|MB are free"):
            _read(path)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.nii", _DATA.astype(np.complex64))
    with pytest.raises(InputError, match="complex64"):
        list_series(path)


def test_a_header_without_its_voxels(tmp_path: Path) -> None:
    _save(tmp_path / "c.hdr", kind=nibabel.Nifti1Pair)
    (tmp_path / "c.img").unlink()
    with pytest.raises(InputError, match=r"\.img"):
        list_series(tmp_path / "c.hdr")


def test_free_texts_of_the_header_are_not_used(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(_DATA, _AFFINE)
    image.header["descrip"] = image.header["aux_file"] = b"Zweistein"
    image.header["db_name"] = image.header["intent_name"] = b"Zweistein"
    nibabel.save(image, tmp_path / "head.nii")
    series = list_series(tmp_path / "head.nii").series[0]
    assert "Zweistein" not in repr(series) + repr(read_volume(series))
    assert series.title == "head"


def test_two_statements_that_mirror_each_other_are_told(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(_DATA, _AFFINE)
    image.set_sform(_AFFINE, 1)
    image.set_qform(_AFFINE @ np.diag([-1.0, 1, 1, 1]), 1)
    nibabel.save(image, tmp_path / "a.nii")
    series = list_series(tmp_path / "a.nii").series[0]
    assert np.allclose(series.affine, _RAS_TO_LPS @ _AFFINE)
    assert "mirror image" in str(series.notes[0])
    image.set_qform(_AFFINE, 1)
    nibabel.save(image, tmp_path / "b.nii")
    assert list_series(tmp_path / "b.nii").series[0].notes == ()


def test_two_statements_apart_are_told_with_their_distance(tmp_path: Path) -> None:
    moved = np.array(_AFFINE)
    moved[:3, 3] += (3.0, 0.0, 4.0)
    image = nibabel.Nifti1Image(_DATA, _AFFINE)
    image.set_sform(_AFFINE, 1)
    image.set_qform(moved, 1)
    nibabel.save(image, tmp_path / "v.nii")
    (note,) = list_series(tmp_path / "v.nii").series[0].notes
    assert "5.0 mm apart" in note


def test_shear_is_told_and_no_dicom(tmp_path: Path) -> None:
    """Columns (1, 0, 0) and (0.5, 1, 0): 26.6 degrees off; one that is turned says nothing."""
    affine = np.eye(4)
    affine[0, 1] = 0.5
    image = nibabel.Nifti1Image(_DATA, affine)
    image.set_qform(None, 0)
    nibabel.save(image, tmp_path / "v.nii")
    series = list_series(tmp_path / "v.nii").series[0]
    assert any("26.6 degrees" in note for note in series.notes)
    assert series.affine is not None
    grid = VoxelGrid(series.shape, series.affine)
    with pytest.raises(OutputError, match="sheared"):
        across(axes_of(grid, "axial"))


def test_vectors_are_no_times(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5, 1, 3), np.float32), _AFFINE)
    image.header.set_intent("vector")
    nibabel.save(image, tmp_path / "a.nii")
    (series,) = list_series(tmp_path / "a.nii").series
    assert series.frames == 3
    assert "components" in str(series.notes[0])

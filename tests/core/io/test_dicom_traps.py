"""DICOM that would give a wrong picture or number where it is believed: right, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from core.errors import InputError, MixedPatients, SeriesError
from core.io import read_image
from core.io.volumes import list_series, read_volume
from core.types import SeriesHeader
from tests.core.io.dicom_files import dataset_of, item, save, slice_tags, write_series

_VOLUME = np.arange(4 * 3 * 5, dtype=np.uint16).reshape(4, 3, 5)


def _only(path: Path) -> SeriesHeader:
    (series,) = list_series(path).series
    return series


def test_pet_without_a_slope_has_no_unit(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, "PT", Units="BQML")
    series = _only(tmp_path)
    assert series.unit == read_volume(series).unit == ""
    assert read_image(series.files[0]).unit == ""


@pytest.mark.parametrize("slopes", [0, -2, [1.5, 0, 1.5, 1.5]])
def test_pet_with_a_slope_that_is_none_is_no_volume(tmp_path: Path, slopes: object) -> None:
    write_series(tmp_path, _VOLUME, "PT", Units="BQML", RescaleSlope=slopes, RescaleIntercept=0)
    series = _only(tmp_path)
    with pytest.raises(SeriesError, match="RescaleSlope"):
        read_volume(series)
    if not isinstance(slopes, list):
        with pytest.raises(InputError, match="RescaleSlope"):
            read_image(series.files[0])


def test_the_window_follows_real_world_values(tmp_path: Path) -> None:
    """Stated for numbers × 10 + 5, shown in numbers × 0.5 + 1: 5 to 205 is 0 to 20, is 1 to 11."""
    code = item(CodeValue="ms", CodingSchemeDesignator="UCUM", CodeMeaning="ms")
    known = item(
        RealWorldValueSlope=0.5, RealWorldValueIntercept=1.0, MeasurementUnitsCodeSequence=[code]
    )
    write_series(
        tmp_path,
        _VOLUME,
        RescaleSlope=10,
        RescaleIntercept=5,
        RealWorldValueMappingSequence=[known],
        WindowCenter=105,
        WindowWidth=200,
        VOILUTFunction="LINEAR_EXACT",
    )
    series = _only(tmp_path)
    assert series.unit == "ms"
    assert series.window == pytest.approx((1.0, 11.0))
    assert read_volume(series).window == pytest.approx((1.0, 11.0))


def test_real_world_values_end_where_their_map_does(tmp_path: Path) -> None:
    code = item(CodeValue="ms", CodingSchemeDesignator="UCUM", CodeMeaning="ms")
    known = item(
        RealWorldValueLUTData=[0.0, 10.0, 40.0],
        RealWorldValueFirstValueMapped=1,
        RealWorldValueLastValueMapped=3,
        MeasurementUnitsCodeSequence=[code],
    )
    write_series(tmp_path, _VOLUME[:1], RealWorldValueMappingSequence=[known])
    read = read_volume(_only(tmp_path))
    assert read.mask is not None
    assert read.data[0, 0, 1:4].tolist() == [0, 10, 40]
    assert np.argwhere(read.mask).tolist() == [[0, 0, 1], [0, 0, 2], [0, 0, 3]]


def test_maps_that_are_for_some_of_the_numbers_are_not_used_for_all(tmp_path: Path) -> None:
    code = item(CodeValue="ms", CodingSchemeDesignator="UCUM", CodeMeaning="ms")
    maps = [
        item(
            RealWorldValueSlope=slope,
            RealWorldValueIntercept=0.0,
            RealWorldValueFirstValueMapped=first,
            RealWorldValueLastValueMapped=last,
            MeasurementUnitsCodeSequence=[code],
        )
        for first, last, slope in ((0, 9, 1.0), (10, 4095, 100.0))
    ]
    write_series(tmp_path, _VOLUME, RealWorldValueMappingSequence=maps, RescaleSlope=2)
    read = read_volume(_only(tmp_path))
    assert read.unit == ""
    assert np.array_equal(read.data, _VOLUME * 2.0)


def test_a_window_for_values_before_they_were_turned_round_is_not_used(tmp_path: Path) -> None:
    volume = np.linspace(0, 4000, 60).astype(np.uint16).reshape(4, 3, 5)
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    write_series(tmp_path, volume, WindowCenter=500, WindowWidth=1000, **tags)
    read = read_volume(_only(tmp_path))
    assert read.data[0, 0, 0] == 4095
    assert read.window == pytest.approx((95, 4095), abs=10)  # all of it, not 0 to 999


@pytest.mark.parametrize("bits", ["as it is", "without its sign"])
def test_padding_may_be_written_without_its_sign(tmp_path: Path, bits: str) -> None:
    pixels = np.full((3, 5), 100, np.int16)
    pixels[0, 0] = -2000
    made = dataset_of(pixels, "CT", RescaleSlope=1, RescaleIntercept=-1024, **slice_tags(0))
    if bits == "as it is":
        made.add_new("PixelPaddingValue", "SS", -2000)
    else:
        made.add_new("PixelPaddingValue", "US", 2**16 - 2000)
    save(tmp_path / "a.dcm", made)
    read = read_volume(_only(tmp_path))
    assert read.mask is not None
    assert np.argwhere(~read.mask).tolist() == [[0, 0, 0]]
    assert set(read.data.flat) == {-924}


def test_numbers_in_the_upper_bits_are_refused(tmp_path: Path) -> None:
    pixels = np.full((3, 5), 0x1230, np.uint16)
    path = save(tmp_path / "a.dcm", dataset_of(pixels, "CT", BitsStored=12, HighBit=15))
    with pytest.raises(InputError, match="HighBit"):
        read_image(path)


def test_pet_with_and_without_attenuation_correction_is_two_series(tmp_path: Path) -> None:
    for corrected in (["ATTN", "DECY"], ["DECY"]):
        write_series(
            tmp_path / str(len(corrected)), _VOLUME, "PT", CorrectedImage=corrected, RescaleSlope=1
        )
    titles = {str(one.title): one.frames for one in list_series(tmp_path).series}
    assert titles == {"T1 ax, attenuation corrected": 1, "T1 ax, not attenuation corrected": 1}


def test_two_echoes_in_turn_are_no_volume(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, EchoTime=[10, 80, 10, 80])
    with pytest.raises(SeriesError, match="EchoTime"):
        read_volume(_only(tmp_path))
    write_series(tmp_path, _VOLUME, EchoTime=[10, 10.2, 10.1, 10])
    assert read_volume(_only(tmp_path)).data.shape == _VOLUME.shape


@pytest.mark.parametrize(
    ("names", "birth", "several"),
    [
        (["Adam^Karl", "Zorro^Diego"], None, True),
        (["Adam^Karl", "Zorro^Diego"], "19400101", False),  # of one day: married and renamed
        (["Adam^Karl", "ADAM^Karl^Dr"], None, False),
        (["Mu\u0308ller^Jo", "M\u00fcller^Jo"], None, False),
    ],
)
def test_two_names_under_one_id(
    tmp_path: Path, names: list[str], birth: str | None, several: bool
) -> None:
    write_series(
        tmp_path,
        _VOLUME[:2],
        PatientName=names,
        PatientBirthDate=birth,
        SpecificCharacterSet="ISO_IR 192",
    )
    assert isinstance(_only(tmp_path).problem, MixedPatients) is several


def test_a_directory_names_files_whose_case_has_changed(tmp_path: Path) -> None:
    written = write_series(tmp_path / "Dicom" / "se01", _VOLUME)
    directory = dataset_of(_VOLUME[0], "OT", SOPClassUID="1.2.840.10008.1.3.10")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(directory, keyword)
    names = [["DICOM", "SE01", path.name.upper()] for path in written]
    directory.DirectoryRecordSequence = [item(ReferencedFileID=name) for name in names]
    listing = list_series(save(tmp_path / "DICOMDIR", directory))
    assert not listing.left_out
    assert {path.name for path in listing.series[0].files} == {path.name for path in written}


def test_what_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_series(tmp_path / "good", _VOLUME)
    (tmp_path / "good" / "empty").touch()
    (tmp_path / "good" / "other").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr("os.scandir", _Scandir(tmp_path / "closed"))
    listing = list_series(tmp_path)
    assert len(listing.series) == 1
    assert {left.path.name: str(left.reason) for left in listing.left_out} == {
        "closed": "a folder that cannot be opened",
        "empty": "the file is empty",
        "other": "a link to another folder",
    }


class _Scandir:
    """``os.scandir`` that may not open one folder (permissions do not bind the superuser)."""

    def __init__(self, closed: Path) -> None:
        import os

        self.closed, self.known = str(closed), os.scandir

    def __call__(self, path: str) -> object:
        if str(path) == self.closed:
            raise PermissionError(13, "Permission denied", path)
        return self.known(path)


def test_images_of_one_uid_with_other_values_are_no_copies(tmp_path: Path) -> None:
    """SUV that a program saved beside the activity, under the same UIDs."""
    for units, slope in (("BQML", 2), ("GML", 0.002)):
        for k, pixels in enumerate(_VOLUME):
            made = dataset_of(
                pixels, "PT", Units=units, RescaleSlope=slope, InstanceNumber=k + 1, **slice_tags(k)
            )
            made.SOPInstanceUID = f"1.2.3.{k}"
            save(tmp_path / units / f"{k}.dcm", made)
    found = {one.unit: read_volume(one) for one in list_series(tmp_path).series}
    assert np.allclose(found["Bq/mL"].data, _VOLUME * 2.0)
    assert np.allclose(found["g/mL"].data, _VOLUME * 0.002)
    assert not any("more than once" in str(note) for note in found["Bq/mL"].notes)


def test_signed_numbers_of_eight_bits(tmp_path: Path) -> None:
    pixels = np.arange(-8, 7, dtype=np.int8).reshape(3, 5)
    read = read_image(save(tmp_path / "a.dcm", dataset_of(pixels, "OT")))
    assert np.array_equal(read.data[..., 0], pixels)


@pytest.mark.parametrize("tags", [{"RescaleSlope": 1}, {"RescaleIntercept": -1024}, {}])
@pytest.mark.parametrize("kind", ["HU", None])
def test_ct_that_is_not_rescaled_by_both_tags_is_not_in_hounsfield_units(
    tmp_path: Path, tags: dict[str, float], kind: str | None
) -> None:
    write_series(tmp_path, _VOLUME, "CT", RescaleType=kind, **tags)
    assert _only(tmp_path).unit == ""


def test_two_people_under_one_id_are_two_patients(tmp_path: Path) -> None:
    people = {
        "a": {"PatientName": "Adam^Karl", "PatientBirthDate": "19400101"},
        "b": {"PatientName": "Zorro^Diego", "PatientBirthDate": "19700101"},
        "c": {"PatientName": "ADAM^K", "PatientBirthDate": "19400101"},
    }
    keys = {}
    for name, tags in people.items():
        write_series(
            tmp_path / name, _VOLUME, PatientID="ANON", SeriesInstanceUID=f"1.{ord(name)}", **tags
        )
        keys[name] = _only(tmp_path / name).patient
    assert len(set(keys.values())) == 1
    found = {one.files[0].parent.name: one.patient for one in list_series(tmp_path).series}
    assert found["a"] == found["c"] != found["b"]


def test_slices_of_which_some_are_turned_round_are_no_volume(tmp_path: Path) -> None:
    for path in write_series(tmp_path, _VOLUME)[1:2]:
        made = dcmread(path)
        made.PhotometricInterpretation = "MONOCHROME1"
        save(path, made)
    with pytest.raises(SeriesError, match="swapped"):
        read_volume(_only(tmp_path))


def test_a_table_may_name_the_unit(tmp_path: Path) -> None:
    table = item(ModalityLUTType="HU")
    table.add_new("LUTDescriptor", "US", [60, 0, 16])
    table.add_new("LUTData", "US", [1000 + 2 * value for value in range(60)])
    write_series(tmp_path, _VOLUME, "CT", ModalityLUTSequence=[table])
    read = read_volume(_only(tmp_path))
    assert read.unit == "HU"
    assert np.array_equal(read.data, 1000.0 + 2 * _VOLUME)


def test_a_slice_in_another_unit_at_the_end_is_told(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, "PT", Units=["BQML", "BQML", "BQML", "CNTS"], RescaleSlope=1)
    found = {one.unit: one for one in list_series(tmp_path).series}
    assert (found["Bq/mL"].shape[0], found["counts"].shape[0]) == (3, 1)
    assert all("listed apart" in str(one.notes[0]) for one in found.values())

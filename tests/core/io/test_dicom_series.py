"""DICOM series: what belongs together, in which order, where in the patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sequence import Sequence as DicomSequence

from core.errors import (
    Cancelled,
    InputError,
    MissingSlices,
    MixedPatients,
    SeriesError,
    UnevenSlices,
)
from core.io.volumes import list_series, read_volume
from core.types import SeriesHeader, Volume
from tests.core.io.dicom_files import (
    dataset_of,
    enhanced,
    item,
    save,
    slice_tags,
    write_series,
)

_RNG = np.random.default_rng(17)
_VOLUME = _RNG.integers(0, 4000, (5, 4, 6)).astype(np.uint16)


def _only(path: Path) -> SeriesHeader:
    series = list_series(path).series
    assert len(series) == 1
    return series[0]


def _read(path: Path, **options: Any) -> Volume:
    return read_volume(_only(path), **options)


def test_order_and_place_come_from_positions_alone(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME)
    series = _only(tmp_path)
    assert (series.kind, series.modality, series.shape, series.frames) == (
        "DICOM",
        "MR",
        (5, 4, 6),
        1,
    )
    assert series.spacing == pytest.approx((3.0, 1.5, 1.25))
    assert (series.title, series.number, len(series.files)) == ("T1 ax", 5, 5)
    volume = read_volume(series)
    np.testing.assert_array_equal(volume.data, _VOLUME)
    assert volume.affine @ [2, 1, 3, 1] == pytest.approx([-10 + 2.5, 20 + 1.5, 30 + 9, 1])
    assert volume.frame_of_reference == "1.2.3.9"
    assert volume.notes == ()


@pytest.mark.parametrize(
    "orientation",
    [
        (0, 1, 0, 0, 0, -1),  # sagittal
        (1, 0, 0, 0, 0, -1),  # coronal
        (-1, 0, 0, 0, 1, 0),  # turned: its normal points to the feet
        (0.8, 0.6, 0, -0.36, 0.48, 0.8),  # oblique
    ],
)
def test_every_orientation_keeps_each_voxel_in_its_place(
    tmp_path: Path, orientation: tuple[float, ...]
) -> None:
    write_series(tmp_path, _VOLUME, geometry={"orientation": orientation})
    volume = _read(tmp_path)
    column, row = np.array(orientation[:3]) * 1.25, np.array(orientation[3:]) * 1.5
    normal = np.cross(orientation[:3], orientation[3:]) * 3.0
    for k, j, i in np.ndindex(volume.shape):
        place = np.array([-10.0, 20, 30]) + i * column + j * row + k * normal
        found = np.linalg.inv(volume.affine) @ [*place, 1]
        at = tuple(round(v) for v in found[2::-1])
        np.testing.assert_allclose(found[:3], np.round(found[:3]), atol=1e-4)
        assert volume.data[at] == _VOLUME[k, j, i]


def test_gantry_tilt_is_sheared_and_said(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, "CT", geometry={"step": (0, 1.0, 3.0)}, RescaleSlope="1")
    volume = _read(tmp_path)
    assert "18.4°" in volume.notes[0]
    assert volume.affine[:3, 2] == pytest.approx([0, 1, 3])
    np.testing.assert_array_equal(volume.data, _VOLUME)


def test_enhanced_equals_classic(tmp_path: Path) -> None:
    slopes = [0.5, 0.25, 2.0, 3.5, 1e-3]
    write_series(
        tmp_path / "a", _VOLUME, RescaleSlope=[str(s) for s in slopes], RescaleIntercept="0"
    )
    made = enhanced(_VOLUME, slopes=slopes, SOPClassUID="1.2.840.10008.5.1.4.1.1.4.1")
    save(tmp_path / "b" / "all.dcm", made)
    classic, multi = _read(tmp_path / "a"), _read(tmp_path / "b")
    np.testing.assert_array_equal(classic.data, multi.data)
    np.testing.assert_array_equal(classic.affine, multi.affine)
    np.testing.assert_allclose(classic.data, _VOLUME * np.array(slopes)[:, None, None], rtol=1e-6)
    assert classic.patient == multi.patient != ""


def test_frames_of_a_multi_frame_file_are_sorted_too(tmp_path: Path) -> None:
    made = enhanced(_VOLUME)
    frames = list(made.PerFrameFunctionalGroupsSequence)
    order = [3, 0, 4, 1, 2]
    made.PerFrameFunctionalGroupsSequence = DicomSequence([frames[k] for k in order])
    made.PixelData = _VOLUME[order].tobytes()
    np.testing.assert_array_equal(_read(save(tmp_path / "a", made)).data, _VOLUME)


@pytest.mark.parametrize("between", [3.0, -3.0])
def test_reconstructed_spect_is_a_volume(tmp_path: Path, between: float) -> None:
    first = slice_tags(0)
    detector = item(**{k: first[k] for k in ("ImagePositionPatient", "ImageOrientationPatient")})
    stored = np.concatenate([_VOLUME, _VOLUME + 1])
    made = dataset_of(
        stored[0],
        "NM",
        ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
        NumberOfFrames=10,
        PixelSpacing=first["PixelSpacing"],
        SpacingBetweenSlices=between,
        DetectorInformationSequence=DicomSequence([detector]),
        SliceVector=[1, 2, 3, 4, 5] * 2,
        TimeSlotVector=[1] * 5 + [2] * 5,
    )
    made.PixelData = stored.tobytes()
    series = _only(save(tmp_path / "a.dcm", made))
    assert (series.modality, series.frames, series.unit) == ("NM", 2, "counts")
    volume = read_volume(series, 1)
    order = slice(None) if between > 0 else slice(None, None, -1)
    np.testing.assert_array_equal(volume.data, (_VOLUME + 1)[order])
    lowest = 30.0 if between > 0 else 30.0 - 4 * 3
    assert volume.affine @ [0, 0, 0, 1] == pytest.approx([-10, 20, lowest, 1])


def test_echoes_and_phase_are_series_and_times_are_frames(tmp_path: Path) -> None:
    for echo in (4.6, 9.2):
        for kind in ("M", "P"):
            for time in (1, 2, 3):
                value = int(echo * 10) + (500 if kind == "P" else 0) + time
                write_series(
                    tmp_path / f"{echo}{kind}{time}",
                    np.full((3, 4, 6), value, np.uint16),
                    EchoTime=str(echo),
                    ImageType=["ORIGINAL", "PRIMARY", kind],
                    TemporalPositionIdentifier=time,
                )
    series = list_series(tmp_path).series
    assert [(one.frames, one.shape) for one in series] == [(3, (3, 4, 6))] * 4
    assert len({one.key for one in series}) == 4
    titles = {one.title for one in series}
    assert titles == {f"T1 ax, {kind}, echo {echo} ms" for kind in "mp" for echo in (4.6, 9.2)}
    for one in series:
        values = [read_volume(one, time).data for time in range(3)]
        assert all(np.ptp(value) == 0 for value in values)
        assert np.diff([value.mean() for value in values]) == pytest.approx([1, 1])
    with pytest.raises(IndexError):
        read_volume(series[0], 3)


def test_b_values_are_series_and_directions_frames(tmp_path: Path) -> None:
    shots = [(0.0, (0.0, 0.0, 0.0)), (800.0, (1.0, 0.0, 0.0)), (800.0, (0.0, 1.0, 0.0))]
    for index, (b, direction) in enumerate(shots):
        write_series(
            tmp_path / str(index),
            np.full((3, 4, 6), index, np.uint16),
            DiffusionBValue=b,
            DiffusionGradientOrientation=list(direction),
        )
    found = {one.title: one.frames for one in list_series(tmp_path).series}
    assert found == {"T1 ax, b 0": 1, "T1 ax, b 800": 2}


def test_a_difference_that_explains_nothing_splits_nothing(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, EchoTime=["1", "2", "3", "4", "5"])
    assert _only(tmp_path).shape == (5, 4, 6)


def test_times_told_by_number_alone_say_so(tmp_path: Path) -> None:
    for time in range(2):
        for k in range(3):
            made = dataset_of(
                np.full((4, 6), time * 10 + k, np.uint16),
                InstanceNumber=time * 3 + k + 1,
                **slice_tags(k),
            )
            save(tmp_path / f"{time}{k}.dcm", made)
    series = _only(tmp_path)
    assert series.frames == 2
    assert "numbers" in series.notes[0]
    assert read_volume(series, 1).data[:, 0, 0].tolist() == [10, 11, 12]


def test_orientations_sizes_and_units_are_listed_apart(tmp_path: Path) -> None:
    write_series(tmp_path / "ax", _VOLUME)
    write_series(tmp_path / "sag", _VOLUME, geometry={"orientation": (0, 1, 0, 0, 0, -1)})
    write_series(tmp_path / "small", _VOLUME[:, :3])
    found = {one.title: one.shape for one in list_series(tmp_path).series}
    assert found == {
        "T1 ax, 6×4, axial": (5, 4, 6),
        "T1 ax, 6×4, sagittal": (5, 4, 6),
        "T1 ax, 6×3": (5, 3, 6),
    }
    write_series(
        tmp_path / "pet",
        _VOLUME[:2],
        "PT",
        Units=["BQML", "CNTS"],
        RescaleSlope=2,
        SeriesInstanceUID="1.7",
    )
    units = {one.unit for one in list_series(tmp_path / "pet").series}
    assert units == {"Bq/mL", "counts"}


def test_copies_count_once(tmp_path: Path) -> None:
    paths = write_series(tmp_path, _VOLUME)
    (tmp_path / "copy").write_bytes(paths[2].read_bytes())
    series = _only(tmp_path)
    assert series.shape == (5, 4, 6)
    assert "twice" in series.notes[0]
    assert read_volume(series).notes == series.notes


def test_series_without_proper_uids_stay_whole(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, SOPInstanceUID="1.2.3", SeriesInstanceUID=None)
    volume = _read(tmp_path)
    assert volume.notes == ()
    np.testing.assert_array_equal(volume.data, _VOLUME)


def test_a_gap_is_named_and_refused_unless_accepted(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME + 1, places=[0, 1, 3, 4, 7])
    series = _only(tmp_path)
    with pytest.raises(
        MissingSlices, match=r"3 slices are missing, at 36\.00, 45\.00, 48\.00 mm"
    ) as told:
        read_volume(series)
    assert told.value.positions == (36.0, 45.0, 48.0)
    assert told.value.what == "MR series “T1 ax”"
    assert told.value.remedy
    volume = read_volume(series, accept={"gap"})
    assert volume.shape == (8, 4, 6)
    assert volume.mask is not None
    there = [0, 1, 3, 4, 7]
    assert np.flatnonzero(volume.mask.all(axis=(1, 2))).tolist() == there
    assert not volume.mask[[2, 5, 6]].any()
    np.testing.assert_array_equal(volume.data[there], _VOLUME + 1)
    assert volume.affine @ [0, 0, 7, 1] == pytest.approx([-10, 20, 51, 1])
    with pytest.raises(MissingSlices):
        read_volume(series, accept={"uneven"})


def test_uneven_slices_are_refused_or_interpolated(tmp_path: Path) -> None:
    places = [0, 1, 2, 3.4, 4.4]
    ramp = np.stack([np.full((4, 6), 100 * place) for place in places]).astype(np.uint16)
    write_series(tmp_path, ramp, places=places)
    series = _only(tmp_path)
    with pytest.raises(UnevenSlices, match=r"3\.00 to 4\.20 mm apart"):
        read_volume(series)
    volume = read_volume(series, accept={"uneven"})
    along = volume.affine[:3, :3] @ [0, 0, 1]
    depths = np.arange(volume.shape[0]) * np.linalg.norm(along)
    assert depths[-1] == pytest.approx(4.4 * 3)
    np.testing.assert_allclose(volume.data[:, 2, 3], depths / 3 * 100, rtol=1e-5)
    assert any("interpolated" in note for note in volume.notes)


def test_slices_beside_each_other_are_no_volume(tmp_path: Path) -> None:
    for k, shift in enumerate((0.0, 8.0, 0.0)):
        made = dataset_of(_VOLUME[k], **slice_tags(k, origin=(-10 + shift, 20, 30)))
        save(tmp_path / f"{k}.dcm", made)
    with pytest.raises(SeriesError, match="shifted against each other"):
        _read(tmp_path)


def test_two_slices_at_one_place_are_named(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, places=[0, 1, 1, 2, 3])
    with pytest.raises(SeriesError, match=r"at the same place, at 33\.00 mm"):
        _read(tmp_path)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("PixelSpacing", "PixelSpacing"),
        ("ImagePositionPatient", "where in the patient"),
        ("ImageOrientationPatient", "where in the patient"),
    ],
)
def test_unknown_geometry_is_no_volume(tmp_path: Path, left_out: str, words: str) -> None:
    write_series(tmp_path, _VOLUME, **{left_out: None})
    series = _only(tmp_path)
    assert series.affine is None
    assert series.spacing is None
    with pytest.raises(SeriesError, match=words):
        read_volume(series)


def test_two_patients_demand_an_answer(tmp_path: Path) -> None:
    write_series(tmp_path / "id", _VOLUME, PatientID=["1", "1", "1", "2", "2"])
    series = _only(tmp_path / "id")
    assert series.patient == ""
    with pytest.raises(MixedPatients, match="2 different patients"):
        read_volume(series)
    # One and the same ID, of two people; and a name that was only corrected.
    for index, birth in ((0, "19500101"), (1, "19710203")):
        made = dataset_of(
            _VOLUME[index], PatientName=f"Name{index}", PatientBirthDate=birth, **slice_tags(index)
        )
        save(tmp_path / "same" / f"{index}.dcm", made)
    with pytest.raises(MixedPatients):
        _read(tmp_path / "same")
    write_series(tmp_path / "name", _VOLUME, PatientName=["A^B", "A^B", "A^B", "A^Bb", "A^Bb"])
    assert _read(tmp_path / "name").patient


def test_mosaics_are_no_slices(tmp_path: Path) -> None:
    write_series(tmp_path, _VOLUME, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])
    with pytest.raises(SeriesError, match="mosaic"):
        _read(tmp_path)


def test_a_slice_without_its_slope_is_not_guessed(tmp_path: Path) -> None:
    slopes = ["2", "2", None, "2", "2"]
    write_series(tmp_path, _VOLUME, "PT", Units="BQML", RescaleSlope=slopes)
    with pytest.raises(SeriesError, match="lack the tag RescaleSlope"):
        _read(tmp_path)


def test_times_at_different_places_are_not_one_series(tmp_path: Path) -> None:
    for time in (1, 2):
        origin = (-10 + time, 20, 30)
        write_series(
            tmp_path / str(time),
            _VOLUME,
            geometry={"origin": origin},
            TemporalPositionIdentifier=time,
        )
    with pytest.raises(SeriesError, match="different places"):
        _read(tmp_path)


def test_one_slice_is_a_volume_where_it_has_a_place(tmp_path: Path) -> None:
    tags = {**slice_tags(0), "SliceThickness": 2.5}
    path = save(tmp_path / "one", dataset_of(_VOLUME[0], **tags))
    volume = _read(path)
    assert volume.shape == (1, 4, 6)
    assert volume.spacing == pytest.approx((2.5, 1.5, 1.25))
    save(path, dataset_of(_VOLUME[0], **{**tags, "SliceThickness": None}))
    assert "1 mm is assumed" in _read(path).notes[0]


def test_other_things_among_the_slices_are_left_out_and_told(tmp_path: Path) -> None:
    write_series(tmp_path / "deep" / "er", _VOLUME)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"x")
    for name, kind in (("doc", "104.1"), ("report", "88.11"), ("state", "11.1"), ("plan", "481.5")):
        made = dataset_of(_VOLUME[0], SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}")
        for keyword in ("PixelData", "Rows", "Columns"):
            delattr(made, keyword)
        save(tmp_path / f"{name}.dcm", made)
    listing = list_series(tmp_path)
    assert [one.shape for one in listing.series] == [(5, 4, 6)]
    reasons = {left.path.name: str(left.reason) for left in listing.left_out}
    assert reasons["doc.dcm"] == "an encapsulated PDF"
    assert reasons["report.dcm"] == "a structured report"
    assert "neither DICOM nor NIfTI" in reasons["notes.txt"]
    assert set(reasons) == {
        *("notes.txt", "empty.dcm"),
        *(f"{n}.dcm" for n in ("doc", "report", "state", "plan")),
    }
    with pytest.raises(InputError, match="an encapsulated PDF"):
        list_series(tmp_path / "doc.dcm")
    with pytest.raises(InputError, match="no series") as told:
        list_series([tmp_path / "doc.dcm", tmp_path / "notes.txt"])
    assert "encapsulated PDF" in str(told.value)


def test_content_tells_not_the_suffix(tmp_path: Path) -> None:
    path = save(tmp_path / "slice.jpg", dataset_of(_VOLUME[0], **slice_tags(0)))
    assert _only(path).shape == (1, 4, 6)
    bare = tmp_path / "bare"
    bare.write_bytes(path.read_bytes()[132:])
    np.testing.assert_array_equal(_read(bare).data[0], _VOLUME[0])
    (tmp_path / "text.dcm").write_text("no image")
    with pytest.raises(InputError, match="not DICOM"):
        list_series(tmp_path / "text.dcm")


def test_encrypted_files_say_so(tmp_path: Path) -> None:
    head = bytes.fromhex("308006092a864886f70d010703a080")
    (tmp_path / "a.dcm").write_bytes(head + bytes(600))
    with pytest.raises(InputError, match="it is encrypted"):
        list_series(tmp_path / "a.dcm")


def test_a_directory_names_its_files(tmp_path: Path) -> None:
    write_series(tmp_path / "disc" / "dicom", _VOLUME)
    for index, path in enumerate(sorted((tmp_path / "disc" / "dicom").iterdir())):
        path.rename(path.with_name(f"im{index}"))  # the system wrote lower case
    write_series(tmp_path / "disc" / "other", _VOLUME[:2], SeriesInstanceUID="1.2.8")
    made = dataset_of(_VOLUME[0], SOPClassUID="1.2.840.10008.1.3.10")
    del made.PixelData, made.Rows, made.Columns
    names = [["DICOM", f"IM{index}"] for index in range(5)] + [["GONE", "X"], ["..", "DISC", "Y"]]
    records = [
        item(DirectoryRecordType="PATIENT"),
        *(item(ReferencedFileID=name) for name in names),
    ]
    made.DirectoryRecordSequence = DicomSequence(records)
    path = save(tmp_path / "disc" / "DICOMDIR", made)
    listing = list_series(path)
    assert [one.shape for one in listing.series] == [(5, 4, 6)]
    assert [left.path.name for left in listing.left_out] == ["X"]
    assert len(list_series(tmp_path / "disc").series) == 2


def test_listing_and_reading_can_be_stopped(tmp_path: Path) -> None:
    class Stop:
        left = 3

        def report(self, done: float, total: float, stage: str) -> None:
            assert 0 <= done <= total

        def check(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    write_series(tmp_path, _VOLUME)
    with pytest.raises(Cancelled):
        list_series(tmp_path, Stop())
    series = _only(tmp_path)
    with pytest.raises(Cancelled):
        read_volume(series, progress=Stop())


def test_keys_stay_and_tell_apart(tmp_path: Path) -> None:
    write_series(tmp_path / "a", _VOLUME)
    write_series(tmp_path / "b", _VOLUME, SeriesInstanceUID="1.9", PatientID="other")
    first, second = list_series(tmp_path).series, list_series(tmp_path).series
    assert [(one.key, one.patient, one.study) for one in first] == [
        (one.key, one.patient, one.study) for one in second
    ]
    assert len({one.key for one in first}) == len({one.patient for one in first}) == 2
    assert len({one.study for one in first}) == 1


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list_series(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no series of images"):
        list_series(tmp_path)


def test_lossy_compression_of_any_slice_is_told(tmp_path: Path) -> None:
    stored = np.zeros((3, 4, 5), np.uint16)
    write_series(tmp_path / "clean", stored, LossyImageCompression="00")
    assert list_series(tmp_path / "clean").series[0].notes == ()
    write_series(tmp_path / "lossy", stored, LossyImageCompression="01")
    told = list_series(tmp_path / "lossy").series[0].notes
    assert [str(note) for note in told] == ["Lossy compression has changed its values."]
    ratios = {"LossyImageCompression": "01", "LossyImageCompressionRatio": ["3.5", "12"]}
    write_series(tmp_path / "ratio", stored, **ratios)
    told = list_series(tmp_path / "ratio").series[0].notes
    assert [str(note) for note in told] == ["Lossy compression (12:1) has changed its values."]

"""The list of all tags: what names nobody is there, and what does is not."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.io.volumes import REMOVED, Tag, list_series, series_tags
from tests.core.io.dicom_files import BIRTH, ID, NAME, enhanced, item, save, write_series

_STORED = np.random.default_rng(3).integers(0, 999, (3, 4, 5)).astype(np.uint16)
_SECRETS = re.compile(
    r"zweistein|ottokar|QX-?447711|447711|19390817|1939|ACC9911|Klinik|Sommer|20240131|0914|"
    r"STATION7|SN-12345|Hauptstr|1\.2\.3\.",
    re.I,
)
_PLANTED = {
    "AccessionNumber": "ACC9911",
    "StudyDate": "20240131",
    "StudyTime": "091412",
    "AcquisitionDateTime": "20240131091412",
    "InstitutionName": "Klinik Nord",
    "InstitutionAddress": "Hauptstr. 5",
    "ReferringPhysicianName": "Sommer^Eva",
    "OperatorsName": "Sommer^Eva",
    "StationName": "STATION7",
    "DeviceSerialNumber": "SN-12345",
    "StudyDescription": "for Dr. Sommer",
    "ImageComments": "Zweistein was tired",
    "StudyID": "ACC9911",
    "PatientAge": "085Y",
    "SeriesDescription": f"T1 Ottokar ZWEISTEIN {ID} {BIRTH} ax",
    "SequenceName": "Zweistein_tse",
    "ImageType": ["ORIGINAL", "PRIMARY", "ZWEISTEIN"],
    "ScanOptions": "Dr Sommer",
    "InstitutionCodeSequence": [item(CodeValue="Klinik", CodeMeaning="Klinik Nord")],
    "RequestAttributesSequence": [
        item(RequestedProcedureID="ACC9911", RequestedProcedureDescription="Sommer")
    ],
    "OtherPatientIDsSequence": [item(PatientID=ID)],
    "RadiopharmaceuticalInformationSequence": [
        item(
            RadionuclideTotalDose=1e8,
            RadiopharmaceuticalStartTime="091412",
            RadionuclideCodeSequence=[item(CodeValue="C-111A1", CodeMeaning="18F")],
        )
    ],
}


def _by_name(tags: tuple[Tag, ...]) -> dict[str, Tag]:
    return {tag.name: tag for tag in tags}


@pytest.fixture
def tags(tmp_path: Path) -> tuple[Tag, ...]:
    write_series(tmp_path, _STORED, "PT", EchoTime=4.5, Manufacturer="ACME", **_PLANTED)
    return series_tags(list_series(tmp_path).series[0])


def test_what_names_a_person_a_place_or_a_day_is_removed(tags: tuple[Tag, ...]) -> None:
    assert NAME.startswith("Zweistein")
    assert not _SECRETS.search(repr(tags))
    known = _by_name(tags)
    for name in (
        *("Patient's Name", "Patient ID", "Patient's Birth Date", "Accession Number"),
        *("Institution Name", "Referring Physician's Name", "Study Date", "Study Time"),
        *("Series Instance UID", "Image Comments", "Radiopharmaceutical Start Time"),
    ):
        assert known[name].value == REMOVED, name


def test_what_tells_of_the_scan_is_listed(tags: tuple[Tag, ...]) -> None:
    known = _by_name(tags)
    assert known["Modality"] == Tag("(0008,0060)", "Modality", "PT")
    assert known["Echo Time"].value == "4.5"
    assert known["Manufacturer"].value == "ACME"
    assert known["Transfer Syntax UID"].value == "Explicit VR Little Endian"
    assert known["Pixel Spacing"].value == "1.5, 1.25"
    assert known["Series Description"].value.replace("…", "").split() == ["T1", "ax"]
    assert known["Radionuclide Total Dose"].depth == 1
    assert any(tag.depth == 2 and tag.value == "18F" for tag in tags)


def test_private_tags_keep_their_values_to_themselves(tmp_path: Path) -> None:
    made = enhanced(_STORED)
    block = made.private_block(0x0029, "Zweistein Inc", create=True)
    block.add_new(1, "LO", NAME)
    block.add_new(2, "DS", "447711")
    save(tmp_path / "one.dcm", made)
    found = series_tags(list_series(tmp_path).series[0])
    private = [tag for tag in found if tag.number.startswith("(0029")]
    assert len(private) == 3
    assert {tag.value for tag in private} == {REMOVED}
    assert not _SECRETS.search(repr(found))


def test_of_many_frames_the_first_slice_is_listed(tmp_path: Path) -> None:
    save(tmp_path / "one.dcm", enhanced(_STORED))
    series = list_series(tmp_path).series[0]
    found = [tag for tag in series_tags(series) if tag.name == "Image Position (Patient)"]
    assert [tag.value for tag in found] == ["-10, 20, 30"]


def test_fields_of_nifti_are_listed_without_free_texts(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.zeros((5, 4, 3), np.int16), np.diag([2.0, 2.0, 3.0, 1.0]))
    image.header["descrip"] = b"Zweistein 19390817"
    image.header["aux_file"] = b"Ottokar"
    nibabel.save(image, tmp_path / "t1.nii.gz")
    found = series_tags(list_series(tmp_path).series[0])
    known = _by_name(found)
    assert known["dim"].value == "3, 5, 4, 3, 1, 1, 1, 1"
    assert known["magic"].value == "n+1"
    assert known["descrip"].value == known["aux_file"].value == REMOVED
    assert known["db_name"].value == ""
    assert not _SECRETS.search(repr(found))


def test_a_value_that_contradicts_its_kind_is_called_unreadable(tmp_path: Path) -> None:
    for path in write_series(tmp_path, _STORED, EchoTime="4.5 "):
        content = path.read_bytes()
        assert b"4.5 " in content
        path.write_bytes(content.replace(b"4.5 ", b"4;5 "))
    found = series_tags(list_series(tmp_path).series[0])
    (echo,) = [tag for tag in found if tag.number == "(0018,0081)"]
    assert echo.value == "unreadable"

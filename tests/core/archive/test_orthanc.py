"""Query, retrieve and send against a real Orthanc, by DICOM's own protocol and by DICOMweb."""

from __future__ import annotations

import io
import logging
import socket
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from core.archive import (
    Archive,
    ArchiveNode,
    StudyQuery,
    archive_of,
    retrieve_series,
    send_files,
)
from core.archive.incoming import LOCK
from core.archive.records import ArchivedImage, ArchivedSeries
from core.errors import ConnectionBroken, LoginRefused, WrongTitle
from core.io.volumes import list_series, read_volume
from core.progress import NullProgress, Progress
from tests.orthanc import LISTENER, Orthanc

QUIET = NullProgress()
WAYS = ("get", "move", "web")


def node_of(server: Orthanc, way: str) -> ArchiveNode:
    return {"get": server.dicom, "move": server.moving, "web": server.web}[way]()


def series_of(archive: Archive) -> tuple[ArchivedSeries, ...]:
    (study,) = archive.find_studies(StudyQuery(), 5, QUIET).studies
    return archive.find_series(study.uid, QUIET)


@pytest.mark.parametrize("way", ["get", "web"])
def test_it_answers_when_it_is_asked_whether_it_is_there(orthanc: Orthanc, way: str) -> None:
    archive_of(node_of(orthanc, way)).echo(QUIET)


@pytest.mark.parametrize("way", ["get", "web"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (StudyQuery(), 1),
        (StudyQuery(patient_name="Nobody"), 1),
        (StudyQuery(patient_name="nobody^av"), 1),
        (StudyQuery(patient_name="*average"), 1),
        (StudyQuery(patient_name="Nob?dy*"), 1),
        (StudyQuery(patient_name="Somebody"), 0),
        (StudyQuery(patient_id="ICBM152"), 1),
        (StudyQuery(patient_id="ICBM*"), 1),
        (StudyQuery(patient_id="ICBM"), 0),
        (StudyQuery(modality="pt"), 1),
        (StudyQuery(modality="CT"), 0),
        (StudyQuery(first=date(2020, 1, 1), last=date(2020, 1, 1)), 1),
        (StudyQuery(first=date(2019, 5, 1)), 1),
        (StudyQuery(last=date(2019, 12, 31)), 0),
        (StudyQuery(accession="X1"), 0),
    ],
)
def test_studies_are_found_by_what_is_known_of_them(
    orthanc: Orthanc, way: str, query: StudyQuery, found: int
) -> None:
    studies = archive_of(node_of(orthanc, way)).find_studies(query, 10, QUIET).studies
    assert len(studies) == found
    for study in studies:
        assert (study.patient_name, study.patient_id) == ("Nobody^Average", "ICBM152")
        assert (study.date, set(study.modalities)) == ("20200101", {"PT", "MR"})
        assert (study.series, study.images) == (2, 26)


@pytest.mark.parametrize("way", ["get", "web"])
def test_more_studies_than_are_listed_are_told(
    empty_orthanc: Orthanc, tmp_path: Path, sample_files: list[Path], way: str
) -> None:
    for number in range(4):
        data = dcmread(sample_files[0])
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(data, keyword, f"1.2.3.{number}.{len(keyword)}")
        data.save_as(tmp_path / f"{number}.dcm")
    empty_orthanc.put(sorted(tmp_path.glob("*.dcm")))
    archive = archive_of(node_of(empty_orthanc, way))
    few = archive.find_studies(StudyQuery(), 3, QUIET)
    assert (len(few.studies), few.more) == (3, True)
    all_ = archive.find_studies(StudyQuery(), 4, QUIET)
    assert (len(all_.studies), all_.more) == (4, False)


@pytest.mark.parametrize("way", WAYS)
def test_a_study_comes_as_it_is_stored(
    orthanc: Orthanc, tmp_path: Path, sample_files: list[Path], way: str
) -> None:
    archive = archive_of(node_of(orthanc, way))
    series = series_of(archive)
    assert [(one.modality, one.images) for one in series] == [("PT", 12), ("MR", 14)]
    steps: list[tuple[float, float]] = []

    class Heard(NullProgress):
        def report(self, done: float, total: float, stage: str) -> None:
            steps.append((done, total))

    done = retrieve_series(archive, series, tmp_path / "study", Heard())
    assert [(one.arrived, one.expected, one.is_whole) for one in done] == [
        (12, 12, True),
        (14, 14, True),
    ]
    assert steps[-1] == (26, 26)
    assert steps == sorted(steps)
    # Nothing is left but the two folders, which the reader of series finds both of, and the lock.
    assert {path.name for path in (tmp_path / "study").iterdir()} == {
        LOCK,
        *(one.folder.name for one in done if one.folder),
    }
    got = {dcmread(path).SOPInstanceUID: path for path in (tmp_path / "study").rglob("*.dcm")}
    assert len(got) == 26
    for path in sample_files[::3]:
        mine, theirs = dcmread(path), dcmread(got[dcmread(path).SOPInstanceUID])
        # In its own encoding: nothing was decoded and encoded on the way.
        assert theirs.file_meta.TransferSyntaxUID == mine.file_meta.TransferSyntaxUID
        assert theirs.PixelData == mine.PixelData
        assert theirs.ImagePositionPatient == mine.ImagePositionPatient
        np.testing.assert_array_equal(theirs.pixel_array, mine.pixel_array)
    whole = list_series(tmp_path / "study").series
    mine = list_series(sample_files).series
    for theirs, one in zip(whole, mine, strict=True):
        np.testing.assert_array_equal(read_volume(theirs).data, read_volume(one).data)


class Counted:
    """An archive whose requests for images are counted."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.asked: list[ArchivedImage] = []
        self.find_images = archive.find_images

    def fetch(self, series, images, receive, progress, *, whole):  # type: ignore[no-untyped-def]
        self.asked += images
        self._archive.fetch(series, images, receive, progress, whole=whole)


@pytest.mark.parametrize("way", WAYS)
def test_only_what_is_missing_is_retrieved_again(
    orthanc: Orthanc, tmp_path: Path, way: str
) -> None:
    archive = Counted(archive_of(node_of(orthanc, way)))
    (series, _) = series_of(archive_of(orthanc.dicom()))
    (first,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert len(archive.asked) == 12
    assert first.folder is not None
    removed = sorted(first.folder.iterdir())[3:8]
    for path in removed:
        path.unlink()
    archive.asked.clear()
    (again,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert {image.uid for image in archive.asked} == {path.stem for path in removed}
    assert (again.folder, again.arrived) == (first.folder, 12)
    archive.asked.clear()
    (last,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert (archive.asked, last.is_whole) == ([], True)


@pytest.mark.parametrize("way", WAYS)
def test_an_image_that_goes_from_the_archive_meanwhile_leaves_half_a_series(
    empty_orthanc: Orthanc, sample_files: list[Path], tmp_path: Path, way: str
) -> None:
    empty_orthanc.put(sample_files[:6])
    archive = Counted(archive_of(node_of(empty_orthanc, way)))
    (series,) = series_of(archive_of(empty_orthanc.dicom()))
    listed = archive.find_images

    def gone(series: ArchivedSeries, progress: Progress) -> tuple[ArchivedImage, ...]:
        found = listed(series, progress)
        (lost,) = [
            uid
            for uid in empty_orthanc.get("/instances")
            if empty_orthanc.get(f"/instances/{uid}")["MainDicomTags"]["SOPInstanceUID"]
            == found[-1].uid
        ]
        empty_orthanc.delete(f"/instances/{lost}")
        return found

    archive.find_images = gone
    (half,) = retrieve_series(archive, [series], tmp_path, QUIET)
    assert (half.arrived, half.expected, half.is_whole) == (5, 6, False)
    assert half.why
    assert [path.name for path in tmp_path.glob("[!.]*")] in ([], ["orthanc"])


@pytest.mark.parametrize("way", ["get", "web"])
def test_files_are_sent_and_can_be_read_back(
    empty_orthanc: Orthanc, tmp_path: Path, sample_files: list[Path], way: str
) -> None:
    (tmp_path / "out").mkdir()
    for path in sample_files[5:19]:  # of both series
        (tmp_path / "out" / f"{path.parent.name}{path.name}").write_bytes(path.read_bytes())
    (tmp_path / "out" / "notes.txt").write_text("no image")
    (tmp_path / "out" / ".half.dcm").write_bytes(sample_files[0].read_bytes())
    archive = archive_of(node_of(empty_orthanc, way))
    heard = []
    sent = send_files(archive, [tmp_path / "out"], QUIET, heard.append)
    assert [one.state for one in sent] == ["stored"] * 14
    assert sorted(heard, key=lambda one: one.path) == list(sent)
    stored = empty_orthanc.get("/instances")
    assert len(stored) == 14
    content = empty_orthanc.get(f"/instances/{stored[0]}/file")
    theirs = dcmread(io.BytesIO(content))
    mine = next(d for d in map(dcmread, sample_files) if d.SOPInstanceUID == theirs.SOPInstanceUID)
    assert theirs.PixelData == mine.PixelData
    assert theirs.ImagePositionPatient == mine.ImagePositionPatient


@pytest.mark.parametrize("way", ["get", "web"])
def test_what_is_no_image_is_told_and_the_others_are_sent(
    empty_orthanc: Orthanc, tmp_path: Path, sample_files: list[Path], way: str
) -> None:
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(sample_files[0].read_bytes()[:400])
    archive = archive_of(node_of(empty_orthanc, way))
    sent = send_files(archive, [bad, sample_files[1]], QUIET)
    assert [one.state for one in sent] == ["failed", "stored"]
    assert sent[0].why


def test_a_wrong_title_is_told_apart(orthanc: Orthanc) -> None:
    with pytest.raises(WrongTitle, match="no archive there is called NOBODY"):
        archive_of(orthanc.dicom(title="NOBODY")).echo(QUIET)


def test_a_service_that_is_not_allowed_is_named(orthanc: Orthanc, tmp_path: Path) -> None:
    (series, _) = series_of(archive_of(orthanc.dicom()))
    unknown = archive_of(orthanc.dicom(own_title="STRANGER"))
    with pytest.raises(WrongTitle, match="does not know this program as STRANGER"):
        unknown.find_series(series.study_uid, QUIET)
    barred = archive_of(orthanc.dicom(own_title=LISTENER))
    with pytest.raises(ConnectionBroken):
        retrieve_series(barred, [series], tmp_path, QUIET)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_wrong_password_is_told(tmp_path: Path) -> None:
    from tests.orthanc import start_orthanc

    server = start_orthanc(
        tmp_path, AuthenticationEnabled=True, RegisteredUsers={"reader": "right"}
    )
    try:
        archive_of(server.web(user="reader", password="right")).echo(QUIET)
        for user, password in (("reader", "wrong"), ("", "")):
            with pytest.raises(LoginRefused) as caught:
                archive_of(server.web(user=user, password=password)).echo(QUIET)
            assert "wrong" not in str(caught.value)
    finally:
        server.stop()


@pytest.mark.parametrize("way", WAYS)
def test_no_log_line_names_anything(
    orthanc: Orthanc,
    tmp_path: Path,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    archive = archive_of(node_of(orthanc, way))
    with caplog.at_level(logging.DEBUG):
        found = archive.find_studies(StudyQuery(patient_name="Nobody"), 5, QUIET)
        series = archive.find_series(found.studies[0].uid, QUIET)
        retrieve_series(archive, series[:1], tmp_path / "a", QUIET)
    written = caplog.text + "".join(capfd.readouterr()) + repr(found) + repr(series)
    for secret in ("Nobody", "ICBM152", "20200101", "simulated"):
        assert secret not in written


def test_nothing_connects_before_it_is_asked_to(
    orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def note(self: socket.socket, address: object, *more: object) -> None:
        tried.append(address)
        raise OSError("not in this test")

    monkeypatch.setattr(socket.socket, "connect", note)
    monkeypatch.setattr(socket.socket, "bind", note)
    for way in WAYS:
        archive_of(node_of(orthanc, way))
    assert tried == []


def test_the_port_of_c_move_is_open_only_while_it_retrieves(
    orthanc: Orthanc, tmp_path: Path
) -> None:
    def is_open() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", orthanc.move_port)) == 0

    archive = archive_of(orthanc.moving())
    (series, _) = series_of(archive)
    assert not is_open()
    seen: list[bool] = []

    class Looking(NullProgress):
        def report(self, done: float, total: float, stage: str) -> None:
            if done == 7:
                seen.append(is_open())

    retrieve_series(archive, [series], tmp_path, Looking())
    assert seen == [True]
    assert not is_open()

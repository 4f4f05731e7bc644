"""Encrypted connections: certificates of both sides are checked, by DICOM and by DICOMweb."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.archive import (
    StudyQuery,
    TlsFiles,
    archive_of,
    association,
    retrieve_series,
    send_files,
)
from core.archive.tls import server_context
from core.errors import ArchiveError, ArchiveTimeout, CertificateWrong
from core.progress import NullProgress
from tests.certificates import Authority, locked_key
from tests.core.archive.scp import Scp
from tests.orthanc import Orthanc, start_orthanc
from tests.tls_proxy import encrypted

QUIET = NullProgress()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "Good")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "Other")


@pytest.fixture(scope="module")
def own(authority: Authority) -> TlsFiles:
    return authority.issue("own")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Orthanc]:
    """Orthanc that asks for certificates by DICOM, and stands behind an encrypting proxy."""
    files = authority.issue("archive")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    assert files.certificate is not None
    context.load_cert_chain(files.certificate, files.key)
    server = start_orthanc(tmp_path_factory.mktemp("secured"), tls=files)
    try:
        with encrypted(server.http_port, context) as port:
            yield replace(server, http_port=port, scheme="https")
    finally:
        server.stop()


def test_a_study_goes_there_and_back_encrypted(
    secured: Orthanc, own: TlsFiles, sample_files: list[Path], tmp_path: Path
) -> None:
    by_dicom = archive_of(secured.dicom(tls=own))
    by_web = archive_of(secured.web(tls=TlsFiles(authority=own.authority)))
    assert all(one.state == "stored" for one in send_files(by_dicom, sample_files[:3], QUIET))
    assert all(one.state == "stored" for one in send_files(by_web, sample_files[3:5], QUIET))
    for name, archive in (("dicom", by_dicom), ("web", by_web)):
        (study,) = archive.find_studies(StudyQuery(), 2, QUIET).studies
        (done,) = retrieve_series(
            archive, archive.find_series(study.uid, QUIET), tmp_path / name, QUIET
        )
        assert (done.arrived, done.is_whole) == (5, True)


def test_c_move_comes_encrypted_and_from_the_archive_alone(
    secured: Orthanc, own: TlsFiles, stranger: Authority, sample_files: list[Path], tmp_path: Path
) -> None:
    archive = archive_of(secured.dicom(tls=own))
    send_files(archive, sample_files[:3], QUIET)
    (study,) = archive.find_studies(StudyQuery(), 2, QUIET).studies
    series = archive.find_series(study.uid, QUIET)
    moving = replace(secured.moving(), tls=own)
    (done,) = retrieve_series(archive_of(moving), series, tmp_path, QUIET)
    assert done.is_whole


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_an_archive_that_nobody_vouches_for_gets_nothing(
    secured: Orthanc, own: TlsFiles, stranger: Authority, way: str
) -> None:
    doubtful = replace(own, authority=stranger.file)
    node = secured.dicom(tls=doubtful) if way == "dicom" else secured.web(tls=doubtful)
    with pytest.raises(CertificateWrong, match="not trusted"):
        archive_of(node).echo(QUIET)
    unknown = replace(own, authority=None)
    node = secured.dicom(tls=unknown) if way == "dicom" else secured.web(tls=unknown)
    with pytest.raises(CertificateWrong, match="not trusted"):
        archive_of(node).echo(QUIET)


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_a_certificate_of_another_host_is_refused(
    secured: Orthanc, own: TlsFiles, way: str
) -> None:
    if way == "dicom":
        node = secured.dicom(tls=own, host="localhost")
    else:
        node = secured.web(tls=own, url=f"https://localhost:{secured.http_port}/dicom-web")
    with pytest.raises(CertificateWrong, match="not trusted"):
        archive_of(node).echo(QUIET)


def test_an_archive_without_our_certificate_refuses(secured: Orthanc, own: TlsFiles) -> None:
    node = secured.dicom(tls=TlsFiles(authority=own.authority))
    with pytest.raises(CertificateWrong):
        archive_of(node).echo(QUIET)


def test_a_certificate_that_has_run_out_is_refused(authority: Authority, own: TlsFiles) -> None:
    old = authority.issue("old", expired=True)
    with Scp().running(server_context(old)) as scp, pytest.raises(CertificateWrong) as caught:
        archive_of(scp.node(tls=own)).echo(QUIET)
    assert "expired" in str(caught.value)


@pytest.mark.long
def test_plain_and_encrypted_do_not_meet(
    secured: Orthanc, own: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(association, "NEGOTIATE_SECONDS", 1.0)
    with pytest.raises((ArchiveTimeout, ArchiveError)) as caught:
        archive_of(secured.dicom()).echo(QUIET)
    assert "TLS" in caught.value.remedy
    with Scp().running() as scp, pytest.raises(CertificateWrong) as refused:
        archive_of(scp.node(tls=own)).echo(QUIET)
    assert "TLS" in refused.value.remedy


def test_files_that_are_no_certificates_are_named(tmp_path: Path, own: TlsFiles) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    locked = locked_key(tmp_path / "locked.key")
    for files, word in (
        (TlsFiles(authority=tmp_path / "missing.pem"), "missing.pem"),
        (TlsFiles(authority=junk), "junk.pem"),
        (TlsFiles(certificate=junk), "junk.pem"),
        (replace(own, key=locked), "password"),
    ):
        with Scp().running() as scp, pytest.raises(CertificateWrong, match=word):
            archive_of(scp.node(tls=files)).echo(QUIET)

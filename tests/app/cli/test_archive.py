"""``unifusion archive`` as a person types it, against a real Orthanc."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from typer.testing import CliRunner

from app.cli.archive import PASSWORD
from app.cli.main import app
from core.archive import WebNode, find_node, node_file
from core.io.volumes import list_series, read_volume
from tests.orthanc import TITLE, Orthanc, free_port, start_orthanc


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))


def add(server: Orthanc) -> None:
    host = ("--host", "127.0.0.1", "--port", server.dicom_port, "--title", TITLE)
    assert run("archive", "add", "pacs", *host)[0] == 0
    url = f"http://127.0.0.1:{server.http_port}/dicom-web"
    assert run("archive", "add", "web", "--url", url)[0] == 0


def test_archives_are_added_listed_replaced_and_removed() -> None:
    host = ("--host", "pacs.example.org", "--title", "PACS")
    code, text, notes = run("archive", "add", "pacs", *host)
    assert (code, "PACS@pacs.example.org:104" in text) == (0, True)
    assert "Not encrypted" in notes
    assert "there is an archive of that name" in run("archive", "add", "pacs", *host)[2]
    move = ("--move", "192.0.2.8:11112", "--own-title", "ME", "--replace")
    assert run("archive", "add", "pacs", *host, *move)[0] == 0
    assert "as ME, C-MOVE, not encrypted" in run("archive", "list")[1]
    assert run("archive", "remove", "pacs")[0] == 0
    assert run("archive", "echo", "pacs")[0] == 2


def test_a_password_is_not_an_argument_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    url = ("--url", "https://pacs.example.org/dicom-web", "--user", "me")
    code, _, error = run("archive", "add", "web", *url)
    assert (code, PASSWORD in error) == (2, True)
    monkeypatch.setenv(PASSWORD, "secret-1")
    code, text, error = run("archive", "add", "web", *url)
    assert code == 0
    assert "secret-1" not in text + error + run("archive", "list")[1]
    node = find_node("web")
    assert isinstance(node, WebNode)
    assert node.password == "secret-1"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--host", "x"),
        ("--host", "x", "--title", "X", "--url", "https://x/dicom-web"),
        ("--host", "x", "--title", "X", "--move", "127.0.0.1"),
        ("--host", "x", "--title", "X", "--key", "own.key"),
    ],
)
def test_half_an_archive_is_refused(options: tuple[str, ...]) -> None:
    code, _, error = run("archive", "add", "pacs", *options)
    assert code == 2
    assert error.startswith("unifusion: ")
    assert not node_file().exists()


@pytest.mark.parametrize("name", ["pacs", "web"])
def test_studies_are_searched_and_retrieved(orthanc: Orthanc, tmp_path: Path, name: str) -> None:
    add(orthanc)
    assert "answers" in run("archive", "echo", name)[1]
    code, text, _ = run("archive", "find", name, "--name", "nobody")
    assert code == 0
    assert "2020-01-01  Nobody^Average  ICBM152" in text
    assert "MR      14 images" in text
    found = json.loads(run("archive", "find", name, "--modality", "PT", "--json")[1])
    (pet, mr) = found[0]["series_list"]
    assert (pet["images"], mr["images"]) == (12, 14)
    assert run("archive", "find", name, "--id", "nobody")[1] == "0 studies\n"

    out = tmp_path / "study"
    code, text, _ = run("archive", "get", name, found[0]["uid"], "--series", pet["uid"], "-o", out)
    assert (code, "12 images (PT)" in text) == (0, True)
    code, text, _ = run("archive", "get", name, "--name", "nobody", "-o", out)
    assert code == 0
    assert sorted(one.modality for one in list_series(out).series) == ["MR", "PT"]


def test_which_study_is_meant_must_be_said(orthanc: Orthanc, tmp_path: Path) -> None:
    add(orthanc)
    for words in ((), ("--id", "x"), ("1.2.3",)):
        code, _, error = run("archive", "get", "pacs", *words, "-o", tmp_path / "out")
        assert (code, error.count("\n")) == (2, 1)
    assert not (tmp_path / "out").exists()


def test_from_an_archive_to_the_fused_series_in_it_by_one_command(
    sample_files: list[Path], tmp_path: Path
) -> None:
    server = start_orthanc(tmp_path / "orthanc")
    try:
        add(server)
        code, text, _ = run("archive", "send", "pacs", *sample_files)
        assert (code, text) == (0, "pacs: 26 of 26 files stored\n")
        study = tmp_path / "study"
        assert run("archive", "get", "pacs", "--id", "ICBM152", "-o", study)[0] == 0
        sources = {path.name[:2]: path for path in study.iterdir()}
        code, text, error = run(
            "fuse", sources["PT"], sources["MR"], "--task", "mif", "--pack", "average",
            "-o", tmp_path / "fused", "--dicom", "single", "--send", "web",
        )  # fmt: skip
        assert code == 0, error
        assert "web: 14 of 14 files stored" in text
        back = [
            one
            for uid in server.get("/instances")
            for one in [dcmread(io.BytesIO(server.get(f"/instances/{uid}/file")))]
            if "Fused" in one.get("SeriesDescription", "")
        ]
    finally:
        server.stop()
    _compare(back, tmp_path / "fused", sources["MR"])


def _compare(back: list[Dataset], written: Path, mr: Path) -> None:
    """What came back from the archive is what was written, and lies where the MR lies."""
    mine = {one.SOPInstanceUID: one for one in map(dcmread, written.rglob("*.dcm"))}
    assert {one.SOPInstanceUID for one in back} == set(mine)
    (header,) = list_series(mr).series
    volume = read_volume(header)
    places = []
    for one in back:
        other = mine[one.SOPInstanceUID]
        np.testing.assert_array_equal(one.pixel_array, other.pixel_array)
        assert one.FrameOfReferenceUID == header.frame_of_reference
        np.testing.assert_allclose(
            np.array(one.PixelSpacing),
            np.linalg.norm(volume.affine[:3, :2], axis=0)[::-1],
            atol=1e-4,
        )
        places.append([float(value) for value in one.ImagePositionPatient])
    expected = [(volume.affine @ [0, 0, k, 1])[:3] for k in range(14)]
    np.testing.assert_allclose(sorted(places, key=lambda p: p[2]), expected, atol=1e-4)


def test_what_cannot_be_sent_is_refused_before_anything_is_fused(
    orthanc: Orthanc, sample_files: list[Path], tmp_path: Path
) -> None:
    add(orthanc)
    run("archive", "add", "away", "--host", "127.0.0.1", "--port", free_port(), "--title", "X")
    pet, mr = sample_files[0].parent, sample_files[-1].parent
    base = ("fuse", pet, mr, "--task", "mif", "--pack", "average")
    for out, node, word in (
        ("a.nii.gz", "pacs", "archives take DICOM only"),
        ("a", "nowhere", "no archive"),
        ("a", "away", "nothing answers"),
    ):
        code, _, error = run(*base, "-o", tmp_path / out, "--send", node)
        assert (code, word in error) == (2, True)
        assert not (tmp_path / out).exists()

"""Paths kept without names are found again, and nothing of them can be read."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from app.preferences.hidden_paths import HiddenPath
from app.preferences.session_file import Snapshot, from_json, to_json
from app.preferences.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Zweistein_Ottokar 19390817" / "QX-447711"
    made.mkdir(parents=True)
    (made / "pet.dcm").touch()
    return made


def test_a_path_is_found_again_and_cannot_be_read(folder):
    for path in (folder, folder / "pet.dcm"):
        hidden = HiddenPath.of(path)
        assert "Zweistein" not in repr(hidden)
        assert hidden.found() == path
    assert HiddenPath.of(folder / "ct.dcm").found() is None


def test_the_spelling_of_the_file_system_is_taken(tmp_path):
    (tmp_path / unicodedata.normalize("NFD", "Müller")).mkdir()
    (found,) = tmp_path.iterdir()
    assert HiddenPath.of(tmp_path / "MÜLLER").found() == found


def test_a_folder_of_the_person_is_found_wherever_it_is(tmp_path, monkeypatch):
    (tmp_path / "old" / "scans").mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "old")
    hidden = HiddenPath.of(tmp_path / "old" / "scans")
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "new")
    assert hidden.found() == tmp_path / "new" / "scans"


def test_a_session_holds_scans_without_names_and_pictures_with_them(folder, tmp_path):
    picture = tmp_path / "mri.png"
    stored = to_json(Snapshot("mif", a=folder / "pet.dcm", b=picture, scans=(folder,)))
    for secret in (b"Zweistein", b"19390817", b"447711"):
        assert secret not in stored
    read = from_json(stored)
    assert read.b == picture
    assert read.label == "2 files or folders of scans"
    located = read.located()
    assert (located.a, located.scans) == (folder / "pet.dcm", (folder,))
    assert to_json(read) == stored  # written again as it is, without a look at the disk


def test_an_older_session_with_readable_paths_opens_and_is_written_without_them(folder):
    old = to_json(Snapshot("mif")).replace(b'"scans": []', b'"scans": ["%s"]' % bytes(folder))
    read = from_json(old)
    assert read.scans == (folder,)
    assert b"Zweistein" not in to_json(read)


def test_what_is_gone_is_left_out(folder):
    read = from_json(to_json(Snapshot("mif", scans=(folder, folder / "pet.dcm"))))
    (folder / "pet.dcm").unlink()
    assert read.located().scans == (folder,)


def test_recent_files_list_no_scans(qapp, folder, tmp_path):
    from app.preferences.recent_files import RecentPairs

    settings = Settings(tmp_path / "home")
    rows = f'[["{folder}/pet.dcm", "{folder}/mr.dcm", "mif"], ["/x/a.png", "/x/b.png", "mif"]]'
    settings.set_text("recent/pairs", rows)  # of a former version
    recent = RecentPairs(settings)
    assert "Zweistein" not in settings.text("recent/pairs")
    recent.add(folder / "pet.dcm", folder / "mr.dcm", "mif")
    assert [pair.a for pair in recent.all()] == [Path("/x/a.png")]

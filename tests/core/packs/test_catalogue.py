"""Which packs there are, in which order, and what is wrong with the rest."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from core.errors import InputError, PackError
from core.packs import registry as module
from core.packs.registry import Catalogue, user_pack_folder
from tests.tiny import tiny_pack


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """(embedded, user)"""
    embedded, home = tmp_path / "embedded", tmp_path / "home"
    user = home / "packs"
    embedded.mkdir()
    user.mkdir(parents=True)
    monkeypatch.setattr(module, "PACKS", embedded)
    monkeypatch.setenv("UNIFUSION_HOME", str(home))
    return embedded, user


def test_embedded_packs_come_before_the_users(folders: tuple[Path, Path]) -> None:
    embedded, user = folders
    tiny_pack(user / "aaa.safetensors")
    tiny_pack(embedded / "zzz.safetensors")
    tiny_pack(embedded / "mmm.safetensors")
    tiny_pack(embedded / "other.safetensors", task="ivif")
    catalogue = Catalogue()
    entries = catalogue.for_task("mif")
    assert [e.manifest.name for e in entries] == ["mmm", "zzz", "aaa"]
    assert [e.embedded for e in entries] == [True, True, False]
    assert catalogue.find("", "mif").manifest.name == "mmm"
    assert [e.manifest.name for e in catalogue.for_task("ivif")] == ["other"]
    assert catalogue.for_task("mef") == ()


def test_broken_packs_are_listed_with_the_reason_and_hide_nobody(
    folders: tuple[Path, Path],
) -> None:
    embedded, user = folders
    (embedded / "a.safetensors").write_bytes(b"")
    tiny_pack(embedded / "b.safetensors")
    (user / "c.safetensors").write_text("hello, I am a text file")
    (user / "d.safetensors").mkdir()
    tiny_pack(user / "e.safetensors")
    (user / "notes.txt").write_text("ignored")
    good, broken = Catalogue().scan()
    assert [e.manifest.name for e in good] == ["b", "e"]
    assert [b.path.name for b in broken] == ["a.safetensors", "c.safetensors", "d.safetensors"]
    assert all(b.path.name in b.reason for b in broken)
    assert "not a safetensors file" in broken[0].reason


def test_packs_are_found_by_name_by_path_and_by_default(folders: tuple[Path, Path]) -> None:
    embedded, user = folders
    tiny_pack(embedded / "file-one.safetensors", name="one")
    tiny_pack(user / "two.safetensors", name="two")
    catalogue = Catalogue()
    assert catalogue.find("one", "mif").path == embedded / "file-one.safetensors"
    assert catalogue.find("two", "mif").path == user / "two.safetensors"
    assert catalogue.find("", "mif").manifest.name == "one"
    elsewhere = user.parent / "elsewhere.safetensors"
    tiny_pack(elsewhere, name="far")
    found = catalogue.find(str(elsewhere), "mif")
    assert (found.path, found.manifest.name, found.embedded) == (elsewhere, "far", False)


def test_unknown_packs_are_answered_with_those_there_are(folders: tuple[Path, Path]) -> None:
    embedded, _ = folders
    catalogue = Catalogue()
    with pytest.raises(InputError, match=r"No pack for task mif.*none"):
        catalogue.find("", "mif")
    tiny_pack(embedded / "one.safetensors")
    with pytest.raises(InputError, match=r"No pack “nine” for task mif.*one") as caught:
        catalogue.find("nine", "mif")
    assert caught.value.remedy
    with pytest.raises(InputError, match=r"No pack “one” for task mef"):
        catalogue.find("one", "mef")
    with pytest.raises(PackError, match="no such pack"):
        catalogue.find(str(embedded / "nine.safetensors"), "mif")


def test_folders_are_read_anew_each_time(folders: tuple[Path, Path]) -> None:
    embedded, _ = folders
    catalogue = Catalogue()
    assert catalogue.scan() == ((), ())
    tiny_pack(embedded / "one.safetensors")
    assert len(catalogue.for_task("mif")) == 1
    (embedded / "one.safetensors").unlink()
    assert catalogue.for_task("mif") == ()


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert Catalogue([tmp_path / "none"]).scan() == ((), ())


def test_the_users_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))
    assert user_pack_folder() == tmp_path / "packs"
    monkeypatch.delenv("UNIFUSION_HOME")
    folder = user_pack_folder()
    assert folder.name == "packs"
    assert "unifusion" in folder.parts


def test_every_embedded_pack_can_be_opened() -> None:
    resources = importlib.import_module("resources")
    good, broken = Catalogue([resources.PACKS]).scan()
    assert broken == ()
    if not good:
        pytest.skip("no packs are embedded in this checkout")
    for entry in good:
        module.read_manifest(entry.path)
        assert entry.path.stat().st_size <= 12e6
        assert entry.manifest.licence
        assert entry.manifest.data

"""Pairs are made by name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.io import pair_folders


def _touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def test_by_name_never_by_position(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "2.png", "3.PNG", "1.png", "only_a.bmp")
    _touch(tmp_path / "b", "3.jpg", "4.tif", "2.jpg")
    found = pair_folders(tmp_path)
    assert [(p.name, p.a.name, p.b.name) for p in found.pairs] == [
        ("2", "2.png", "2.jpg"),
        ("3", "3.PNG", "3.jpg"),
    ]
    assert [p.name for p in found.unpaired_a] == ["1.png", "only_a.bmp"]
    assert [p.name for p in found.unpaired_b] == ["4.tif"]
    assert found.problems == ()


def test_ambiguous_names_are_left_out_and_reported(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "1.png", "1.jpg", "2.png")
    _touch(tmp_path / "b", "1.png", "2.png")
    found = pair_folders(str(tmp_path))
    assert [p.name for p in found.pairs] == ["2"]
    assert found.unpaired_a == found.unpaired_b == ()
    assert len(found.problems) == 1
    assert "1.jpg" in found.problems[0]
    assert "1.png" in found.problems[0]


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "1.png", ".hidden.png", "notes.txt", "Thumbs.db")
    _touch(tmp_path / "b", "1.png", "._1.png")
    (tmp_path / "b" / "folder.png").mkdir()
    found = pair_folders(tmp_path)
    assert [p.name for p in found.pairs] == ["1"]
    assert found.unpaired_a == found.unpaired_b == ()


def test_two_spellings_of_one_letter_match(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "caf\u00e9.png")
    _touch(tmp_path / "b", "cafe\u0301.png")
    assert len(pair_folders(tmp_path).pairs) == 1


def test_names_with_several_dots(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "s.1.png", "s.2.png")
    _touch(tmp_path / "b", "s.2.png", "s.3.png")
    assert [p.name for p in pair_folders(tmp_path).pairs] == ["s.2"]


def test_missing_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        pair_folders(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no folder “a”"):
        pair_folders(tmp_path)
    _touch(tmp_path / "a", "1.png")
    with pytest.raises(InputError, match="no folder “b”"):
        pair_folders(tmp_path)
    _touch(tmp_path / "b", "2.png")
    with pytest.raises(InputError, match="no picture in a/"):
        pair_folders(tmp_path)


@pytest.mark.parametrize(("task", "count"), [("ivif", 16), ("mif", 18), ("mef", 14), ("mff", 14)])
def test_real_folders(shared_data: Path, task: str, count: int) -> None:
    found = pair_folders(shared_data / "val" / task)
    assert len(found.pairs) == count
    assert found.unpaired_a == found.unpaired_b == found.problems == ()
    assert all(p.a.stem == p.b.stem == p.name for p in found.pairs)

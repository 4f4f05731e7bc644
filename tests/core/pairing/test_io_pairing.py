"""The pairs of a whole set of sources, found as everywhere else; there must be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.pairing.folders import pair_folders, pair_paths


def _touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def test_by_name_never_by_position(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "2.png", "3.PNG", "1.png", "only_a.bmp")
    _touch(tmp_path / "b", "3.jpg", "4.tif", "2.jpg")
    found = pair_folders(str(tmp_path))
    assert [(m.name, m.a.name, m.b.name) for m in found.matches] == [
        ("2", "2.png", "2.jpg"),
        ("3", "3.PNG", "3.jpg"),
    ]
    assert [i.path.name for i in found.unmatched] == ["1.png", "only_a.bmp", "4.tif"]
    assert found.ambiguous == ()


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "1.png", ".hidden.png", "notes.txt", "Thumbs.db")
    _touch(tmp_path / "b", "1.png", "._1.png")
    (tmp_path / "b" / "folder.png").mkdir()
    found = pair_folders(tmp_path)
    assert [m.name for m in found.matches] == ["1"]
    assert found.leftovers == ()


def test_names_with_several_dots(tmp_path: Path) -> None:
    _touch(tmp_path / "a", "s.1.png", "s.2.png")
    _touch(tmp_path / "b", "s.2.png", "s.3.png")
    assert [m.name for m in pair_folders(tmp_path).matches] == ["s.2"]


def test_a_set_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        pair_folders(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no two pictures"):
        pair_folders(tmp_path)
    _touch(tmp_path / "a", "1.png")
    _touch(tmp_path / "b", "2.png")
    with pytest.raises(InputError, match="no two pictures"):
        pair_folders(tmp_path)


@pytest.mark.parametrize(("task", "count"), [("ivif", 16), ("mif", 18), ("mef", 14), ("mff", 14)])
def test_real_folders(shared_data: Path, task: str, count: int) -> None:
    folder = shared_data / "val" / task
    found = pair_folders(folder)
    assert len(found.matches) == count
    assert found == pair_paths([folder])
    assert all(m.a.stem == m.b.stem == m.name for m in found.matches)

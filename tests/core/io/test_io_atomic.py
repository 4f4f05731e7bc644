"""Atomic writing: the old file or the new one, whatever goes wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import OutputError
from core.io import atomic_path, atomic_write
from core.io.atomic import atomic_folder, remove_parts

_ROOT = Path(__file__).resolve().parents[3]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_writes_and_replaces(tmp_path: Path) -> None:
    target = tmp_path / "über 图.bin"
    atomic_write(target, b"one")
    atomic_write(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert _names(tmp_path) == {target.name}


def test_temporary_is_in_the_same_folder_with_the_same_suffix(tmp_path: Path) -> None:
    target = tmp_path / "model.safetensors"
    with atomic_path(target) as temporary:
        assert temporary.parent == tmp_path.resolve()
        assert temporary.suffix == ".safetensors"
        assert not target.exists()
        temporary.write_bytes(b"x")
    assert target.read_bytes() == b"x"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_failure_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert target.read_bytes() == b"old"
    assert _names(tmp_path) == {"a.bin"}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "not writable"),
        (errno.EACCES, "not writable"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_system_errors_while_writing_are_explained(tmp_path: Path, code: int, words: str) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match=words) as caught, atomic_path(target):
        raise OSError(code, os.strerror(code))
    assert str(target) in str(caught.value)
    assert caught.value.remedy
    assert target.read_bytes() == b"old"
    assert _names(tmp_path) == {"a.bin"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_real_write_that_runs_out_of_room(tmp_path: Path) -> None:
    """The system itself stops the write half way (limit on file size)."""
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    program = (
        "import resource, sys\n"
        "from core.io.atomic import atomic_write\n"
        "from core.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    atomic_write(sys.argv[1], bytes(100_000))\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert "larger than a file may be" in done.stdout
    assert target.read_bytes() == b"old"
    assert _names(tmp_path) == {"a.bin"}


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"nowhere does not exist.*Create"):
        atomic_write(tmp_path / "nowhere" / "a.bin", b"x")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="does not exist"):
        atomic_write(tmp_path / "file" / "a.bin", b"x")


def test_target_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        atomic_write(tmp_path / "sub", b"x")
    assert _names(tmp_path) == {"sub"}


@pytest.mark.parametrize("name", ["x" * 300, "nul\0.bin"])
def test_impossible_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        atomic_write(tmp_path / name, b"x")
    assert _names(tmp_path) == set()


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a file system nobody may write")
def test_folder_that_is_not_writable() -> None:
    with pytest.raises(OutputError, match=r"/sys/kernel/a\.bin: it is not writable"):
        atomic_write(Path("/sys/kernel/a.bin"), b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.bin", tmp_path / "link.bin"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    atomic_write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    old = os.umask(0o027)
    try:
        atomic_write(tmp_path / "fresh.bin", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "fresh.bin").stat().st_mode) == 0o640


def _old_and_new(folder: Path) -> None:
    """A folder of slices is replaced by another one."""
    with atomic_folder(folder) as temporary:
        (temporary / "new.dcm").write_bytes(b"new")


def _fail_renames(monkeypatch: pytest.MonkeyPatch, numbers: set[int]) -> None:
    """The renames of these numbers, from 1, fail as on Windows while a file is open."""
    renamed, done = Path.rename, [0]

    def rename(path: Path, target: Path) -> Path:
        done[0] += 1
        if done[0] in numbers:
            raise PermissionError(errno.EACCES, "Access is denied")
        return renamed(path, target)

    monkeypatch.setattr(Path, "rename", rename)


def test_a_folder_is_replaced_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / ("s" * 250)
    folder.mkdir()
    (folder / "old.dcm").write_bytes(b"old")
    _old_and_new(folder)
    assert _names(tmp_path) == {folder.name}
    assert _names(folder) == {"new.dcm"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_folder_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "old.dcm").write_bytes(b"old")
    _fail_renames(monkeypatch, {number})
    with pytest.raises(OutputError, match="not writable"):
        _old_and_new(folder)
    assert _names(tmp_path) == {"series"}
    assert (folder / "old.dcm").read_bytes() == b"old"


def test_a_folder_that_cannot_get_its_name_back_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "old.dcm").write_bytes(b"old")
    _fail_renames(monkeypatch, {2, 3})
    with pytest.raises(OutputError, match="What was there before is now in") as caught:
        _old_and_new(folder)
    remove_parts(tmp_path)
    (kept,) = tmp_path.iterdir()
    assert str(kept) in caught.value.remedy
    assert (kept / "old.dcm").read_bytes() == b"old"


def test_a_program_that_is_killed_between_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "old.dcm").write_bytes(b"old")
    _fail_renames(monkeypatch, {2, 3})
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)  # nothing runs after the kill
    with contextlib.suppress(OutputError):
        _old_and_new(folder)
    monkeypatch.undo()
    assert remove_parts(tmp_path) == 1
    (kept,) = tmp_path.iterdir()
    assert (kept / "old.dcm").read_bytes() == b"old"

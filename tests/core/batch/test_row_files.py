"""What a worker does with a row, without a cluster, and where its files are put."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.batch import BatchOptions, BatchPlan, plan_batch
from core.batch.output_folder import DiskFull, Stopped, WorkerDiskFull
from core.batch.portable import portable_options, portable_row
from core.batch.resume import clean_up
from core.batch.row_files import PROBE, STAGING_PREFIX, RowFiles, SharedFolder, put_files
from core.batch.tasks import RowAnswer, RowJob, process_group
from core.errors import Message, OutputError
from core.pairing.folders import pair_paths

pytest.importorskip("distributed")


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BatchPlan:
    """Two rows whose paths are relative, with all files that a row can have."""
    rng = np.random.default_rng(3)
    for letter in "ab":
        (tmp_path / "in" / "deep" / letter).mkdir(parents=True)
        for name in ("x", "y"):
            pixels = rng.integers(0, 256, (40, 44), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / "in" / "deep" / letter / f"{name}.png"), pixels)
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    options = BatchOptions(
        "mff", "average", out=Path("out"), figures=True, metrics=True, contact_sheet=True
    )
    return plan_batch(pair_paths([Path("in")], "mff"), options)


def answered(plan: BatchPlan, folder: SharedFolder, monkeypatch: pytest.MonkeyPatch) -> RowAnswer:
    """The answer for the first row of a worker whose working directory is another one."""
    job = RowJob(portable_options(plan.options), folder)
    row = portable_row(plan.rows[0])
    here = Path.cwd()
    monkeypatch.chdir("/")
    (answer,) = process_group(job, ((row, row.record("queued")),))
    monkeypatch.chdir(here)
    assert answer.record.state == "done", answer.record.text
    assert answer.made_by is not None
    assert answer.made_by["method"] == "average"
    return answer


def below(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_both_ways_back_give_the_same_files(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = plan.options.out
    folder = SharedFolder.make(out)
    shared = answered(plan, folder, monkeypatch)
    assert shared.files.place is not None
    assert shared.files.place.parent == folder.path.absolute()
    assert not list(out.rglob("x.png")) or all(STAGING_PREFIX in str(p) for p in out.rglob("x.png"))
    put_files(shared.files, plan.rows[0], plan)
    assert not shared.files.place.exists()
    (folder.path / PROBE).write_text("another")
    back = answered(plan, folder, monkeypatch)
    assert back.files.place is None
    assert back.files.size > 0
    folder.remove()
    first = below(out)
    assert set(first) == {"deep/x.png", "_figures/deep/x.png", "_thumbnails/deep/x.jpg"}
    shutil.rmtree(out)
    out.mkdir()
    put_files(back.files, plan.rows[0], plan)
    assert below(out) == first
    assert shared.record.metrics == back.record.metrics


def test_a_file_of_another_origin_is_not_replaced(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, row = SharedFolder.make(plan.options.out), plan.rows[0]
    answer = answered(plan, folder, monkeypatch)
    target = plan.options.out / row.target
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    with pytest.raises(OutputError, match="there is a file of that name"):
        put_files(answer.files, row, plan)
    assert target.read_text() == "mine"
    put_files(answer.files, replace(row, is_own=True), plan)
    assert target.read_bytes() != b"mine"


def test_a_folder_of_slices_is_replaced_as_a_whole(plan: BatchPlan) -> None:
    row = replace(plan.rows[0], target=Path("study"), is_own=True)
    options = replace(plan.options, figures=False, contact_sheet=False)
    whole = BatchPlan(options, (row,))
    old = options.out / "study"
    old.mkdir()
    (old / "left.png").write_bytes(b"old")
    content = ((Path("study/1.png"), b"one"), (Path("study/2.png"), b"two"))
    put_files(RowFiles(content=content), row, whole)
    assert below(options.out) == {"study/1.png": b"one", "study/2.png": b"two"}
    place = options.out / "place"
    (place / "study").mkdir(parents=True)
    (place / "study" / "3.png").write_bytes(b"three")
    put_files(RowFiles(place), row, whole)
    assert below(options.out) == {"study/3.png": b"three"}


def test_a_folder_of_slices_that_cannot_be_replaced_stays(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(plan.rows[0], target=Path("study"), is_own=True)
    options = replace(plan.options, figures=False, contact_sheet=False)
    place = options.out / "place"
    for folder, name in ((options.out / "study", "old.png"), (place / "study", "new.png")):
        folder.mkdir(parents=True)
        (folder / name).write_bytes(name.encode())
    renamed = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.is_relative_to(place):
            raise PermissionError(errno.EACCES, "Access is denied")
        return renamed(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OutputError, match="not writable"):
        put_files(RowFiles(place), row, BatchPlan(options, (row,)))
    clean_up(BatchPlan(options, (row,)), {})
    assert below(options.out / "study") == {"old.png": b"old.png"}


def test_what_a_killed_run_left_is_removed(plan: BatchPlan) -> None:
    folder = SharedFolder.make(plan.options.out)
    assert folder.is_here()
    assert folder.new_place() is not None
    clean_up(plan, {})
    assert not folder.is_here()
    assert folder.new_place() is None
    assert below(plan.options.out) == {}


def test_an_error_while_files_are_put_is_told_with_its_cause(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SharedFolder.make(plan.options.out)
    answer = answered(plan, folder, monkeypatch)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="the disk is full") as error:
        put_files(answer.files, plan.rows[0], plan)
    assert isinstance(error.value.__cause__, OSError)


def _fails(monkeypatch: pytest.MonkeyPatch, number: int, where: str) -> None:
    """Writing below a path with ``where`` in it fails with the error ``number``."""
    written = Path.write_bytes

    def write(path: Path, content: bytes) -> int:
        if where in str(path):
            raise OSError(number, os.strerror(number))
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_folder_of_the_user(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch, is_shared: bool, number: int
) -> None:
    folder, out = SharedFolder.make(plan.options.out), plan.options.out.absolute()
    if not is_shared:
        (folder.path / PROBE).unlink()
    _fails(monkeypatch, number, STAGING_PREFIX if is_shared else "unifusion-")
    with pytest.raises(Stopped, match="disk is full") as caught:
        answered(plan, folder, monkeypatch)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert type(again) is (DiskFull if is_shared else WorkerDiskFull)
    assert str(again) == str(caught.value)
    assert STAGING_PREFIX not in str(again)
    if is_shared:
        assert again.what.startswith(f"Cannot write {out / '_thumbnails'}")
        assert again.remedy == "Free some space, then go on with the batch."
    else:
        assert again.what == f"The folder {tempfile.gettempdir()} of a worker"
        assert "mount the output folder" in again.remedy


def test_a_row_that_cannot_be_written_is_told_with_its_place(
    plan: BatchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SharedFolder.make(plan.options.out)
    _fails(monkeypatch, errno.ENAMETOOLONG, STAGING_PREFIX)
    job, row = RowJob(portable_options(plan.options), folder), portable_row(plan.rows[0])
    (answer,) = process_group(job, ((row, row.record("queued")),))
    assert answer.record.state == "failed"
    told = answer.record.text
    assert told.startswith(f"Cannot write {plan.options.out.absolute() / '_thumbnails'}")
    assert STAGING_PREFIX not in told
    assert isinstance(told, Message), "it can be said in another language"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "it is not writable"),
        (errno.EACCES, "it is not writable"),
    ],
)
def test_a_folder_that_takes_no_results_is_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    _fails(monkeypatch, number, STAGING_PREFIX)
    with pytest.raises(OutputError, match=why) as caught:
        SharedFolder.make(tmp_path)
    assert caught.value.what == f"Cannot write to the folder {tmp_path}"
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_gone_whatever_workers_still_write(tmp_path: Path) -> None:
    over = threading.Event()

    def write(place: Path) -> None:
        number = 0
        while not over.is_set():
            number += 1
            with contextlib.suppress(OSError):  # its place is gone
                (place / f"{number}.png.part").write_bytes(b"x")
                (place / f"{number}.png.part").rename(place / f"{number}.png")

    for _ in range(20):
        over.clear()
        folder = SharedFolder.make(tmp_path)
        places = [folder.new_place() for _ in range(3)]
        writers = [threading.Thread(target=write, args=(place,)) for place in places]
        for writer in writers:
            writer.start()
        while len(list(folder.path.rglob("*.png"))) < 30:
            pass
        folder.remove()
        left = list(tmp_path.iterdir())
        over.set()
        for writer in writers:
            writer.join()
        assert left == []
        assert list(tmp_path.iterdir()) == []


def test_what_arrives_while_the_folder_is_removed_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker's call had found the folder before it was renamed; its place comes later."""
    folder, removed = SharedFolder.make(tmp_path), shutil.rmtree

    def late(path: Path, **options: Any) -> None:
        if path.exists():
            monkeypatch.setattr(shutil, "rmtree", removed)
            (path / "late").mkdir()
            (path / "probe").unlink()
            with contextlib.suppress(OSError):
                path.rmdir()

    monkeypatch.setattr(shutil, "rmtree", late)
    folder.remove()
    assert list(tmp_path.iterdir()) == []

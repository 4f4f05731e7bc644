"""Files and folders that are removed during a batch are noticed, and not counted as results."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.batch import BatchCommand, run_command
from core.batch import (
    MANIFEST_NAME,
    BatchFinished,
    BatchOptions,
    BatchPlan,
    RowEvent,
    Tally,
    find_run,
    plan_batch,
    row_steps,
    run_batch,
)
from core.batch.crash_trail import TRAIL_NAME
from core.batch.output_folder import FolderLost, OutputFolder
from core.errors import OutputError
from core.fusion.engine import FusionEngine
from core.pairing.folders import pair_paths

NUMBER = 12


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    for side in "ab":
        (tmp_path / "in" / side).mkdir(parents=True)
        for index in range(NUMBER):
            content = cv2.imencode(".png", rng.integers(0, 256, (20, 24), dtype=np.uint8))[1]
            (tmp_path / "in" / side / f"p{index:02}.png").write_bytes(content.tobytes())
    return tmp_path / "in"


def planned(source: Path, out: Path, **more: object) -> BatchPlan:
    options = BatchOptions("mff", "average", out=out, workers=1, in_flight=1, **more)  # type: ignore[arg-type]
    return plan_batch(pair_paths([source], "mff", skip=[out]), options)


class ObservedRun:
    """The events of a run in which ``action`` is called after the fourth result."""

    def __init__(self, plan: BatchPlan, action: Callable[[], object]) -> None:
        self.error: OutputError | None = None
        self.states: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.finished: BatchFinished | None = None
        self.tally = Tally(0)
        try:
            for event in run_batch(plan, FusionEngine("cpu")):
                self.tally = event.tally
                if isinstance(event, RowEvent):
                    self.states[event.row.match.name] = event.record.state
                    self.texts[event.row.match.name] = event.record.text
                else:
                    self.finished = event
                if event.tally.done == 4 and action is not None:
                    action()
                    action = None  # type: ignore[assignment]
        except OutputError as error:
            self.error = error

    def number(self, state: str) -> int:
        return sum(one == state for one in self.states.values())


def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who listens is to hear of each row before the next one is written."""
    import time

    read = row_steps.read_row

    def later(row, plan, progress):  # type: ignore[no-untyped-def]
        time.sleep(0.08)
        return read(row, plan, progress)

    monkeypatch.setattr(row_steps, "read_row", later)


def test_the_folder_is_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"
    observed = ObservedRun(planned(source, out), lambda: shutil.rmtree(out))
    assert isinstance(observed.error, FolderLost)
    assert "it was removed while the batch was running" in str(observed.error)
    assert observed.finished is None
    assert observed.number("done") == 0, "nothing is there, so nothing counts as made"
    assert (observed.tally.done, observed.tally.failed) == (0, observed.number("failed"))
    assert observed.number("failed") >= 4
    assert "it was written and is not there any more" in observed.texts["p00"]
    assert not out.exists(), "and no folder is made in its place"
    again = ObservedRun(planned(source, out, resume=True), lambda: None)
    assert (again.error, again.number("done")) == (None, NUMBER)


def test_the_folder_is_replaced_by_an_empty_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"

    def replace() -> None:
        out.rename(tmp_path / "elsewhere")
        out.mkdir()

    observed = ObservedRun(planned(source, out), replace)
    assert isinstance(observed.error, FolderLost)
    assert "replaced by another folder" in str(observed.error)
    assert observed.tally.done == 0
    assert len(list((tmp_path / "elsewhere").glob("*.png"))) >= 4
    shutil.rmtree(out)
    (tmp_path / "elsewhere").rename(out)
    again = ObservedRun(planned(source, out, resume=True), lambda: None)
    assert again.error is None
    assert again.number("skipped") >= 4
    assert again.number("skipped") + again.number("done") == NUMBER
    assert len(list(out.glob("*.png"))) == NUMBER


def test_single_results_are_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"
    observed = ObservedRun(planned(source, out), (out / "p01.png").unlink)
    assert observed.error is None
    assert observed.finished is not None
    assert [row.match.name for row, _ in observed.finished.failures] == ["p01"]
    assert (observed.tally.done, observed.tally.failed) == (NUMBER - 1, 1)
    again = ObservedRun(planned(source, out, resume=True), lambda: None)
    assert (again.number("skipped"), again.states["p01"]) == (NUMBER - 1, "done")


def test_results_done_before_are_removed_while_others_are_made(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    ObservedRun(planned(source, out), lambda: None)
    for index in range(6, NUMBER):
        (out / f"p{index:02}.png").unlink()
    slow(monkeypatch)
    observed = ObservedRun(planned(source, out, resume=True), (out / "p03.png").unlink)
    assert (observed.tally.done, observed.tally.skipped, observed.tally.failed) == (6, 5, 1)
    assert observed.states["p03"] == "failed"


def test_the_record_is_removed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"

    def remove() -> None:
        for path in out.glob(f"{MANIFEST_NAME}*"):
            path.unlink()

    observed = ObservedRun(planned(source, out), remove)
    assert (observed.error, observed.tally.done) == (None, NUMBER)
    found = find_run(BatchOptions("mff", "average", out=out))
    assert found is not None
    assert (found.total, found.done, found.failed) == (NUMBER, NUMBER, 0)
    assert [path.name for path in out.glob(f"{MANIFEST_NAME}*")] == [MANIFEST_NAME]


def test_the_record_is_replaced(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"

    def replace() -> None:
        (out / "x").write_bytes(b"another one's")
        (out / "x").replace(out / MANIFEST_NAME)

    observed = ObservedRun(planned(source, out), replace)
    assert observed.error is not None
    assert "it was replaced while the batch was running" in str(observed.error)
    assert (out / MANIFEST_NAME).read_bytes() == b"another one's"


def test_a_folder_that_cannot_be_written_any_more_ends_the_run(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(monkeypatch)
    out = tmp_path / "out"
    written = row_steps.write_row

    def shut() -> None:
        def refuse(*args, **more):  # type: ignore[no-untyped-def]
            raise OutputError("Cannot write x", "it is not writable") from OSError(errno.EROFS, "")

        monkeypatch.setattr(row_steps, "write_row", refuse)
        access = os.access
        monkeypatch.setattr(os, "access", lambda p, mode: p != out and access(p, mode))

    observed = ObservedRun(planned(source, out), shut)
    assert isinstance(observed.error, FolderLost)
    assert "not writable any more" in str(observed.error)
    assert observed.number("failed") == 0, "rows nobody could have written are not failed"
    monkeypatch.undo()
    assert written is row_steps.write_row
    again = ObservedRun(planned(source, out, resume=True), lambda: None)
    assert again.number("skipped") + again.number("done") == NUMBER


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.ENOTCONN])
def test_a_share_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    place = OutputFolder(tmp_path)
    place.check()

    def stat(self: Path, **_more: object) -> object:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(FolderLost, match="cannot be reached any more"):
        place.check()
    monkeypatch.undo()
    place.close()


def test_the_command_says_so(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    written = row_steps.write_row
    count = 0

    def remove(*args, **more):  # type: ignore[no-untyped-def]
        nonlocal count
        done = written(*args, **more)
        count += 1
        if count == 5:
            shutil.rmtree(out)
        return done

    monkeypatch.setattr(row_steps, "write_row", remove)
    options = BatchOptions("mff", "average", out=out, workers=1, in_flight=1)
    assert run_command(BatchCommand((source,), options, device="cpu")) == 3
    said = capsys.readouterr()
    assert f"{out}: 0 fused, 4 failed, 8 not tried, of 12" in said.out
    assert "it was removed while the batch was running" in said.err


def test_parts_of_killed_runs_are_removed_wherever_they_lie(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    extras = {"figures": True, "reconstructions": False, "contact_sheet": True}
    ObservedRun(planned(source, out, **extras), lambda: None)
    part = f".{'0' * 32}.part"
    places = [
        out / f"{part}.png", out / "_figures" / f"{part}.png",
        out / "_thumbnails" / f"{part}.jpg", out / f"{part}.html", out / f"{part}.csv",
    ]  # fmt: skip
    foreign = [out / ".keep.part", out / f".{'z' * 32}.part.png", out / TRAIL_NAME]
    for path in (*places, *foreign[:2]):
        path.write_bytes(b"half")
    ObservedRun(planned(source, out, resume=True, figures=True), lambda: None)
    assert [path for path in (*places, *foreign) if path.exists()] == foreign[:2]
    assert not list(out.glob("*-wal"))

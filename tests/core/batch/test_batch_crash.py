"""A row that kills the program costs itself, not the batch and every resume of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.batch import BatchOptions, RowEvent, find_run, plan_batch, run_batch
from core.batch.crash_trail import TRAIL_NAME, CrashRecord, CrashTrail, read_trail
from core.batch.manifest import BatchManifest, RowRecord
from core.batch.recovery import crashed_rows
from core.fusion.engine import FusionEngine
from core.pairing.folders import pair_paths

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("UNIFUSION_TEST_DATA", ROOT.parent / "shared" / "data"))
NUMBER = 9

_CHILD = """
import os, signal, sys
from pathlib import Path
from core.batch import BatchOptions, row_steps, plan_batch, run_batch
from core.fusion.classical_engine import ClassicalEngine
from core.pairing.folders import pair_paths
source, out, deadly, death, *words = sys.argv[1:]
read = row_steps.read_row
def read_row(row, plan, progress):
    if row.match.name in deadly.split(","):
        exec(death)
    return read(row, plan, progress)
row_steps.read_row = read_row
options = BatchOptions(
    "mff", "average", out=Path(out), resume=True, workers=int(words[0]),
    retry_crashed="retry" in words,
)
plan = plan_batch(pair_paths([Path(source)], "mff"), options)
for event in run_batch(plan, ClassicalEngine()):
    row = getattr(event, "row", None)
    record = event.record if row else None
    print(record.state if row else "end", row.match.name if row else "",
          record.text if row else "", sep="|", flush=True)
"""
_THREAD = "signal.raise_signal(signal.SIG{0})"
"""As native code does it: the signal goes to the thread that made the fault."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    for side in "ab":
        (tmp_path / "in" / side).mkdir(parents=True)
        for index in range(NUMBER):
            content = cv2.imencode(".png", rng.integers(0, 256, (20, 24), dtype=np.uint8))[1]
            (tmp_path / "in" / side / f"p{index}.png").write_bytes(content.tobytes())
    return tmp_path / "in"


class Sitting:
    """One process over the batch: how it ended and what it told last of each row."""

    def __init__(self, source: Path, deadly: str, death: str, *words: str) -> None:
        line = [str(source), str(source.parent / "out"), deadly, death, *(words or ("2",))]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, *line],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        self.code, self.stderr = done.returncode, done.stderr
        # The process may die in the midst of a line.
        lines = [text for text in done.stdout.splitlines(keepends=True) if text.endswith("\n")]
        told = [text.rstrip("\n").split("|") for text in lines]
        self.is_whole = bool(told) and told[-1][0] == "end"
        self.rows = {name: (state, text) for state, name, text in told if name}
        self.fused = [name for state, name, _ in told if state == "done"]


def hidden(source: Path) -> list[str]:
    return [path.name for path in (source.parent / "out").glob(".*")]


@pytest.mark.long
@pytest.mark.parametrize("name", ["SEGV", "FPE", "ABRT", "BUS", "ILL"])
def test_a_crash_fails_its_row_and_no_other(source: Path, name: str) -> None:
    death = _THREAD.format(name)
    first = Sitting(source, "p4", death)
    assert first.code == -getattr(signal, f"SIG{name}")
    assert not first.is_whole
    assert TRAIL_NAME in hidden(source)
    second = Sitting(source, "p4", death)
    assert (second.code, second.is_whole, second.stderr) == (0, True, "")
    state, text = second.rows["p4"]
    assert state == "failed"
    assert "p4.png + p4.png: the program crashed while it worked on this pair" in text
    assert "--retry-failed" in text
    assert {n for n, (s, _) in second.rows.items() if s in ("done", "skipped")} == {
        f"p{i}" for i in range(NUMBER) if i != 4
    }
    assert not {*first.fused} & {*second.fused}, "nothing is fused twice"
    assert hidden(source) == []
    if name == "SEGV":  # what the record says from here on is the same for all
        _assert_tried_again_when_asked(source, death)


def _assert_tried_again_when_asked(source: Path, death: str) -> None:
    found = find_run(BatchOptions("mff", "average", out=source.parent / "out"))
    assert found is not None
    assert (found.total, found.done, found.failed) == (NUMBER, NUMBER - 1, 1)
    third = Sitting(source, "p4", death)
    assert third.is_whole, "plain going on does not try it again"
    assert third.fused == []
    fourth = Sitting(source, "p4", death, "2", "retry")
    assert fourth.code == -signal.SIGSEGV
    assert Sitting(source, "p4", death).rows["p4"][0] == "failed"
    fifth = Sitting(source, "", "", "2", "retry")
    assert fifth.fused == ["p4"]
    assert fifth.rows["p4"][0] == "done"


def test_the_stack_of_a_crash_names_its_thread(source: Path) -> None:
    """Also while other threads run: their stacks are left alone."""
    Sitting(source, "p4", _THREAD.format("FPE"), "4")
    left = read_trail(source.parent / "out")
    assert left is not None
    assert left.crashed
    assert left.thread in {thread for _, thread in left.rows}
    text = (source.parent / "out" / TRAIL_NAME).read_text()
    assert "Current thread" not in text
    assert text.count("most recent call first") == 1


@pytest.mark.long
@pytest.mark.parametrize("death", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(7)"])
def test_other_deaths_fail_their_row_at_the_second_time(source: Path, death: str) -> None:
    """Nobody can tell which of several rows it was: each is tried by itself, at the end."""
    sittings = [Sitting(source, "p2", death)]
    while not sittings[-1].is_whole:
        assert len(sittings) < 4
        sittings.append(Sitting(source, "p2", death))
    assert len(sittings) == 3, "one death beside others, one alone"
    assert len({name for name, (s, _) in sittings[1].rows.items() if s in ("done", "skipped")}) >= 4
    last = sittings[-1].rows
    assert last["p2"][0] == "failed"
    assert "it is not tried again unasked" in last["p2"][1]
    assert {n for n, (s, _) in last.items() if s in ("done", "skipped")} == {
        f"p{i}" for i in range(NUMBER) if i != 2
    }
    fused = [name for sitting in sittings for name in sitting.fused]
    assert len(fused) == len(set(fused)), "no row twice"
    assert len(list((source.parent / "out").glob("*.png"))) == NUMBER - 1
    assert hidden(source) == []


@pytest.mark.long
def test_two_deadly_rows(source: Path) -> None:
    death = _THREAD.format("FPE")
    sittings = 0
    while not (last := Sitting(source, "p1,p7", death, "3")).is_whole:
        sittings += 1
        assert sittings <= 2
    assert {n for n, (s, _) in last.rows.items() if s == "failed"} == {"p1", "p7"}
    assert len(last.rows) == NUMBER


@pytest.mark.long
def test_a_row_whose_file_was_mended_is_tried_by_itself(source: Path) -> None:
    death = _THREAD.format("SEGV")
    Sitting(source, "p0", death)
    assert Sitting(source, "p0", death).rows["p0"][0] == "failed"
    pixels = np.zeros((20, 24), np.uint8)
    (source / "a" / "p0.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    assert Sitting(source, "", "").rows["p0"] == ("done", "")


def record(key: str, strikes: int = 0) -> RowRecord:
    return RowRecord(key, Path("a/x.png"), Path("b/x.png"), Path("x.png"), "begun", strikes=strikes)


@pytest.mark.parametrize(
    ("left", "strikes", "wanted"),
    [
        # The thread is known: its row alone.
        (CrashRecord("n", (("k1", 5), ("k2", 6)), True, 6), {}, {"k2": ("crashed", 1)}),
        # A crash in no thread of Python's: all that were under way are suspects.
        (
            CrashRecord("n", (("k1", 5), ("k2", 6)), True),
            {},
            {"k1": ("begun", 1), "k2": ("begun", 1)},
        ),
        (
            CrashRecord("n", (("k1", 5), ("k2", 6)), True, 9),
            {},
            {"k1": ("begun", 1), "k2": ("begun", 1)},
        ),
        # Only one was under way.
        (CrashRecord("n", (("k1", 5),), True), {}, {"k1": ("crashed", 1)}),
        # Ended from outside.
        (CrashRecord("n", (("k1", 5),)), {}, {"k1": ("begun", 1)}),
        (CrashRecord("n", (("k1", 5),)), {"k1": 1}, {"k1": ("crashed", 2)}),
        # Between two rows, and rows that ended meanwhile.
        (CrashRecord("n", (), True, 3), {}, {}),
        (CrashRecord("n", (("gone", 3),), True, 3), {}, {}),
    ],
)
def test_crashed_rows(
    left: CrashRecord, strikes: Mapping[str, int], wanted: Mapping[str, tuple[str, int]]
) -> None:
    begun = {key: record(key, strikes.get(key, 0)) for key in ("k1", "k2")}
    assert {r.key: (r.state, r.strikes) for r in crashed_rows(left, begun)} == wanted


def test_a_death_counts_once(source: Path, tmp_path: Path) -> None:
    """The program may die again between the recording and the removal of the trail."""
    out = tmp_path / "out"
    options = BatchOptions("mff", "average", out=out)
    plan = plan_batch(pair_paths([source], "mff"), options)
    out.mkdir()
    key = plan.rows[0].key
    manifest = BatchManifest(out)
    match = plan.rows[0].match
    manifest.set_meta(settings="{}")
    manifest.begin([RowRecord(key, match.a, match.b, plan.rows[0].target, "begun")])
    manifest.close()
    trail = f"unifusion trail 1 one\n{key} {5:016x}\n"
    for _ in range(3):
        (out / TRAIL_NAME).write_text(trail)
        find_run(options)
        assert not (out / TRAIL_NAME).exists()
    manifest = BatchManifest(out)
    assert manifest.records()[key].strikes == 1
    manifest.close()


def test_a_trail(tmp_path: Path) -> None:
    assert read_trail(tmp_path) is None
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / TRAIL_NAME).symlink_to(victim)
    was = faulthandler.is_enabled()
    trail = CrashTrail(tmp_path, 2)
    assert victim.read_text() == "mine", "a link is not followed"
    key = "0123456789abcdef" * 2
    with trail.at(key), trail.at("f" * 32), trail.at("e" * 32):
        left = read_trail(tmp_path)
        assert left is not None
        assert {name for name, _ in left.rows} == {key, "f" * 32}, "no more than were foreseen"
        assert not left.crashed
    left = read_trail(tmp_path)
    assert left is not None
    assert left.rows == ()
    trail.close()
    with trail.at(key):
        pass
    assert read_trail(tmp_path) is None
    assert faulthandler.is_enabled() == was


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00 nothing", b"unifusion trail 9 x\n" + b"a" * 99]
)
def test_a_damaged_trail_is_no_trail(source: Path, tmp_path: Path, content: bytes) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / TRAIL_NAME).write_bytes(content)
    assert read_trail(out) is None
    plan = plan_batch(pair_paths([source], "mff"), BatchOptions("mff", "average", out=out))
    events = list(run_batch(plan, FusionEngine("cpu")))
    assert sum(isinstance(e, RowEvent) and e.record.state == "done" for e in events) == NUMBER
    assert list(out.glob(".*")) == []


def test_the_file_that_kills_natively(source: Path) -> None:
    """A damaged JPEG-XR tile: a division by zero in the decoder's own code."""
    deadly = DATA / "hostile" / "jpegxr_sigfpe.tif"
    if not deadly.is_file():
        pytest.skip(f"{deadly} is not there")
    for side in "ab":
        (source / side / "p5.png").unlink()
    (source / "b" / "p5.tif").write_bytes(deadly.read_bytes())
    (source / "a" / "p5.tif").write_bytes(deadly.read_bytes())
    sittings = [Sitting(source, "", "")]
    while not sittings[-1].is_whole:
        assert len(sittings) < 2, "one death at most"
        sittings.append(Sitting(source, "", ""))
    last = sittings[-1].rows
    assert {name for name, (state, _) in last.items() if state == "failed"} == {"p5"}
    assert {state for state, _ in last.values()} <= {"done", "skipped", "failed"}
    assert len(last) == NUMBER

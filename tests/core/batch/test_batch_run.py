"""A batch: every row ends in a known state, bad files cost their row, memory stays bounded."""

from __future__ import annotations

import csv
import errno
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest

from core.baselines import BASELINES
from core.batch import (
    BatchEvent,
    BatchFinished,
    BatchOptions,
    BatchPlan,
    RowEvent,
    memory_budget,
    plan_batch,
    pool,
    run_batch,
)
from core.batch.manifest import DiskFull
from core.batch.memory_budget import Budget
from core.errors import Cancelled, DeviceMemoryError, InputError, OutputError, PackError
from core.fusion.engine import FusionEngine
from core.io import read_image, read_pair, write_image
from core.metrics import evaluate, to_luma8
from core.pairing.folders import pair_paths
from core.progress import NullProgress, Progress
from core.types import FusionRequest, FusionResult


def make_pairs(folder: Path, number: int, size: tuple[int, int] = (12, 16)) -> Path:
    rng = np.random.default_rng(5)
    for side in ("a", "b"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        for index in range(number):
            pixels = rng.integers(0, 256, size, dtype=np.uint8)
            content = cv2.imencode(".png", pixels)[1].tobytes()
            (folder / side / f"p{index:03}.png").write_bytes(content)
    return folder


def planned(source: Path, out: Path, task: str = "mff", **more: object) -> BatchPlan:
    options = BatchOptions(task, "average", out=out, **more)  # type: ignore[arg-type]
    return plan_batch(pair_paths([source], task, skip=[out]), options)


def run(plan: BatchPlan, engine: object | None = None) -> tuple[list[RowEvent], BatchFinished]:
    events = list(run_batch(plan, engine or FusionEngine("cpu")))  # type: ignore[arg-type]
    *rows, last = events
    assert isinstance(last, BatchFinished)
    assert all(isinstance(event, RowEvent) for event in rows)
    return rows, last  # type: ignore[return-value]


def ends(rows: list[RowEvent]) -> dict[str, tuple[str, str]]:
    return {e.row.match.name: (e.record.state, e.record.text) for e in rows}


class Wrapped:
    """The real engine with something done before each fusion."""

    def __init__(self, before: Callable[[FusionRequest], None]) -> None:
        self._engine = FusionEngine("cpu")
        self._before = before

    def methods(self, task: str) -> tuple[object, ...]:
        return self._engine.methods(task)

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        self._before(request)
        return self._engine.fuse(request, progress, beside_others=beside_others)


def test_every_pair_is_fused_as_the_engine_fuses_it(tmp_path: Path) -> None:
    source = make_pairs(tmp_path / "in", 9)
    plan = planned(source, tmp_path / "out")
    rows, last = run(plan)
    assert (last.tally.done, last.tally.failed, last.tally.total) == (9, 0, 9)
    assert last.tally.seconds_left in (0.0, None)
    for place, row in enumerate(plan.rows):
        states = [e.record.state for e in rows if e.place == place]
        assert states == ["queued", "reading", "fusing", "writing", "done"]
        pair = read_pair(row.match.a, row.match.b)
        want = BASELINES["average"].fuse(pair.a.normalised(), pair.b.normalised())
        got = read_image(tmp_path / "out" / row.target)
        assert np.abs(got.normalised() - want).max() <= 0.5 / 255 + 1e-6
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*(f"p{i:03}.png" for i in range(9)), "unifusion-batch.sqlite"]
    )


def test_small_rows_fuse_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "usable_cores", lambda: 2)
    both_in = threading.Barrier(2, timeout=20)
    plan = planned(make_pairs(tmp_path / "in", 6), tmp_path / "out")
    _, last = run(plan, Wrapped(lambda request: both_in.wait() and None))
    assert last.tally.done == 6


@pytest.mark.parametrize(
    ("name", "value", "memory"),
    [("LARGE", 0, 2**30), ("_NETWORK", 14, 5 * 9216)],
    ids=["large", "no memory"],
)
def test_rows_that_need_much_memory_fuse_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int, memory: int
) -> None:
    monkeypatch.setattr(pool, "usable_cores", lambda: 4)
    monkeypatch.setattr(memory_budget, name, value)
    inside = threading.Semaphore(1)
    met: list[bool] = []

    def alone(request: FusionRequest) -> None:
        met.append(not inside.acquire(blocking=False))
        time.sleep(0.01)
        inside.release()

    plan = planned(make_pairs(tmp_path / "in", 9), tmp_path / "out", memory=memory)
    assert run(plan, Wrapped(alone))[1].tally.done == 9
    assert met == [False] * 9


def test_the_tally_grows_and_ends_whole(tmp_path: Path) -> None:
    rows, last = run(planned(make_pairs(tmp_path / "in", 5), tmp_path / "out"))
    counts = [event.tally.ended for event in rows]
    assert counts == sorted(counts)
    assert counts[-1] == last.tally.ended == 5
    assert all(e.tally.rate > 0 for e in rows if e.record.state == "done")


def test_junk_costs_its_rows_and_nothing_else(tmp_path: Path) -> None:
    source = make_pairs(tmp_path / "in", 4)
    a, b = source / "a", source / "b"
    good = (a / "p000.png").read_bytes()
    for name, content in {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "text": b"I am not a picture, only called one.\n" * 9,
    }.items():
        (a / f"{name}.png").write_bytes(good)
        (b / f"{name}.png").write_bytes(content)
    (a / "size.png").write_bytes(good)
    write_image(b / "size.png", np.zeros((3, 5, 1), np.float32), bit_depth=8)
    (a / "gone.png").write_bytes(good)
    (b / "gone.png").write_bytes(good)
    (a / "twice.png").write_bytes(good)
    (b / "twice.png").write_bytes(good)
    (b / "twice.jpg").write_bytes(good)
    (a / "alone.png").write_bytes(good)
    plan = planned(source, tmp_path / "out")
    (b / "gone.png").unlink()
    (b / "gone.png").symlink_to(b / "nowhere.png")
    rows, last = run(plan)
    state = ends(rows)
    assert (last.tally.done, last.tally.failed) == (4, 5)
    assert {name for name, (what, _) in state.items() if what == "done"} == {
        f"p{i:03}" for i in range(4)
    }
    assert "empty" in state["empty"][1]
    assert "damaged or incomplete" in state["truncated"][1]
    assert "text.png" in state["text"][1]
    assert "differ in size" in state["size"][1]
    assert "no such file" in state["gone"][1]
    assert sorted(row.match.name for row, _ in last.failures) == [
        "empty", "gone", "size", "text", "truncated",
    ]  # fmt: skip
    assert len(list((tmp_path / "out").glob("*.png"))) == 4
    assert not list((tmp_path / "out").glob(".*"))
    resampled, _ = run(planned(source, tmp_path / "out2", resample=True))
    assert ends(resampled)["size"][0] == "done"


def test_an_unexpected_error_costs_one_row(tmp_path: Path) -> None:
    def stumble(request: FusionRequest) -> None:
        if request.pair.a.name == "p001.png":
            raise ZeroDivisionError("by chance")

    rows, last = run(planned(make_pairs(tmp_path / "in", 3), tmp_path / "out"), Wrapped(stumble))
    assert last.tally.done == 2
    assert ends(rows)["p001"] == (
        "failed",
        "p001: unexpected error (ZeroDivisionError: by chance)",
    )


@pytest.mark.parametrize("workers", [1, 3])
def test_never_more_pairs_in_memory_than_allowed(tmp_path: Path, workers: int) -> None:
    most = 0

    def linger(request: FusionRequest) -> None:
        time.sleep(0.03)  # slower than the readers, so that they run into the bound

    plan = planned(make_pairs(tmp_path / "in", 14), tmp_path / "out", workers=workers, in_flight=3)
    inside: set[int] = set()
    for event in run_batch(plan, Wrapped(linger)):
        if isinstance(event, RowEvent):
            if event.record.state == "reading":
                inside.add(event.place)
            elif event.record.state in ("done", "failed"):
                inside.discard(event.place)
            most = max(most, len(inside))
    # A row's room is given back just after its last event is sent, so the events may lag by one
    # row per writer; the budget itself is exact and tested below.
    assert 2 <= most <= 3 + workers


@pytest.mark.parametrize(("large", "most"), [(0, 3), (2**40, 7)], ids=["large", "small"])
def test_of_large_pairs_only_three_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int, most: int
) -> None:
    """``in_flight`` allows seven; fusing holds on until the readers have run into the bound."""
    made: list[Budget] = []

    def budget(*words: int) -> Budget:
        made.append(Budget(*words))
        return made[-1]

    def hold(request: FusionRequest) -> None:
        patience = time.monotonic() + 5
        while made[0].peak < most and time.monotonic() < patience:
            time.sleep(0.005)
        time.sleep(0.02)  # one more would come in now, if it could

    monkeypatch.setattr(memory_budget, "Budget", budget)
    monkeypatch.setattr(memory_budget, "LARGE", large)
    monkeypatch.setattr(pool, "usable_cores", lambda: 7)
    plan = planned(make_pairs(tmp_path / "in", 12), tmp_path / "out", workers=2, in_flight=7)
    _, last = run(plan, Wrapped(hold))
    assert last.tally.done == 12
    assert made[0].peak == most


def test_the_budget_is_exact() -> None:
    budget = Budget(3, 100)
    inside = peak_bytes = peak = 0
    lock = threading.Lock()

    def use(size: int) -> None:
        nonlocal inside, peak, peak_bytes
        for _ in range(60):
            budget.acquire(size, lambda: None)
            with lock:
                inside += 1
                held.append(size)
                peak = max(peak, inside)
                if len(held) > 1:
                    peak_bytes = max(peak_bytes, sum(held))
            with lock:
                inside -= 1
                held.remove(size)
            budget.release(size)

    held: list[int] = []
    threads = [threading.Thread(target=use, args=(size,)) for size in (10, 45, 60, 30, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert peak <= 3
    assert budget.peak <= 3
    assert peak_bytes <= 100, "beside another pair, all fit; alone, any size is let in"


def test_waiting_for_room_ends_when_the_run_does() -> None:
    budget = Budget(1, 10)
    budget.acquire(5, lambda: None)

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        budget.acquire(5, stop)
    budget.release(5)
    budget.acquire(500, stop)


def test_rows_that_do_not_fit_are_tried_again_alone(tmp_path: Path) -> None:
    tries: Counter[str] = Counter()
    tiled: list[str] = []

    def full(request: FusionRequest) -> None:
        name = request.pair.a.name
        tries[name] += 1
        tiled.extend([name] if request.tiles else [])
        if (name == "p001.png" and tries[name] == 1) or name == "p003.png":
            raise DeviceMemoryError("A picture does not fit", "the memory ran out", "Smaller.")

    rows, last = run(planned(make_pairs(tmp_path / "in", 5), tmp_path / "out"), Wrapped(full))
    assert (last.tally.done, last.tally.failed) == (4, 1)
    texts = [e.record.text for e in rows if e.place == 1 and e.record.state == "queued"]
    assert texts == ["", "memory ran out: tried again at the end, by itself and in tiles"]
    assert ends(rows)["p001"][0] == "done"
    assert ends(rows)["p003"] == ("failed", "A picture does not fit: the memory ran out. Smaller.")
    assert tries["p003.png"] == 2
    assert sorted(tiled) == ["p001.png", "p003.png"]


class StopAfter(NullProgress):
    """Cancels once ``event`` is set."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def check(self) -> None:
        if self.stop.is_set():
            raise Cancelled


def batch_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("batch-")]


@pytest.mark.parametrize("state", ["reading", "fusing", "writing", "done"])
def test_cancel_leaves_whole_files_and_no_thread(tmp_path: Path, state: str) -> None:
    number = 120  # events come in lots: more rows than end between two of them
    source, out = make_pairs(tmp_path / "in", number), tmp_path / "out"
    progress = StopAfter()
    plan = planned(source, out)

    def consume(events: Iterator[BatchEvent]) -> None:
        for event in events:
            if isinstance(event, RowEvent) and event.record.state == state and event.place >= 4:
                progress.stop.set()

    with pytest.raises(Cancelled):
        consume(run_batch(plan, FusionEngine("cpu"), progress))
    assert batch_threads() == []
    assert not list(out.glob(".*"))
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert len(before) < number
    for name in before:
        assert read_image(out / name).size == (16, 12)
    again = plan_batch(pair_paths([source]), replace(plan.options, resume=True))
    rows, last = run(again)
    assert last.tally.done + last.tally.skipped == number
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert len(after) == number
    assert {name: after[name] for name in before} == before, "nothing finished is done again"
    assert sum(e.record.state == "done" for e in rows) == number - len(before)


def test_closing_the_generator_stops_the_work(tmp_path: Path) -> None:
    events = run_batch(
        planned(make_pairs(tmp_path / "in", 120), tmp_path / "out"), FusionEngine("cpu")
    )
    for event in events:
        if isinstance(event, RowEvent) and event.record.state == "done":
            break
    events.close()  # type: ignore[attr-defined]
    assert batch_threads() == []
    assert len(list((tmp_path / "out").glob("*.png"))) < 120


def test_cancelling_does_not_wait_for_a_slow_fusion(tmp_path: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(request: FusionRequest) -> None:
        entered.set()
        release.wait(60)

    progress = StopAfter()
    plan = planned(make_pairs(tmp_path / "in", 3), tmp_path / "out")
    outcome: list[BaseException] = []

    def consume() -> None:
        try:
            for _ in run_batch(plan, Wrapped(slow), progress):
                pass
        except Cancelled as error:
            outcome.append(error)

    consumer = threading.Thread(target=consume)
    consumer.start()
    assert entered.wait(30)
    progress.stop.set()
    consumer.join(30)
    try:
        assert not consumer.is_alive(), "the run ended while the engine was still at work"
        assert len(outcome) == 1
    finally:
        release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("batch-"):
            thread.join(30)
    assert not list((tmp_path / "out").glob("*.png")), "what came too late was thrown away"


def test_a_pause_holds_all_work(tmp_path: Path) -> None:
    class Pausing(NullProgress):
        def __init__(self) -> None:
            self.go = threading.Event()
            self.go.set()

        def check(self) -> None:
            self.go.wait(60)

    progress, fused = Pausing(), Counter[str]()

    def count(request: FusionRequest) -> None:
        fused["all"] += 1
        if fused["all"] == 3:
            progress.go.clear()
            threading.Timer(0.3, look).start()

    seen: list[int] = []

    def look() -> None:
        seen.append(fused["all"])
        progress.go.set()

    _, last = run_with(planned(make_pairs(tmp_path / "in", 8), tmp_path / "out"), count, progress)
    assert last.tally.done == 8
    assert seen == [3], "nothing was begun during the pause"


def run_with(
    plan: BatchPlan, before: Callable[[FusionRequest], None], progress: Progress
) -> tuple[list[BatchEvent], BatchFinished]:
    events = list(run_batch(plan, Wrapped(before), progress))
    assert isinstance(events[-1], BatchFinished)
    return events, events[-1]


def test_a_pack_that_cannot_be_used_ends_the_run(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 2), tmp_path / "out"
    options = BatchOptions("mff", str(tmp_path / "none.safetensors"), out=out)
    with pytest.raises(PackError):
        list(run_batch(plan_batch(pair_paths([source]), options), FusionEngine("cpu")))
    deadline = time.monotonic() + 10  # a thread whose row is done may still be ending
    while batch_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert batch_threads() == []
    options = replace(options, method="nonsense", out=tmp_path / "out2")
    with pytest.raises(InputError, match="nonsense"):
        list(run_batch(plan_batch(pair_paths([source]), options), FusionEngine("cpu")))


def test_a_full_disk_stops_the_run_and_it_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = make_pairs(tmp_path / "in", 8), tmp_path / "out"
    real, room = os.fsync, [3]

    def fsync(handle: int) -> None:
        # The system itself says so when the data of a file reaches the disk.
        if threading.current_thread().name.startswith("batch-"):
            if room[0] <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if stat.S_ISREG(os.fstat(handle).st_mode):
                room[0] -= 1
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(DiskFull, match="disk is full"):
            list(run_batch(planned(source, out, workers=1), FusionEngine("cpu")))
    assert batch_threads() == []
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert 0 < len(before) < 8
    assert not list(out.glob(".*"))
    _, last = run(planned(source, out, workers=1, resume=True))
    assert last.tally.done + last.tally.skipped == 8
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert {name: after[name] for name in before} == before
    assert len(after) == 8


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 3), tmp_path / "out"
    plan = planned(source, out)
    first = run_batch(plan, FusionEngine("cpu"))
    next(first)
    with pytest.raises(OutputError, match="another batch"):
        list(run_batch(plan, FusionEngine("cpu")))
    assert isinstance(list(first)[-1], BatchFinished)


def test_the_tree_is_kept_and_numbers_go_up(tmp_path: Path) -> None:
    make_pairs(tmp_path / "in" / "day", 2)
    make_pairs(tmp_path / "in" / "night" / "rain", 1)
    out = tmp_path / "out"
    plan = planned(tmp_path / "in", out, template="{index:03}_{name}_{task}.tif")
    run(plan)
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.tif")) == [
        "day/001_p000_mff.tif",
        "day/002_p001_mff.tif",
        "night/rain/003_p000_mff.tif",
    ]


def test_depth_and_provenance(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 1), tmp_path / "out"
    run(planned(source, out, depth=16))
    assert read_image(out / "p000.png").bit_depth == 16
    assert b"UniFusion Studio" in (out / "p000.png").read_bytes()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe", "b")
        self.targets += [value for key, value in attrs if key in ("src", "href") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_is_made_besides(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 2), tmp_path / "out"
    odd = "x&y<b>'#1% é\""
    for side in ("a", "b"):
        (source / side / "p001.png").rename(source / side / f"{odd}.png")
        (source / side / "bad.png").write_bytes(b"")
    wanted = {"figures": True, "metrics": True, "contact_sheet": True, "reconstructions": True}
    plan = planned(source, out, "mif", **wanted)
    rows, last = run(plan)
    assert [path.name for path in last.files] == ["metrics.csv", "contact-sheet.html"]
    assert any("no reconstructions" in note for e in rows for note in e.record.notes)
    page = _Links()
    page.feed((out / "contact-sheet.html").read_text(encoding="utf-8"))
    assert len(page.targets) == 4
    for target in page.targets:
        assert "://" not in target
        assert (out / unquote(target)).is_file()
    assert odd in page.text
    assert "empty" in page.text
    assert "Research use only" in page.text
    assert "AI" not in page.text  # the method is a classical one
    figure = read_image(out / "_figures" / "p000.png")
    assert figure.width >= 3 * 16
    pair, fused = read_pair(*(source / s / "p000.png" for s in "ab")), read_image(out / "p000.png")
    assert np.array_equal(figure.data[28:40, :16], np.repeat(pair.a.data, 3, axis=2))
    assert np.array_equal(figure.data[28:40, 48:64], np.repeat(fused.data, 3, axis=2))
    with (out / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        table = {line["name"]: line for line in csv.DictReader(stream)}
    assert set(table) == {"p000", odd}
    planes = [to_luma8(i.normalised()) for i in (pair.a, pair.b, fused)]
    for name, value in evaluate(*planes, ["CC"]).items():
        assert float(table["p000"][name]) == pytest.approx(value, abs=2e-3)


def test_metrics_that_are_not_defined_are_left_empty_also_after_resuming(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 2), tmp_path / "out"
    black = cv2.imencode(".png", np.zeros((12, 16), np.uint8))[1].tobytes()
    for side in ("a", "b"):
        (source / side / "p000.png").write_bytes(black)
    plan = planned(source, out, metrics=True, contact_sheet=True)
    run(plan)
    for _ in range(2):
        with (out / "metrics.csv").open(encoding="utf-8", newline="") as stream:
            table = {line["name"]: line for line in csv.DictReader(stream)}
        empty = {name for name, cell in table["p000"].items() if not cell}
        assert empty == {"VIF", "Qabf", "CC"}
        assert all(table["p001"].values())
        page = (out / "contact-sheet.html").read_text(encoding="utf-8")
        assert "CC –↑" in page
        assert "nan" not in page.lower()
        (out / "metrics.csv").unlink()
        run(planned(source, out, metrics=True, contact_sheet=True, resume=True))


def test_a_missing_thumbnail_is_made_again(tmp_path: Path) -> None:
    source, out = make_pairs(tmp_path / "in", 1), tmp_path / "out"
    run(planned(source, out))
    run(planned(source, out, resume=True, contact_sheet=True))
    assert (out / "_thumbnails" / "p000.jpg").is_file()
    assert "_thumbnails/p000.jpg" in (out / "contact-sheet.html").read_text(encoding="utf-8")

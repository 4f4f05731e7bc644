"""One row as a function of its own, and the pool of threads that calls it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from core.batch import BatchPlan, QueueOrder, RowEvent, RowRecord, run_batch
from core.batch.manifest import BatchManifest
from core.batch.output_folder import OutputFolder
from core.batch.row_progress import RowProgress
from core.batch.row_work import OtherPack, RowContext, process_row
from core.errors import Cancelled, DeviceMemoryError, Message
from core.fusion.engine import FusionEngine
from core.io import read_image, read_pair
from core.progress import NullProgress
from core.types import FusionRequest
from tests.core.batch.test_batch_run import Wrapped, make_pairs, planned


@pytest.fixture
def plan(tmp_path: Path) -> BatchPlan:
    (tmp_path / "out").mkdir()
    return planned(make_pairs(tmp_path / "in", 3), tmp_path / "out")


@pytest.fixture
def context(plan: BatchPlan) -> Iterator[RowContext]:
    place = OutputFolder(plan.options.out)
    progress = RowProgress(NullProgress(), threading.Event())
    yield RowContext(plan=plan, engine=FusionEngine("cpu"), place=place, progress=progress)
    place.close()


def processed(context: RowContext) -> RowRecord:
    """The first row of the plan, processed by nothing but the function."""
    row = context.plan.rows[0]
    return process_row(row, row.record("queued"), context)


def test_a_row_becomes_its_record_without_threads_or_a_manifest(
    plan: BatchPlan, context: RowContext
) -> None:
    told: list[str] = []
    record = processed(replace(context, tell=lambda record: told.append(record.state)))
    row = plan.rows[0]
    target = plan.options.out / row.target
    assert told == ["reading", "fusing", "writing"]
    assert (record.state, record.size) == ("done", target.stat().st_size)
    assert record.stamps is not None
    assert all(stamp.digest for stamp in record.stamps)
    pair = read_pair(row.match.a, row.match.b)
    wanted = FusionEngine("cpu").fuse(FusionRequest(pair, "mff", "average")).fused
    assert abs(read_image(target).normalised() - wanted).max() <= 0.5 / 255 + 1e-6
    assert [path.name for path in plan.options.out.iterdir()] == [target.name]


def test_what_surrounds_a_row_is_entered_in_turn(context: RowContext) -> None:
    order: list[str] = []

    @contextmanager
    def fusing() -> Iterator[bool]:
        order.append("may fuse")
        yield True
        order.append("has fused")

    @contextmanager
    def writing() -> Iterator[None]:
        order.append("may write")
        yield
        order.append("has written")

    def check(made_by: Mapping[str, str]) -> None:
        order.append(made_by["method"])

    processed(replace(context, fusing=fusing, writing=writing, check=check))
    assert order == ["may fuse", "average", "has fused", "may write", "has written"]


def test_errors_of_a_row_are_in_its_record_and_those_of_the_run_are_raised(
    context: RowContext,
) -> None:
    def too_large(request: FusionRequest) -> None:
        raise DeviceMemoryError(Message("A picture"))

    small = replace(context, engine=Wrapped(too_large))
    assert processed(small).state == "queued", "to be tried again alone"
    assert processed(replace(small, alone=True)).state == "failed"

    def other(made_by: Mapping[str, str]) -> None:
        raise OtherPack(Message("The batch"))

    with pytest.raises(OtherPack):
        processed(replace(context, check=other))
    assert list(context.plan.options.out.iterdir()) == [], "checked before anything is written"
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Cancelled):
        processed(replace(context, progress=RowProgress(NullProgress(), stopped)))
    context.plan.rows[0].match.a.write_bytes(b"no picture")
    assert processed(context).state == "failed"


def test_rows_that_were_handed_out_are_taken_back_when_the_order_changes(tmp_path: Path) -> None:
    """Those that threads work on already go on."""
    size, main = 2, threading.current_thread()
    plan = planned(make_pairs(tmp_path / "in", 40), tmp_path / "out", in_flight=size)
    order, gate, begun, turns = QueueOrder(), threading.Event(), list[str](), [0]

    def hold(request: FusionRequest) -> None:
        begun.append(request.pair.a.name)
        assert gate.wait(20)

    class Turns(NullProgress):
        def check(self) -> None:
            """At the second turn of the pool after the change, it has been heeded."""
            if order.version and threading.current_thread() is main:
                turns[0] += 1
                if turns[0] == 2:
                    gate.set()

    for event in run_batch(plan, Wrapped(hold), Turns(), order=order):
        if isinstance(event, RowEvent) and len(begun) == size and not order.version:
            order.set([row.key for row in reversed(plan.rows)])
    assert sorted(begun) == [f"p{number:03}.png" for number in range(40)]
    assert set(begun[:size]) == {"p000.png", "p001.png"}
    assert set(begun[size : 3 * size]) <= {f"p{number:03}.png" for number in range(34, 40)}


def test_what_was_written_when_a_run_is_closed_is_recorded(tmp_path: Path) -> None:
    plan = planned(make_pairs(tmp_path / "in", 30), tmp_path / "out")
    helpers = cv2.getNumThreads()
    events = run_batch(plan, FusionEngine("cpu"))
    for event in events:
        if isinstance(event, RowEvent) and event.record.state == "done":
            assert cv2.getNumThreads() == 1
            break
    events.close()  # type: ignore[attr-defined]
    assert cv2.getNumThreads() == helpers
    manifest = BatchManifest(plan.options.out)
    states = {key: record.state for key, record in manifest.records().items()}
    manifest.close()
    written = {row.key for row in plan.rows if (plan.options.out / row.target).exists()}
    assert written
    assert written == {key for key, state in states.items() if state == "done"}

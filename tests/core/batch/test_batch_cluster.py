"""A batch on a scheduler and real workers: the same results, and nothing lost, twice or half."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from core.batch import (
    BatchEvent,
    BatchFinished,
    BatchOptions,
    ClusterNews,
    RowEvent,
    plan_batch,
    run_batch,
)
from core.batch.cluster_pool import ClusterStopped
from core.batch.manifest import MANIFEST_NAME
from core.batch.output_folder import Stopped
from core.batch.row_files import STAGING_PREFIX
from core.cluster.certificates import make_certificates
from core.cluster.choice import ClusterChoice
from core.cluster.errors import ClusterError
from core.errors import Cancelled
from core.fusion.classical_engine import ClassicalEngine
from core.pairing.folders import pair_paths
from core.progress import NullProgress
from tests.cluster_processes import ClusterProcesses, command

pytest.importorskip("distributed")
DEADLY = """
import os, signal
from core.batch import row_steps
if not hasattr(row_steps, "deadly"):  # a preload may be run twice
    row_steps.deadly = row_steps.read_row
def read_row(row, plan, progress):
    if "deadly" in row.match.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return row_steps.deadly(row, plan, progress)
row_steps.read_row = read_row
"""
OTHER_VERSION = "import core; core.__version__ = '0.0.9'"
OTHER_PACK = """
from core.cluster import identity
identity.pack_digest = lambda task, method: "f" * 64
"""
BLIND = """
from pathlib import Path
from core.batch import row_files
row_files.SharedFolder.is_here = lambda self: False
"""
UNREACHABLE = """
async def dask_setup(worker):  # before it tells the scheduler of itself
    for listener in worker.listeners:
        await listener.stop()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcesses]:
    with ClusterProcesses(tmp_path_factory.mktemp("cluster"), frozen_after=5) as processes:
        processes.start_workers(3)
        yield processes


def sources(folder: Path, number: int, side: int = 48, *more: str) -> Path:
    rng = np.random.default_rng(7)
    names = [*(f"p{index:03}" for index in range(number)), *more]
    for letter in "ab":
        (folder / letter).mkdir(parents=True)
        for name in names:
            pixels = rng.integers(0, 256, (side, side + 8), dtype=np.uint8)
            cv2.imwrite(str(folder / letter / f"{name}.png"), pixels)
    return folder


class Sitting:
    """A run of a batch on a cluster, with all that it told."""

    def __init__(
        self, source: Path, out: Path, address: str, *, act: Callable[[int], None] | None = None,
        progress: NullProgress | None = None, patience: float = 60, group: int = 2,
        certificates: Path | None = None, **options: object,
    ) -> None:  # fmt: skip
        chosen = BatchOptions("mff", "average", out=out, **options)  # type: ignore[arg-type]
        plan = plan_batch(pair_paths([source], "mff"), chosen)
        choice = ClusterChoice(
            address, rows_per_worker=group, patience=patience, certificates=certificates
        )
        self.events: list[BatchEvent] = []
        ended = 0
        for event in run_batch(plan, ClassicalEngine(), progress, cluster=choice):
            self.events.append(event)
            if isinstance(event, RowEvent) and event.record.state == "done":
                ended += 1
                if act is not None:
                    act(ended)

    @property
    def failures(self) -> dict[str, str]:
        finished = self.events[-1]
        assert isinstance(finished, BatchFinished)
        return {row.match.name: text for row, text in finished.failures}

    @property
    def times_done(self) -> Counter[str]:
        events = (event for event in self.events if isinstance(event, RowEvent))
        return Counter(event.row.match.name for event in events if event.record.state == "done")

    @property
    def said(self) -> list[str]:
        return [str(e.text) for e in self.events if isinstance(e, ClusterNews) and e.text]


def assert_whole(out: Path, local: Path, number: int) -> None:
    """All rows are there once, with the pixels of a local run, and nothing else is."""
    names = sorted(path.name for path in out.iterdir() if path.suffix == ".png")
    assert len(names) == number
    for name in names:
        here, there = (cv2.imread(str(folder / name), -1) for folder in (out, local))
        np.testing.assert_array_equal(here, there)
    left = [path.name for path in out.iterdir() if path.suffix != ".png"]
    assert left == [MANIFEST_NAME]
    with sqlite3.connect(out / MANIFEST_NAME) as db:
        rows = db.execute("SELECT state, count(*) FROM rows GROUP BY state").fetchall()
    db.close()
    assert rows == [("done", number)]


@pytest.fixture
def local(tmp_path: Path) -> Callable[[Path], Path]:
    def run(source: Path) -> Path:
        out = tmp_path / "local"
        plan = plan_batch(pair_paths([source], "mff"), BatchOptions("mff", "average", out=out))
        assert isinstance(list(run_batch(plan, ClassicalEngine()))[-1], BatchFinished)
        return out

    return run


@pytest.mark.long
def test_a_killed_and_a_frozen_worker_cost_no_row(
    cluster: ClusterProcesses, tmp_path: Path, local: Callable[[Path], Path]
) -> None:
    source = sources(tmp_path / "in", 40)
    killed, frozen, _ = cluster.workers[-3:]

    def act(ended: int) -> None:
        if ended == 5:
            killed.signal_all(signal.SIGKILL)
        if ended == 10:
            frozen.signal_all(signal.SIGSTOP)

    sitting = Sitting(source, tmp_path / "out", cluster.address, act=act)
    assert sitting.failures == {}
    assert set(sitting.times_done.values()) == {1}
    # The frozen one wakes up: what it writes replaces nothing.
    frozen.signal_all(signal.SIGCONT)
    assert_whole(tmp_path / "out", local(source), 40)
    cluster.start_workers(1)


@pytest.mark.long
def test_a_killed_scheduler_ends_the_batch_with_one_line_and_it_goes_on(
    cluster: ClusterProcesses, tmp_path: Path, local: Callable[[Path], Path]
) -> None:
    source, out = sources(tmp_path / "in", 40), tmp_path / "out"

    def act(ended: int) -> None:
        if ended == 6:
            cluster.scheduler.signal_all(signal.SIGKILL)

    with pytest.raises(
        ClusterStopped, match=r"scheduler at tcp://127.0.0.1:\d+: it does not answer"
    ):
        Sitting(source, out, cluster.address, act=act)
    assert not list(out.glob(f"{STAGING_PREFIX}*"))
    done = len(list(out.glob("*.png")))
    assert 6 <= done < 40
    cluster.workers[-1].process.wait(30)
    told = [line for line in cluster.workers[-1].lines if line.startswith("unifusion:")]
    assert len(told) == 1
    assert "it is gone, so that the workers of this computer have ended" in told[0]

    cluster.start_scheduler_again()
    cluster.start_workers(2)
    sitting = Sitting(source, out, cluster.address, resume=True)
    assert sitting.failures == {}
    assert len(sitting.times_done) == 40 - done
    assert_whole(out, local(source), 40)


@pytest.mark.long
def test_cancelling_takes_everything_back(cluster: ClusterProcesses, tmp_path: Path) -> None:
    source, out = sources(tmp_path / "in", 30), tmp_path / "out"

    class Stop(NullProgress):
        wanted = False

        def check(self) -> None:
            if self.wanted:
                raise Cancelled

    stop = Stop()

    def act(ended: int) -> None:
        stop.wanted = ended >= 3

    with pytest.raises(Cancelled):
        Sitting(source, out, cluster.address, act=act, progress=stop)
    assert 3 <= len(list(out.glob("*.png"))) < 30
    assert not list(out.glob(f"{STAGING_PREFIX}*"))
    assert Sitting(source, out, cluster.address, resume=True).failures == {}
    assert len(list(out.glob("*.png"))) == 30


@pytest.mark.slow
def test_a_row_that_kills_workers_fails_by_itself(tmp_path: Path) -> None:
    source = sources(tmp_path / "in", 6, 48, "deadly")
    with ClusterProcesses(tmp_path) as cluster:
        cluster.start_workers(preload=DEADLY)
        sitting = Sitting(source, tmp_path / "out", cluster.address)
    assert list(sitting.failures) == ["deadly"]
    assert "3 workers died while they worked on this pair" in sitting.failures["deadly"]
    assert set(sitting.times_done) == {f"p{index:03}" for index in range(6)}


@pytest.mark.slow
def test_a_row_that_takes_too_much_memory_fails_by_itself(tmp_path: Path) -> None:
    source = sources(tmp_path / "in", 4)
    for letter in "ab":
        large = np.random.default_rng(1).integers(0, 256, (4000, 5000), dtype=np.uint8)
        cv2.imwrite(str(source / letter / "q.png"), large)
    with ClusterProcesses(tmp_path) as cluster:
        cluster.start_workers(memory=0.4)
        sitting = Sitting(source, tmp_path / "out", cluster.address)
    assert list(sitting.failures) == ["q"]
    assert "3 workers ran out of memory with this pair" in sitting.failures["q"]
    assert len(sitting.times_done) == 4


@pytest.mark.slow
def test_workers_that_differ_get_no_row_and_one_that_sees_no_folder_sends_back(
    cluster: ClusterProcesses, tmp_path: Path, local: Callable[[Path], Path]
) -> None:
    source, out = sources(tmp_path / "in", 12), tmp_path / "out"
    for worker in cluster.workers:
        worker.end()
    for preload in (OTHER_VERSION, OTHER_PACK):
        cluster.start_workers(preload=preload)
    with pytest.raises(Stopped, match="none can be used: it"):
        Sitting(source, out, cluster.address)
    assert not list(out.glob("*.png"))
    cluster.start_workers(preload=BLIND)
    sitting = Sitting(source, out, cluster.address, resume=True)
    assert sitting.failures == {}
    assert_whole(out, local(source), 12)
    said = " ".join(sitting.said)
    assert len(sitting.said) == 2
    assert "it has version 0.0.9, and here is" in said
    assert "its pack average is another one (ffffffff there" in said


@pytest.mark.slow  # the scheduler tries for ten seconds
def test_a_worker_that_nobody_can_connect_to_gets_no_row(tmp_path: Path) -> None:
    """As behind a firewall: it connects to the scheduler, and the scheduler not to it."""
    source = sources(tmp_path / "in", 2)
    with ClusterProcesses(tmp_path) as cluster:
        cluster.start_workers(preload=UNREACHABLE)
        with pytest.raises(Stopped, match="the scheduler cannot connect to the worker"):
            Sitting(source, tmp_path / "out", cluster.address)


@pytest.mark.long
def test_with_certificates_everything_is_encrypted_and_nothing_else_listens(
    tmp_path: Path, local: Callable[[Path], Path]
) -> None:
    keys, others, source = tmp_path / "keys", tmp_path / "others", sources(tmp_path / "in", 4)
    make_certificates(keys)
    make_certificates(others)
    with ClusterProcesses(tmp_path, certificates=keys) as cluster:
        cluster.start_workers()
        assert cluster.address.startswith("tls://")
        for program in (cluster.scheduler, *cluster.workers):
            top = psutil.Process(program.process.pid)
            for one in (top, *top.children(recursive=True)):
                ports = [c.laddr for c in one.net_connections("inet") if c.status == "LISTEN"]
                assert len(ports) <= 1
                assert {place.ip for place in ports} <= {"127.0.0.1"}
        Sitting(source, tmp_path / "out", cluster.address, certificates=keys)
        with pytest.raises(ClusterError, match="its certificate is not of our authority"):
            Sitting(source, tmp_path / "no", cluster.address, certificates=others)
        refused = command("worker", cluster.address, "--device", "cpu", "--certificates", others)
        assert "its certificate is not of our authority" in refused.wait_for("unifusion:")
        refused.end()
    assert_whole(tmp_path / "out", local(source), 4)


@pytest.mark.slow
def test_two_thousand_real_pairs_with_all_that_can_happen(
    tmp_path: Path, shared_data: Path, local: Callable[[Path], Path]
) -> None:
    """One worker is killed, one frozen, then the scheduler killed, and the batch resumed."""
    originals = sorted((shared_data / "val" / "mif" / "a").iterdir())
    for letter in "ab":
        (tmp_path / "in" / letter).mkdir(parents=True)
        (tmp_path / "few" / letter).mkdir(parents=True)
        for index in range(2000):
            original = shared_data / "val" / "mif" / letter / originals[index % len(originals)].name
            (tmp_path / "in" / letter / f"{index:04}_{original.name}").symlink_to(original)
            few = tmp_path / "few" / letter / original.name
            if not few.exists():
                few.symlink_to(original)
    out = tmp_path / "out"
    with ClusterProcesses(tmp_path, frozen_after=5) as cluster:
        cluster.start_workers(3)
        killed, frozen, _ = cluster.workers
        deeds: dict[int, Callable[[], None]] = {
            200: lambda: killed.signal_all(signal.SIGKILL),
            400: lambda: frozen.signal_all(signal.SIGSTOP),
            1200: lambda: cluster.scheduler.signal_all(signal.SIGKILL),
        }
        with pytest.raises(ClusterStopped):
            Sitting(
                tmp_path / "in", out, cluster.address, group=0,
                act=lambda ended: deeds.get(ended, int)() and None,
            )  # fmt: skip
        done = len(list(out.glob("*.png")))
        assert 1200 <= done < 2000
        frozen.signal_all(signal.SIGCONT)
        cluster.start_scheduler_again()
        cluster.start_workers(2)
        sitting = Sitting(tmp_path / "in", out, cluster.address, group=0, resume=True)
    assert sitting.failures == {}
    assert set(sitting.times_done.values()) == {1}
    assert len(sitting.times_done) == 2000 - done
    with contextlib.closing(sqlite3.connect(out / MANIFEST_NAME)) as db:
        assert db.execute("SELECT state, count(*) FROM rows GROUP BY state").fetchall() == [
            ("done", 2000)
        ]
    names = sorted(path.name for path in out.iterdir())
    assert [name for name in names if not name.endswith(".png")] == [MANIFEST_NAME]
    assert len(names) == 2001
    expected = local(tmp_path / "few")
    for path in out.glob("*.png"):
        whole = cv2.imread(str(path), -1)
        np.testing.assert_array_equal(whole, cv2.imread(str(expected / path.name[5:]), -1))

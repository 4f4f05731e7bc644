"""A batch on workers of a cluster compared with the batch of one computer.

    python benchmarks/cluster.py --data ../shared/data/val/mif --task mif --method mif-compact

Two workers with one row at once, each held on a core of its own, and the batch of one computer on
the same two cores fuse the same pairs, alternately; ratios are computed per repetition. Start-up is
excluded on both sides: the workers have fused some pairs before, and the engine is loaded. Beside
other work, more processes get more of the processor: then processor seconds decide, of all
processes together.

    python benchmarks/cluster.py --data ../shared/data/val/mif --cost

gives what a row costs besides fusing it (``average``, real pairs, rows handed out singly and in
groups), processor time of the scheduler for a call and of the submitter for a row, and a projection
to many workers.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.batch import repeated

ROOT = Path(__file__).resolve().parents[1]
_WARM = 8
_GROUP_SECONDS = 2.0


@dataclass(frozen=True)
class Cluster:
    """A scheduler and workers that run here."""

    address: str
    scheduler: psutil.Process
    programs: tuple[psutil.Process, ...]

    def processor(self) -> float:
        """Processor seconds of all of its processes so far."""
        every = [one for top in self.programs for one in (top, *top.children(recursive=True))]
        return sum(map(_processor, every))


def started(core: int | None, *words: str) -> tuple[subprocess.Popen[str], str]:
    """A command of the program, once it has said its first line; held on ``core``."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "app", *words]
    if core is not None:
        line = ["taskset", "-c", str(core), *line]
    process = subprocess.Popen(line, env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, process.stdout.readline()


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """A scheduler, and workers with a row at once on a core each."""
    scheduler, said = started(None, "scheduler", "--port", "0")
    address = said.split()[-1]
    programs = [scheduler]
    try:
        for core in range(workers):
            words = ("worker", address, "--device", "cpu", "--rows", "1")
            programs.append(started(core % (os.cpu_count() or 1), *words)[0])
        processes = tuple(psutil.Process(program.pid) for program in programs)
        yield Cluster(address, processes[0], processes)
    finally:
        for program in reversed(programs):
            program.terminate()
            program.wait(30)


def fuse(
    options: argparse.Namespace, source: Path, out: Path, address: str = "", *, group: int = 0,
    method: str = "",
) -> tuple[float, float]:  # fmt: skip
    """Wall and processor seconds of this process for all pairs."""
    from core.batch import BatchOptions, plan_batch, run_batch
    from core.cluster.choice import ClusterChoice
    from core.fusion.opening import open_engine
    from core.io import read_pair
    from core.pairing.folders import pair_paths
    from core.types import FusionRequest

    method = method or options.method
    batch = BatchOptions(options.task, method, out=out)
    plan = plan_batch(pair_paths([source], options.task), batch)
    engine = open_engine([method], "cpu")
    choice = None
    if address:
        choice = ClusterChoice(address, rows_per_worker=group)
    else:
        first = plan.rows[0].match
        engine.fuse(FusionRequest(read_pair(first.a, first.b), options.task, method))
    begun, used = time.perf_counter(), time.process_time()
    for _ in run_batch(plan, engine, cluster=choice):
        pass
    return time.perf_counter() - begun, time.process_time() - used


def compare(options: argparse.Namespace) -> None:
    """Run both alternately; print medians and ratios."""
    turns: dict[str, list[tuple[float, float]]] = {"local": [], "cluster": []}
    with tempfile.TemporaryDirectory() as name, cluster(2) as workers:
        folder = Path(name)
        data = options.data.resolve()
        source = repeated(data, folder / "in", options.pairs)
        fuse(options, repeated(data, folder / "warm", _WARM), folder / "warmed", workers.address)
        for number in range(options.runs):
            order = ("local", "cluster") if number % 2 == 0 else ("cluster", "local")
            for kind in order:
                address = workers.address if kind == "cluster" else ""
                before = workers.processor()
                wall, own = fuse(options, source, folder / f"{kind}{number}", address)
                used = own + (workers.processor() - before if address else 0.0)
                turns[kind].append((wall, used))
    print(f"{options.pairs} pairs of {options.data.name}, {options.method}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"{options.runs} turns each")  # fmt: skip
    for kind, runs in turns.items():
        wall, used = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"{kind:8} {options.pairs / wall:7.2f} pairs/s {1000 * used / options.pairs:7.1f} "
              f"processor ms a pair")  # fmt: skip
    for what, place in (("wall", 0), ("processor", 1)):
        both = zip(turns["local"], turns["cluster"], strict=True)
        ratios = [local[place] / other[place] for local, other in both]
        print(f"{what} seconds, batch here / two workers: {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


def nothing(shared: object, items: tuple[int, ...]) -> tuple[int, ...]:
    """What calls cost by themselves."""
    return items


def call_cost(workers: Cluster, calls: int) -> tuple[float, float]:
    """Processor seconds of the scheduler and of this process for a call that does nothing."""
    from core.cluster.address import ClusterAddress
    from core.cluster.client import ClusterClient

    with ClusterClient(ClusterAddress.parse(workers.address)) as client:
        worker = next(iter(client.workers))
        for _ in range(50):
            client.submit(worker, nothing, None, (1,)).result()
        before, own = _processor(workers.scheduler), _own()
        waiting = []
        for _ in range(calls):
            waiting.append(client.submit(worker, nothing, None, (1,)))
            if len(waiting) > 8:
                waiting.pop(0).result()
        for call in waiting:
            call.result()
        return (_processor(workers.scheduler) - before) / calls, (_own() - own) / calls


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cost(options: argparse.Namespace) -> None:
    """What rows and calls cost besides fusing, and how many workers that allows."""
    with tempfile.TemporaryDirectory() as name, cluster(1) as workers:
        folder = Path(name)
        data = options.data.resolve()
        source = repeated(data, folder / "in", options.pairs)
        few = repeated(data, folder / "few", _WARM)
        fuse(options, few, folder / "warm", workers.address, method="average")
        found: dict[str, list[tuple[float, float]]] = {"local": [], "1": [], "16": [], "0": []}
        for number in range(options.runs):
            for kind, turns in found.items():
                address = "" if kind == "local" else workers.address
                group = 0 if kind == "local" else int(kind)
                out = folder / f"{kind}-{number}"
                turns.append(fuse(options, source, out, address, group=group, method="average"))
        scheduler, submitter = call_cost(workers, 1000)
    print(f"{options.pairs} pairs of {options.data.name}, average, load {os.getloadavg()[0]:.1f}, "
          f"medians of {options.runs} turns")  # fmt: skip
    rows = {}
    for kind, turns in found.items():
        wall, own = (statistics.median(values) for values in zip(*turns, strict=True))
        rows[kind] = own / options.pairs
        print(f"  {kind:>5}: {1000 * wall / options.pairs:6.1f} ms a row, of which the submitter's "
              f"processor {1000 * rows[kind]:5.2f}")  # fmt: skip
    print(f"a call: processor of the scheduler {1000 * scheduler:.2f} ms, of the submitter "
          f"{1000 * submitter:.2f} ms")  # fmt: skip
    print(f"groups of {_GROUP_SECONDS:.0f} s: the scheduler's core is full at "
          f"{_GROUP_SECONDS / scheduler:.0f} slots; with 100 it is busy "
          f"{100 * 100 * scheduler / _GROUP_SECONDS:.1f} %")  # fmt: skip
    for milliseconds in (50, 200, 1000):
        full = milliseconds / 1000 / rows["0"]
        print(f"rows of {milliseconds} ms: the submitter's core is full at {full:.0f} slots; with "
              f"100 it is busy {100 * min(1.0, 100 / full):.0f} %")  # fmt: skip


def main() -> None:
    """Read the options, run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with a/ and b/")
    parser.add_argument("--task", default="mif")
    parser.add_argument("--method", default="mif-compact")
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    if options.cost:
        cost(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()

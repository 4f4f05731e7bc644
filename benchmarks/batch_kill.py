"""Kills and resumes batches at random moments; checks for lost, repeated and partial results.

    python benchmarks/batch_kill.py --data ../shared/data/val/mif --task mif --method mif-compact
    python benchmarks/batch_kill.py --data ../shared/data/val/mif --task mif --method mif-compact \
        --window

Real pairs are repeated under other names in a temporary folder, by hard links where possible.
``unifusion batch`` (or, with ``--window``, the window's batch in a process of its own) is killed
with SIGKILL at seeded random moments and restarted until one process completes. Every output must
then exist, decode, and equal the result of the engine for that pair; files that were complete
before a kill must not have been rewritten; no partial file may remain; and the record must list
every pair as done.

Resident memory is sampled all the while: its peak, and its mean over the second and the last
quarter of the longest start, which must not differ for a run whose memory is flat. ``--report
FILE`` adds a line with all figures to a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.engine import engine_factory

ROOT = Path(__file__).resolve().parents[1]
_TICK = 0.05
_REPORT_EVERY = 30.0
_DELAY = 0.3
"""Largest delay in seconds between the awaited number of results and the kill."""
_HEAD = """# Batches killed and gone on with

One line for each run of `benchmarks/batch_kill.py`. *Killed at*: how many results were there when
it was killed. *Redone* counts results that were complete at a kill and were written again later;
*wrong* counts everything else that was not as it should be: missing, half, unlike what the engine
makes of the pair, not recorded. Memory is resident memory of the process: its peak, and its mean in
the second and in the last quarter of the longest start.

| way | pairs | method | killed at | redone | wrong | seconds | peak MiB | 2nd / last quarter MiB |
|---|---|---|---|---|---|---|---|---|
"""


@dataclass
class Watch:
    """Samples of one process: (seconds, number of results, resident MiB)."""

    begun: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, int, float]] = field(default_factory=list)

    def sample(self, process: subprocess.Popen[bytes], results: int) -> None:
        """Take a sample."""
        self.samples.append((time.monotonic() - self.begun, results, resident(process.pid)))

    @property
    def seconds(self) -> float:
        """Duration of the observation."""
        return self.samples[-1][0] if self.samples else 0.0

    @property
    def peak(self) -> float:
        """Peak resident MiB."""
        return max((memory for *_, memory in self.samples), default=0.0)

    def quarter(self, number: int) -> float:
        """Mean resident MiB in one quarter (1 to 4) of the time in which results appeared."""
        first = next((at for at, results, _ in self.samples if results > self.samples[0][1]), 0.0)
        span = (self.seconds - first) / 4
        begin, end = first + (number - 1) * span, first + number * span
        seen = [memory for at, _, memory in self.samples if begin <= at <= end and memory]
        return sum(seen) / len(seen) if seen else 0.0


def resident(pid: int) -> float:
    """Resident MiB of a process; 0 if the system does not report it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def repeated(data: Path, folder: Path, pairs: int) -> dict[str, str]:
    """Make ``pairs`` pairs from the real ones; returns the name of the original of each stem."""
    files = sorted(
        path.name for path in (data / "a").iterdir() if (data / "b" / path.name).exists()
    )
    originals: dict[str, str] = {}
    for side in "ab":
        (folder / side).mkdir(parents=True)
    for index in range(pairs):
        name = files[index % len(files)]
        stem = f"scene{index:05}"
        originals[stem] = name
        for side in "ab":
            _copy(data / side / name, folder / side / f"{stem}{Path(name).suffix}")
    return originals


def _copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy2(source, target)


def started(
    options: argparse.Namespace, source: Path, out: Path, home: Path
) -> subprocess.Popen[bytes]:
    """Start the batch in a process; it resumes from existing results."""
    if options.window:
        words = [sys.executable, __file__, "--drive", source, "--out", out]
        words += ["--task", options.task, "--method", options.method]
    else:
        words = [sys.executable, "-m", "app", "batch", source, "-o", out, "-t", options.task]
        words += ["--pack", options.method, "--resume"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    env["UNIFUSION_HOME"] = str(home)
    return subprocess.Popen(
        list(map(str, words)), cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    )


def outputs(out: Path) -> dict[str, tuple[int, int]]:
    """Modification time and inode of every result by stem."""
    found = {}
    for path in out.glob("scene*.png"):
        stat = path.stat()
        found[path.stem] = (stat.st_mtime_ns, stat.st_ino)
    return found


def watched(process: subprocess.Popen[bytes], out: Path, wanted: int, delay: float) -> Watch:
    """Watch ``process`` to its end, or kill it ``delay`` seconds after the ``wanted`` result."""
    watch, reported = Watch(), time.monotonic()
    while process.poll() is None:
        results = sum(1 for _ in out.glob("scene*.png"))
        watch.sample(process, results)
        if results >= wanted:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        if time.monotonic() - reported > _REPORT_EVERY:
            reported = time.monotonic()
            print(f"  {results} results, {watch.samples[-1][2]:.0f} MiB", flush=True)
        time.sleep(_TICK)
    return watch


def check(
    options: argparse.Namespace,
    source: Path,
    out: Path,
    originals: dict[str, str],
    before: Sequence[dict[str, tuple[int, int]]],
) -> tuple[list[str], list[str]]:
    """Results that were written twice, and other errors, one sentence each."""
    import numpy as np

    from core.fusion.engine import FusionEngine
    from core.io import read_image, read_pair
    from core.types import FusionRequest

    wrong = []
    found = outputs(out)
    missing = originals.keys() - found.keys()
    extra = found.keys() - originals.keys()
    wrong += [f"{len(missing)} results are missing, such as {min(missing)}"] if missing else []
    wrong += [f"{len(extra)} results nobody asked for"] if extra else []
    twice = {s for earlier in before for s, stamp in earlier.items() if found.get(s) != stamp}
    wrong += [f"half a file: {path}" for path in out.rglob(".*.part*")]
    engine = FusionEngine("cpu")
    direct: dict[str, np.ndarray] = {}
    for stem, name in originals.items():
        if name not in direct:
            pair = read_pair(*(source / side / f"{stem}{Path(name).suffix}" for side in "ab"))
            request = FusionRequest(pair, options.task, options.method)
            fused = np.clip(engine.fuse(request).fused, 0, 1).astype(np.float64)
            direct[name] = np.floor(fused * 255 + 0.5).astype(np.uint8)
        if stem in found:
            got = np.rint(read_image(out / f"{stem}.png").normalised() * 255).astype(np.uint8)
            if not np.array_equal(np.broadcast_to(got, direct[name].shape), direct[name]):
                wrong.append(f"{stem} is not what the engine makes of its sources")
    database = sqlite3.connect(out / "unifusion-batch.sqlite")
    rows = database.execute("SELECT state, count(*), count(DISTINCT target) FROM rows GROUP BY 1")
    states = rows.fetchall()
    database.close()
    if states != [("done", len(originals), len(originals))]:
        wrong.append(f"the record says {states}")
    return sorted(f"{stem} was written twice" for stem in twice), wrong


def show(options: argparse.Namespace) -> int:
    """Kill and resume; print the results."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        source, out, home = (Path(folder) / name for name in ("in", "out", "home"))
        originals = repeated(options.data.resolve(), source, options.pairs)
        moments = sorted(chance.sample(range(1, options.pairs - 8), options.kills))
        before, watches = [], []
        for moment in moments:
            process = started(options, source, out, home)
            watches.append(watched(process, out, moment, chance.random() * _DELAY))
            before.append(outputs(out))
            print(f"killed with {len(before[-1])} of {options.pairs} results there", flush=True)
        process = started(options, source, out, home)
        watches.append(watched(process, out, options.pairs + 1, 0))
        twice, wrong = check(options, source, out, originals, before)
        wrong += [f"the last start ended with {process.returncode}"] if process.returncode else []
    for text in (*twice, *wrong):
        print(text)
    line = figures(options, [len(there) for there in before], watches, len(twice), len(wrong))
    print(line)
    if options.report:
        report(options.report, line)
    return 1 if twice or wrong else 0


def figures(
    options: argparse.Namespace,
    killed: Sequence[int],
    watches: Sequence[Watch],
    twice: int,
    wrong: int,
) -> str:
    """One line of the table."""
    longest = max(watches, key=lambda watch: watch.seconds)
    cells = (
        "window" if options.window else "command line",
        f"{options.pairs:,}",
        options.method,
        ", ".join(f"{number:,}" for number in killed),
        twice,
        wrong,
        f"{sum(watch.seconds for watch in watches):.0f}",
        f"{max(watch.peak for watch in watches):.0f}",
        f"{longest.quarter(2):.0f} / {longest.quarter(4):.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def report(path: Path, line: str) -> None:
    """Append ``line`` to the table in ``path``."""
    if not path.exists():
        path.write_text(_HEAD, encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def drive(options: argparse.Namespace) -> int:
    """Resume the batch in the window without user interaction."""
    from dataclasses import replace

    from PySide6.QtWidgets import QApplication

    from app.batch.page import BatchPage
    from app.batch.state import Ending
    from app.preferences.paths import home
    from app.preferences.settings import Settings
    from app.shell.main_window import MainWindow

    application = QApplication([])
    factory = engine_factory("cpu")
    window = MainWindow(factory, ROOT / "resources" / "samples", options.task,
                        settings=Settings(home()))  # fmt: skip
    window.workspaces.show_page("batch")
    page = window.workspaces.page("batch")
    assert isinstance(page, BatchPage)
    batch = page.batch
    code = [1]

    def start() -> None:
        if batch.planned.error is not None:
            application.exit(2)
        elif batch.planned.can_run and not batch.is_planning and batch.phase == "idle":
            batch.start()

    def end(ending: Ending) -> None:
        batch.planned_changed.disconnect(start)
        report = ending.finished
        code[0] = 0 if report is not None and not report.tally.failed else 1
        application.exit()

    batch.planned_changed.connect(start)
    batch.ended.connect(end)
    batch.set_choices(
        replace(batch.choices, method=options.method, out=str(options.out), contact_sheet=False)
    )
    batch.add([options.drive])
    application.exec()
    window.close()
    return code[0]


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with a/ and b/, names alike")
    parser.add_argument("--task", default="ivif")
    parser.add_argument("--method", default="average")
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--window", action="store_true", help="through the window's batch")
    parser.add_argument("--scratch", type=Path, help="folder for the pictures")
    parser.add_argument("--report", type=Path, help="Markdown file to add the figures to")
    parser.add_argument("--drive", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        raise SystemExit(drive(options))
    if not options.data:
        parser.error("give --data")
    raise SystemExit(show(options))


if __name__ == "__main__":
    main()

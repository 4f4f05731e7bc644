"""Batches killed at random moments and gone on with: nothing lost, nothing twice, no half file.

    python benchmarks/batch_kill.py --data ../shared/data/val/ivif --task ivif --pairs 2000
    python benchmarks/batch_kill.py --data ../shared/data/val/ivif --task ivif --pairs 2000 --window

Real pairs are repeated under other names in a temporary folder, by hard links where the disk allows
it. ``unifusion batch`` (or, with ``--window``, the window's own batch in a process of its own) is
killed with SIGKILL at seeded random moments and started again, until one start runs to its end.
Then every output must be there, decode, and equal what the engine makes of that pair directly; no
file that was complete before a kill may have been written again; no unfinished file may be left;
and the record must name every pair as done.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_TICK = 0.02


def repeated(data: Path, folder: Path, pairs: int) -> dict[str, str]:
    """``pairs`` pairs made of the real ones; returns the name of the original of each stem."""
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


def started(options: argparse.Namespace, source: Path, out: Path, home: Path) -> subprocess.Popen:
    """The batch in a process of its own; it goes on with what is there."""
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
    """Time of change and inode of every result by stem."""
    found = {}
    for path in out.glob("scene*.png"):
        stat = path.stat()
        found[path.stem] = (stat.st_mtime_ns, stat.st_ino)
    return found


def killed_once(process: subprocess.Popen, out: Path, wanted: int) -> dict[str, tuple[int, int]]:
    """Kill ``process`` once ``wanted`` results are there; what was there then."""
    while process.poll() is None:
        if len(outputs(out)) >= wanted:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(_TICK)
    return outputs(out)


def check(
    options: argparse.Namespace,
    source: Path,
    out: Path,
    originals: dict[str, str],
    before: Sequence[dict[str, tuple[int, int]]],
) -> list[str]:
    """What is wrong, one sentence each."""
    import numpy as np

    from core.engine import FusionEngine
    from core.io import read_image, read_pair
    from core.types import FusionRequest

    wrong = []
    found = outputs(out)
    missing = originals.keys() - found.keys()
    extra = found.keys() - originals.keys()
    wrong += [f"{len(missing)} results are missing, such as {min(missing)}"] if missing else []
    wrong += [f"{len(extra)} results nobody asked for"] if extra else []
    for earlier in before:
        again = [stem for stem, stamp in earlier.items() if found.get(stem) != stamp]
        wrong += [f"{stem} was written twice" for stem in again]
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
    return wrong


def show(options: argparse.Namespace) -> int:
    """Kill and go on; print what came of it."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        source, out, home = (Path(folder) / name for name in ("in", "out", "home"))
        originals = repeated(options.data.resolve(), source, options.pairs)
        moments = sorted(chance.sample(range(1, options.pairs - 8), options.kills))
        before = []
        begun = time.monotonic()
        for moment in moments:
            there = killed_once(started(options, source, out, home), out, moment)
            before.append(there)
            print(f"killed with {len(there)} of {options.pairs} results there", flush=True)
        code = started(options, source, out, home).wait()
        seconds = time.monotonic() - begun
        wrong = check(options, source, out, originals, before)
        wrong += [f"the last start ended with {code}"] if code else []
    for text in wrong:
        print(text)
    way = "window" if options.window else "command line"
    print(f"{way}: {options.pairs} pairs, {options.kills} kills, {seconds:.0f} s: "
          f"{'WRONG' if wrong else 'all there, all right, none twice, no half file'}")  # fmt: skip
    return 1 if wrong else 0


def drive(options: argparse.Namespace) -> int:
    """The window's batch, without anybody at the window: go on with what is there."""
    from dataclasses import replace

    from PySide6.QtWidgets import QApplication

    from app import jobs
    from app.habits.home import home
    from app.habits.settings import Settings
    from app.main_window import MainWindow

    application = QApplication([])
    factory = jobs.engine_factory("cpu")
    window = MainWindow(factory, ROOT / "resources" / "samples", options.task,
                        settings=Settings(home()))  # fmt: skip
    window.workspaces.show_page("batch")
    batch = window.workspaces.page("batch").batch
    code = [1]

    def start() -> None:
        if batch.planned.error is not None:
            application.exit(2)
        elif batch.planned.can_run and not batch.is_planning and batch.phase == "idle":
            batch.start()

    def end(ending) -> None:
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

"""Start-up time of the program as the user sees it.

    python benchmarks/first_launch.py --runs 5

Starts ``python -m app`` with a fresh settings folder, on a virtual X server (Xvfb) where there is
no display or ``--xvfb`` is given, waits for the model's result on the sample pair, closes the
window and prints, per run and as medians, the seconds from the start of the process to: the first
paint of the window, the sample's sources on screen, the classical preview, the model's result. The
longest times the event loop stood still are given too, with the processor time this program used
meanwhile: on a machine busy with other things that is the fairer figure.

``--memory`` (Linux) gives the memory of the program and its child processes together (proportional
set size): at most until the result, and five seconds after it. Reading it disturbs the times.
``--files A B`` opens a pair instead of the sample.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_REPO = Path(__file__).resolve().parent.parent
EVENTS = ("paint", "sources", "preview", "result")
GOALS = {"paint": 1.5, "sources": 3.0, "preview": 3.0, "result": 10.0}
_PATIENCE = 180.0


@dataclass(frozen=True)
class Launch:
    """Measurements of one start.

    Attributes:
        seconds: event to seconds after the start of the process.
        cpu: event to processor seconds of all threads up to the event.
        stalls: (milliseconds, processor milliseconds, seconds after the start), longest first.
        memory: bytes of all processes, at most and five seconds after the result; None where that
            was not asked for.
    """

    seconds: dict[str, float]
    cpu: dict[str, float]
    stalls: list[tuple[float, float, float]]
    memory: tuple[int, int] | None = None


@contextlib.contextmanager
def display(wanted: bool) -> Iterator[dict[str, str]]:
    """The environment with a display: the existing one, or a virtual one of 1600×1000 pixels."""
    environment = dict(os.environ)
    if not wanted and (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        yield environment
        return
    program = shutil.which("Xvfb")
    if program is None:
        sys.exit("Xvfb is not installed. Run: sudo apt-get install xvfb")
    read, write = os.pipe()
    command = [
        program,
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "1600x1000x24",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as stream:
            environment["DISPLAY"] = f":{stream.readline().strip()}"
        environment.pop("WAYLAND_DISPLAY", None)
        environment["QT_QPA_PLATFORM"] = "xcb"
        yield environment
    finally:
        server.terminate()
        server.wait()


def _memory(process: int) -> int:
    """Proportional set size of a process and its descendants, in bytes."""
    total, place = 0, Path(f"/proc/{process}")
    with contextlib.suppress(OSError):
        lines = (place / "smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
        for thread in (place / "task").iterdir():
            total += sum(map(_memory, map(int, (thread / "children").read_text().split())))
    return total


def _wait(program: subprocess.Popen[bytes], file: Path, memory: bool) -> tuple[int, int] | None:
    """Wait for the result; returns the program's memory if wanted."""
    peak, begun = 0, time.monotonic()
    while program.poll() is None and not _seen(file, "result"):
        if time.monotonic() - begun > _PATIENCE:
            sys.exit("no result was shown in time")
        time.sleep(0.1)
        if memory:
            peak = max(peak, _memory(program.pid))
    if not _seen(file, "result"):
        sys.exit("the program ended before a result was shown")
    if not memory:
        return None
    time.sleep(5)
    return peak, _memory(program.pid)


def launch(environment: dict[str, str], arguments: list[str], memory: bool = False) -> Launch:
    """Start the program once with empty settings, and read its measurements."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "timings.jsonl"
        own = {"UNIFUSION_HOME": str(Path(folder) / "home"), "UNIFUSION_TIMINGS": str(file)}
        begun = time.time()
        program = subprocess.Popen(
            [sys.executable, "-m", "app", *arguments], cwd=_REPO, env={**environment, **own}
        )
        try:
            held = _wait(program, file, memory)
        finally:
            # The window closes as if by hand, and writes its stalls.
            program.send_signal(signal.SIGTERM)
            program.wait(60)
        return replace(_read(file, begun), memory=held)


def _rows(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _seen(file: Path, event: str) -> bool:
    with contextlib.suppress(ValueError):  # an incomplete line
        return any(row["event"] == event for row in _rows(file))
    return False


def _read(file: Path, begun: float) -> Launch:
    found = Launch({}, {}, [])
    for row in _rows(file):
        if row["event"] == "stalls":
            found.stalls.extend((ms, cpu, at - begun) for ms, cpu, at in row["stalls"])
        else:
            found.seconds[row["event"]] = row["at"] - begun
            found.cpu[row["event"]] = row["cpu"]
    return found


def main() -> None:
    """Print one line per run, medians with goals, and the longest stalls."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--task", default="mif")
    parser.add_argument("--xvfb", action="store_true", help="a virtual display in any case")
    parser.add_argument("--memory", action="store_true", help="measure memory, too")
    parser.add_argument("--files", type=Path, nargs=2, metavar=("A", "B"), default=())
    options = parser.parse_args()
    files = [str(path.absolute()) for path in options.files]
    arguments = ["gui", "--device", "cpu", "--task", options.task, *files]
    runs = []
    with display(options.xvfb) as environment:
        for number in range(1, options.runs + 1):
            runs.append(launch(environment, arguments, options.memory))
            found = "  ".join(f"{e} {runs[-1].seconds.get(e, float('nan')):.2f}" for e in EVENTS)
            stalls = ", ".join(
                f"{ms:.0f} ms ({cpu:.0f} CPU) at {at:.1f} s" for ms, cpu, at in runs[-1].stalls[:3]
            )
            print(f"run {number}: {found}  stalls: {stalls}", flush=True)
    for event in EVENTS:
        times = [run.seconds[event] for run in runs if event in run.seconds]
        if times:
            median = statistics.median(times)
            cpu = statistics.median(run.cpu[event] for run in runs if event in run.cpu)
            goal = GOALS[event]
            print(f"{event:8} median {median:6.2f} s, {cpu:5.2f} CPU s  (goal {goal:.1f} s)")
        else:
            print(f"{event:8} never seen")
    for place, name in enumerate(("at most", "after five seconds") if options.memory else ()):
        held = [run.memory[place] / 1e6 for run in runs if run.memory is not None]
        text = ", ".join(f"{megabytes:.0f}" for megabytes in sorted(held))
        print(f"memory {name}: median {statistics.median(held):.0f} MB ({text})")
    worst = [run.stalls[0][0] for run in runs if run.stalls]
    print(f"longest stall of the event loop, median {statistics.median(worst):.0f} ms (goal 50 ms)")


if __name__ == "__main__":
    main()

"""Behaviour of commands under memory limits: completed, refused with a message, or killed.

    python benchmarks/memory_limits.py --data FOLDER --out benchmarks/results/memory_limits.md

``FOLDER`` has ``TASK/a`` and ``TASK/b`` with the same names for each task, in the sizes to be
tested. Every command is a process with its own limit: a control group, which kills processes that
exceed it (Linux, as root), or, with ``--limits as``, the address space (``ulimit -v``). A limit is
the memory that the program itself needs (measured by fusing a pair of tiny images) plus a margin.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from core.io import atomic_write
from core.tasks import TASKS

MB, GB = 10**6, 10**9
MARGINS = (2 * GB, 3 * GB // 2, GB, GB // 2)
_V1, _V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
_PROGRAM = (sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code (negative: signal), last line, seconds, peak bytes."""

    code: int
    line: str
    seconds: float
    peak: int

    @property
    def result(self) -> str:
        """The result in one word."""
        if self.code == 0:
            return "done"
        said = self.line and "Traceback" not in self.line and self.code in (1, 2, 3)
        return "refused" if said else f"**died ({self.code})**"


@contextmanager
def control_group(limit: int) -> Iterator[Callable[[], None]]:
    """A function that puts the calling process into a new control group with ``limit`` bytes."""
    v2 = (_V2 / "cgroup.controllers").is_file()
    group = (_V2 if v2 else _V1) / f"unifusion-benchmark-{os.getpid()}"
    group.mkdir()
    names = ("memory.max", "memory.swap.max") if v2 else (
        "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
    )  # fmt: skip
    try:
        for name, value in zip(names, (limit, 0 if v2 else limit), strict=True):
            if (group / name).exists():
                (group / name).write_text(str(value))
        yield partial(_enter, group / "cgroup.procs")
    finally:
        for _ in range(100):  # it becomes empty shortly after its last process has ended
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


def _enter(group: Path) -> None:
    group.write_text(str(os.getpid()))


@contextmanager
def address_space(limit: int) -> Iterator[Callable[[], None]]:
    """A function that limits the address space of the calling process."""
    yield lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@contextmanager
def unlimited(limit: int) -> Iterator[Callable[[], None]]:
    """A function that does nothing."""
    yield lambda: None


LIMITS = {"cgroup": control_group, "as": address_space, "none": unlimited}


def attempt(words: list[str], kind: str, limit: int) -> Outcome:
    """Run ``unifusion words`` in a process of its own."""
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output, LIMITS[kind](limit) as enter:
        child = subprocess.Popen(
            [*_PROGRAM, *words], stdout=output, stderr=subprocess.STDOUT, preexec_fn=enter
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = code = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
    peak = usage.ru_maxrss * 1024
    return Outcome(code, lines[-1] if lines else "", time.monotonic() - begun, peak)


def baseline_bytes(kind: str, folder: Path) -> int:
    """Bytes that the program itself needs: resident memory or address space."""
    for side in "ab":
        pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{side}.png"), pixels)
    a, b, out = (str(folder / name) for name in ("a.png", "b.png", "own.png"))
    words = ["fuse", a, b, "--task", "ivif", "-o", out]
    if kind != "as":
        return attempt(words, "none", 0).peak
    low, high = 0, 16 * GB
    while high - low > 50 * MB:
        middle = (low + high) // 2
        low, high = (low, middle) if not attempt(words, kind, middle).code else (middle, high)
    return high


def cases(data: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """(description, words of the command) for all tests."""
    for task in TASKS:
        if not (data / task).is_dir():
            continue
        a = next((data / task / "a").iterdir())
        pair = [str(a), str(data / task / "b" / a.name), "--task", task]
        extras = {"recon": ["--recon", str(folder)], "features": ["--features", str(folder)]}
        ways: tuple[tuple[str, ...], ...] = ((), ("tiles",), ("recon",), ("features",))
        ways += (("tiles", "recon", "features"),)
        for way in ways:
            words = [word for name in way for word in extras.get(name, [f"--{name}"])]
            title = " ".join(["fuse", task, *(f"--{name}" for name in way)])
            yield title, ["fuse", *pair, *words, "-o", str(folder / "f.png")]
        out = str(folder / "out")
        yield f"batch {task}", ["batch", str(data / task), "--task", task, "-o", out, "--overwrite"]
        steps = ["--steps", "2", "--val", str(data / task), "--overwrite"]
        pack = str(folder / "p.safetensors")
        words = ["train", "--task", task, "--data", str(data / task), "--out", pack, *steps]
        yield f"train {task}", words


def main() -> None:
    """Run all tests; write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limits", choices=tuple(LIMITS), default="cgroup")
    parser.add_argument("--only", default="", help="cases whose title begins so")
    parser.add_argument("--rooms", type=int, nargs="*", default=[r // MB for r in MARGINS])
    options = parser.parse_args()
    lines = []
    folder = Path(tempfile.mkdtemp())
    try:
        own = baseline_bytes(options.limits, folder)
        print(f"own need: {own / MB:.0f} MB", flush=True)
        for title, words in cases(options.data, folder):
            if not title.startswith(options.only):
                continue
            for room in options.rooms:
                got = attempt(words, options.limits, own + room * MB)
                line = (
                    f"| {title} | {room} | {got.result} | {got.peak / MB:.0f} | {got.seconds:.0f} |"
                )
                print(line, got.line if got.code else "", flush=True)
                lines.append(line)
                shutil.rmtree(folder / "out", ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.out:
        head = (
            f"Limit: {options.limits}, the program's own {own / MB:.0f} MB and so much beside it.",
            "",
            "| command | beside, MB | result | peak, MB | s |",
            "| --- | ---: | --- | ---: | ---: |",
        )
        atomic_write(options.out, "\n".join([*head, *lines, ""]).encode())


if __name__ == "__main__":
    main()

"""Many mutated files through the readers in a process that is watched, and what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import Seed

SECONDS, MEGABYTES = 10.0, 1024
_ROOT = Path(__file__).resolve().parents[2]


class _Watched:
    """The process that reads, restarted when it dies; killed when one file takes too long."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def read(self, path: Path) -> dict[str, Any]:
        """What became of the file; ``crash`` and ``hang`` are outcomes, too."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=_ROOT,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(SECONDS * 3, end)
        timer.start()
        try:
            process.stdin.write(json.dumps(str(path)) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if line:
            told: dict[str, Any] = json.loads(line)
            return told
        self.close()
        outcome = "hang" if late.is_set() else "crash"
        return {"outcome": outcome, "seconds": 0.0, "megabytes": 0, "why": outcome}

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()


@dataclass
class Report:
    """What came of a campaign.

    Attributes:
        counts: files by (kind of seed, outcome): refused, same, different, crash, hang, escaped.
        faults: what must not be, each with the seed's name, the way, the number and the reason.
        slowest, largest: seconds and megabytes of the worst file, and which it was.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    def take(self, seed: Seed, way: str, number: int, told: dict[str, Any], intact: str) -> bool:
        """Add one file's outcome; True where it is a fault."""
        name = f"{seed.name} {way} #{number}"
        outcome = told["outcome"]
        if outcome == "read":
            outcome = "same" if told["digest"] == intact else "different"
        self.counts[seed.name.split("/")[0], outcome] += 1
        self.slowest = max(self.slowest, (float(told["seconds"]), name))
        self.largest = max(self.largest, (int(told["megabytes"]), name))
        reason = ""
        if outcome in ("crash", "hang", "escaped"):
            reason = str(told["why"])
        elif told["seconds"] > SECONDS:
            reason = f"{told['seconds']:.1f} s"
        elif told["megabytes"] > MEGABYTES:
            reason = f"{told['megabytes']} MB"
        elif outcome == "different":
            silent = seed.checked or (seed.cuts_tell and way in ("cut", "cut-ended"))
            reason = "damaged and accepted" if silent else ""
        if reason:
            self.faults.append(f"{name}: {reason}")
        return bool(reason)


def run(
    seeds: list[Seed],
    count: int,
    start: int = 0,
    keep: Path | None = None,
    tell: Callable[[int, Report], None] | None = None,
) -> Report:
    """``count`` files, the ``start``-th first; file k is the same in every run.

    Args:
        seeds: intact files.
        count, start: which files.
        keep: folder that gets the files that are faults.
        tell: called now and then with how many are done.
    """
    report, watched = Report(), _Watched()
    with tempfile.TemporaryDirectory() as room:
        intact: dict[str, str] = {}
        # Hostile ones mostly die the same death again, and each costs a new process.
        weights = np.array([0.1 if s.name.startswith("hostile/") else 1.0 for s in seeds])
        weights /= weights.sum()
        for seed in seeds:
            path = Path(room) / f"intact{seed.suffix}"
            path.write_bytes(seed.content)
            intact[seed.name] = str(watched.read(path).get("digest", ""))
            if not intact[seed.name] and not seed.name.startswith("hostile/"):
                report.faults.append(f"{seed.name}: the intact file is not read")
        for number in range(start, start + count):
            rng = np.random.default_rng((20260, number))
            seed = seeds[int(rng.choice(len(seeds), p=weights))]
            content, way = mutate(rng, seed, seeds)
            path = Path(room) / f"{number}{seed.suffix}"
            path.write_bytes(content)
            told = watched.read(path)
            if report.take(seed, way, number, told, intact[seed.name]) and keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, keep / f"{seed.name.replace('/', '_')}-{way}-{path.name}")
            path.unlink()
            if tell is not None and (number + 1) % 500 == 0:
                tell(number + 1 - start, report)
    watched.close()
    return report

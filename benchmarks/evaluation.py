"""Evaluates many pairs by ten methods, kills that and goes on: time, memory, nothing scored twice.

    python benchmarks/evaluation.py --pairs 1000 --out benchmarks/results/evaluation.md

Small pairs are made in a temporary folder, with stored results of five methods (two folders and a
flat collection of three) beside the five classical ones. ``unifusion evaluate`` runs over them in a
process of its own whose resident memory is sampled. Then it runs again with an empty cache, is
killed with SIGKILL when half of the scores are kept, and run to its end. No score that was kept
before the kill may have been written again, and both tables must be equal but for times.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.batch_kill import resident
from core.baselines import BASELINES
from core.evaluation.cache import CACHE_NAME
from core.io.atomic import atomic_write

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"mix30": 0.3, "mix60": 0.6}
COLLECTION = {"P": 0.2, "Q": 0.5, "R": 0.8}
"""Names of the stored methods and their share of A."""
METHODS = len(BASELINES) + len(FOLDERS) + len(COLLECTION)
_TICK = 0.5
_NOT_SCORES = ("seconds", "first", "peak_bytes", "device_peak_bytes")
_FLAT = 1.1
"""Mean memory in the last quarter over that in the second, at most, if memory is flat."""
_POINTS = 10

Pixels = npt.NDArray[np.uint8]
Sample = tuple[float, int, float]
"""Seconds, images scored, resident MiB."""


def scene(seed: int, size: int) -> Pixels:
    """A made-up grey picture, size×size: soft shapes with some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (size // 8, size // 8), dtype=np.uint8)
    soft = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.int16)
    noisy = soft + rng.integers(-12, 13, (size, size))
    pixels: Pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    return pixels


def save(path: Path, pixels: Pixels) -> None:
    """Write a PNG file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def make(folder: Path, count: int, size: int) -> None:
    """Sources and stored results of ``count`` pairs."""
    for index in range(count):
        a, b = scene(2 * index, size), scene(2 * index + 1, size)
        name = f"{index:05}"
        save(folder / "pairs" / "a" / f"{name}.png", a)
        save(folder / "pairs" / "b" / f"{name}.png", b)
        for method, share in (FOLDERS | COLLECTION).items():
            mixed = np.rint(share * a + (1 - share) * b).astype(np.uint8)
            flat = folder / "flat" / f"{name}_{method}.png"
            save(flat if method in COLLECTION else folder / method / f"{name}.png", mixed)


def start(folder: Path, cache: str) -> subprocess.Popen[bytes]:
    """``unifusion evaluate`` over the pairs."""
    words = [
        sys.executable, "-c", "from app.cli.main import main; main()", "evaluate", "--task=mif",
        f"--sources={folder / 'pairs'}", f"--collection={folder / 'flat'}",
        *(f"--method={name}" for name in BASELINES),
        *(f"--method={name}={folder / name}" for name in FOLDERS),
        f"--cache={folder / cache}", f"--csv={folder / cache}.csv",
    ]  # fmt: skip
    with (folder / f"{cache}.log").open("ab") as log:
        return subprocess.Popen(
            words, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )


def kept(folder: Path, cache: str) -> dict[str, int]:
    """The row of each image whose scores are kept; another row if they were written again."""
    path = folder / cache / CACHE_NAME
    if not path.is_file():
        return {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30.0)) as db:
        try:
            return {str(key): int(row) for row, key in db.execute("SELECT rowid, key FROM images")}
        except sqlite3.OperationalError:
            return {}


def watch(
    process: subprocess.Popen[bytes], count: Callable[[], int], enough: int | None = None
) -> list[Sample]:
    """Sample ``process`` until it ends, or kill it when ``count`` has reached ``enough``."""
    samples: list[Sample] = []
    begun = time.monotonic()
    while process.poll() is None:
        done = count()
        samples.append((time.monotonic() - begun, done, resident(process.pid)))
        if enough is not None and done >= enough:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(_TICK)
    return [sample for sample in samples if sample[2] > 0]


@dataclass(frozen=True)
class Killed:
    """What a run that was killed and gone on with has shown.

    Attributes:
        before: images whose scores were kept at the kill.
        rewritten: those of them that were scored again afterwards.
        differing: lines of the table that differ from that of the uncut run.
    """

    before: int
    rewritten: int
    differing: int


def rows(path: Path) -> list[dict[str, str]]:
    """The table without times and memory."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [
            {n: v for n, v in row.items() if n not in _NOT_SCORES and not n.endswith("_ms")}
            for row in csv.DictReader(stream)
        ]


def finish(process: subprocess.Popen[bytes], folder: Path, cache: str) -> list[Sample]:
    """Watch ``process`` to its end.

    Raises:
        SystemExit: it failed; with its last output.
    """
    samples = watch(process, lambda: len(kept(folder, cache)))
    if process.returncode != 0:
        raise SystemExit((folder / f"{cache}.log").read_text(encoding="utf-8")[-2000:])
    return samples


def kill_and_go_on(folder: Path, total: int) -> Killed:
    """Kill an evaluation with an empty cache at half of ``total`` images, and run it to its end."""
    process = start(folder, "cut")
    watch(process, lambda: len(kept(folder, "cut")), total // 2)
    before = kept(folder, "cut")
    finish(start(folder, "cut"), folder, "cut")
    after = kept(folder, "cut")
    rewritten = sum(after.get(key) != row for key, row in before.items())
    whole, cut = rows(folder / "whole.csv"), rows(folder / "cut.csv")
    differing = sum(one != other for one, other in zip(whole, cut, strict=True))
    return Killed(len(before), rewritten, differing)


def quarter(samples: Sequence[Sample], number: int) -> float:
    """Mean memory in one quarter (1 to 4) of the images."""
    most = max(done for _, done, _ in samples)
    low, high = (number - 1) * most / 4, number * most / 4
    values = [memory for _, done, memory in samples if low <= done <= high and done]
    return sum(values) / max(len(values), 1)


def growth(samples: Sequence[Sample]) -> float:
    """KiB by which memory grows for each image, from a tenth of them to the end."""
    _, most, last = samples[-1]
    _, first, memory = next(sample for sample in samples if sample[1] >= most / _POINTS)
    return 1024 * (last - memory) / (most - first)


def memory_table(samples: Sequence[Sample]) -> list[str]:
    """Memory at every tenth of the images, as Markdown."""
    lines = ["| images | seconds | MiB |", "| ---: | ---: | ---: |"]
    most = max(done for _, done, _ in samples)
    for point in range(1, _POINTS + 1):
        found = next(sample for sample in samples if sample[1] >= point * most / _POINTS)
        lines.append(f"| {found[1]} | {found[0]:.0f} | {found[2]:.0f} |")
    return lines


def report(count: int, size: int, samples: Sequence[Sample], killed: Killed) -> str:
    """The result as Markdown."""
    seconds, total = samples[-1][0], count * METHODS
    second, last = quarter(samples, 2), quarter(samples, 4)
    flat = "flat" if last <= _FLAT * second else "**not flat**"
    sound = "kept" if not (killed.rewritten or killed.differing) else "**broken**"
    stored = f"{len(FOLDERS)} folders and a collection of {len(COLLECTION)} stored ones"
    most = max(memory for *_, memory in samples)
    return "\n".join(
        [
            "# Evaluation of many pairs",
            "",
            f"{count} made-up pairs of {size}×{size} pixels × {METHODS} methods "
            f"({len(BASELINES)} classical ones run here, {stored}), the seven main metrics, "
            f"{os.cpu_count()} cores that other work shared, by `python benchmarks/evaluation.py`.",
            "",
            f"- Time: {seconds:.0f} s, {1e3 * seconds / count:.0f} ms a pair with its {METHODS} "
            f"methods, {1e3 * seconds / total:.1f} ms an image (fused or read, scored, kept).",
            f"- Memory: mean {second:.0f} MiB in the second and {last:.0f} MiB in the last "
            f"quarter, at most {most:.0f} MiB: {flat}. It grows by {growth(samples):.1f} KiB an "
            "image, which is the result with all its values.",
            f"- Killed with SIGKILL when {killed.before} of {total} images were scored, and run "
            f"again: {killed.rewritten} of these were scored a second time, {killed.differing} "
            f"lines of the table differ from that of the uncut run: {sound}.",
            "",
            "Resident memory of the uncut run:",
            "",
            *memory_table(samples),
            "",
        ]
    )


def main() -> None:
    """Measure and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unifusion-") as name:
        folder = Path(name)
        make(folder, options.pairs, options.size)
        samples = finish(start(folder, "whole"), folder, "whole")
        killed = kill_and_go_on(folder, options.pairs * METHODS)
    text = report(options.pairs, options.size, samples, killed)
    print(text)
    if options.out is not None:
        atomic_write(options.out, text.encode())


if __name__ == "__main__":
    main()

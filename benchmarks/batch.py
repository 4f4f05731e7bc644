"""Batch fusion compared with a sequential read–fuse–write loop, with peak memory.

    python benchmarks/batch.py --data ../shared/data/val/mif --task mif --method laplacian

Both fuse the same pairs with the same engine and write the same files with the same atomic writer,
so that the difference is the gain from reading and writing in parallel. Every repetition runs in a
process of its own, which isolates peak memory; repetitions of both alternate, and ratios are
computed per repetition, so that changes in machine speed favour neither. Start-up time is excluded.

    python benchmarks/batch.py --data ../shared/data/val/mif --growth

fuses a hundred and then a thousand pairs: peak memory must not depend on their number.
``--enlarge 2048 --format tif`` enlarges the images to the size of camera images and writes 16-bit
TIFF; ``--share 40`` adds 40 ms to every read and write, as on a network drive.

    python benchmarks/batch.py --stack 4 --size 256 [--device cuda]

compares the network on stacks of images with one image at a time, which is why batches fuse pairs
one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_ORIGINALS = 8
_FEW, _MANY = 100, 1000


@dataclass(frozen=True)
class Turn:
    """One run over all pairs: wall and CPU seconds, peak resident MiB, number of pairs."""

    seconds: float
    cpu: float
    peak: float
    pairs: int


def repeated(data: Path, folder: Path, pairs: int) -> Path:
    """A folder of ``pairs`` pairs that are links to the real ones."""
    files = sorted((data / "a").iterdir())
    for side in "ab":
        (folder / side).mkdir(parents=True)
        for index in range(pairs):
            name = files[index % len(files)].name
            (folder / side / f"{index:05}_{name}").symlink_to((data / side / name).resolve())
    return folder


def enlarged(data: Path, folder: Path, side: int) -> Path:
    """The real pairs as PNG, enlarged to ``side`` pixels along the longer side."""
    import cv2

    from core.io import read_image, write_image

    for name in sorted(path.name for path in (data / "a").iterdir())[:_ORIGINALS]:
        for letter in "ab":
            image = read_image(data / letter / name).normalised()
            scale = side / max(image.shape[:2])
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            large = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
            target = folder / letter / f"{Path(name).stem}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, large.reshape(size[1], size[0], -1).clip(0, 1), bit_depth=8)
    return folder


def delay_io(milliseconds: float) -> None:
    """Delay reading and writing of every image, to simulate a network drive."""
    from core.io import reader, writer

    # Patches the names under which those modules call them.
    read, write = vars(reader)["read_image"], vars(writer)["atomic_write"]

    def slow_read(*words: Any, **more: Any) -> Any:
        time.sleep(milliseconds / 1000)
        return read(*words, **more)

    def slow_write(*words: Any, **more: Any) -> Any:
        time.sleep(milliseconds / 1000)
        return write(*words, **more)

    vars(reader)["read_image"], vars(writer)["atomic_write"] = slow_read, slow_write


def work(kind: str, options: argparse.Namespace) -> Turn:
    """Fuse all pairs once in this process."""
    from core.batch import BatchOptions, plan_batch, run_batch
    from core.fusion.engine import FusionEngine
    from core.io import read_pair, write_image
    from core.pairing.folders import pair_paths
    from core.types import FusionRequest

    source, out = Path(options.source), Path(options.out)
    if options.share:
        delay_io(options.share)
    depth: Any = 16 if options.format == "tif" else None
    batch = BatchOptions(
        options.task, options.method, format=options.format, depth=depth, out=out,
        workers=options.workers,
    )  # fmt: skip
    plan = plan_batch(pair_paths([source], options.task), batch)
    engine = FusionEngine(options.device)
    first = plan.rows[0].match
    engine.fuse(FusionRequest(read_pair(first.a, first.b), options.task, options.method))
    begun, used = time.perf_counter(), time.process_time()
    if kind == "batch":
        for _ in run_batch(plan, engine):
            pass
    else:
        out.mkdir(parents=True)
        for row in plan.rows:
            pair = read_pair(row.match.a, row.match.b)
            result = engine.fuse(FusionRequest(pair, options.task, options.method))
            write_image(
                out / row.target,
                result.fused,
                bit_depth=depth or result.bit_depth,
                provenance=result.provenance,
                protect=(row.match.a, row.match.b),
                overwrite=False,
            )
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Turn(seconds, cpu, peak, len(plan.rows))


def in_own_process(kind: str, options: argparse.Namespace, source: Path, out: Path) -> Turn:
    """As :func:`work` in a new process."""
    words = [sys.executable, __file__, "--turn", kind, "--source", source, "--out", out]
    for name in ("task", "method", "device", "workers", "share", "format"):
        words += [f"--{name}", getattr(options, name)]
    done = subprocess.run(
        list(map(str, words)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    shutil.rmtree(out)
    return Turn(**json.loads(done.stdout.splitlines()[-1]))


def prepared(options: argparse.Namespace, folder: Path, pairs: int) -> Path:
    """A folder of ``pairs`` pairs according to the options."""
    data = options.data.resolve()
    if options.enlarge:
        data = enlarged(data, folder / "large", options.enlarge)
    return repeated(data, folder / "in", pairs)


def growth(options: argparse.Namespace) -> None:
    """Peak memory of few and of many pairs."""
    peaks = []
    for pairs in (_FEW, _MANY):
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            source = prepared(options, Path(folder), pairs)
            turn = in_own_process("batch", options, source, Path(folder) / "out")
        peaks.append(turn.peak)
        print(
            f"{pairs:5} pairs: peak {turn.peak:6.0f} MiB, {turn.pairs / turn.seconds:.1f} pairs/s"
        )
    print(f"{_MANY} pairs take {peaks[1] - peaks[0]:+.0f} MiB")


def compare(options: argparse.Namespace) -> None:
    """Run both alternately; print medians and ratios."""
    turns: dict[str, list[Turn]] = {"plain": [], "batch": []}
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        source = prepared(options, Path(folder), options.pairs)
        for number in range(options.runs):
            order = ("plain", "batch") if number % 2 == 0 else ("batch", "plain")
            for kind in order:
                turns[kind].append(in_own_process(kind, options, source, Path(folder) / "out"))
    print(f"{options.pairs} pairs of {options.data.name}, {options.method or 'pack'}, "
          f"{options.device}, {options.format}, {options.workers} workers, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}, {options.runs} turns each")  # fmt: skip
    for kind, runs in turns.items():
        rate = statistics.median(turn.pairs / turn.seconds for turn in runs)
        cpu = statistics.median(1000 * turn.cpu / turn.pairs for turn in runs)
        peak = max(turn.peak for turn in runs)
        print(f"{kind:6} {rate:8.2f} pairs/s  {cpu:7.1f} CPU ms a pair   peak {peak:6.0f} MiB")
    ratios = [p.seconds / b.seconds for p, b in zip(turns["plain"], turns["batch"], strict=True)]
    print(
        f"batch is {statistics.median(ratios):.2f} times as fast "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


def stacked(options: argparse.Namespace) -> None:
    """The network on a stack of images compared with the same images one at a time."""
    import torch

    from core.models.config import CONFIGS
    from core.models.network import UniFusionNet

    device = "cuda" if options.device.startswith("cuda") else "cpu"
    network = UniFusionNet(CONFIGS["compact"]()).eval().to(device)
    shape = (options.stack, network.config.in_channels, options.size, options.size)
    x, y = torch.rand(shape, device=device), torch.rand(shape, device=device)

    def timed(step: int) -> float:
        begun = clock()
        with torch.inference_mode():
            for start in range(0, options.stack, step):
                a, b = x[start : start + step], y[start : start + step]
                network.fuse(network.encode(a, b), a, b)
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - begun

    # On a shared CPU only processor time is meaningful.
    clock = time.perf_counter if device == "cuda" else time.process_time
    for step in (1, options.stack):
        timed(step)
    pairs = [(timed(1), timed(options.stack)) for _ in range(options.runs)]
    ratio = statistics.median(single / whole for single, whole in pairs)
    single = statistics.median(single for single, _ in pairs) / options.stack
    print(
        f"{device}, {options.size}×{options.size}: one by one {1000 * single:.1f} ms a picture; "
        f"stacks of {options.stack} are {ratio:.2f} times as fast"
    )


def main() -> None:
    """Read the options, run one of the two comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder with a/ and b/")
    parser.add_argument("--task", default="mif")
    parser.add_argument("--method", default="laplacian")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--enlarge", type=int, default=0, help="pixels of the longer side")
    parser.add_argument("--share", type=float, default=0, help="milliseconds added to each file")
    parser.add_argument("--format", default="png", help="png, or tif for 16-bit TIFF")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--scratch", type=Path, help="folder on the disk to measure")
    parser.add_argument("--stack", type=int, default=0)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--turn", choices=("plain", "batch"), help=argparse.SUPPRESS)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        print(json.dumps(work(options.turn, options).__dict__))
    elif options.stack:
        stacked(options)
    elif options.data and options.growth:
        growth(options)
    elif options.data:
        compare(options)
    else:
        parser.error("give --data or --stack")


if __name__ == "__main__":
    main()

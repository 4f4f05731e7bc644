"""CPU time and peak memory of the compact network compared with the paper's.

    python benchmarks/speed.py --size 512 --runs 5

Both networks have random weights, on which time does not depend. Reconstructions are not computed,
as in normal use. Runs of both alternate and are timed in process CPU seconds (all threads) and wall
seconds; ratios are computed per run, so that changes in machine speed favour neither.

    python benchmarks/speed.py --pack OLD --pack NEW --size 1024 --height 768

compares packs in the same way, with the first one's time over that of each other.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from core.models.config import CONFIGS
from core.models.network import UniFusionNet, pad_to_patches
from core.packs.format import read_pack


@dataclass(frozen=True)
class Timing:
    """Seconds of one fusion."""

    cpu: float
    wall: float


def fuse_once(network: UniFusionNet, width: int, height: int) -> Timing:
    """Fuse one random pair of width×height pixels."""
    channels = network.config.in_channels
    generator = torch.Generator().manual_seed(0)
    x, _ = pad_to_patches(torch.rand(1, channels, height, width, generator=generator))
    y, _ = pad_to_patches(torch.rand(1, channels, height, width, generator=generator))
    cpu, wall = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        network.fuse(network.encode(x, y), x, y)
    return Timing(time.process_time() - cpu, time.perf_counter() - wall)


def main() -> None:
    """Print medians of all networks and of the ratios of the first to the others."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512, help="width in pixels")
    parser.add_argument("--height", type=int, help="the width if not given")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pack", type=Path, action="append", default=[], metavar="FILE")
    options = parser.parse_args()
    torch.manual_seed(0)
    width, height = options.size, options.height or options.size
    networks = {name: UniFusionNet(config()).eval() for name, config in CONFIGS.items()}
    if options.pack:
        networks = {str(path): read_pack(path)[0] for path in options.pack}
    for network in networks.values():
        fuse_once(network, 64, 64)
    rows: dict[str, list[Timing]] = {name: [] for name in networks}
    for _ in range(options.runs):
        for name, network in networks.items():
            rows[name].append(fuse_once(network, width, height))
    print(f"{width}×{height}, {torch.get_num_threads()} threads, {options.runs} runs")
    for name, timings in rows.items():
        cpu = statistics.median(t.cpu for t in timings)
        wall = statistics.median(t.wall for t in timings)
        print(f"{name:14} {cpu:8.2f} CPU s  {wall:8.2f} s")
    first, *others = rows
    for other in others:
        ratios = [one.cpu / two.cpu for one, two in zip(rows[first], rows[other], strict=True)]
        print(
            f"{first} / {other}, CPU seconds: median {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()

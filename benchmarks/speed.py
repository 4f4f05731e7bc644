"""CPU time and peak memory of the compact network compared with the paper's.

    python benchmarks/speed.py --size 512 --runs 5

Both networks have random weights, on which time does not depend. Reconstructions are not computed,
as in normal use. Runs of both alternate and are timed in process CPU seconds (all threads) and wall
seconds; ratios are computed per run, so that changes in machine speed favour neither.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

import torch

from core.models.config import CONFIGS
from core.models.network import UniFusionNet, pad_to_patches


@dataclass(frozen=True)
class Timing:
    """Seconds of one fusion."""

    cpu: float
    wall: float


def fuse_once(network: UniFusionNet, size: int) -> Timing:
    """Fuse one random pair of size×size pixels."""
    channels = network.config.in_channels
    generator = torch.Generator().manual_seed(0)
    x, _ = pad_to_patches(torch.rand(1, channels, size, size, generator=generator))
    y, _ = pad_to_patches(torch.rand(1, channels, size, size, generator=generator))
    cpu, wall = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        network.fuse(network.encode(x, y), x, y)
    return Timing(time.process_time() - cpu, time.perf_counter() - wall)


def main() -> None:
    """Print medians of both networks and of their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    networks = {name: UniFusionNet(config()).eval() for name, config in CONFIGS.items()}
    for network in networks.values():
        fuse_once(network, 64)
    rows: dict[str, list[Timing]] = {name: [] for name in networks}
    for _ in range(options.runs):
        for name, network in networks.items():
            rows[name].append(fuse_once(network, options.size))
    print(f"{options.size}×{options.size}, {torch.get_num_threads()} threads, {options.runs} runs")
    for name, timings in rows.items():
        cpu = statistics.median(t.cpu for t in timings)
        wall = statistics.median(t.wall for t in timings)
        print(f"{name:14} {cpu:8.2f} CPU s  {wall:8.2f} s")
    ratios = [p.cpu / c.cpu for p, c in zip(rows["paper"], rows["compact"], strict=True)]
    print(
        f"paper / compact, CPU seconds: median {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f} to {max(ratios):.1f})"
    )


if __name__ == "__main__":
    main()

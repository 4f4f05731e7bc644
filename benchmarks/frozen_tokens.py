"""Cost of a training step with the frozen backbone, and what computing its tokens less often saves.

    python -m benchmarks.frozen_tokens --networks dinov3-compact --batch 8 --runs 5

The networks have random weights, on which time does not depend. Three ways take turns in one run:
the backbone run for each level (as before decision 0035), once for both (as it is), and not at all,
with tokens that were computed beforehand. The last is what the best cache of tokens could reach: it
costs neither reading nor memory here. Ratios are taken per turn in processor seconds of all
threads, so that other work on the machine favours no way; with OMP_NUM_THREADS=1 no thread waits
for another one either. Memory is what the estimate of a run says it takes at least, and by how much
the process really grew (or what torch held of the GPU) over all steps.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.evaluation.peak_memory import PeakMeter
from core.models.config import CONFIGS
from core.models.network import UniFusionNet
from trainer.config.config import TrainConfig
from trainer.data.sampler import Batch
from trainer.optimization.bilevel import BilevelStep
from trainer.run.memory_usage import PeakMemory, persistent_bytes

Tokens = Callable[[Tensor, Tensor], list[Tensor] | None]
"""What a step asks the network for, see :meth:`UniFusionNet.frozen_tokens`."""
WAYS = ("twice", "once", "cached")


@dataclass(frozen=True)
class StepCost:
    """Seconds of one step: of the processors, and on the clock."""

    cpu: float
    wall: float


class Bench:
    """A network, its step and a batch that stays the same."""

    def __init__(self, name: str, batch: int, crop: int, consistency: float, device: str) -> None:
        torch.manual_seed(0)
        network = UniFusionNet(CONFIGS[name]()).to(device)
        config = TrainConfig(
            "mif", network=network.config, batch=batch, crop=crop, consistency=consistency
        )
        self.step, self.device, self._number = BilevelStep(network, config), device, 0
        shape = (2, batch, network.config.in_channels, crop, crop)
        a, b = torch.rand(*shape, device=device)
        self._batch = Batch.of(a, b)
        self._ways: dict[str, Tokens] = {"twice": lambda x, y: None, "once": network.frozen_tokens}
        tokens = network.frozen_tokens(a, b)
        if tokens is not None:
            self._ways["cached"] = lambda x, y: tokens

    def peak_bytes(self) -> int:
        """Peak memory of a step; to be called first."""
        peak = PeakMemory(self.device)
        with peak.measure():
            self._run("once")
        return max(persistent_bytes(self.step) + peak.saved, peak.grown)

    def timed(self, way: str) -> StepCost:
        """Time one step."""
        cpu, wall = time.process_time(), time.perf_counter()
        self._run(way)  # returns its losses, hence the device is done
        return StepCost(time.process_time() - cpu, time.perf_counter() - wall)

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways that differ for this network: a trained encoder has only one."""
        return WAYS if "cached" in self._ways else ("once",)

    def _run(self, way: str) -> None:
        self.step.network.frozen_tokens = self._ways[way]  # type: ignore[method-assign, assignment]
        self.step(self._batch, self._number)
        self._number += 1


def measure(bench: Bench, runs: int) -> tuple[int, dict[str, list[StepCost]]]:
    """The memory of a step by the estimate, and the costs of each way."""
    memory = bench.peak_bytes()
    rows: dict[str, list[StepCost]] = {way: [] for way in bench.ways}
    for _ in range(runs):
        for way, costs in rows.items():
            costs.append(bench.timed(way))
    return memory, rows


def show(name: str, memory: tuple[int, int], rows: dict[str, list[StepCost]]) -> None:
    """Print the memory estimated and taken, medians of each way and of their ratios."""
    print(f"{name}: at least {memory[0] / 1e6:.0f} MB, really {memory[1] / 1e6:.0f} MB")
    for way, costs in rows.items():
        cpu = statistics.median(cost.cpu for cost in costs)
        wall = statistics.median(cost.wall for cost in costs)
        print(f"  {way:8} {cpu:8.2f} CPU s  {wall:8.2f} s a step")
    for slower, faster in (("twice", "once"), ("once", "cached")):
        if slower in rows and faster in rows:
            pairs = zip(rows[slower], rows[faster], strict=True)
            ratios = [one.cpu / other.cpu for one, other in pairs]
            print(
                f"  {slower} / {faster}: median {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})"
            )


def main() -> None:
    """Print the costs of every network asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=list(CONFIGS), choices=list(CONFIGS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--consistency", type=float, default=0.0, help="weight of that term")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(
        f"{options.batch} crops of {options.crop}×{options.crop}, {options.runs} runs, "
        f"consistency {options.consistency:g}, {options.device}, {torch.get_num_threads()} threads"
    )
    for name in options.networks:
        with PeakMeter(options.device) as meter:
            bench = Bench(name, options.batch, options.crop, options.consistency, options.device)
            memory, rows = measure(bench, options.runs)
        show(name, (memory, meter.device_peak or meter.rise or 0), rows)


if __name__ == "__main__":
    main()

"""Time and memory of real steps of a run, measured in the process that does them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from statistics import fmean

import torch

from core.device import is_out_of_memory
from core.errors import DeviceMemoryError, Message
from core.evaluation.peak_memory import PeakMeter
from core.pairing.plan import Match
from core.progress import Progress
from trainer.config.config import TrainConfig
from trainer.data.sampler import CropSampler, TrainingPair, read_pairs
from trainer.optimization.bilevel import BilevelStep, consistency_margins
from trainer.run.memory_usage import PeakMemory, persistent_bytes
from trainer.run.network import averaged, new_network
from trainer.run.validation import validate

STEPS = 3
"""Steps that are done at full size."""
_WARM_UP_CROP = 32
_LOOKED_AT = 1000
"""Steps of a run among which those to time are chosen."""
_PATIENCE = 60.0
"""Seconds after which no more steps are timed: what is known by then has to do."""


@dataclass(frozen=True)
class StepOrder:
    """What is measured.

    Attributes:
        config: of the run, with its precision chosen.
        pairs: some pairs of the run.
        device: where it runs.
        threads: of torch on the CPU.
    """

    config: TrainConfig
    pairs: tuple[Match, ...]
    _: KW_ONLY
    device: str
    threads: int


@dataclass(frozen=True)
class StepCosts:
    """What was measured.

    Attributes:
        step_seconds, validation_seconds: of a step, and of the validation of one image.
        peak_bytes: memory on the device beyond what a process holds that has loaded the trainer,
            without the images.
    """

    step_seconds: float
    validation_seconds: float
    peak_bytes: int


def measure_steps(order: StepOrder, progress: Progress) -> StepCosts:
    """Do a few steps and a validation as a run does them; nothing is written.

    Meant for a process of its own: in one that has done such work before, memory that its allocator
    retained would not be seen.

    Raises:
        DeviceMemoryError: not even one step fits. PackError: parent or backbone cannot be used.
        InputError: the parent has another network. Cancelled: raised by ``progress``.
    """
    config, device = order.config, order.device
    torch.set_num_threads(order.threads)
    try:
        with PeakMeter(device) as meter:
            pairs = read_pairs(
                order.pairs,
                config.colour,
                progress,
                config.truth,
                task=config.task,
                windows=config.windows,
                align=config.align_choice,
            ).pairs
            network, _, _ = new_network(config)
            step = BilevelStep(network.to(device), config)
            peak = PeakMemory(device)
            pace, validation = _timed_steps(step, pairs, order, peak, progress)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory(config, device) from error
    images = sum(pair.a.nbytes + pair.b.nbytes for pair in pairs)
    rise = (meter.rise or 0) - images if device == "cpu" else meter.device_peak or 0
    return StepCosts(pace, validation, max(persistent_bytes(step) + peak.saved, peak.grown, rise))


def out_of_memory(config: TrainConfig, device: str) -> DeviceMemoryError:
    """The error for a run of which not even one step fits."""
    return DeviceMemoryError(
        Message.plural(
            "{0} crop of {1}×{1} does not fit {2}",
            "{0} crops of {1}×{1} do not fit {2}",
            config.batch,
            config.crop,
            device,
        ),
        Message("the memory ran out while timing a step"),
        Message("Use fewer crops per step, or smaller ones."),
    )


def _timed_steps(
    step: BilevelStep,
    pairs: Sequence[TrainingPair],
    order: StepOrder,
    peak: PeakMemory,
    progress: Progress,
) -> tuple[float, float]:
    """Seconds of a step, and of the validation of one image."""
    config, device = order.config, order.device
    begun = time.perf_counter()
    # The first step of a process loads libraries and starts their threads.
    small = CropSampler.of(pairs, replace(config, crop=min(config.crop, _WARM_UP_CROP)), 1)
    _timed(step, small, 0, device, progress)
    sampler = CropSampler.of(pairs, config, config.batch)
    chosen = steps_to_time(config)
    with peak.measure():  # not timed if there is time: kernels are selected, caches are cold
        pace = _timed(step, sampler, chosen.largest, device, progress)
    for number in chosen.typical:
        if time.perf_counter() - begun < _PATIENCE:
            pace = min(pace, _timed(step, sampler, number, device, progress))
    progress.report(STEPS, STEPS + 1, Message("timing validation"))
    validated = time.perf_counter()
    with averaged(step) as whole:
        validate(whole, pairs[:1], device, progress)
    return pace, time.perf_counter() - validated


@dataclass(frozen=True)
class StepsToTime:
    """Numbers of steps: the one that takes most memory, and some that take as long as the mean."""

    largest: int
    typical: tuple[int, ...]


def steps_to_time(config: TrainConfig) -> StepsToTime:
    """The steps of a run that an estimate times.

    The consistency term fuses wider crops, whose size is drawn anew in every step: the first steps
    may have small ones by chance.
    """
    numbers = range(max(STEPS, min(config.steps, _LOOKED_AT)))
    pixels = [_wider_pixels(config, number) for number in numbers]
    mean = fmean(pixels)
    typical = sorted(numbers, key=lambda number: abs(pixels[number] - mean))[: STEPS - 1]
    return StepsToTime(max(numbers, key=pixels.__getitem__), tuple(typical))


def _wider_pixels(config: TrainConfig, number: int) -> int:
    """Pixels of a wider crop of the consistency term; 0 without it."""
    if not config.consistency:
        return 0
    columns, rows = consistency_margins(config, config.crop, number)
    return (config.crop + 2 * columns) * (config.crop + 2 * rows)


def _timed(
    step: BilevelStep, sampler: CropSampler, number: int, device: str, progress: Progress
) -> float:
    progress.check()
    progress.report(min(number, STEPS), STEPS + 1, Message("timing steps"))
    began = time.perf_counter()
    step(sampler(number).to(device), number)  # synchronises the device to return the losses
    return time.perf_counter() - began

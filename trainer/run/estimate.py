"""Estimates duration and memory of a run by timing a few real steps."""

from __future__ import annotations

import time
from dataclasses import KW_ONLY, dataclass, replace
from statistics import fmean

import torch

from core.device import choose_device, is_out_of_memory
from core.errors import DeviceMemoryError, Message
from core.progress import NullProgress, Progress
from trainer.config.config import TrainConfig
from trainer.data.preflight import PreflightReport
from trainer.data.sampler import CropSampler, read_pairs
from trainer.optimization.bilevel import BilevelStep, consistency_margins
from trainer.optimization.precision import choose_precision
from trainer.run.memory_usage import PeakMemory, free_bytes, persistent_bytes
from trainer.run.network import averaged, new_network
from trainer.run.validation import validate

_PAIRS = 4
_STEPS = 3
_WARM_UP_CROP = 32
_LOOKED_AT = 1000
"""Steps of a run among which those to time are chosen."""


@dataclass(frozen=True)
class Estimate:
    """Cost of a run.

    Attributes:
        seconds_per_step: of training alone.
        seconds_total: of the whole run, including validation.
        peak_bytes: memory that the run needs at least, including the images.
        free_bytes: available memory; 0 if unknown.
        device, device_reason: the device of the run and the reason for choosing it.
        precision, precision_reason: the number format of the run and the reason for it.
        fits: False if the available memory is certainly too small.
    """

    seconds_per_step: float
    seconds_total: float
    _: KW_ONLY
    peak_bytes: int
    free_bytes: int
    device: str
    device_reason: str
    precision: str
    precision_reason: str
    fits: bool = True


def estimate(
    config: TrainConfig,
    survey: PreflightReport,
    device: str = "auto",
    progress: Progress | None = None,
) -> Estimate:
    """Time a few steps of ``config`` on some pairs of ``survey``; nothing is written.

    Raises:
        DeviceMemoryError: not even one step fits. PackError: parent or backbone cannot be used.
        InputError: the parent has another network. Cancelled: raised by ``progress``.
    """
    progress = progress or NullProgress()
    choice = choose_device(device)
    precision = choose_precision(config.precision, choice.name)
    config = replace(config, precision=precision.name)
    free = free_bytes(choice.name)
    every = survey.split.train
    some = every[:: max(1, len(every) // _PAIRS)][:_PAIRS]
    pairs = read_pairs(
        some,
        config.colour,
        progress,
        config.truth,
        task=config.task,
        windows=config.windows,
        align=config.align_choice,
    ).pairs
    state = torch.get_rng_state()
    try:
        network, _, _ = new_network(config)
        step = BilevelStep(network.to(choice.name), config)
        # The first step of a process loads libraries and starts their threads: tens of megabytes
        # that are no part of the run's tensors, and that a second estimate would not see again.
        smallest = CropSampler.of(pairs, replace(config, crop=min(config.crop, _WARM_UP_CROP)), 1)
        _timed(step, smallest, 0, choice.name, progress)
        sampler = CropSampler.of(pairs, config, config.batch)
        peak = PeakMemory(choice.name)
        chosen = steps_to_time(config)
        with peak.measure():  # not timed: kernels are selected, caches are cold
            _timed(step, sampler, chosen.largest, choice.name, progress)
        pace = min(
            _timed(step, sampler, number, choice.name, progress) for number in chosen.typical
        )
        began = time.perf_counter()
        progress.report(_STEPS, _STEPS + 1, Message("timing validation"))
        with averaged(step) as whole:
            validate(whole, pairs[:1], choice.name, progress)
        validation_seconds = time.perf_counter() - began
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceMemoryError(
            Message.plural(
                "{0} crop of {1}×{1} does not fit {2}",
                "{0} crops of {1}×{1} do not fit {2}",
                config.batch,
                config.crop,
                choice.name,
            ),
            Message("the memory ran out while timing a step"),
            Message("Use fewer crops per step, or smaller ones."),
        ) from error
    finally:
        torch.set_rng_state(state)
    needed = max(persistent_bytes(step) + peak.saved, peak.grown)
    needed += survey.data_bytes if choice.name == "cpu" else 0
    return Estimate(
        pace,
        pace * config.steps + validation_seconds * _validation_count(config, survey),
        peak_bytes=needed,
        free_bytes=free,
        device=choice.name,
        device_reason=choice.reason,
        precision=precision.name,
        precision_reason=precision.reason,
        fits=not free or needed < free,
    )


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
    numbers = range(max(_STEPS, min(config.steps, _LOOKED_AT)))
    pixels = [_wider_pixels(config, number) for number in numbers]
    mean = fmean(pixels)
    typical = sorted(numbers, key=lambda number: abs(pixels[number] - mean))[: _STEPS - 1]
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
    progress.report(number, _STEPS + 1, Message("timing steps"))
    began = time.perf_counter()
    step(sampler(number).to(device), number)  # synchronises the device to return the losses
    return time.perf_counter() - began


def _validation_count(config: TrainConfig, survey: PreflightReport) -> int:
    """Number of images validated over the whole run."""
    pairs = len(survey.split.validation)
    if config.validate_pairs:
        pairs = min(pairs, config.validate_pairs)
    times = 1 + -(-config.steps // config.validate_every) if config.validate_every else 2
    return pairs * times

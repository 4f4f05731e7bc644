"""Estimates duration and memory of a run from a few real steps in a process of their own."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

import torch

from core.device import choose_device
from core.progress import NullProgress, Progress
from trainer.config.config import TrainConfig
from trainer.data.preflight import PreflightReport
from trainer.optimization.precision import choose_precision
from trainer.run.fresh_process import ProcessDied, run_in_fresh_process
from trainer.run.memory_usage import free_bytes
from trainer.run.step_costs import StepOrder, measure_steps, out_of_memory

_PAIRS = 4
_LONGEST = 300.0
"""Seconds that the steps may take."""


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
    """Do a few steps of ``config`` on some pairs of ``survey``; nothing is written.

    They are done in a process of their own, so that all the memory that they take is seen, and so
    that only that process dies if there is too little.

    Raises:
        DeviceMemoryError: not even one step fits. PackError: parent or backbone cannot be used.
        InputError: the parent has another network, or the steps took too long.
        Cancelled: raised by ``progress``.
    """
    progress = progress or NullProgress()
    choice = choose_device(device)
    precision = choose_precision(config.precision, choice.name)
    config = replace(config, precision=precision.name)
    free = free_bytes(choice.name)
    every = survey.split.train
    some = tuple(every[:: max(1, len(every) // _PAIRS)][:_PAIRS])
    order = StepOrder(config, some, device=choice.name, threads=torch.get_num_threads())
    try:
        costs = run_in_fresh_process(measure_steps, order, progress, seconds=_LONGEST)
    except ProcessDied as died:
        raise out_of_memory(config, choice.name) from died
    needed = costs.peak_bytes + (survey.data_bytes if choice.name == "cpu" else 0)
    validations = _validation_count(config, survey)
    return Estimate(
        costs.step_seconds,
        costs.step_seconds * config.steps + costs.validation_seconds * validations,
        peak_bytes=needed,
        free_bytes=free,
        device=choice.name,
        device_reason=choice.reason,
        precision=precision.name,
        precision_reason=precision.reason,
        fits=not free or needed < free,
    )


def _validation_count(config: TrainConfig, survey: PreflightReport) -> int:
    """Number of images validated over the whole run."""
    pairs = len(survey.split.validation)
    if config.validate_pairs:
        pairs = min(pairs, config.validate_pairs)
    times = 1 + -(-config.steps // config.validate_every) if config.validate_every else 2
    return pairs * times

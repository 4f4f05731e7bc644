"""The number format of the networks: float32, or bfloat16 under autocast, and the choice of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from core.device import limit_to_one_core
from core.errors import Message

FixedPrecision = Literal["fp32", "bf16"]
"""A number format. The setting ``precision`` may also be ``auto``."""

_WORTH = 1.1
"""bf16 is chosen where it is at least this many times as fast: below, its rounding buys nothing."""

_BUDGET, _MOST = 0.8, 40
"""Seconds of the measurement, and its largest number of repetitions."""

_clock = time.perf_counter if sys.platform == "win32" else time.thread_time
"""Windows counts processor time in steps of 16 ms, which is longer than the work."""

Timings = tuple[float, float]
"""Seconds of the same work in fp32 and in bf16."""


@dataclass(frozen=True)
class PrecisionChoice:
    """A number format and the reason for it, in words for a person."""

    name: FixedPrecision
    reason: str


def choose_precision(
    wanted: FixedPrecision | Literal["auto"],
    device: str,
    saved: FixedPrecision | None = None,
    measure: Callable[[str], Timings] | None = None,
) -> PrecisionChoice:
    """The number format of a run.

    Args:
        wanted: ``fp32``, ``bf16`` or ``auto``: on a GPU bf16 if it computes in it, on the CPU
            whatever a measurement of about a second shows to be faster.
        device: ``cpu`` or ``cuda:N``.
        saved: that of the checkpoint from which the run resumes, which ``auto`` keeps; None for a
            new run.
        measure: times the same work in both formats on a device; None for :func:`measured`.
    """
    if wanted != "auto":
        return PrecisionChoice(wanted, Message("it was asked for"))
    if saved is not None:
        return PrecisionChoice(saved, Message("this run was started with it"))
    if device.startswith("cuda"):
        # Emulated bf16, as on GPUs older than Ampere, is slower than float32.
        with torch.cuda.device(device):
            able = torch.cuda.is_bf16_supported(including_emulation=False)
        if able:
            return PrecisionChoice("bf16", Message("this GPU computes in bf16"))
        return PrecisionChoice("fp32", Message("this GPU does not compute in bf16"))
    single, half = (measure or measured)(device)
    if half * _WORTH <= single:
        return PrecisionChoice(
            "bf16", Message("in a test bf16 was {0:.1f} times as fast as fp32", single / half)
        )
    if single * _WORTH <= half:
        return PrecisionChoice(
            "fp32", Message("in a test fp32 was {0:.1f} times as fast as bf16", half / single)
        )
    return PrecisionChoice("fp32", Message("in a test bf16 was no faster"))


def measured(device: str) -> Timings:
    """Time a convolution and a matrix product, forward and backward, in both formats.

    On one core and in its processor time: on the clock, other programs count as well, and threads
    that wait for each other. Cached, so that the estimate and the run agree.
    """
    return _measured(device)


@lru_cache
def _measured(device: str) -> Timings:
    with ThreadPoolExecutor(1, initializer=limit_to_one_core) as pool:
        return pool.submit(_time_both, device).result()


def _time_both(device: str) -> Timings:
    # Values from linspace: random ones would advance the generator that seeds the run.
    image = _values(1, 48, 32, 32, device=device)
    kernel = _values(48, 48, 3, 3, device=device)
    matrix = _values(192, 48, device=device)
    best = {False: float("inf"), True: float("inf")}
    for half in best:
        _work(image, kernel, matrix, half)  # not timed: kernels are selected
    began = time.perf_counter()
    for _ in range(_MOST):
        # In turns and the shortest of each: other programs disturb both alike.
        for half, shortest in best.items():
            start = _clock()
            _work(image, kernel, matrix, half)
            best[half] = min(shortest, _clock() - start)
        if time.perf_counter() - began > _BUDGET:
            break
    return best[False], best[True]


def _values(*shape: int, device: str) -> Tensor:
    count = torch.Size(shape).numel()
    flat = torch.linspace(-0.1, 0.1, count, device=device).view(shape)
    if len(shape) == 4:
        flat = flat.contiguous(memory_format=torch.channels_last)
    return flat.requires_grad_()


def _work(image: Tensor, kernel: Tensor, matrix: Tensor, half: bool) -> None:
    with torch.enable_grad(), autocast(image, "bf16" if half else "fp32"):
        hidden = F.gelu(F.conv2d(image, kernel, padding=1))
        result = F.linear(hidden.permute(0, 2, 3, 1), matrix)
    torch.autograd.grad(result.float().square().mean(), (image, kernel, matrix))


def autocast(like: Tensor, precision: str) -> AbstractContextManager[None]:
    """The context in which networks run on the device of ``like``.

    Raises:
        ValueError: ``precision`` is still ``auto``: :func:`choose_precision` was not asked.
    """
    if precision == "auto":
        raise ValueError("the precision of this run has not been chosen")
    return torch.autocast(like.device.type, torch.bfloat16, enabled=precision == "bf16")

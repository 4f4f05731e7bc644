"""Where the network runs, and why there."""

from __future__ import annotations

import os
import platform

import cv2
import torch

from core.errors import DeviceMemoryError, DeviceUnavailable, Said
from core.types import DeviceChoice


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """The device to run on, with the reason in words.

    Args:
        wanted: ``auto`` (CUDA when it works, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceUnavailable: a device was named that is not on this machine.
    """
    wanted = wanted.strip().lower()
    if wanted == "cpu":
        return DeviceChoice("cpu", cpu_label(), "the CPU was asked for")
    if wanted in ("auto", ""):
        reason = _why_no_cuda()
        if reason:
            return DeviceChoice("cpu", cpu_label(), reason)
        return DeviceChoice("cuda:0", torch.cuda.get_device_name(0), "a CUDA GPU is present")
    kind, _, number = wanted.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise DeviceUnavailable(
            f"Unknown device “{wanted}”", remedy="Choose auto, cpu, cuda or cuda:N."
        )
    reason = _why_no_cuda()
    if reason:
        raise DeviceUnavailable(f"Device “{wanted}”", reason, "Choose auto or cpu.")
    index = int(number or 0)
    if index >= torch.cuda.device_count():
        raise DeviceUnavailable(
            f"Device “{wanted}”",
            f"this machine has {torch.cuda.device_count()} CUDA device(s)",
            "Numbering starts at cuda:0.",
        )
    return DeviceChoice(f"cuda:{index}", torch.cuda.get_device_name(index), "it was asked for")


def _why_no_cuda() -> str:
    """Why CUDA cannot be used, or "" when it can."""
    if torch.version.cuda is None:
        return "this build of torch has no CUDA"
    if not torch.cuda.is_available():
        return "no usable CUDA GPU or driver was found"
    return ""


def cpu_label() -> str:
    """Name of the CPU device with the threads torch uses."""
    machine = platform.machine() or "CPU"
    return f"CPU ({machine}, {torch.get_num_threads()} threads of {os.cpu_count() or 1})"


_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "insufficient memory",
)
"""What torch, its CPU allocator, cuBLAS, cuDNN and OpenCV say."""


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way torch, numpy and OpenCV say that memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, cv2.error)) and any(
        words in text for words in _NO_MEMORY
    )


def memory_error(device: DeviceChoice, size: tuple[int, int]) -> DeviceMemoryError:
    """The error for a picture of ``size`` (width, height) that did not fit ``device``."""
    remedy = (
        "Choose a smaller picture or close other programs."
        if device.name == "cpu"
        else "Run it on the CPU (--device cpu), or choose a smaller picture."
    )
    return DeviceMemoryError(
        Said("A picture of {0}×{1} pixels does not fit {2}", *size, device.label),
        "the memory ran out",
        remedy,
    )


def synchronise(device: DeviceChoice) -> None:
    """Wait until the device has finished, so that timings mean something."""
    if device.name.startswith("cuda"):
        torch.cuda.synchronize(device.name)

"""Selection of the compute device, with the reason for it.

torch is imported inside the functions: classical fusion uses this module without torch.
"""

from __future__ import annotations

import os
import platform
import threading

import cv2

from core.errors import DeviceMemoryError, DeviceUnavailable, Message
from core.types import DeviceChoice


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """The device to run on, with the reason as a message.

    Args:
        wanted: ``auto`` (CUDA if it works, otherwise the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceUnavailable: the requested device does not exist on this machine.
    """
    import torch

    wanted = wanted.strip().lower()
    if wanted == "cpu":
        return DeviceChoice("cpu", cpu_label(), Message("the CPU was asked for"))
    if wanted in ("auto", ""):
        reason = _why_no_cuda()
        if reason:
            return DeviceChoice("cpu", cpu_label(), reason)
        return DeviceChoice(
            "cuda:0", torch.cuda.get_device_name(0), Message("a CUDA GPU is present")
        )
    kind, _, number = wanted.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise DeviceUnavailable(
            Message("Unknown device “{0}”", wanted),
            remedy=Message("Choose auto, cpu, cuda or cuda:N."),
        )
    reason = _why_no_cuda()
    if reason:
        raise DeviceUnavailable(
            Message("Device “{0}”", wanted), reason, Message("Choose auto or cpu.")
        )
    index = int(number or 0)
    if index >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        why = Message.plural(
            "this machine has {0} CUDA device", "this machine has {0} CUDA devices", count
        )
        raise DeviceUnavailable(
            Message("Device “{0}”", wanted),
            why,
            Message("Numbering starts at cuda:0."),
        )
    label = torch.cuda.get_device_name(index)
    return DeviceChoice(f"cuda:{index}", label, Message("it was asked for"))


def devices() -> tuple[DeviceChoice, ...]:
    """The devices of this machine: the CPU, followed by all CUDA devices."""
    import torch

    found = [choose_device("cpu")]
    for index in range(torch.cuda.device_count() if not _why_no_cuda() else 0):
        found.append(choose_device(f"cuda:{index}"))
    return tuple(found)


def _why_no_cuda() -> str:
    """The reason why CUDA cannot be used, or "" if it can."""
    import torch

    if torch.version.cuda is None:
        return Message("this build of torch has no CUDA")
    if not torch.cuda.is_available():
        return Message("no usable CUDA GPU or driver was found")
    return ""


def usable_cores() -> int:
    """Number of processor cores this process may use, at least 1."""
    able = getattr(os, "sched_getaffinity", None)
    return len(able(0)) if able is not None else os.cpu_count() or 1


def limit_to_one_core() -> None:
    """Make torch use one core for operations called from this thread from now on.

    Other threads are not affected.
    """
    import torch

    others = torch.get_num_threads()
    if others == 1:
        return
    torch.set_num_threads(1)
    # A new thread inherits the last value set by any thread, so restore it from another thread.
    reset = threading.Thread(target=torch.set_num_threads, args=(others,))
    reset.start()
    reset.join()


def cpu_label() -> str:
    """Name of the CPU device with the number of threads torch uses."""
    import torch

    machine = platform.machine() or "CPU"
    threads = torch.get_num_threads()
    return Message.plural(
        "CPU ({1}, {0} thread of {2})",
        "CPU ({1}, {0} threads of {2})",
        threads,
        machine,
        os.cpu_count() or 1,
    )


_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "insufficient memory",
)
"""Phrases in out-of-memory errors of torch, its CPU allocator, cuBLAS, cuDNN and OpenCV."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is an out-of-memory error of torch, numpy or OpenCV."""
    # torch's error is recognised by name, so that torch need not be imported.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, cv2.error)) and any(
        words in text for words in _NO_MEMORY
    )


def is_device_fault(error: BaseException) -> bool:
    """Whether ``error`` is one of CUDA after which every further call in this process fails.

    Device assertions, illegal addresses and failed launches are such; a lack of memory is not.
    """
    text = str(error)
    is_fault = "CUDA error:" in text or "CUDNN_STATUS_EXECUTION_FAILED" in text
    return isinstance(error, RuntimeError) and is_fault and not is_out_of_memory(error)


def memory_error(
    device: DeviceChoice,
    size: tuple[int, int],
    *,
    tiled: bool = False,
    needed: int = 0,
    free: int = 0,
) -> DeviceMemoryError:
    """The error for an image of ``size`` (width, height) that does not fit into ``device``.

    Args:
        tiled: it was already processed in the smallest tiles, or tiles would not help.
        needed, free: bytes, if known in advance.
    """
    if not tiled:
        remedy = Message("Fuse it in tiles (--tiles), or close other programs.")
    elif device.name == "cpu":
        remedy = Message("Choose a smaller picture or close other programs.")
    else:
        remedy = Message("Run it on the CPU (--device cpu), or choose a smaller picture.")
    why = Message("the memory ran out")
    if needed:
        why = Message("it takes about {0} MB, and {1} MB are free", needed // 10**6, free // 10**6)
    error = DeviceMemoryError(
        Message("A picture of {0}×{1} pixels does not fit {2}", *size, device.label), why, remedy
    )
    error.tiles_may_do = not tiled
    return error


def synchronise(device: DeviceChoice) -> None:
    """Wait for the device to finish all queued work, for correct timings."""
    if device.name.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device.name)

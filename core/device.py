"""Where the network runs, and why there.

torch is imported where it is asked something, not with this module: classical fusions need what is
here as well, and need not wait for it.
"""

from __future__ import annotations

import os
import platform
import threading

import cv2

from core.errors import DeviceMemoryError, DeviceUnavailable, Message
from core.types import DeviceChoice


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """The device to run on, with the reason in words.

    Args:
        wanted: ``auto`` (CUDA when it works, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceUnavailable: a device was named that is not on this machine.
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
    """What can be named on this machine: the CPU, then each CUDA device."""
    import torch

    found = [choose_device("cpu")]
    for index in range(torch.cuda.device_count() if not _why_no_cuda() else 0):
        found.append(choose_device(f"cuda:{index}"))
    return tuple(found)


def _why_no_cuda() -> str:
    """Why CUDA cannot be used, or "" when it can."""
    import torch

    if torch.version.cuda is None:
        return Message("this build of torch has no CUDA")
    if not torch.cuda.is_available():
        return Message("no usable CUDA GPU or driver was found")
    return ""


def usable_cores() -> int:
    """Processor cores this process may use, at least 1."""
    able = getattr(os, "sched_getaffinity", None)
    return len(able(0)) if able is not None else os.cpu_count() or 1


def keep_to_one_core() -> None:
    """Let torch use one core for what the calling thread asks of it, from now on.

    Other threads are as free as before.
    """
    import torch

    others = torch.get_num_threads()
    if others == 1:
        return
    torch.set_num_threads(1)
    # torch gives a thread that begins later what was said last, by any thread.
    last_word = threading.Thread(target=torch.set_num_threads, args=(others,))
    last_word.start()
    last_word.join()


def cpu_label() -> str:
    """Name of the CPU device with the threads torch uses."""
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
"""What torch, its CPU allocator, cuBLAS, cuDNN and OpenCV say."""


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way torch, numpy and OpenCV say that memory ran out."""
    # torch's own error by its name: where it has been raised, torch is there anyway.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, cv2.error)) and any(
        words in text for words in _NO_MEMORY
    )


def memory_error(
    device: DeviceChoice,
    size: tuple[int, int],
    *,
    tiled: bool = False,
    needed: int = 0,
    free: int = 0,
) -> DeviceMemoryError:
    """The error for an image of ``size`` (width, height) that does not fit ``device``.

    Args:
        tiled: it was tried in small pieces already, or they would not help.
        needed, free: bytes, where it was known before it was tried.
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
    """Wait until the device has finished, so that timings mean something."""
    if device.name.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device.name)

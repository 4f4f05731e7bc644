"""How much memory this program holds, from what the system tells for next to nothing."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROCESS, _MACHINE = Path("/proc/self/statm"), Path("/proc/meminfo")


@dataclass(frozen=True)
class Usage:
    """Bytes this process holds, and bytes the machine (or device) has."""

    used: int
    total: int


def process_memory() -> Usage | None:
    """Resident memory of this process and the machine's; None where it cannot be told."""
    try:
        system: str = sys.platform  # not the one the types are checked on
        if system.startswith("linux"):
            return _linux()
        if system == "win32":
            return _windows()
        return _posix()
    except (OSError, ValueError, IndexError, AttributeError, ImportError):
        return None


def _linux() -> Usage:
    pages = int(_PROCESS.read_text().split()[1])
    # MemTotal is the first line, in kB.
    total = int(_MACHINE.read_text().split()[1]) * 1024
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), total)


def _posix() -> Usage:
    import resource

    # The most it ever held: macOS tells no more without a foreign library. In bytes there.
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return Usage(used, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _windows() -> Usage:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "used", "a", "b", "c", "d", "pagefile", "peak_pagefile")
        ]

    class Status(ctypes.Structure):
        _fields_ = [("length", wintypes.DWORD), ("load", wintypes.DWORD)] + [
            (name, ctypes.c_uint64) for name in ("total", "free", "a", "b", "c", "d", "e")
        ]

    system: Any = ctypes.windll  # type: ignore[attr-defined]
    counters, status = Counters(cb=ctypes.sizeof(Counters)), Status(length=ctypes.sizeof(Status))
    system.kernel32.GetCurrentProcess.restype = wintypes.HANDLE
    process = wintypes.HANDLE(system.kernel32.GetCurrentProcess())
    system.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    system.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return Usage(int(counters.used), int(status.total))


def device_memory(device: str) -> Usage | None:
    """What is taken of a CUDA device (by every program) and what it has; None for others.

    torch is asked only where it has been imported already: this may run on the GUI thread.
    """
    torch = sys.modules.get("torch")
    if not device.startswith("cuda") or torch is None:
        return None
    try:
        free, total = torch.cuda.mem_get_info(device)
    except (RuntimeError, AttributeError):
        return None
    return Usage(int(total - free), int(total))

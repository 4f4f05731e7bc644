"""Short scheduling latency for the GUI thread, on Linux 6.12 and later.

If there are more busy threads than cores, a thread that wakes up waits for another one to use up
its time slice of some milliseconds. The GUI thread wakes up many times per event, since it waits
for the GIL, and the delays add up. Linux 6.12 schedules threads that request a short slice before
others; their share of CPU time does not grow.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

_SLICE_NS = 200_000
_NUMBERS = {"x86_64": (314, 315), "aarch64": (274, 275)}
"""Numbers of the system calls sched_setattr and sched_getattr, by machine."""


class _Attributes(ctypes.Structure):
    """``struct sched_attr`` of Linux, first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def _find_call() -> Any:
    known = sys.platform == "linux" and platform.machine() in _NUMBERS
    return ctypes.CDLL(None).syscall if known else None


_call = _find_call()
"""``syscall`` of the C library, or None where the numbers are unknown.

Looked up once at import: a look-up waits, with the GIL held, for any library being loaded, and
those of torch take long.
"""


def raise_priority() -> bool:
    """Request short time slices for the calling thread; returns whether the system accepted.

    Threads started by this one inherit them.
    """
    return _ask_for(_SLICE_NS)


def reset_priority() -> bool:
    """Request time slices of the default length; returns whether the system accepted."""
    return _ask_for(0)


def attributes() -> _Attributes | None:
    """Scheduling attributes of the calling thread; None where unavailable."""
    if _call is None:
        return None
    _, getting = _NUMBERS[platform.machine()]
    found = _Attributes()
    failed = _call(getting, 0, ctypes.byref(found), ctypes.sizeof(found), 0)
    return None if failed else found


def _ask_for(slice_ns: int) -> bool:
    wanted = attributes()
    if wanted is None or wanted.policy != os.SCHED_OTHER:
        return False
    wanted.runtime = slice_ns
    setting, _ = _NUMBERS[platform.machine()]
    return bool(_call(setting, 0, ctypes.byref(wanted), 0) == 0)

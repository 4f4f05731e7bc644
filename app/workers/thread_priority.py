"""Lets the window's thread have a core as soon as it wakes, where the system can be asked for that.

While work keeps more threads busy than there are cores, a thread that wakes waits for one of them
to end its slice of some milliseconds. The window's thread wakes many times in a turn, since it
waits for the interpreter's lock, and the waits add up. Linux from 6.12 on lets a thread that asks
for a short slice go before those with longer ones; its share of the processor is no larger.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

_SLICE_NS = 200_000
_NUMBERS = {"x86_64": (314, 315), "aarch64": (274, 275)}
"""Of the calls that set and get how a thread is scheduled; the C library has no names for them."""


class _Attributes(ctypes.Structure):
    """``struct sched_attr`` of Linux in its first version."""

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
"""``syscall`` of the C library, where its numbers are known.

Looked up once, in good time: to look up a function waits for whatever library is being opened
just then, with the interpreter's lock held, and torch takes long to open.
"""


def raise_priority() -> bool:
    """Ask for short slices for the calling thread; whether the system took it.

    Threads that begin later inherit them from who starts them, unless they ask for others.
    """
    return _ask_for(_SLICE_NS)


def reset_priority() -> bool:
    """Ask for slices as the system gives them by itself."""
    return _ask_for(0)


def attributes() -> _Attributes | None:
    """How the calling thread is scheduled, where the system says so."""
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

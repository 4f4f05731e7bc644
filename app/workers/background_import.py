"""Imports of large packages on the worker threads of the window."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import threading

_SWITCH = 0.0005

_readers_guard = threading.Lock()
_readers_tried = threading.Event()


def shorten_switch_interval() -> None:
    """Reduce the interpreter's switch interval to a tenth of its default.

    The GUI thread reacquires the GIL after nearly every call into Qt, and waits up to one interval
    (5 ms by default) each time while another thread runs Python. During the pairing of a large
    folder, a click with twenty such calls would take 0.1 s.
    """
    sys.setswitchinterval(_SWITCH)


def import_readers() -> None:
    """Import the readers of files as a whole, unless another thread has; waits for that thread.

    Python locks a module before the package it lies in. A thread that imports a package and one
    that imports a module of it would wait for each other; Python then gives one of them a module
    that is only half initialised, and its names are missing. pydicom has that fault, too.

    Errors are ignored: the work that needs the readers raises them with the reason.
    """
    package = "core.io.volumes"
    with _readers_guard:
        if package not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(package)
        if not _readers_tried.is_set():
            # Once: full collections over what the imports made would hold the GIL for some
            # 50 ms each (decision 0047); a thousand objects of garbage stay for it.
            gc.freeze()
            _readers_tried.set()


def readers_are_imported() -> bool:
    """Whether :func:`import_readers` has ended once, in whatever thread."""
    # gc.get_freeze_count() would count the frozen objects one by one: 18 ms in a full process.
    return _readers_tried.is_set()

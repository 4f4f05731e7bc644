"""Importing large packages on a worker thread without the window noticing.

Importing torch blocks every thread for long stretches, however much of it runs on a worker thread:
Python opens its extension modules, a gigabyte of libraries, with the interpreter lock held; and
the objects of the import make the garbage collector walk over all of them, lock held, several
times. Both can be had without the lock: the libraries are opened by a foreign call, for which
Python lets the lock go, and the collector rests until the import is over.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")

_SWITCH = 0.0005


def shorten_switch_interval() -> None:
    """Let threads written in Python take turns ten times as often as they do by default.

    The thread of the window takes the interpreter's lock anew after nearly every call into Qt, and
    waits one turn (5 ms by default) each time while another thread runs Python. Pairing a large
    folder or training would make a click of twenty such calls take a tenth of a second.
    """
    sys.setswitchinterval(_SWITCH)


@dataclass
class _CollectionPause:
    """How many rest now, and whether the collector was on before the first of them."""

    depth: int = 0
    was_on: bool = False


_rest = _CollectionPause()
_guard = threading.Lock()


@contextlib.contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """No garbage collection in here; afterwards what is there now is never looked at again.

    What is kept that way are modules, classes and functions, which live as long as the program.
    Several threads may be in here at once; the last one out wakes the collector.
    """
    with _guard:
        if not _rest.depth:
            _rest.was_on = gc.isenabled()
            gc.disable()
        _rest.depth += 1
    try:
        yield
    finally:
        with _guard:
            _rest.depth -= 1
            if not _rest.depth and _rest.was_on:
                gc.freeze()
                gc.enable()


def libraries(package: str) -> list[Path]:
    """The libraries that take long to open when ``package`` is imported, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent
    if package == "torch":
        suffix = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")
        prefix = "" if sys.platform == "win32" else "lib"
        names = ("torch_global_deps", "torch_python")
        files = [folder / "lib" / f"{prefix}{name}.{suffix}" for name in names]
    else:
        suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
        files = sorted(path for path in folder.iterdir() if path.name.endswith(suffixes))
    return [path for path in files if path.is_file()]


def open_libraries(paths: list[Path]) -> int:
    """Load shared libraries with the interpreter lock released; returns how many could be.

    One that cannot be loaded is no error here: the import that needs it says so in its own words.
    """
    return sum(bool(_open(path)) for path in paths)


def _find_loader() -> Any:
    """What opens a library without the interpreter's lock: (path, mode) → handle."""
    # ctypes.CDLL(path) keeps the lock while it loads; a foreign *call* does not.
    if sys.platform == "win32":
        load = ctypes.windll.kernel32.LoadLibraryExW
        load.argtypes = (ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32)
    else:
        load = ctypes.CDLL(None).dlopen
        load.argtypes = (ctypes.c_char_p, ctypes.c_int)
    load.restype = ctypes.c_void_p
    return load


_load = _find_loader()
"""Looked up once: to look it up while a library is being opened waits for that, lock held."""


def _open(path: Path) -> int | None:
    if sys.platform == "win32":
        # Look beside the library for what it needs, as torch itself does.
        found = _load(str(path), None, 0x00001100)
    else:
        now, everywhere = 2, ctypes.RTLD_GLOBAL
        mode = now | (everywhere if "global_deps" in path.name else ctypes.RTLD_LOCAL)
        found = _load(bytes(path), mode)
    return found if isinstance(found, int) else None


def import_in_background(
    make: Callable[[], Made], *packages: str, after: Sequence[tuple[threading.Event, float]] = ()
) -> Callable[[], Made]:
    """``make``, which imports ``packages``, made to leave the other threads their time.

    Args:
        after: wait for these in turn, so many seconds each, up to the first that does not come.
            The system opens one library at a time: a thread that meanwhile imports a small one, is
            started, or calls into a library for the first time waits for the large one, and with
            it, where it holds the interpreter's lock, the window. So what is small and needed soon
            goes first.
    """

    def made() -> Made:
        for event, seconds in after:
            if not event.wait(seconds):
                break
        with paused_garbage_collection():
            for package in packages:
                if package not in sys.modules:
                    open_libraries(libraries(package))
            return make()

    return made

"""Imports of large packages on a worker thread without blocking the GUI.

Importing torch blocks all threads for long periods, even on a worker thread: Python loads its
extension modules, a gigabyte of libraries, while it holds the global interpreter lock (GIL); and
the objects created by the import trigger several full garbage collections, which hold the GIL,
too. Both are avoided: the libraries are loaded by a foreign call, which releases the GIL, and
garbage collection is paused during the import.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")

_SWITCH = 0.0005


def shorten_switch_interval() -> None:
    """Reduce the interpreter's switch interval to a tenth of its default.

    The GUI thread reacquires the GIL after nearly every call into Qt, and waits up to one interval
    (5 ms by default) each time while another thread runs Python. During the pairing of a large
    folder or training, a click with twenty such calls would take 0.1 s.
    """
    sys.setswitchinterval(_SWITCH)


@dataclass
class _CollectionPause:
    """Number of active pauses, and whether collection was enabled before the first."""

    depth: int = 0
    was_on: bool = False


_pause = _CollectionPause()
_guard = threading.Lock()
_readers_guard = threading.Lock()


@contextlib.contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Pause garbage collection.

    Several threads may be inside at the same time; collection is enabled when the last one leaves.
    """
    with _guard:
        if not _pause.depth:
            _pause.was_on = gc.isenabled()
            gc.disable()
        _pause.depth += 1
    try:
        yield
    finally:
        with _guard:
            _pause.depth -= 1
            if not _pause.depth and _pause.was_on:
                gc.enable()


def libraries(package: str) -> list[Path]:
    """Large shared libraries of ``package``, found without importing it."""
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
    """Load shared libraries with the GIL released; returns the number of those loaded.

    Failures are ignored: the import that needs the library raises an error with the reason.
    """
    return sum(bool(_open(path)) for path in paths)


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
            with contextlib.suppress(Exception), paused_garbage_collection():
                open_libraries(libraries("cv2"))
                importlib.import_module(package)
                # Once: a full collection over what the imports made holds the GIL for some 50 ms
                # (decision 0047); their garbage stays, but nothing of later work.
                gc.freeze()


def _find_loader() -> Any:
    """The function that loads a library with the GIL released: (path, mode) → handle."""
    # ctypes.CDLL(path) holds the GIL while it loads; a foreign *call* does not.
    if sys.platform == "win32":
        load = ctypes.windll.kernel32.LoadLibraryExW
        load.argtypes = (ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32)
    else:
        load = ctypes.CDLL(None).dlopen
        load.argtypes = (ctypes.c_char_p, ctypes.c_int)
    load.restype = ctypes.c_void_p
    return load


_load = _find_loader()
"""Looked up once: a look-up while a library is being loaded would wait for it with the GIL."""


def _open(path: Path) -> int | None:
    if sys.platform == "win32":
        # Search the library's folder for its dependencies, as torch itself does.
        found = _load(str(path), None, 0x00001100)
    else:
        now, everywhere = 2, ctypes.RTLD_GLOBAL
        mode = now | (everywhere if "global_deps" in path.name else ctypes.RTLD_LOCAL)
        found = _load(bytes(path), mode)
    return found if isinstance(found, int) else None


def import_in_background(make: Callable[[], Made], *packages: str) -> Callable[[], Made]:
    """Wrap ``make``, which imports ``packages``, so that it does not block other threads."""

    def made() -> Made:
        with paused_garbage_collection():
            for package in packages:
                if package not in sys.modules:
                    open_libraries(libraries(package))
            return make()

    return made

"""What a Linux machine must bring for Qt to start, and how to get what is missing."""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from core.errors import FusionError

LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
}
"""Library name for the loader → Debian/Ubuntu package. What the Qt wheels need and do not carry."""


def missing_libraries() -> dict[str, str]:
    """Those of :data:`LIBRARIES` found neither by the loader nor in a frozen program's own folder.

    Empty on other systems than Linux.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return {
        name: package
        for name, package in LIBRARIES.items()
        if ctypes.util.find_library(name) is None and not _bundled(name)
    }


def _bundled(name: str) -> bool:
    folder = getattr(sys, "_MEIPASS", None)
    return folder is not None and any(Path(folder).glob(f"lib{name}.so*"))


def install_command(packages: tuple[str, ...]) -> str:
    """The command that installs Debian packages."""
    return f"sudo apt-get install {' '.join(sorted(packages))}"


@contextlib.contextmanager
def explain_missing_libraries() -> Iterator[None]:
    """Turn the loader's complaint about a missing library into the command that mends it.

    Raises:
        FusionError: Qt cannot be loaded; says what is missing and how to install it.
    """
    try:
        yield
    except ImportError as error:
        missing = missing_libraries()
        remedy = (
            f"Run: {install_command(tuple(missing.values()))}"
            if missing
            else "Install the program again."
        )
        raise FusionError("The window cannot start", str(error), remedy) from error


def require_display() -> None:
    """Refuse to open a window where there is no screen; Qt itself would abort the process.

    Raises:
        FusionError: on Linux, there is neither X11 nor Wayland and no other platform was named.
    """
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        raise FusionError(
            "The window cannot open",
            "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            "Run it on a desktop, or use “unifusion fuse A B --task TASK -o OUT.png”.",
        )

"""What a Linux machine must bring for Qt to start, and how to get what is missing."""

from __future__ import annotations

import contextlib
import ctypes.util
import sys
from collections.abc import Iterator

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
    """Those of :data:`LIBRARIES` that the loader cannot find; empty on other systems."""
    if not sys.platform.startswith("linux"):
        return {}
    return {
        name: package
        for name, package in LIBRARIES.items()
        if ctypes.util.find_library(name) is None
    }


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
            else "Install the program again: pip install unifusion-studio."
        )
        raise FusionError("The window cannot start", str(error), remedy) from error

"""Checks for what Qt needs on Linux to open a window, and says how to install what is missing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import FusionError

LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Libraries the Qt wheels need but do not contain: soname → Debian/Ubuntu package."""

_NO_WINDOW = "The window cannot open"
_WITHOUT = (
    "use “unifusion fuse A B --task TASK -o OUT.png”, "
    "or set QT_QPA_PLATFORM=offscreen for a --screenshot"
)
_PATIENCE = 1.0
"""Timeout for a connection to an X server on another machine, in seconds."""


def missing_libraries() -> dict[str, str]:
    """Those of :data:`LIBRARIES` that the loader cannot load here.

    Empty on systems other than Linux. Libraries bundled with a frozen program count as present.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return {
        name: package
        for name, package in LIBRARIES.items()
        if not _bundled(name) and not _loads(name)
    }


def _loads(name: str) -> bool:
    # The loader's cache may list files that are missing or damaged: only loading is a test.
    try:
        ctypes.CDLL(name)
    except OSError as error:
        # It may exist and lack a dependency, which is then reported itself.
        lacked = Path(str(error).partition(":")[0]).name
        return lacked != name and lacked in LIBRARIES
    return True


def _bundled(name: str) -> bool:
    folder = getattr(sys, "_MEIPASS", None)
    return folder is not None and (Path(folder) / name).is_file()


def install_command(packages: Sequence[str]) -> str:
    """The command that installs Debian packages."""
    return f"sudo apt-get install {' '.join(sorted(packages))}"


@contextlib.contextmanager
def explain_missing_libraries() -> Iterator[None]:
    """Turn the loader's error about a missing library into the command that installs it.

    Raises:
        FusionError: Qt cannot be loaded; says what is missing and how to install it.
    """
    try:
        yield
    except ImportError as error:
        missing = missing_libraries()
        if missing:
            raise _lacking(missing) from error
        library = re.match(r"lib[\w.+-]+\.so[\d.]*", str(error))
        remedy = f"Install the system's package with {library[0]}." if library else ""
        raise FusionError(
            "The window cannot start", str(error), remedy or "Install the program again."
        ) from error


def _lacking(missing: dict[str, str]) -> FusionError:
    return FusionError(
        _NO_WINDOW,
        f"the system libraries {', '.join(missing)} are missing"
        if len(missing) > 1
        else f"the system library {next(iter(missing))} is missing",
        f"Run: {install_command(tuple(missing.values()))}",
    )


# --- screens ------------------------------------------------------------------------------------


def require_display() -> None:
    """Check that the environment names a display.

    Raises:
        FusionError: on Linux, neither X11 nor Wayland is available and no platform is chosen.
    """
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        raise FusionError(
            _NO_WINDOW,
            "there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            f"Run it on a desktop, or {_WITHOUT}.",
        )


def display_error(messages: Sequence[str] = ()) -> FusionError:
    """The error to report where Qt cannot open a window and is about to abort the process.

    Args:
        messages: messages of Qt during the attempt.
    """
    missing = missing_libraries()
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    absent = re.search(r'Could not find the Qt platform plugin "([^"]*)"', " ".join(messages))
    if absent and wanted:
        why = f"Qt has no platform “{absent[1]}”, which QT_QPA_PLATFORM asks for"
        return FusionError(_NO_WINDOW, why, "Unset QT_QPA_PLATFORM, or set it to xcb or offscreen.")
    if absent:
        why = f"Qt does not find its platform “{absent[1]}”"
        remedy = (
            "Unset QT_PLUGIN_PATH and QT_QPA_PLATFORM_PLUGIN_PATH, or install the program again."
        )
        return FusionError(_NO_WINDOW, why, remedy)
    if missing:
        return _lacking(missing)
    screens = unreachable_screens()
    if screens:
        return FusionError(_NO_WINDOW, screens[-1], f"Run it on a desktop, or {_WITHOUT}.")
    why = next((text for text in messages if "plugin" not in text), "Qt found no screen to use")
    return FusionError(_NO_WINDOW, why.rstrip("."), f"Run it on a desktop, or {_WITHOUT}.")


def unreachable_screens() -> list[str]:
    """Problems with the displays that the environment names; empty when all of them respond."""
    if not sys.platform.startswith("linux"):
        return []
    found = []
    wayland, x11 = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("DISPLAY")
    if wayland and not _answers(_wayland_address(wayland)):
        found.append(f"the screen “{wayland}” does not answer (WAYLAND_DISPLAY)")
    address = _x11_address(x11) if x11 else None
    if x11 and address is None:
        found.append(f"“{x11}” is no name of a screen (DISPLAY)")
    elif x11 and address is not None and not _answers(address):
        found.append(f"the screen “{x11}” does not answer (DISPLAY)")
    elif x11 and address is not None and not wayland and not _accepts_user():
        found.append(f"the screen “{x11}” does not let this user in (DISPLAY, XAUTHORITY)")
    elif not x11 and not wayland:
        found.append("there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    return found


def _wayland_address(name: str) -> str:
    return str(Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name)


def _x11_address(name: str) -> str | tuple[str, int] | None:
    """Address of the X server of a DISPLAY; None where the value is malformed."""
    parts = re.fullmatch(r"(?:(?:unix/?)?|(?:tcp/)?(?P<host>[^:]+)):(?P<number>\d+)(\.\d+)?", name)
    if parts is None:
        return None
    number = int(parts["number"])
    return (parts["host"], 6000 + number) if parts["host"] else f"/tmp/.X11-unix/X{number}"


def _answers(address: str | tuple[str, int]) -> bool:
    """True when a server listens there; for a path, also on the abstract socket of that name."""
    if not isinstance(address, str):
        try:
            socket.create_connection(address, _PATIENCE).close()
        except (OSError, OverflowError):
            return False
        return True
    return any(_connects(place) for place in (address, "\0" + address))


def _connects(place: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(_PATIENCE)
        try:
            one.connect(place)
        except (OSError, ValueError):
            return False
    return True


def _accepts_user() -> bool:
    """True when the X server of $DISPLAY accepts this user, or where this cannot be tested."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    with suppress_stderr():
        connection = xcb.xcb_connect(None, None)
        refused = bool(xcb.xcb_connection_has_error(connection))
        xcb.xcb_disconnect(connection)
    return not refused


@contextlib.contextmanager
def suppress_stderr() -> Iterator[None]:
    """Suppress what C libraries write to standard error.

    Xlib writes a line of its own there when a server refuses the connection.
    """
    try:
        kept = os.dup(2)
    except OSError:  # no error stream
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)

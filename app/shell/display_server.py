"""What a Linux machine must bring for Qt to open a window, and how to get what is missing."""

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
"""What the Qt wheels need and do not carry: name for the loader → Debian/Ubuntu package."""

_NO_WINDOW = "The window cannot open"
_WITHOUT = (
    "use “unifusion fuse A B --task TASK -o OUT.png”, "
    "or set QT_QPA_PLATFORM=offscreen for a --screenshot"
)
_PATIENCE = 1.0
"""Seconds a screen on another machine has for its answer."""


def missing_libraries() -> dict[str, str]:
    """Those of :data:`LIBRARIES` that the loader cannot load here.

    Empty on other systems than Linux. What a frozen program carries in its own folder is there.
    """
    if not sys.platform.startswith("linux"):
        return {}
    return {
        name: package
        for name, package in LIBRARIES.items()
        if not _bundled(name) and not _loads(name)
    }


def _loads(name: str) -> bool:
    # The loader's list of libraries may name files that are gone or damaged: only loading tells.
    try:
        ctypes.CDLL(name)
    except OSError as error:
        # It may be there and lack another one, which is reported for itself.
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
    """Turn the loader's complaint about a missing library into the command that mends it.

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
    """Refuse to open a window where no screen is named.

    Raises:
        FusionError: on Linux, there is neither X11 nor Wayland and no other platform was named.
    """
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in named):
        raise FusionError(
            _NO_WINDOW,
            "there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            f"Run it on a desktop, or {_WITHOUT}.",
        )


def no_window(said: Sequence[str] = ()) -> FusionError:
    """Why Qt cannot open a window here, which it is about to abort the process for.

    Args:
        said: what Qt said while it tried.
    """
    missing = missing_libraries()
    wanted = os.environ.get("QT_QPA_PLATFORM", "")
    absent = re.search(r'Could not find the Qt platform plugin "([^"]*)"', " ".join(said))
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
    why = next((text for text in said if "plugin" not in text), "Qt found no screen to use")
    return FusionError(_NO_WINDOW, why.rstrip("."), f"Run it on a desktop, or {_WITHOUT}.")


def unreachable_screens() -> list[str]:
    """What is wrong with the screens that the environment names; nothing when each answers."""
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
    elif x11 and address is not None and not wayland and not _admits():
        found.append(f"the screen “{x11}” does not let this user in (DISPLAY, XAUTHORITY)")
    elif not x11 and not wayland:
        found.append("there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set)")
    return found


def _wayland_address(name: str) -> str:
    return str(Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / name)


def _x11_address(name: str) -> str | tuple[str, int] | None:
    """Where the X server of a DISPLAY listens; None for what is no DISPLAY."""
    parts = re.fullmatch(r"(?:(?:unix/?)?|(?:tcp/)?(?P<host>[^:]+)):(?P<number>\d+)(\.\d+)?", name)
    if parts is None:
        return None
    number = int(parts["number"])
    return (parts["host"], 6000 + number) if parts["host"] else f"/tmp/.X11-unix/X{number}"


def _answers(address: str | tuple[str, int]) -> bool:
    """True when somebody listens there. Of a path, the abstract socket of that name will do."""
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


def _admits() -> bool:
    """True when the X server of $DISPLAY lets this user in, as far as can be told."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    with quiet_errors():
        connection = xcb.xcb_connect(None, None)
        refused = bool(xcb.xcb_connection_has_error(connection))
        xcb.xcb_disconnect(connection)
    return not refused


@contextlib.contextmanager
def quiet_errors() -> Iterator[None]:
    """Whatever libraries in C write to the error stream meanwhile is dropped.

    The X library writes its own line there when a screen lets nobody in.
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

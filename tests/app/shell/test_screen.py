"""Where no window can open there is one line that says why and what helps, never an abort."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.shell import display_server
from core.errors import FusionError
from resources import ROOT

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems have a screen and their libraries"
)
CHECKOUT = ROOT.parent
NO_FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig/>'


def bare(**changes: str) -> dict[str, str]:
    """An environment without any screen, and ``changes``."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "QT_QPA_PLATFORM")
    return {**{k: v for k, v in os.environ.items() if k not in names}, **changes}


def start(arguments: list[str], **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=bare(**changes),
        timeout=120,
        check=False,
    )


def refused(tmp_path: Path, **changes: str) -> str:
    """The one line with which the window does not open."""
    done = start(["gui", "--screenshot", str(tmp_path / "x.png")], **changes)
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("unifusion: The window cannot open: ")
    assert not (tmp_path / "x.png").exists()
    return line


@pytest.fixture
def number() -> int:
    """The number of a screen nobody has."""
    taken = {path.name for path in Path("/tmp/.X11-unix").glob("X*")}
    return next(n for n in range(91, 400) if f"X{n}" not in taken)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "there is no screen here"),
        ({"DISPLAY": ""}, "there is no screen here"),
        ({"QT_QPA_PLATFORM": "xcb"}, "there is no screen here"),
        ({"DISPLAY": ":{number}"}, "the screen “:{number}” does not answer"),
        ({"DISPLAY": "localhost:{number}.0"}, "the screen “localhost:{number}.0” does not answer"),
        ({"DISPLAY": "nonsense"}, "“nonsense” is no name of a screen"),
        ({"WAYLAND_DISPLAY": "wayland-77"}, "the screen “wayland-77” does not answer"),
        ({"QT_QPA_PLATFORM": "linuxfb"}, "there is no screen here"),
    ],
)
def test_a_screen_that_is_not_there_is_named_and_what_works_without(
    tmp_path, number, changes, why
) -> None:
    line = refused(tmp_path, **{k: v.format(number=number) for k, v in changes.items()})
    assert why.format(number=number) in line
    assert "unifusion fuse A B --task TASK -o OUT.png" in line
    assert "QT_QPA_PLATFORM=offscreen" in line


def test_a_platform_qt_does_not_have_is_named(tmp_path) -> None:
    line = refused(tmp_path, QT_QPA_PLATFORM="nothing")
    assert "no platform “nothing”" in line
    assert "Unset QT_QPA_PLATFORM" in line


@pytest.mark.parametrize(
    ("libraries", "packages"),
    [
        (["libxcb-cursor.so.0"], "libxcb-cursor0"),
        (["libxcb-util.so.1", "libxcb-xkb.so.1"], "libxcb-util1 libxcb-xkb1"),
        (["libEGL.so.1"], "libegl1"),
        (["libGL.so.1", "libEGL.so.1"], "libegl1 libgl1"),
    ],
)
def test_missing_libraries_are_named_with_the_command_that_brings_them(
    tmp_path, number, libraries, packages
) -> None:
    """The last two are wanted by the import already, the first two by the plugin alone."""
    for name in libraries:
        (tmp_path / name).touch()  # found first, and no library
    changes = {"LD_LIBRARY_PATH": str(tmp_path), "DISPLAY": f":{number}"}
    line = refused(tmp_path, **changes)
    assert all(name in line for name in libraries)
    assert line.endswith(f"Run: sudo apt-get install {packages}")
    report = start(["doctor"], **changes)
    assert report.returncode == 1
    assert f"sudo apt-get install {packages}" in report.stdout


def test_a_machine_without_fonts_is_told(tmp_path) -> None:
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(NO_FONTS, "utf-8")
    line = refused(tmp_path, QT_QPA_PLATFORM="offscreen", FONTCONFIG_FILE=str(fonts))
    assert "there are no fonts" in line
    assert "apt-get install fonts-" in line


@pytest.fixture
def guarded(tmp_path, number) -> Iterator[str]:
    """A real screen that lets in only those who know its cookie."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    fields = (b"", str(number).encode(), b"MIT-MAGIC-COOKIE-1", os.urandom(16))
    entry = b"".join(struct.pack(">H", len(field)) + field for field in fields)
    (tmp_path / "auth").write_bytes(struct.pack(">H", 0xFFFF) + entry)
    with subprocess.Popen(
        ["Xvfb", f":{number}", "-auth", str(tmp_path / "auth"), "-screen", "0", "800x600x24"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 20
        while not display_server._answers(f"/tmp/.X11-unix/X{number}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f":{number}"
        server.terminate()


def test_a_screen_that_lets_this_user_not_in_is_told(tmp_path, guarded) -> None:
    line = refused(tmp_path, DISPLAY=guarded, XAUTHORITY=os.devnull)
    assert f"the screen “{guarded}” does not let this user in" in line


def test_doctor_says_what_a_dead_screen_is(number) -> None:
    report = start(["doctor"], DISPLAY=f":{number}")
    assert report.returncode == 1
    assert f"! The screen “:{number}” does not answer (DISPLAY)" in report.stdout


def test_a_screen_that_listens_is_not_called_dead(monkeypatch, tmp_path) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / "wayland-1"))
    listener.listen()
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert display_server.unreachable_screens() == []
    listener.close()
    assert display_server.unreachable_screens() == [
        "the screen “wayland-1” does not answer (WAYLAND_DISPLAY)"
    ]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (":0", "/tmp/.X11-unix/X0"),
        (":12.1", "/tmp/.X11-unix/X12"),
        ("unix:3", "/tmp/.X11-unix/X3"),
        ("host.example:10.0", ("host.example", 6010)),
        ("x", None),
        (":", None),
    ],
)
def test_where_a_display_listens(name, address) -> None:
    assert display_server._x11_address(name) == address


def test_a_library_the_program_does_not_know_is_named_too(monkeypatch) -> None:
    monkeypatch.setattr(display_server, "missing_libraries", dict)
    complaint = "libfoo-2.so.4: cannot open shared object file: No such file or directory"
    with pytest.raises(FusionError) as caught, display_server.explain_missing_libraries():
        raise ImportError(complaint)
    assert caught.value.remedy == "Install the system's package with libfoo-2.so.4."
    with pytest.raises(FusionError) as caught, display_server.explain_missing_libraries():
        raise ImportError("No module named 'PySide6'")
    assert caught.value.remedy == "Install the program again."

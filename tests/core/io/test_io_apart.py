"""Risky codecs in a process of their own: a crash, a hang or a flood costs one file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from core.errors import InputError
from core.io import read_image
from core.io.readers import isolated

_RNG = np.random.default_rng(8)
_RGB = _RNG.integers(0, 256, (40, 52, 3), dtype=np.uint8)
_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a.jp2"
    path.write_bytes(imagecodecs.jpeg2k_encode(_RGB, level=0))
    return path


def _child(path: Path) -> int:
    """Process that decoded ``path``, which now waits for more."""
    read_image(path)
    return isolated._pool._idle[-1].process.pid


def test_one_process_for_many_files(image: Path) -> None:
    first = _child(image)
    assert _child(image) == first
    assert first != os.getpid()
    np.testing.assert_array_equal(read_image(image).data, _RGB)


def test_a_process_that_died_is_started_again(image: Path) -> None:
    first = _child(image)
    isolated._pool._idle[-1].process.kill()
    isolated._pool._idle[-1].process.wait()
    np.testing.assert_array_equal(read_image(image).data, _RGB)
    assert _child(image) != first


def test_a_crash_costs_that_file(image: Path, shared_data: Path) -> None:
    hostile = shared_data / "hostile" / "jpegxr_sigfpe.tif"
    if not hostile.exists():
        pytest.skip("no hostile files beside the real pairs")
    for _ in range(2):
        with pytest.raises(InputError, match=f"{hostile.name}.*damaged.*crashed"):
            read_image(hostile)
        np.testing.assert_array_equal(read_image(image).data, _RGB)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs a process that can be stopped")
def test_a_hang_is_ended(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "_SECONDS", 0.5)
    os.kill(_child(image), signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(InputError, match="takes too long"):
        read_image(image)
    assert time.monotonic() - begun < 5
    monkeypatch.undo()
    np.testing.assert_array_equal(read_image(image).data, _RGB)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are Linux's")
def test_a_flood_of_memory_is_stopped(tmp_path: Path) -> None:
    """A strip that claims far more than its header: the decoder asks for gigabytes."""
    code = (
        "import numpy as np, core.io.readers.isolated_child as child\n"
        "with child._memory_limited(1000):\n"
        "    try: np.ones(3 << 30, np.uint8)\n"
        "    except MemoryError: print('stopped')\n"
        "np.ones(1 << 20, np.uint8)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT)
    assert told.stdout == "stopped\n", told.stderr


def test_from_several_threads(image: Path, tmp_path: Path) -> None:
    grey = tmp_path / "b.jxl"
    grey.write_bytes(imagecodecs.jpegxl_encode(_RGB[..., 0], lossless=True))
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            if not np.array_equal(read_image(image).data, _RGB):
                wrong.append("jp2")
            if not np.array_equal(read_image(grey).data[..., 0], _RGB[..., 0]):
                wrong.append("jxl")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(isolated._pool._idle) <= isolated._AT_ONCE


@pytest.mark.skipif(not Path("/proc").exists(), reason="asks the system for processes")
@pytest.mark.parametrize("end", ["return", "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_it_ends_with_the_program(image: Path, end: str) -> None:
    code = (
        "import os, sys\nfrom core.io import read_image\nfrom core.io.readers import isolated\n"
        f"read_image({str(image)!r})\n"
        "print(isolated._pool._idle[-1].process.pid, flush=True)\n"
        + ("" if end == "return" else end)
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT)
    pid = int(told.stdout)
    for _ in range(100):
        if not _alive(pid):
            return
        time.sleep(0.05)
    pytest.fail("the decoding process outlived the program")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_it_is_light() -> None:
    """Neither the window nor the networks are loaded there."""
    code = (
        "import sys, core.io.readers.isolated_child\n"
        "unwanted = ('torch', 'PySide6', 'core.fusion.engine', 'core.models')\n"
        "print([m for m in unwanted if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=_ROOT)
    assert told.stdout.strip() == "[]", told.stderr


def test_the_program_is_its_own_decoder(image: Path) -> None:
    """As the frozen program starts it."""
    command = [sys.executable, "-m", "app", isolated.CHILD_ARGUMENT]
    request = b'{"codec": "jpeg2000", "path": "%s", "pixels": 2080, "seconds": 9}\n'
    told = subprocess.run(
        command,
        input=request % os.fsencode(image).hex().encode(),
        capture_output=True,
        cwd=_ROOT,
    )
    ready, answer, body = told.stdout.split(b"\n", 2)
    assert b"ready" in ready
    assert b'"shape": [40, 52, 3]' in answer
    assert body == _RGB.tobytes()


def test_ordinary_files_need_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> Any:
        raise AssertionError("a process was started")

    monkeypatch.setattr(isolated, "_start", none)
    monkeypatch.setattr(isolated._pool, "_idle", [])
    for codec in (None, "lzw", "zlib", "packbits", "zstd", "lzma", "jpeg"):
        tifffile.imwrite(tmp_path / "o.tif", _RGB, photometric="rgb", compression=codec)
        assert read_image(tmp_path / "o.tif").size == (52, 40)
    tifffile.imwrite(tmp_path / "o.tif", _RGB, photometric="rgb", compression="jpeg2000")
    with pytest.raises(InputError, match="a process was started"):
        read_image(tmp_path / "o.tif")


def test_a_process_that_cannot_be_started(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError("no more processes")

    monkeypatch.setattr(isolated, "_start", refuse)
    monkeypatch.setattr(isolated._pool, "_idle", [])
    with pytest.raises(InputError, match=r"cannot be started.*no more processes"):
        read_image(image)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    try:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.jp2"))
        path.write_bytes(imagecodecs.jpeg2k_encode(_RGB, level=0))
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only names that are text")
    np.testing.assert_array_equal(read_image(path).data, _RGB)

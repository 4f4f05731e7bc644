"""Starting: quiet imports, the first paint, signals, timings, scaling, and no network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.preferences.settings import Settings
from app.shell import startup_timings
from app.shell.main_window import MainWindow
from app.shell.posix_signals import close_on_signals
from app.workers.first_paint import FirstPaint
from resources import SAMPLES

_REPO = Path(__file__).resolve().parents[3]


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=_REPO,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


# --- first paint, timings, signals -------------------------------------------------------------


class Painted(QWidget):
    """Notes when it is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def paintEvent(self, event: object) -> None:
        self.seen.append("paint")


def test_work_begins_after_the_first_paint_and_once(qtbot):
    widget = Painted()
    qtbot.addWidget(widget)
    FirstPaint(widget, lambda: widget.seen.append("then"))
    widget.show()
    qtbot.waitUntil(lambda: "then" in widget.seen)
    widget.update()
    qtbot.waitUntil(lambda: widget.seen[-1] == "paint")
    assert widget.seen[0] == "paint"
    assert widget.seen.count("then") == 1


def test_timings_are_written_only_when_asked_for(qtbot, monkeypatch, tmp_path, window, engine):
    monkeypatch.delenv("UNIFUSION_TIMINGS", raising=False)
    assert startup_timings.timings_file() is None
    monkeypatch.setenv("UNIFUSION_TIMINGS", str(tmp_path / "t.jsonl"))
    file = startup_timings.timings_file()
    assert file is not None
    clock = startup_timings.StartupTimings(file, window, window.session)
    window.update()
    engine.gate.clear()  # the preview is on its own thread, and could come second
    with qtbot.waitSignal(window.controller.previewed, timeout=10_000):
        window.controller.open_sample()
    with qtbot.waitSignal(window.controller.idle, timeout=10_000):
        engine.gate.set()
    qtbot.waitUntil(lambda: "result" in file.read_text(encoding="utf-8"))
    clock.finish()
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    events = [row["event"] for row in rows]
    assert sorted(events) == ["paint", "preview", "result", "sources", "stalls"]
    assert events.index("sources") < events.index("preview") < events.index("result")
    times = [row["at"] for row in rows[:-1]]
    assert times == sorted(times)


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_from_the_event_loop_and_handlers_come_back(qtbot, number):
    before = signal.getsignal(number)
    heard = []
    with close_on_signals(lambda: heard.append("close")):
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: heard == ["close"])
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
@pytest.mark.parametrize(
    ("number", "wanted"),
    [(signal.SIGINT, "close"), (signal.SIGTERM, "end"), (signal.SIGHUP, "end")],
)
def test_only_ctrl_c_may_be_answered_with_a_question(qtbot, number, wanted):
    heard = []
    with close_on_signals(lambda: heard.append("close"), lambda: heard.append("end")):
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: heard == [wanted])


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
def test_a_hang_up_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with close_on_signals(pytest.fail, pytest.fail):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX's")
def test_a_terminated_program_keeps_its_session(tmp_path, files):
    code = (
        "import os, signal, sys; from pathlib import Path; from PySide6.QtCore import QTimer\n"
        "from app.shell import application as gui; from tests.app.standin import StandInEngine\n"
        "from contextlib import nullcontext\n"
        "gui.engine_factory = lambda device: StandInEngine\n"
        "gui.remote.computing = nullcontext\n"
        "shown = gui.FirstPaint\n"
        "def paint(window, then):\n"
        "    window.controller.idle.connect(lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "    shown(window, then)\n"
        "gui.FirstPaint = paint\n"
        "print(gui.run(Path(sys.argv[1]), Path(sys.argv[2]), 'mif', None, 'cpu', screenshot=None))"
    )
    done = python(code, *files, UNIFUSION_HOME=str(tmp_path / "home"))
    assert (done.stdout, done.stderr) == ("0\n", "")
    names = sorted(path.name for path in (tmp_path / "home").iterdir())
    assert names == ["session.json", "settings.ini"]
    kept = json.loads((tmp_path / "home" / "session.json").read_text(encoding="utf-8"))
    assert kept["a"] == str(files[0])


# --- scaling and network -----------------------------------------------------------------------

_SHOT = (
    "import sys; from pathlib import Path; from app.shell import application as gui\n"
    "from tests.app.standin import StandInEngine\n"
    "from contextlib import nullcontext\n"
    "gui.engine_factory = lambda device: StandInEngine\n"
    "gui.remote.computing = nullcontext\n"
    "sys.exit(gui.run(None, None, 'mif', None, 'cpu', screenshot=Path(sys.argv[1])))"
)


def test_on_a_dense_screen_everything_has_its_pixels(tmp_path):
    done = python(_SHOT, tmp_path / "shot.png", QT_SCALE_FACTOR="1.5")
    assert (done.returncode, done.stderr) == (0, "")
    image = QImage(str(tmp_path / "shot.png"))
    assert (image.width(), image.height()) == (2400, 1500)


_DENY = """
import sys
def deny(event, details):
    if not event.startswith(('socket.', 'urllib.', 'http.', 'ftplib.', 'smtplib.')):
        return
    family = getattr(details[0], 'family', None) if details else None
    if event == 'socket.__new__':
        family = details[1]
    # The pair of sockets between the window and its compute process reaches nobody else.
    if not (event in ('socket.__new__', 'socket.sendmsg') and family == 1):
        raise PermissionError('no network')
sys.addaudithook(deny)
"""


def test_the_window_opens_and_fuses_with_the_network_denied(tmp_path):
    """From their first line on, window and compute process get an error for using the network."""
    (tmp_path / "sitecustomize.py").write_text(_DENY)
    code = (
        "import sys\n"
        "from pathlib import Path; from app.shell.application import run\n"
        "code = run(None, None, 'mif', None, 'cpu', screenshot=Path(sys.argv[1]))\n"
        "print(code, 'PySide6.QtNetwork' in sys.modules, 'torch' in sys.modules)"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    home = str(tmp_path / "home")
    done = python(code, tmp_path / "shot.png", UNIFUSION_HOME=home, PYTHONPATH=paths)
    assert (done.stdout, done.stderr) == ("0 False False\n", "")
    assert not QImage(str(tmp_path / "shot.png")).isNull()


def test_the_denial_works():
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert "no network" in python(_DENY + code).stderr


def test_the_medical_sample_of_the_program_opens_slice_by_slice(qtbot, engine, tmp_path):
    window = MainWindow(lambda: engine, SAMPLES, "mif", settings=Settings(tmp_path))
    qtbot.addWidget(window, before_close_func=lambda _window: engine.gate.set())
    window.show()
    window.services.begin()
    qtbot.waitUntil(lambda: bool(window.session.results), timeout=30_000)
    sources = window.session.sources
    assert sources.sample
    assert (sources.slice.plane, sources.slice.count) == ("axial", 50)
    assert (sources.a.image.unit, window.session.display.a.palette) == ("SUVbw", "hot_iron")
    assert sources.slice.volumes.is_registered
    window.controller.set_task("mff")  # another sample: two pictures
    qtbot.waitUntil(lambda: window.session.sources.b is not None, timeout=30_000)
    assert window.session.sources.slice is None
    assert window.session.sources.sample
    assert window.session.display.a.palette == "grey"
    assert not window.services.snapshot().has_files

"""The window with a real compute process and the real engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from app.compute import remote
from app.compute.process import ComputeProcess, ProcessEnded
from app.engine import engine_factory
from app.shell.main_window import MainWindow

_PATIENCE = 90_000
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def shown(qtbot, process: ComputeProcess, samples: Path) -> MainWindow:
    """The window, whose engine is being made in the compute process."""
    made = MainWindow(engine_factory("cpu"), samples, "mif")
    qtbot.addWidget(made)
    made.show()
    made.controller.start()
    return made


def test_a_pair_is_fused_and_measured_over_there(qtbot, shown, files):
    session = shown.session
    shown.controller.open_pair(*files)
    qtbot.waitUntil(
        lambda: session.outcome is not None and not session.outcome.is_preview, timeout=_PATIENCE
    )
    assert session.outcome.is_model
    assert session.outcome.pair is session.sources.pair
    assert not session.is_stale
    assert {"fused", "recon_a", "recon_b", "features"} <= session.outcome.images.keys()
    assert [result.is_model for result in session.results] == [False, True]
    shown.work.measure()
    qtbot.waitUntil(
        lambda: (
            len(shown.work.columns) > 0
            and len(shown.work.values(session.outcome)) == len(shown.work.columns)
        ),
        timeout=_PATIENCE,
    )
    qtbot.waitUntil(lambda: session.retention is not None, timeout=_PATIENCE)
    assert session.problem is None


def test_killed_while_fusing_a_card_says_so_and_what_is_on_screen_stays(
    qtbot, shown, files, process
):
    session = shown.session
    shown.controller.open_pair(*files)
    qtbot.waitUntil(
        lambda: session.running is not None and session.running.fusing, timeout=_PATIENCE
    )
    pair = session.sources.pair
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: session.problem is not None, timeout=_PATIENCE)
    assert isinstance(session.problem.error, ProcessEnded)
    assert session.problem.remedy == "retry"
    assert session.sources.pair is pair
    assert shown.view.card.isVisible()
    shown.remedies._apply("retry")
    qtbot.waitUntil(
        lambda: session.outcome is not None and session.outcome.is_model, timeout=_PATIENCE
    )
    assert session.problem is None


def test_a_window_closed_while_fusing_ends_at_once(qtbot, shown, files, process):
    session = shown.session
    shown.controller.open_pair(*files)
    qtbot.waitUntil(
        lambda: session.running is not None and session.running.fusing, timeout=_PATIENCE
    )
    with qtbot.waitSignal(shown.controller.idle, timeout=10_000):
        shown.close()
    assert QGuiApplication.instance() is not None


@pytest.mark.slow
def test_two_windows_have_a_process_each(samples, tmp_path):
    code = (
        "import sys; from pathlib import Path; from app.shell.application import run\n"
        "sys.exit(run(None, None, 'mif', None, 'cpu', screenshot=Path(sys.argv[1])))"
    )
    shots = [tmp_path / "one.png", tmp_path / "two.png"]
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(shot)], stderr=subprocess.PIPE)
        for shot in shots
    ]
    for window in both:
        assert window.communicate(timeout=120)[1] == b""
        assert window.returncode == 0
    assert all(shot.stat().st_size > 10_000 for shot in shots)


def test_without_a_process_jobs_run_here():
    assert remote.current() is None

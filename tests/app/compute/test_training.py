"""Training in the compute process, whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.compute import remote
from app.compute.process import ComputeProcess, ProcessEnded
from tests.app.conftest import write_png
from tests.app.registration.conftest import SHIFT, scene
from tests.app.train import conftest
from tests.app.train.conftest import LONG

data, home, page = conftest.data, conftest.home, conftest.page

_PATIENCE = 120_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def process(home) -> Iterator[ComputeProcess]:
    """A compute process that was started where the packs are."""
    made = ComputeProcess(warm=False)
    made.start("en")
    remote.use(made)
    yield made
    remote.use(None)
    made.shutdown()


def begun(qtbot, page, data, **settings):
    """The page, once its run has validated and saved."""
    preparing, state = page.training.preparing, page.state
    for name, value in {**LONG, **settings}.items():
        preparing.set_value(name, value)
    preparing.set_data([data])
    qtbot.waitUntil(lambda: state.report is not None, timeout=_PATIENCE)
    preparing.choose_task("mif")
    qtbot.waitUntil(lambda: not state.obstacle, timeout=_PATIENCE)
    page.training.start()
    qtbot.waitUntil(lambda: state.run_progress.step >= 6, timeout=_PATIENCE)
    return state


def test_killed_while_training_the_run_is_resumed_from_its_checkpoint(
    qtbot,
    process: ComputeProcess,
    page,
    data,
):
    state = begun(qtbot, page, data)
    assert len(state.strip) == 4
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: state.phase == "failed", timeout=_PATIENCE)
    assert isinstance(state.problem, ProcessEnded)
    assert state.remedy == "resume"
    assert "checkpoint" in state.problem.remedy
    qtbot.waitUntil(lambda: len(state.runs) == 1, timeout=_PATIENCE)
    saved = state.runs[0].step
    assert saved >= 5
    page.training.running.resume_failed()
    qtbot.waitUntil(
        lambda: state.phase == "running" and state.run_progress.step > saved, timeout=_PATIENCE
    )
    # Controls reach it as before.
    page.training.running.pause()
    qtbot.waitUntil(lambda: state.phase == "paused", timeout=_PATIENCE)
    assert page.training.running.set_rates(2e-4, 1e-4)
    assert not page.training.running.set_rates(-1.0, 1e-4)
    page.training.running.resume()
    qtbot.waitUntil(
        lambda: state.run_progress.rates[0] == pytest.approx(2e-4, rel=1e-2), timeout=_PATIENCE
    )
    page.training.running.stop()
    qtbot.waitUntil(lambda: state.phase == "done", timeout=_PATIENCE)


_SESSION = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
import resources
from app.compute import remote
from app.engine import engine_factory
from app.evaluate.settings import ChosenMethod, EvaluationChoices
from app.shell.main_window import MainWindow
from benchmarks.window_tools import train_page, training, until
import numpy as np
import app.fuse.volume_tasks as volume_tasks
from core.alignment.choice import AlignChoice
from core.regions import SphereRegion
from core.types import PairTransform, Transform
volume_tasks._WORTH_SENDING = 0  # the sample is smaller than what is sent
application = QApplication([])
with remote.computing("en"):
    window = MainWindow(engine_factory("cpu"), resources.SAMPLES, "mif")
    window.show()
    window.controller.start()
    window.controller.open_sample()
    session = window.session
    until(lambda: session.outcome is not None and session.running is None)
    window.work.measure()
    until(lambda: bool(window.work.columns) and bool(window.work.values(session.outcome)))
    window.actions_.regions.trigger()
    place = session.sources.slice.point
    window.measuring.state.add(SphereRegion("ball", place, 10.0))
    until(lambda: window.measuring.measurements.all is not None)
    window.actions_.align.trigger()
    until(lambda: window.aligning.state.drawn is not None)
    shift = np.eye(4)
    shift[:3, 3] = 4, 2, 1
    by = PairTransform(Transform.of("translation", shift), "a")
    window.controller.set_transform(by)
    until(lambda: session.outcome is not None and session.running is None)
    one, two = (Path(sys.argv[3], name) for name in ("one.png", "two.png"))
    choice = AlignChoice("register", kind="translation")
    window.controller.open_pair(one, two, align=choice)
    until(lambda: session.outcome and session.running is None and session.sources.transform)
    window.controller.open_pair(one, two)
    until(lambda: session.offer is not None)
    small = {"steps": 1000, "crop": 32, "batch": 1, "validate_every": 0}
    with training(train_page(window, Path(sys.argv[1]), small)):
        pass
    window.workspaces.show_page("batch")
    batch = window.workspaces.pages["batch"].batch
    batch.add([Path(sys.argv[1])])
    batch.choose_folder(sys.argv[2])
    until(lambda: batch.planned.plan is not None and not batch.is_planning)
    ends = []
    batch.ended.connect(ends.append)
    batch.start()
    until(lambda: bool(ends))
    assert ends[0].error is None and ends[0].finished.tally.failed == 0, ends
    window.workspaces.show_page("evaluate")
    evaluation = window.workspaces.pages["evaluate"].evaluation
    methods = (ChosenMethod("pack", "tiny"), ChosenMethod("classical", "average"))
    evaluation.set_choices(EvaluationChoices("mif", sys.argv[1], methods))
    evaluation.start()
    until(lambda: evaluation.analysis is not None)
    assert evaluation.errors == 0 and evaluation.done == 12, evaluation.done
    evaluation.export(Path(sys.argv[2], "report.pdf"))
    until(lambda: evaluation.phase == "idle")
    window.show_packs()
    until(lambda: bool(window.packs_dialog.rows))
    assert "tiny" in [row.name for row in window.packs_dialog.rows]
    window.packs_dialog.reject()
    window.close()
wanted = {"torch", "timm", "scipy.fft", "scipy.ndimage", "scipy.optimize", "scipy.stats"}
wanted |= {"trainer.run.loop", "core.registration.registering", "core.registration.quick_check"}
print(sorted(wanted & set(sys.modules)))
"""


@pytest.mark.slow
def test_after_a_session_the_window_has_imported_no_torch(data, home, tmp_path):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    whole, (x, y) = scene(240, 200), SHIFT
    write_png(tmp_path / "one.png", whole[20:180, 20:220])
    write_png(tmp_path / "two.png", whole[20 + y : 180 + y, 20 + x : 220 + x])
    done = subprocess.run(
        [sys.executable, "-c", _SESSION, str(data), str(tmp_path / "out"), str(tmp_path)],
        capture_output=True, text=True, env=environment, timeout=280, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr

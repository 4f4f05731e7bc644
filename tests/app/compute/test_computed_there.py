"""What takes more than reading and painting is computed in the compute process, not in this one.

Here every function that does such work refuses; over there it is as it was.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication

from app.compute import probe
from app.compute.process import ComputeProcess
from app.compute.remote import compute
from app.fuse import volume_tasks
from app.registration.tasks import SliceRequest, moved_slice
from app.shell.main_window import MainWindow
from core.alignment.choice import AlignChoice
from core.progress import NullProgress
from core.regions import SphereRegion
from core.types import Transform
from tests.app.conftest import write_png
from tests.app.fuse.volumes import settled, write_study
from tests.app.registration.conftest import SHIFT, scene
from tests.app.standin import StandInEngine

_PATIENCE = 60_000
_WORK = (
    "app.regions.file_tasks.measure_regions",
    "app.regions.tasks.measure_regions",
    "core.fusion.classical_engine.fuse_classically",
    "core.geometry.resample._Sampler",
    "core.io.pairs.resample_onto",
    "core.io.pairs.resample_through",
    "core.registration.quick_check.judge_reduced",
    "core.registration.registering.register",
)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def refusing(monkeypatch) -> list[str]:
    """Names of what was computed here nevertheless."""
    done: list[str] = []

    def refuse(name: str):
        def refused(*_arguments, **_named):
            done.append(name)
            raise AssertionError(f"{name} in the window's process")

        return refused

    for name in _WORK:
        monkeypatch.setattr(name, refuse(name))
    monkeypatch.setattr(volume_tasks, "_WORTH_SENDING", 0)
    return done


@pytest.fixture
def shown(qtbot, process: ComputeProcess, samples: Path, refusing) -> MainWindow:
    """The window, whose engine is there."""
    made = MainWindow(StandInEngine, samples, "mif")
    qtbot.addWidget(made)
    made.show()
    with qtbot.waitSignal(made.session.engine_changed, timeout=_PATIENCE):
        made.controller.start()
    return made


def _fused(window: MainWindow) -> bool:
    session = window.session
    return session.outcome is not None and session.outcome.is_model and session.running is None


def test_pictures_are_registered_resampled_checked_and_previewed_there(
    qtbot, shown, refusing, tmp_path
):
    session, (x, y) = shown.session, SHIFT
    whole = scene(240, 200)
    a = write_png(tmp_path / "one.png", whole[20:180, 20:220])
    b = write_png(tmp_path / "two.png", whole[20 + y : 180 + y, 20 + x : 220 + x])
    shown.controller.open_pair(a, b, align=AlignChoice("register", kind="translation"))
    qtbot.waitUntil(lambda: _fused(shown), timeout=_PATIENCE)
    assert session.problem is None
    by = session.sources.pair.transform
    assert by is not None
    np.testing.assert_allclose(by.transform.array[:2, 2], (-x, -y), atol=0.5)
    shown.controller.open_pair(a, b)
    qtbot.waitUntil(lambda: session.offer is not None, timeout=_PATIENCE)
    qtbot.waitUntil(lambda: _fused(shown), timeout=_PATIENCE)
    assert [result.is_model for result in session.results] == [False, True]
    assert refusing == []


def test_volumes_are_resampled_drawn_and_measured_there(
    qtbot, shown, refusing, tmp_path, monkeypatch
):
    session = shown.session
    shown.files.take([write_study(tmp_path / "export")])
    qtbot.waitUntil(lambda: settled(shown), timeout=_PATIENCE)
    view = session.sources.slice
    shown.actions_.regions.trigger()
    measuring = shown.measuring
    measuring.state.add(SphereRegion("ball", view.point, 10.0))
    qtbot.waitUntil(lambda: measuring.measurements.all is not None, timeout=_PATIENCE)
    assert measuring.measurements.all[0].figures[0].voxels > 0
    QGuiApplication.clipboard().clear()
    measuring.export.copy_table()
    qtbot.waitUntil(lambda: "ball" in QGuiApplication.clipboard().text(), timeout=_PATIENCE)
    state = shown.aligning.state
    shown.actions_.align.trigger()
    qtbot.waitUntil(lambda: state.drawn is not None, timeout=_PATIENCE)
    drawn = state.drawn.image
    held = compute(probe.held_count)
    assert held(NullProgress()) == 2  # what is measured, and A for the slices that are drawn of it
    shown.actions_.align.trigger()
    shown.controller.close_pictures()
    qtbot.waitUntil(lambda: held(NullProgress()) == 0, timeout=_PATIENCE)
    assert refusing == []
    monkeypatch.undo()
    wanted = SliceRequest.of(view, Transform.identity(3))
    here = moved_slice(view.volumes.native_a, wanted, NullProgress()).image
    np.testing.assert_array_equal(drawn.data, here.data)
    assert drawn.spacing == here.spacing

"""Registration in the compute process, whatever happens to it."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from app.compute import remote
from app.compute.process import ComputeProcess, ProcessEnded
from app.compute.remote import compute
from app.registration.tasks import RegistrationRequest, register_sources
from app.shell.main_window import MainWindow
from core.progress import NullProgress
from core.types import Volume
from tests.app.conftest import write_png
from tests.app.registration.conftest import SHIFT, scene
from tests.app.standin import StandInEngine

_PATIENCE = 60_000
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def aligned(qtbot, process: ComputeProcess, samples: Path, tmp_path: Path) -> MainWindow:
    """A shifted pair that is being aligned."""
    made = MainWindow(StandInEngine, samples, "mif")
    qtbot.addWidget(made)
    made.show()
    made.controller.start()
    whole = scene(1640, 1240)
    x, y = SHIFT
    a = write_png(tmp_path / "one.png", whole[20:1220, 20:1620])
    b = write_png(tmp_path / "two.png", whole[20 + y : 1220 + y, 20 + x : 1620 + x])
    made.controller.open_pair(a, b)
    session = made.session
    qtbot.waitUntil(
        lambda: session.outcome is not None and session.running is None, timeout=_PATIENCE
    )
    made.actions_.align.trigger()
    qtbot.waitUntil(lambda: made.aligning.state.is_active, timeout=_PATIENCE)
    made.aligning.state.set_kind("translation")
    return made


def test_killed_while_registering_a_card_says_so_and_it_can_be_done_again(
    qtbot, aligned: MainWindow, process: ComputeProcess
):
    aligning, session = aligned.aligning, aligned.session
    sources = aligning.state.sources
    aligned.actions_.register_pair.trigger()
    # Its own first report: the job has begun over there.
    qtbot.waitUntil(
        lambda: aligning.align.stage is not None and aligning.align.stage[2] > 0, timeout=_PATIENCE
    )
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: aligning.align.stage is None, timeout=_PATIENCE)
    assert isinstance(session.problem.error, ProcessEnded)
    assert aligned.view.card.isVisible()
    assert aligning.align.registration is None
    assert aligning.state.is_active
    assert aligning.state.sources is sources
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligning.align.registration is not None, timeout=_PATIENCE)
    np.testing.assert_allclose(aligning.state.parts.shift, SHIFT, atol=0.5)


def test_volumes_lie_to_each_other_as_they_do_when_registered_here(process: ComputeProcess):
    texture = gaussian_filter(np.random.default_rng(2).standard_normal((24, 48, 48)), 3)
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    fixed = Volume(data=texture.astype(np.float32), affine=affine)
    moving = replace(fixed, affine=affine + np.outer([6.0, 0, 0, 0], [0, 0, 0, 1]))
    work = compute(register_sources, fixed, moving, RegistrationRequest("mif", "translation"))
    there = work(NullProgress())
    remote.use(None)
    here = work(NullProgress())
    # Where arrays begin in memory decides the order of some sums.
    np.testing.assert_allclose(there.transform.array, here.transform.array, atol=1e-9)
    np.testing.assert_allclose(there.transform.array[:3, 3], (6, 0, 0), atol=0.5)
    assert there.verdict == here.verdict

"""Frames of series in the window: chosen, read, cancelled, refused, kept by the session."""

from __future__ import annotations

import threading

import nibabel
import numpy as np
import pytest

from app.fuse import volume_tasks
from app.fuse.info import rows_of
from app.preferences.session_file import from_json, to_json
from app.shell.main_window import MainWindow
from core.errors import InputError
from core.pairing.plan import PairingPlan
from tests.app.acts import WAIT, yield_to_window
from tests.app.fuse.volumes import blob, settled, shows, write_nifti

FRAMES = 3


@pytest.fixture
def dynamic(window: MainWindow, qtbot, tmp_path) -> MainWindow:
    """A volume of three times with a still one; the values of frame n are n + 1 times as high."""
    (tmp_path / "export").mkdir()
    once = np.asarray(blob((16, 40, 60), 900).transpose(2, 1, 0), np.int16)
    data = np.stack([once * (n + 1) for n in range(FRAMES)], axis=-1)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "export" / "pet.nii")
    write_nifti(tmp_path / "export" / "t1.nii")
    window.files.take([tmp_path / "export"])
    qtbot.waitUntil(lambda: settled(window), timeout=3 * WAIT)
    return window


def on_frame(window: MainWindow, frame: int) -> bool:
    view = window.session.sources.slice
    return view is not None and view.volumes.frames == (frame, 0)


def greatest(window: MainWindow) -> float:
    return float(window.session.sources.slice.volumes.native_a.data.max())


def test_only_a_source_of_several_frames_offers_them(dynamic):
    a, b = dynamic.view.slices.frames
    assert not a.isHidden()
    assert b.isHidden()
    assert (a.value(), a.maximum(), a.text()) == (1, FRAMES, "A 1/3")


def test_series_of_one_frame_offer_none(study):
    assert all(box.isHidden() for box in study.view.slices.frames)


def test_another_frame_is_read_into_the_same_place(dynamic, qtbot):
    volumes = dynamic.controller.volumes
    volumes.set_plane("coronal")
    volumes.go_to(12)
    qtbot.waitUntil(lambda: shows(dynamic, 12) and settled(dynamic), timeout=WAIT)
    before, top = dynamic.session.sources.slice, greatest(dynamic)
    dynamic.view.slices.frames[0].setValue(3)
    qtbot.waitUntil(lambda: on_frame(dynamic, 2) and settled(dynamic), timeout=WAIT)
    after = dynamic.session.sources.slice
    assert (after.plane, after.index, after.point) == ("coronal", 12, before.point)
    assert after.volumes.pair.b is before.volumes.pair.b
    assert greatest(dynamic) == 3 * top
    assert dynamic.session.outcome.pair is dynamic.session.sources.pair
    assert "frame 3 of 3" in dynamic.view.panes["a"].info.text()
    assert "frame" not in dynamic.view.panes["b"].info.text()
    assert dynamic.session.notices == ()
    assert ("Note", "Frame 3 of 3.") in rows_of(dynamic.session)[0][1]


def test_results_belong_to_their_frame(dynamic, qtbot, engine):
    first = dynamic.session.outcome
    dynamic.controller.volumes.show_frame(0, 1)
    qtbot.waitUntil(lambda: on_frame(dynamic, 1), timeout=WAIT)
    assert dynamic.session.outcome is not first
    qtbot.waitUntil(lambda: settled(dynamic), timeout=WAIT)
    assert first not in dynamic.session.results
    count = len(engine.requests)
    dynamic.controller.volumes.show_frame(0, 0)
    qtbot.waitUntil(lambda: on_frame(dynamic, 0), timeout=WAIT)
    assert dynamic.session.outcome is first
    assert not dynamic.session.is_stale
    qtbot.wait(500)
    assert len(engine.requests) == count


def test_scrolling_goes_on_while_a_frame_is_read(dynamic, qtbot, monkeypatch):
    gate, read = threading.Event(), volume_tasks.open_frames
    monkeypatch.setattr(
        volume_tasks, "open_frames", lambda *asked: gate.wait(WAIT / 1000) and read(*asked)
    )
    at = dynamic.session.sources.slice.index
    dynamic.controller.volumes.show_frame(0, 2)
    assert dynamic.session.running.stage == "Reading frame 3"
    dynamic.controller.volumes.step(2)
    qtbot.waitUntil(lambda: shows(dynamic, at + 2), timeout=WAIT)
    assert on_frame(dynamic, 0)
    assert dynamic.view.slices.frames[0].value() == 3
    gate.set()
    qtbot.waitUntil(lambda: on_frame(dynamic, 2) and shows(dynamic, at + 2), timeout=WAIT)
    qtbot.waitUntil(lambda: settled(dynamic), timeout=WAIT)
    assert dynamic.session.outcome.pair is dynamic.session.sources.pair


def test_a_frame_can_be_cancelled(dynamic, qtbot, monkeypatch):
    def endless(*asked: object) -> None:
        while True:
            yield_to_window()
            asked[-1].check()

    monkeypatch.setattr(volume_tasks, "open_frames", endless)
    shown = dynamic.session.outcome
    dynamic.view.slices.frames[0].setValue(2)
    qtbot.waitUntil(lambda: dynamic.session.running is not None, timeout=WAIT)
    dynamic.controller.cancel()
    qtbot.waitUntil(lambda: dynamic.session.running is None, timeout=WAIT)
    assert on_frame(dynamic, 0)
    assert dynamic.view.slices.frames[0].value() == 1
    assert dynamic.session.outcome is shown


def test_a_frame_that_cannot_be_read_leaves_the_other_on_show(dynamic, qtbot, monkeypatch):
    def broken(*_asked: object) -> None:
        raise InputError("series", "it is damaged", "Copy it again.")

    monkeypatch.setattr(volume_tasks, "open_frames", broken)
    dynamic.view.slices.frames[0].setValue(2)
    qtbot.waitUntil(lambda: dynamic.session.problem is not None, timeout=WAIT)
    assert on_frame(dynamic, 0)
    assert dynamic.view.slices.frames[0].value() == 1
    assert dynamic.session.sources.pair is not None


def test_frames_follow_a_swap(dynamic, qtbot):
    dynamic.controller.volumes.show_frame(0, 1)
    qtbot.waitUntil(lambda: on_frame(dynamic, 1) and settled(dynamic), timeout=WAIT)
    dynamic.controller.volumes.swap()
    qtbot.waitUntil(
        lambda: settled(dynamic) and dynamic.session.sources.slice.volumes.frames == (0, 1),
        timeout=WAIT,
    )
    assert [box.isHidden() for box in dynamic.view.slices.frames] == [True, False]


def test_a_session_reopens_the_frame(dynamic, qtbot):
    dynamic.controller.volumes.show_frame(0, 2)
    qtbot.waitUntil(lambda: on_frame(dynamic, 2) and settled(dynamic), timeout=WAIT)
    stored = to_json(dynamic.services.snapshot())
    dynamic.controller.close_pictures()
    dynamic.pairs.set_plan(PairingPlan())
    dynamic.services.restore(from_json(stored))
    qtbot.waitUntil(lambda: on_frame(dynamic, 2) and settled(dynamic), timeout=WAIT)
    assert dynamic.view.slices.frames[0].value() == 3

"""Aligning volumes in millimetres: slices drawn live, numbers, accept, session, and the offer."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from core.geometry.alignment import Alignment
from core.io.transforms import write_transform
from core.types import PairTransform, Transform
from core.types.moves import moved, shift_by
from tests.app.acts import WAIT, idle
from tests.app.fuse.volumes import settled, write_study

CTRL, NONE, LEFT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.MouseButton.LeftButton,
)
BY = PairTransform(moved(Transform.identity(3), shift_by((5, 0, 0))), "a")


@pytest.fixture
def apart(window, qtbot, tmp_path):
    """PET and MR in different frames of reference, opened."""
    write_study(tmp_path, FrameOfReferenceUID="1.9.9")
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    return window


def test_what_is_not_registered_is_offered_to_be(qtbot, apart):
    session = apart.session
    qtbot.waitUntil(lambda: session.offer is not None, timeout=WAIT)
    assert [name for name, _label in session.offer.answers] == ["register", "align"]
    assert apart.view.panes["b"].tag("registration")
    apart.view.panes["b"].tag_clicked.emit("registration")
    assert apart.aligning.state.is_active
    assert session.offer is None


def test_keys_move_by_millimetres_in_the_plane(qtbot, apart):
    apart.aligning.begin()
    state, nudge = apart.aligning.state, apart.aligning.board.nudge
    for key, shift in (
        (Qt.Key.Key_Right, (1, 0, 0)),  # axial: to the patient's left
        (Qt.Key.Key_Down, (1, 1, 0)),  # to the back
    ):
        QTest.keyClick(nudge, key)
        np.testing.assert_allclose(state.parts.shift, shift, atol=1e-9)
    QTest.keyClick(nudge, Qt.Key.Key_Right, CTRL)
    # Clockwise on the axial slice, seen from the feet: around z, which points to the head.
    np.testing.assert_allclose(state.parts.angles, (0, 0, 0.1), atol=1e-6)
    np.testing.assert_allclose(state.parts.shift, (1, 1, 0), atol=1e-6)
    QTest.keyClick(nudge, Qt.Key.Key_Up, CTRL)  # volumes are not scaled
    assert state.parts.scale == pytest.approx(1)
    apart.controller.volumes.set_plane("coronal")
    qtbot.waitUntil(lambda: state.view.plane == "coronal", timeout=WAIT)
    QTest.keyClick(nudge, Qt.Key.Key_Down)  # coronal: to the feet
    np.testing.assert_allclose(state.parts.shift, (1, 1, -1), atol=1e-6)


def test_a_drag_moves_by_what_the_pointer_moves(apart):
    apart.aligning.begin()
    state, nudge = apart.aligning.state, apart.aligning.board.nudge
    start, end = (nudge.camera.to_widget(QPointF(*p)).toPoint() for p in ((20, 20), (30, 16)))
    QTest.mousePress(nudge, LEFT, NONE, start)
    QTest.mouseRelease(nudge, LEFT, NONE, end)
    # Columns are 1 mm wide and rows 1.5 mm high.
    np.testing.assert_allclose(state.parts.shift, (10, -6, 0), atol=0.5)


def test_the_slice_is_drawn_as_it_will_be_resampled(qtbot, apart):
    apart.aligning.begin()
    state = apart.aligning.state
    qtbot.waitUntil(lambda: state.drawn is not None, timeout=WAIT)
    before = state.drawn
    state.set_volume_motion(shift=(5, 0, 0))
    qtbot.waitUntil(lambda: state.drawn is not before, timeout=WAIT)
    seen = state.drawn.image
    with idle(qtbot, apart):
        apart.actions_.accept_alignment.trigger()
    sources = apart.session.sources
    assert sources.slice.volumes.pair.alignment is Alignment.REGISTERED
    assert sources.transform.transform == BY.transform
    np.testing.assert_allclose(
        np.where(seen.mask, seen.data[..., 0], 0),
        np.where(sources.a.image.mask, sources.a.image.data[..., 0], 0),
        atol=1e-5,
    )
    assert not apart.view.panes["b"].tag("registration")


def test_accepting_keeps_the_slice_and_can_be_undone(qtbot, apart, engine):
    with idle(qtbot, apart):
        apart.controller.volumes.go_to(11)
        qtbot.waitUntil(lambda: apart.session.sources.slice.index == 11, timeout=WAIT)
    apart.aligning.begin()
    apart.aligning.panel.numbers.shifts[0].setValue(5)
    with idle(qtbot, apart):
        apart.actions_.accept_alignment.trigger()
        qtbot.waitUntil(lambda: apart.session.sources.transform is not None, timeout=WAIT)
        qtbot.waitUntil(lambda: apart.session.outcome is not None, timeout=WAIT)
    assert apart.session.sources.slice.index == 11
    assert engine.requests[-1].pair.transform.transform == BY.transform
    # Another slice of it is moved, too.
    apart.controller.volumes.go_to(9)
    qtbot.waitUntil(lambda: apart.session.sources.slice.index == 9, timeout=WAIT)
    assert apart.session.sources.transform.transform == BY.transform
    apart.aligning.align.undo_accepted()
    qtbot.waitUntil(
        lambda: settled(apart) and apart.session.sources.transform is None, timeout=WAIT
    )
    assert apart.session.sources.slice.volumes.pair.alignment is Alignment.NOT_REGISTERED


def test_that_they_lie_on_each_other_can_be_accepted(qtbot, apart):
    apart.aligning.begin()
    with idle(qtbot, apart):
        apart.actions_.accept_alignment.trigger()
    assert apart.session.sources.slice.volumes.pair.alignment is Alignment.REGISTERED
    np.testing.assert_allclose(apart.session.sources.transform.transform.array, np.eye(4))


def test_the_session_keeps_the_transform_of_volumes(qtbot, apart):
    apart.aligning.begin()
    apart.aligning.state.set_volume_motion(shift=(5, 0, 0))
    with idle(qtbot, apart):
        apart.actions_.accept_alignment.trigger()
    snapshot = apart.services.snapshot()
    assert snapshot.transform.transform == BY.transform
    apart.controller.close_pictures()
    apart.services.restore(snapshot)
    qtbot.waitUntil(lambda: settled(apart), timeout=WAIT)
    assert apart.session.sources.transform.transform == BY.transform


def test_a_transform_of_pictures_is_explained(qtbot, apart, tmp_path):
    apart.aligning.begin()
    path = tmp_path / "flat.json"
    write_transform(path, Transform.identity(2))
    apart.aligning.align.import_transform(path)
    qtbot.waitUntil(lambda: apart.session.problem is not None, timeout=WAIT)
    assert "one of pictures" in str(apart.session.problem.error)

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
from tests.app.fuse.volumes import HOT, settled, write_study

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


def test_exchanged_sources_are_called_what_they_are(qtbot, apart):
    apart.controller.swap()
    qtbot.waitUntil(
        lambda: settled(apart) and apart.session.sources.a.image.size == (12, 12), timeout=WAIT
    )
    apart.aligning.begin()
    board = apart.aligning.board
    assert {board.panes[role].title.text() for role in board.marks} == {"A – MRI", "B – PET"}


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


# --- volumes that share no place ---------------------------------------------------------------


@pytest.fixture
def far(window, qtbot, tmp_path):
    """PET and MR that share no place, opened."""
    geometry = {"spacing": (1.5, 1.5, 1.0), "origin": (600.0, 40.0, 0.0)}
    write_study(tmp_path, FrameOfReferenceUID="1.9.9", geometry=geometry)
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: window.session.sources.slice is not None, timeout=WAIT)
    return window


def test_volumes_without_a_common_place_open_with_an_offer_and_without_a_fusion(qtbot, far, engine):
    session = far.session
    qtbot.waitUntil(lambda: session.offer is not None, timeout=WAIT)
    assert "share no place" in session.offer.text
    assert [name for name, _label in session.offer.answers] == ["register", "align"]
    assert session.problem is None
    # A is there to be seen, and said to be moved.
    assert (session.sources.a.image.data > 0.1).any()
    assert all(far.view.panes[name].tag("registration") for name in ("a", "b", "fused"))
    assert session.sources.transform is None
    far.controller.fuse()
    assert "align them" in session.message
    far.controller.volumes.step(1)
    qtbot.waitUntil(lambda: session.running is None, timeout=WAIT)
    assert engine.requests == []
    assert session.outcome is None


def test_volumes_without_a_common_place_are_aligned_from_where_they_are_seen(qtbot, far):
    sources = far.session.sources
    volumes = sources.slice.volumes
    point = sources.slice.point
    middle = volumes.place_in_a(point)
    seen = sources.slice.values_at(point)[0]
    assert seen == pytest.approx(HOT / 2, rel=0.6)  # what is read is what is seen
    assert np.linalg.norm(np.subtract(middle, point)) > 500
    far.aligning.begin()
    state = far.aligning.state
    start = state.edit.transform
    np.testing.assert_allclose(start.apply([point])[0], middle, atol=1e-6)
    state.set_volume_motion(angles=(0, 0, 10))
    assert state.parts.angles[2] == pytest.approx(10)
    # Turned about the middle of A, which stays where it is.
    np.testing.assert_allclose(state.edit.transform.apply([point])[0], middle, atol=12)
    state.reset()
    assert state.edit.transform == start
    with idle(qtbot, far):
        far.actions_.accept_alignment.trigger()
        qtbot.waitUntil(lambda: settled(far), timeout=WAIT)
    assert far.session.sources.slice.volumes.pair.alignment is Alignment.REGISTERED
    assert far.session.sources.slice.values_at(point)[0] == seen
    assert not far.view.panes["a"].tag("registration")


# --- points ------------------------------------------------------------------------------------


def test_points_in_several_slices_give_a_rigid_transform_in_millimetres(qtbot, apart):
    apart.aligning.begin()
    state, panel = apart.aligning.state, apart.aligning.panel
    apart.actions_.mark_points.trigger()
    assert state.marks_points
    shown = state.view.axes
    # The first three pairs are (4, -2, 1.5) mm apart; nothing is left at them.
    for n, (column, row, index) in enumerate(((20, 10, 4), (40, 12, 7), (25, 30, 10))):
        apart.controller.volumes.go_to(index)
        qtbot.waitUntil(lambda index=index: state.view.index == index, timeout=WAIT)
        qtbot.waitUntil(lambda: state.drawn is not None, timeout=WAIT)
        state.mark("b", (column, row))
        assert state.waits_for == "a"
        place = shown.point_of(column, row, index)
        wanted = np.add(place, (4, -2, 1.5))
        back = state.drawn_by.inverse().apply([wanted])[0]
        column, row, at = shown.position_of(back)
        apart.controller.volumes.go_to(round(float(at)))
        qtbot.waitUntil(lambda at=at: state.view.index == round(float(at)), timeout=WAIT)
        qtbot.waitUntil(lambda: state.drawn is not None, timeout=WAIT)
        state.mark("a", (float(column), float(row)))
        np.testing.assert_allclose(state.edit.landmarks[n].a, wanted, atol=1e-6)
        assert (state.edit.by.transform.is_identity) == (n < 2)  # rigid takes three
    np.testing.assert_allclose(state.edit.transform.array[:3, 3], (4, -2, 1.5), atol=1e-6)
    assert panel.points.item(0).text() == "1  0.00 mm"
    assert panel.points.count() == 3
    # Through the transform, the same place is marked in both.
    qtbot.waitUntil(lambda: state.drawn_by == state.edit.transform, timeout=WAIT)
    for one, other in zip(state.places_shown("a"), state.places_shown("b"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    # A point is shown in its slice.
    panel.points.setCurrentRow(0)
    panel.points.itemActivated.emit(panel.points.item(0))
    qtbot.waitUntil(lambda: state.view.index == 4, timeout=WAIT)
    assert [n for n, _x, _y in state.places_shown("b")] == [1]

"""The state of aligning, without a window: moves, numbers, points, undo."""

from __future__ import annotations

import numpy as np
import pytest

from app.fuse.results import LoadedSource
from app.registration.state import AlignState, NativeSources
from app.viewer.pyramid import source_image
from core.types import Image, PairTransform, Transform
from core.types.moves import shift_by, turn_about


def loaded(width: int, height: int) -> LoadedSource:
    image = Image(np.zeros((height, width, 1), np.float32), (0.0, 255.0), 8)
    return LoadedSource(image, source_image(image))


@pytest.fixture
def state(qapp) -> AlignState:
    made = AlignState()
    made.begin(NativeSources(loaded(40, 30), loaded(40, 30)), None)
    return made


def test_nothing_to_accept_at_first(state):
    assert state.result is None
    assert state.parts.shift == (0, 0)


def test_a_move_is_read_as_it_was_made(state):
    state.move(shift_by((3, -2)))
    assert state.parts.shift == (3, -2)
    np.testing.assert_allclose(state.result.transform.apply([10, 10]), [7, 12])
    state.set_motion(angle=90)
    assert state.parts.angles[0] == pytest.approx(90)
    np.testing.assert_allclose(state.parts.shift, (3, -2), atol=1e-9)


def test_a_drag_is_one_step_of_undo(state):
    since = state.edit.transform
    for x in (1, 2, 3):
        state.move(shift_by((x, 0)), since=since, settled=x == 3)
    assert state.parts.shift == (3, 0)
    state.history.end_gesture()
    state.move(turn_about((20, 15), 10))
    state.history.undo()
    assert state.parts.shift == (3, 0)
    assert state.parts.angles[0] == pytest.approx(0)
    state.history.undo()
    assert state.parts.shift == (0, 0)
    assert not state.history.can_undo
    state.history.redo()
    assert state.parts.shift == (3, 0)


def test_the_other_source_can_be_moved_instead(state):
    state.move(shift_by((3, 1)))
    state.set_moving("a")
    assert state.result.moving == "a"
    # B lay further to the right; now A lies further to the left.
    assert state.parts.shift == (-3, -1)
    state.set_moving("b")
    assert state.parts.shift == (3, 1)


def test_points_give_the_transform_and_what_they_leave(state):
    state.set_kind("translation")
    state.mark("a", (10, 10))
    assert state.waits_for == "b"
    assert state.edit.residuals == [None]
    state.mark("b", (13, 11))
    assert state.waits_for is None
    assert state.parts.shift == (-3, -1)
    # The second pair is off by (1, 0) from the first: half of it is left at each.
    state.mark("b", (24, 21))
    assert state.waits_for == "a"
    state.mark("a", (20, 20))
    assert state.parts.shift == (-3.5, -1)
    assert state.edit.residuals == [0.5, 0.5]
    state.remove_landmark(1)
    assert state.edit.residuals == [0.0]
    assert state.parts.shift == (-3, -1)


def test_a_click_in_the_same_picture_corrects_the_point(state):
    state.mark("a", (10, 10))
    state.mark("a", (12, 10))
    assert [mark.a for mark in state.edit.landmarks] == [(12, 10)]


def test_more_general_kinds_wait_for_more_points(state):
    state.set_kind("affine")
    for place in ((0, 0), (20, 0)):
        state.mark("a", place)
        state.mark("b", (place[0] + 2, place[1]))
    assert state.parts.shift == (0, 0)  # two do not suffice
    state.mark("a", (0, 20))
    state.mark("b", (2, 20))
    np.testing.assert_allclose(state.parts.shift, (-2, 0), atol=1e-9)
    assert state.edit.transform.kind == "affine"


def test_points_on_a_line_are_explained(state):
    state.set_kind("affine")
    for x in (0, 10, 20):
        state.mark("a", (x, 0))
        state.mark("b", (x, 0))
    assert "on a line" in str(state.fit_problem)
    state.remove_landmark(2)
    assert state.fit_problem is None


def test_sizes_that_differ_begin_border_on_border(qapp):
    state = AlignState()
    state.begin(NativeSources(loaded(40, 30), loaded(80, 60)), None)
    np.testing.assert_allclose([*state.parts.shift, state.parts.scale], [0, 0, 1], atol=1e-12)
    # It is what the pair needs: without a transform two sizes are refused.
    assert state.result is not None
    np.testing.assert_allclose(state.result.transform.apply([39.5, 29.5]), [79.5, 59.5])


def test_a_move_by_hand_is_no_longer_registered(state):
    by = PairTransform(
        Transform.of("translation", [[1, 0, 4], [0, 1, 0], [0, 0, 1]]),
        origin="registered",
        verdict="doubtful",
    )
    state.set_edit(state.edit.with_result(by))
    assert state.result == by
    state.move(shift_by((1, 0)))
    assert (state.result.origin, state.result.verdict) == ("hand", None)


def test_before_shows_what_was_accepted(qapp):
    by = PairTransform(Transform.of("translation", [[1, 0, 4], [0, 1, 0], [0, 0, 1]]), "a")
    state = AlignState()
    state.begin(NativeSources(loaded(40, 30), loaded(40, 30)), by)
    state.move(shift_by((1, 0)))
    assert state.shown == state.edit.transform != by.transform
    state.show_before(True)
    assert state.shown == by.transform
    state.set_moving("b")
    assert state.shown == by.transform.inverse()
    state.reset()
    assert state.result is None

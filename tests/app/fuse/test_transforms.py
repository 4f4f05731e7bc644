"""A pair with a transform: what is shown, fused, exchanged, read again and kept."""

from __future__ import annotations

import numpy as np
import pytest

from app.fuse.results import swapped_stamp, transform_mark
from core.types import PairTransform, Transform
from tests.app.acts import idle
from tests.app.conftest import write_png


def moved(x: float, y: float, **more: object) -> PairTransform:
    by = Transform.of("translation", [[1, 0, x], [0, 1, y], [0, 0, 1]])
    return PairTransform(by, **more)  # type: ignore[arg-type]


BY = moved(8, 4, origin="registered", verdict="doubtful")


@pytest.fixture
def shifted(qtbot, window, tmp_path):
    """Two parts of one picture, of two sizes, opened with the transform between them."""
    whole = np.random.default_rng(3).integers(0, 256, (60, 80)).astype(np.uint8)
    a = write_png(tmp_path / "s" / "one.png", whole[14:54, 18:68])
    b = write_png(tmp_path / "s" / "two.png", whole[10:, 10:])
    with idle(qtbot, window):
        window.controller.open_pair(a, b, transform=BY)
    return window, a, b


def test_a_pair_is_shown_and_fused_through_its_transform(shifted, engine):
    window, _a, _b = shifted
    sources = window.session.sources
    assert sources.transform == sources.pair.transform == BY
    np.testing.assert_array_equal(sources.b.image.data, sources.a.image.data)
    assert engine.requests[-1].pair.transform == BY
    assert any("doubtful" in note for note in window.session.notices)


def test_exchanging_turns_the_transform_around(qtbot, shifted):
    window, a, b = shifted
    before = window.session.sources
    window.controller.swap()
    sources = window.session.sources
    assert sources.transform == sources.pair.transform == BY.swapped()
    assert sources.stamp != before.stamp
    with idle(qtbot, window):
        window.controller.reload()
    again = window.session.sources
    assert again.paths == (b, a)
    assert again.transform == BY.swapped()
    np.testing.assert_array_equal(again.pair.a.data, sources.pair.a.data)
    window.controller.swap()
    assert window.session.sources.stamp == before.stamp


def test_another_transform_is_another_pair(qtbot, shifted):
    window, _a, _b = shifted
    before = window.session.sources
    with idle(qtbot, window):
        window.controller.set_transform(moved(8, 4.5))
    after = window.session.sources
    assert after.pair is not before.pair
    assert after.stamp != before.stamp
    assert window.session.outcome.pair is after.pair
    # Back again: the result of before is still there.
    with idle(qtbot, window):
        window.controller.set_transform(BY)
    assert window.session.sources.stamp == before.stamp
    assert window.session.sources.transform == BY


def test_another_picture_has_no_transform(qtbot, shifted, tmp_path):
    window, _a, b = shifted
    other = write_png(tmp_path / "s" / "three.png", np.zeros((50, 70), np.uint8))
    with idle(qtbot, window):
        window.controller.replace_side("a", other)
    sources = window.session.sources
    assert sources.transform is None
    assert sources.b.image.size == (70, 50)  # from its file, as it is
    assert sources.paths == (other, b)


def test_the_session_keeps_the_transform(qtbot, shifted):
    window, a, b = shifted
    snapshot = window.services.snapshot()
    assert (snapshot.a, snapshot.b, snapshot.transform) == (a, b, BY)
    with idle(qtbot, window):
        window.controller.open_pair(a, a)
    assert window.services.snapshot().transform is None
    with idle(qtbot, window):
        window.services.restore(snapshot)
        qtbot.waitUntil(lambda: window.session.sources.transform == BY)
    assert window.session.sources.pair.transform == BY


def test_a_transform_off_the_picture_is_explained(qtbot, shifted):
    window, _a, _b = shifted
    with idle(qtbot, window):
        window.controller.set_transform(moved(800, 0))
    assert "moves it off the other picture" in str(window.session.problem.error)


def test_marks_tell_transforms_apart_and_can_be_turned():
    a, b = ("/a.png", 1, 2), ("/b.png", 3, 4)
    every = [BY, BY.swapped(), moved(8, 4), moved(8, 5), moved(8, 4, crop=True)]
    assert len({transform_mark(by) for by in every}) == len(every)
    for by in every:
        stamp = (a, b, transform_mark(by))
        assert swapped_stamp(stamp) == (b, a, transform_mark(by.swapped()))
        assert swapped_stamp(swapped_stamp(stamp)) == stamp

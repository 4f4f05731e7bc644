"""A change of window or palette fuses again, where the user wishes it."""

from __future__ import annotations

from core.errors import DeviceMemoryError
from tests.app.acts import idle


def _set_window(window, low: float, *, settled: bool = True) -> None:
    session = window.session
    session.set_display(session.display.with_pane("a", window=(low, 200.0)), settled=settled)


def test_by_default_a_change_marks_the_result_stale_only(opened):
    _set_window(opened, 20.0)
    assert opened.session.is_stale
    assert opened.session.running is None


def test_the_end_of_a_change_fuses_again(qtbot, opened, engine):
    opened.actions_.fuse_on_change.trigger()
    _set_window(opened, 20.0, settled=False)
    assert opened.session.is_stale
    assert opened.session.running is None
    with idle(qtbot, opened):
        _set_window(opened, 30.0)
        assert opened.session.running is not None
    assert not opened.session.is_stale
    assert opened.session.outcome.fused_windows[0] == (30.0, 200.0)


def test_what_changed_meanwhile_is_fused_next(qtbot, opened, engine):
    opened.actions_.fuse_on_change.trigger()
    engine.gate.clear()
    _set_window(opened, 20.0)
    _set_window(opened, 40.0)
    engine.gate.set()
    qtbot.waitUntil(lambda: not opened.session.is_stale and opened.session.running is None)
    assert opened.session.outcome.fused_windows[0] == (40.0, 200.0)


def test_switching_it_on_fuses_what_is_stale(qtbot, opened):
    _set_window(opened, 20.0)
    with idle(qtbot, opened):
        opened.actions_.fuse_on_change.trigger()
    assert not opened.session.is_stale


def test_a_change_of_task_waits_for_the_user(opened):
    opened.actions_.fuse_on_change.trigger()
    opened.controller.set_task("mef")
    assert opened.session.is_stale
    assert opened.session.running is None


def test_an_error_is_not_repeated(qtbot, opened, engine):
    engine.trouble = lambda: DeviceMemoryError("The picture does not fit", "8 GB are needed")
    opened.actions_.fuse_on_change.trigger()
    with idle(qtbot, opened):
        _set_window(opened, 20.0)
    assert opened.session.running is None
    assert opened.session.problem is not None
    assert opened.session.is_stale

"""Aligning in the window: mouse, keys, numbers, points, registration, files, accept and undo."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.fuse.state import Activity, Offer
from app.pairs.edits import key_of
from app.registration import tasks
from app.shell.main_window import MainWindow
from core.alignment.rigs import Rig, add_rig, find_rig
from core.errors import InputError, Message
from core.io.transforms import read_transform, write_transform
from core.registration import Misalignment, Registration
from core.types import PairTransform, Transform
from core.types.moves import moved, shift_by
from tests.app.acts import WAIT, idle
from tests.app.conftest import write_png
from tests.app.registration.conftest import SHIFT, scene

CTRL, SHIFTED = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE, LEFT = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
BY = PairTransform(moved(Transform.identity(), shift_by(SHIFT)))


@pytest.fixture
def aligned(shifted):
    """The window with the pair being aligned."""
    shifted.actions_.align.trigger()
    assert shifted.aligning.state.is_active
    return shifted


def found(verdict: str = "good", transform: Transform = BY.transform) -> Registration:
    return Registration(
        transform=transform,
        spread=0.4,
        measure=Message("Similarity"),
        before=0.1,
        after=0.9,
        verdict=verdict,
        reasons=() if verdict == "good" else (Message("What agrees lies in a small part."),),
        seconds=1.0,
    )


def drag(window, start: tuple[float, float], end: tuple[float, float], held=NONE) -> None:
    """From one place of the fixed picture to another one."""
    canvas = window.aligning.board.nudge
    points = [canvas.camera.to_widget(QPointF(*place)).toPoint() for place in (start, end)]
    QTest.mousePress(canvas, LEFT, held, points[0])
    QTest.mouseMove(canvas, (points[0] + points[1]) / 2)
    QTest.mouseRelease(canvas, LEFT, held, points[1])


def test_the_board_takes_the_place_of_the_panes(aligned):
    assert aligned.aligning.board.isVisible()
    assert not aligned.view.board.isVisible()
    assert aligned.aligning.panel.isVisible()
    assert aligned.session.display.compare.mode == "checker"
    aligned.actions_.align.trigger()
    assert not aligned.aligning.board.isVisible()
    assert aligned.view.board.isVisible()
    assert aligned.inspector.isVisible()
    assert aligned.session.display.compare.mode == "off"


def test_a_drag_shifts_the_picture(aligned):
    state = aligned.aligning.state
    scale = aligned.aligning.board.nudge.camera.scale()
    drag(aligned, (100, 80), (110, 75))
    np.testing.assert_allclose(state.parts.shift, (10, -5), atol=1 / scale)
    assert aligned.aligning.panel.numbers.right.value() == pytest.approx(
        state.parts.shift[0], abs=0.006
    )


def test_a_drag_with_control_turns_it_and_with_shift_too_scales_it(aligned):
    state = aligned.aligning.state
    # A quarter of the full turn around the centre, (99.5, 79.5) by pixel centres.
    drag(aligned, (150, 80), (100, 130), CTRL)
    assert state.parts.angles[0] == pytest.approx(90, abs=2)
    np.testing.assert_allclose(state.parts.shift, (0, 0), atol=1e-6)
    drag(aligned, (120, 80), (140, 80), CTRL | SHIFTED)
    assert state.parts.scale == pytest.approx(2, rel=0.08)


STEPS = [
    (Qt.Key.Key_Right, NONE, (1, 0), 0, 1),
    (Qt.Key.Key_Up, NONE, (0, -1), 0, 1),
    (Qt.Key.Key_Left, SHIFTED, (-10, 0), 0, 1),
    (Qt.Key.Key_Right, CTRL, (0, 0), 0.1, 1),
    (Qt.Key.Key_Left, CTRL | SHIFTED, (0, 0), -1, 1),
    (Qt.Key.Key_Up, CTRL, (0, 0), 0, 1.001),
    (Qt.Key.Key_Down, CTRL | SHIFTED, (0, 0), 0, 1 / 1.01),
]


def test_arrow_keys_move_it_in_steps(aligned):
    for key, held, shift, angle, scale in STEPS:
        QTest.keyClick(aligned.aligning.board.nudge, key, held)
        parts = aligned.aligning.state.parts
        np.testing.assert_allclose(parts.shift, shift, atol=1e-9)
        assert parts.angles[0] == pytest.approx(angle)
        assert parts.scale == pytest.approx(scale)
        aligned.aligning.state.reset()


def test_numbers_set_the_transform(aligned):
    panel, state = aligned.aligning.panel, aligned.aligning.state
    panel.numbers.right.setValue(12.5)
    panel.numbers.down.setValue(-3)
    panel.numbers.angle.setValue(2)
    panel.numbers.scale.setValue(110)
    parts = state.parts
    np.testing.assert_allclose([*parts.shift, *parts.angles], [12.5, -3, 2], atol=1e-9)
    assert parts.scale == pytest.approx(1.1)
    aligned.actions_.undo.trigger()
    assert state.parts.scale == pytest.approx(1)
    assert panel.numbers.scale.value() == 100
    aligned.actions_.redo.trigger()
    assert panel.numbers.scale.value() == 110


def test_undo_is_of_the_display_again_afterwards(aligned):
    drag(aligned, (100, 80), (110, 75))
    assert aligned.actions_.undo.isEnabled()
    aligned.actions_.align.trigger()
    assert not aligned.actions_.undo.isEnabled()


def test_accepting_reads_and_fuses_the_pair_anew(qtbot, aligned, engine):
    session, before = aligned.session, aligned.session.outcome
    for key, times in ((Qt.Key.Key_Right, SHIFT[0]), (Qt.Key.Key_Down, SHIFT[1])):
        for _ in range(times):
            QTest.keyClick(aligned.aligning.board.nudge, key)
    with idle(qtbot, aligned):
        aligned.actions_.accept_alignment.trigger()
        # Nothing of the pair as it was is on screen from now on.
        assert session.outcome is None
    assert not aligned.aligning.state.is_active
    assert session.sources.transform == BY
    pair = session.sources.pair
    np.testing.assert_array_equal(pair.b.data[pair.valid], pair.a.data[pair.valid])
    assert engine.requests[-1].pair.transform == BY
    assert session.outcome is not before
    # The question is whether to undo it.
    assert [name for name, _label in session.offer.answers] == ["undo_alignment"]
    with idle(qtbot, aligned):
        aligned.view.remedy_requested.emit("undo_alignment")
    assert session.sources.transform is None
    assert session.outcome.pair is session.sources.pair


def test_aligning_again_begins_with_what_was_accepted(qtbot, shifted):
    with idle(qtbot, shifted):
        shifted.controller.set_transform(BY)
    state = shifted.aligning.state
    with qtbot.waitSignal(state.active_changed, timeout=WAIT):
        shifted.actions_.align.trigger()
    np.testing.assert_allclose(state.parts.shift, SHIFT)
    # With the pixels of the file, not those that were resampled.
    assert state.sources.b.image.notes == ()
    shifted.actions_.reset_alignment.trigger()
    with idle(qtbot, shifted):
        shifted.actions_.accept_alignment.trigger()
    assert shifted.session.sources.transform is None


def test_another_pair_ends_it(qtbot, aligned, files):
    aligned.aligning.state.move(shift_by((5, 0)))
    with idle(qtbot, aligned):
        aligned.controller.open_pair(*files)
    assert not aligned.aligning.state.is_active
    assert aligned.session.sources.transform is None
    assert aligned.view.board.isVisible()


def test_pictures_of_two_sizes_are_aligned_instead_of_refused(qtbot, window, tmp_path):
    a = write_png(tmp_path / "s" / "one.png", scene(100, 80))
    b = write_png(tmp_path / "s" / "two.png", scene(150, 120))
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    assert window.session.problem is not None
    assert "align" in [name for name, _label in window.session.offer.answers]
    with qtbot.waitSignal(window.aligning.state.active_changed, timeout=WAIT):
        window.view.remedy_requested.emit("align")
    with idle(qtbot, window):
        window.actions_.accept_alignment.trigger()
    assert window.session.problem is None
    assert window.session.sources.pair.b.size == (100, 80)


# --- registration ------------------------------------------------------------------------------


def test_a_registration_is_shown_with_its_verdict(qtbot, aligned, monkeypatch):
    monkeypatch.setattr(
        "core.registration.registering.register", lambda *_, **_rest: found("doubtful")
    )
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligned.aligning.align.registration is not None)
    state, panel = aligned.aligning.state, aligned.aligning.panel
    np.testing.assert_allclose(state.parts.shift, SHIFT)
    card = panel.verdict.cards["verdict"]
    assert card.objectName() == "noticeCard"  # in the colour of warnings
    assert "small part" in card.text.text()
    with idle(qtbot, aligned):
        aligned.actions_.accept_alignment.trigger()
    assert aligned.session.sources.transform.verdict == "doubtful"
    assert any("doubtful" in note for note in aligned.session.notices)


def test_a_good_one_says_how_far_it_can_be_relied_on(qtbot, aligned, monkeypatch):
    monkeypatch.setattr("core.registration.registering.register", lambda *_, **_rest: found("good"))
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligned.aligning.align.registration is not None)
    card = aligned.aligning.panel.verdict.cards["verdict"]
    assert "within 0.4 px" in card.text.text()
    # After a move by hand the verdict is no longer about what is shown.
    QTest.keyClick(aligned.aligning.board.nudge, Qt.Key.Key_Right)
    assert "verdict" not in aligned.aligning.panel.verdict.cards


def test_a_failed_one_changes_nothing(qtbot, aligned, monkeypatch):
    monkeypatch.setattr(
        "core.registration.registering.register", lambda *_, **_rest: found("failed")
    )
    aligned.aligning.state.move(shift_by((2, 0)))
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligned.aligning.align.registration is not None)
    assert aligned.aligning.state.parts.shift == (2, 0)
    assert aligned.aligning.panel.verdict.cards["verdict"].objectName() == "errorCard"


def test_cancelling_leaves_the_transform(qtbot, aligned, monkeypatch):
    gate = threading.Event()

    def slow(*_, progress, **_rest):
        progress.report(1, 4, "Registering")
        while not gate.wait(0.01):
            progress.check()
        return found()

    monkeypatch.setattr("core.registration.registering.register", slow)
    align = aligned.aligning.align
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: align.stage == ("Registering", 1, 4))
    assert aligned.aligning.panel.cancel.isVisible()
    QTest.mouseClick(aligned.aligning.panel.cancel, LEFT)
    gate.set()
    assert align.stage is None
    assert aligned.aligning.state.is_active
    assert aligned.aligning.state.result is None
    assert not aligned.aligning.panel.cancel.isVisible()


@pytest.mark.parametrize("job", ["registration", "file"])
def test_what_was_found_for_one_source_is_turned_for_the_one_moved_meanwhile(
    qtbot, aligned, monkeypatch, tmp_path, job
):
    """The other source is moved against the shift: the pair lies the same."""
    gate = threading.Event()
    align, state = aligned.aligning.align, aligned.aligning.state

    def slow(*_, **_rest):
        gate.wait(10)
        return found() if job == "registration" else BY.transform

    monkeypatch.setattr("core.registration.registering.register", slow)
    monkeypatch.setattr("core.io.transforms.read_transform", slow)
    if job == "registration":
        align.register()
    else:
        align.import_transform(tmp_path / "x.tfm")
    panel = aligned.aligning.panel
    panel.moving.setCurrentIndex(panel.moving.findData("a"))
    panel.moving.activated.emit(panel.moving.currentIndex())
    assert state.edit.moving == "a"
    gate.set()
    qtbot.waitUntil(lambda: align.stage is None, timeout=WAIT)
    assert state.edit.moving == "a"
    np.testing.assert_allclose(state.parts.shift, [-value for value in SHIFT], atol=1e-9)
    assert state.edit.by.origin == ("registered" if job == "registration" else "file")


def test_a_registration_of_another_pair_is_dropped(qtbot, aligned, monkeypatch, files):
    gate = threading.Event()

    def slow(*_, progress, **_rest):
        gate.wait(10)
        return found()

    monkeypatch.setattr("core.registration.registering.register", slow)
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligned.aligning.align.stage is not None)
    with idle(qtbot, aligned):
        aligned.controller.open_pair(*files)
    aligned.actions_.align.trigger()
    state = aligned.aligning.state
    with qtbot.waitSignal(aligned.aligning.align.work_changed, timeout=WAIT):
        # The next job of the same thread ends after the one that is dropped.
        aligned.aligning.align.import_transform(files[0])
        gate.set()
        qtbot.waitUntil(lambda: aligned.session.problem is not None)
    assert aligned.aligning.align.registration is None
    assert state.result is None


def test_a_real_registration(qtbot, aligned):
    aligned.aligning.state.set_kind("translation")
    aligned.actions_.register_pair.trigger()
    qtbot.waitUntil(lambda: aligned.aligning.align.registration is not None, timeout=WAIT)
    assert aligned.aligning.align.registration.verdict == "good"
    np.testing.assert_allclose(aligned.aligning.state.parts.shift, SHIFT, atol=0.3)


def test_a_shifted_pair_is_noticed_once(qtbot, shifted):
    session = shifted.session
    qtbot.waitUntil(lambda: session.offer is not None, timeout=WAIT)
    assert [name for name, _label in session.offer.answers] == ["register", "align"]
    assert "9 pixels" in session.offer.text  # √(8² + 4²) = 8.94
    a, b = session.sources.paths
    shifted.view.notice.close_button.click()
    with idle(qtbot, shifted):
        shifted.controller.open_pair(a, b)
    assert session.offer is None


@pytest.mark.parametrize("waits_for_fusion", [False, True])
def test_what_is_being_aligned_is_not_offered_to_be(qtbot, shifted, waits_for_fusion):
    """The look may end after aligning has begun, or its question wait for a fusion until then."""
    session, check = shifted.session, shifted.aligning.check
    qtbot.waitUntil(lambda: session.offer is not None, timeout=WAIT)
    again = Offer(session.offer.text, session.offer.answers)
    session.set_offer(None)
    pair, stamp = session.sources.pair, session.sources.stamp
    shift = Misalignment("shifted", 9.0, 0.5)
    if waits_for_fusion:
        session.set_running(Activity("Fusing", fusing=True))
        check._looked(pair, stamp, shift)
        shifted.actions_.align.trigger()
        session.set_running(None)
    else:
        shifted.actions_.align.trigger()
        check._looked(pair, stamp, shift)
    assert shifted.aligning.state.is_active
    assert session.offer is None
    shifted.aligning.state.end()
    check._looked(pair, stamp, shift)
    assert session.offer == again


def test_the_look_can_be_switched_off(qtbot, window, tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(tasks, "check_pair", lambda *_: looks.append(1))
    window.actions_.check_alignment.setChecked(False)
    assert not window.services.settings.checks_alignment
    a = write_png(tmp_path / "s" / "one.png", scene(120, 100))
    b = write_png(tmp_path / "s" / "two.png", scene(120, 100)[:, ::-1])
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    assert looks == []


# --- points ------------------------------------------------------------------------------------


def test_clicks_mark_points_and_the_residual_is_listed(aligned):
    board, state, panel = aligned.aligning.board, aligned.aligning.state, aligned.aligning.panel
    aligned.actions_.mark_points.trigger()
    state.set_kind("translation")

    def click(role: str, x: float, y: float) -> QPointF:
        canvas = board.marks[role]
        point = canvas.camera.to_widget(QPointF(x, y)).toPoint()
        QTest.mouseClick(canvas, LEFT, NONE, point)
        return canvas.camera.to_image(QPointF(point)) - QPointF(0.5, 0.5)

    first = click("fixed", 100, 80)
    assert state.edit.landmarks[0].a == (first.x(), first.y())
    assert "B" in panel.points_text.text()
    second = click("moving", 92, 76)
    np.testing.assert_allclose(
        state.parts.shift, ((first - second).x(), (first - second).y()), atol=1e-9
    )
    assert panel.points.item(0).text() == "1  0.00 px"
    panel.points.setCurrentRow(0)
    QTest.keyClick(panel.points, Qt.Key.Key_Delete)
    assert state.edit.landmarks == ()
    aligned.actions_.undo.trigger()
    assert len(state.edit.landmarks) == 1


def test_without_marking_a_click_marks_nothing(aligned):
    canvas = aligned.aligning.board.marks["fixed"]
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(canvas.width() // 2, canvas.height() // 2))
    assert aligned.aligning.state.edit.landmarks == ()


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["tfm", "json"])
def test_a_transform_goes_to_a_file_and_comes_back(qtbot, aligned, tmp_path, suffix):
    state, align = aligned.aligning.state, aligned.aligning.align
    state.move(shift_by(SHIFT))
    path = tmp_path / f"out.{suffix}"
    with qtbot.waitSignal(align.written, timeout=WAIT):
        aligned.actions_.export_transform.trigger()
        aligned.aligning.dialog.fileSelected.emit(str(path))
        aligned.aligning.dialog.reject()
    np.testing.assert_allclose(read_transform(path).array, BY.transform.array)
    state.reset()
    with qtbot.waitSignal(state.edited, timeout=WAIT):
        aligned.actions_.import_transform.trigger()
        aligned.aligning.dialog.fileSelected.emit(str(path))
        aligned.aligning.dialog.reject()
    assert state.result.origin == "file"
    assert state.result.name == path.name
    np.testing.assert_allclose(state.parts.shift, SHIFT)


def test_a_transform_is_kept_for_two_cameras(qtbot, shifted, tmp_path, monkeypatch):
    monkeypatch.setattr("core.alignment.rigs.data_folder", lambda: tmp_path)
    aligned, state, align = shifted, shifted.aligning.state, shifted.aligning.align
    with qtbot.waitSignal(align.rigs_changed, timeout=WAIT):  # aligning begins by listing them
        aligned.actions_.align.trigger()
    assert align.rigs == ()
    state.move(shift_by(SHIFT))
    aligned.actions_.keep_rig.trigger()
    aligned.aligning.rigs.name_dialog.textValueSelected.emit("Roof & yard")
    aligned.aligning.rigs.name_dialog.reject()
    # Not the first rigs_changed: the list of when aligning began may still be on its way.
    qtbot.waitUntil(lambda: [rig.name for rig in align.rigs] == ["Roof & yard"], timeout=WAIT)
    state.reset()
    (take,) = aligned.aligning.rigs.menus["take"].actions()
    with qtbot.waitSignal(state.edited, timeout=WAIT):
        take.trigger()
    np.testing.assert_allclose(state.parts.shift, SHIFT)
    assert (state.result.origin, state.result.name) == ("rig", "Roof & yard")
    # Another one of that name takes its place only when that is wanted.
    state.move(shift_by((1, 0)))
    align.keep_rig("Roof & yard")
    rigs = aligned.aligning.rigs
    qtbot.waitUntil(lambda: rigs.question is not None and rigs.question.isVisible(), timeout=WAIT)
    assert "Roof & yard" in rigs.question.text()
    rigs.question.reject()
    kept = find_rig("Roof & yard").transform
    np.testing.assert_allclose(kept.array[:2, 2], (-SHIFT[0], -SHIFT[1]))
    align.keep_rig("Roof & yard")
    qtbot.waitUntil(lambda: rigs.question.isVisible(), timeout=WAIT)
    with qtbot.waitSignal(align.rig_kept, timeout=WAIT):
        rigs.question.buttons()[0].click()
    assert find_rig("Roof & yard").transform == state.result.transform
    # What is taken is what is kept now, not what was listed when aligning began.
    add_rig(replace(find_rig("Roof & yard"), transform=shift_by((-3, 2))), overwrite=True)
    with qtbot.waitSignal(state.edited, timeout=WAIT):
        align.take_rig("Roof & yard")
    np.testing.assert_allclose(state.parts.shift, (3, -2))
    (remove,) = aligned.aligning.rigs.menus["remove"].actions()
    with qtbot.waitSignal(align.rigs_changed, timeout=WAIT):
        remove.trigger()
    assert align.rigs == ()
    assert not aligned.aligning.rigs.menus["take"].isEnabled()


def test_a_transform_of_volumes_is_explained(qtbot, aligned, tmp_path):
    path = tmp_path / "volume.tfm"
    write_transform(path, Transform.identity(3))
    aligned.aligning.align.import_transform(path)
    qtbot.waitUntil(lambda: aligned.session.problem is not None)
    assert isinstance(aligned.session.problem.error, InputError)
    assert aligned.aligning.state.result is None


# --- a rig for all listed pairs ----------------------------------------------------------------


@pytest.fixture
def listed(qtbot, window, tmp_path, monkeypatch):
    """Three pairs of 200×160 pixels, shifted by :data:`SHIFT`, and a rig for them."""
    monkeypatch.setattr("core.alignment.rigs.data_folder", lambda: tmp_path)
    whole, (x, y) = scene(240, 200), SHIFT
    for name in ("one", "two", "wide"):
        width = 100 if name == "wide" else 200
        write_png(tmp_path / "s" / "a" / f"{name}.png", whole[20:180, 20 : 20 + width])
        write_png(
            tmp_path / "s" / "b" / f"{name}.png", whole[20 + y : 180 + y, 20 + x : 20 + x + width]
        )
    size = (200, 160)
    add_rig(Rig(name="mast", transform=BY.transform, moving="b", size_a=size, size_b=size))
    with idle(qtbot, window):
        window.files.take([tmp_path / "s"])
    return window


def texts(window: MainWindow) -> dict[str, str]:
    """How each listed pair is laid on each other, by name."""
    pairs = window.pairs
    return {m.name: pairs.alignments.text(key_of(m)) for m in pairs.matches}


def test_a_rig_is_used_for_all_listed_pairs_and_can_be_undone(qtbot, listed):
    window, session, align = listed, listed.session, listed.aligning.align
    with qtbot.waitSignal(align.rigs_changed, timeout=WAIT):
        window.actions_.align.trigger()
    everywhere = window.aligning.rigs.menus["all"]
    assert everywhere.isEnabled()
    with idle(qtbot, window):
        everywhere.actions()[0].trigger()
    assert not window.aligning.state.is_active
    assert session.sources.transform.name == "mast"
    np.testing.assert_array_equal(session.sources.transform.transform.array, BY.transform.array)
    assert texts(window) == dict.fromkeys(("one", "two", "wide"), "Rig: mast")
    qtbot.waitUntil(lambda: session.offer is not None, timeout=WAIT)
    assert "all 3 listed pairs" in session.offer.text
    # It shows in the list, also to those who cannot see it.
    model = window.pairs_dock.model
    two = window.pairs.matches[1]
    index = model.index_of(key_of(two))
    assert "↔" in index.data()
    assert "Rig: mast" in index.data(Qt.ItemDataRole.AccessibleTextRole)
    model.ensure_tool_tip(key_of(two))
    assert "Rig: mast" in index.data(Qt.ItemDataRole.ToolTipRole)
    # The others are laid so when they are opened, unless the rig is not for them.
    with idle(qtbot, window):
        window.pairs.step(1)
    assert session.sources.transform.name == "mast"
    window.pairs.step(1)
    qtbot.waitUntil(lambda: session.problem is not None, timeout=WAIT)
    assert "other proportions" in str(session.problem.error)
    assert window.pairs.state(key_of(window.pairs.matches[2])).badge == "failed"
    with idle(qtbot, window):
        window.aligning.rigs.undo_all()
    assert session.sources.transform is None
    assert texts(window) == dict.fromkeys(("one", "two", "wide"), "")


def test_what_was_accepted_stays_with_its_pair(qtbot, listed):
    window = listed
    window.actions_.align.trigger()
    window.aligning.state.move(shift_by(SHIFT))
    with idle(qtbot, window):
        window.actions_.accept_alignment.trigger()
    assert texts(window)["one"] == "Aligned by hand"
    with idle(qtbot, window):
        window.pairs.step(1)
    assert window.session.sources.transform is None
    with idle(qtbot, window):
        window.pairs.step(-1)
    assert window.session.sources.transform == BY
    assert window.session.results  # it was fused before
    with idle(qtbot, window):
        window.aligning.align.undo_accepted()
    assert texts(window)["one"] == ""


def test_what_lies_off_the_other_picture_is_not_accepted(qtbot, aligned):
    state, session = aligned.aligning.state, aligned.session
    state.move(shift_by((500, 0)))
    assert not state.overlaps
    aligned.actions_.accept_alignment.trigger()
    assert "off the other one" in str(session.problem.error)
    assert state.is_active
    state.move(shift_by((-310, 0)))
    assert state.overlaps  # the last ten columns
    session.set_problem(None)
    with idle(qtbot, aligned):
        aligned.actions_.accept_alignment.trigger()
    assert session.sources.transform is not None


def test_the_commands_of_aligning_are_in_the_menus_and_have_their_keys(qtbot, shifted):
    actions, state = shifted.actions_, shifted.aligning.state
    for action in (actions.align, actions.register_pair, actions.import_transform):
        assert action.isVisible()
    shifted.activateWindow()
    QTest.keyClick(shifted, Qt.Key.Key_A)
    assert state.is_active
    assert actions.import_transform.isEnabled()
    assert actions.keep_rig.isEnabled()
    QTest.keyClick(shifted, Qt.Key.Key_N)
    assert state.marks_points
    QTest.keyClick(shifted, Qt.Key.Key_A)
    assert not state.is_active

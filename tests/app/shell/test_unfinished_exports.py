"""Closing the window while a study is exported, and going on with it later."""

from __future__ import annotations

import nibabel
import numpy as np
import pydicom
import pytest

from app.fuse.study_tasks import VolumeExportPlan
from app.preferences.session_file import from_json
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from core.errors import InputError
from core.fusion.slice_store import store_beside
from core.types import PairTransform, Transform
from tests.app.acts import WAIT
from tests.app.batch.test_leaving import ask_to_close
from tests.app.fuse.volumes import blob, settled, write_nifti, write_study


@pytest.fixture(autouse=True)
def _stays(qapp):
    """The test's application must not end with its window."""
    before = qapp.quitOnLastWindowClosed()
    qapp.setQuitOnLastWindowClosed(False)
    yield
    qapp.setQuitOnLastWindowClosed(before)


@pytest.fixture
def start(qtbot, engine, samples, tmp_path):
    def started() -> MainWindow:
        settings = Settings(tmp_path / "home")
        made = MainWindow(lambda: engine, samples, "mif", settings=settings)
        qtbot.addWidget(made, before_close_func=lambda _window: engine.gate.set())
        made.show()
        with qtbot.waitSignal(made.controller.idle, timeout=WAIT):
            made.services.begin()
        return made

    return started


def study_folder(tmp_path):
    return tmp_path / "Zweistein" / "export"


def begin_export(qtbot, engine, window, path) -> None:
    """Export what is on show, and wait at the engine's gate after a slice of sixteen or more."""
    path.parent.mkdir(exist_ok=True)
    before = len(engine.requests)

    def hold() -> None:
        if len(engine.requests) - before > 4:
            engine.gate.clear()

    # Asked before each slice, so that it holds whenever progress is told.
    engine.trouble = hold
    window.controller.volume_export.export(VolumeExportPlan(path))
    qtbot.waitUntil(lambda: not engine.gate.is_set(), timeout=WAIT)
    engine.trouble = None


@pytest.fixture
def opened_study(qtbot, start, tmp_path):
    window = start()
    window.files.take([write_study(study_folder(tmp_path))])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    return window


@pytest.fixture
def exporting(qtbot, engine, opened_study, tmp_path):
    begin_export(qtbot, engine, opened_study, tmp_path / "out" / "fused.dcm")
    return opened_study


def test_closing_asks_and_going_back_changes_nothing(qtbot, engine, exporting, tmp_path):
    ask_to_close(qtbot, exporting)
    card = exporting.close_guard.card
    assert "A study is being exported" in card.text.text()
    assert list(card.buttons) == ["keep", "stop", "cancel"]
    card.buttons["cancel"].click()
    assert exporting.isVisible()
    with qtbot.waitSignal(exporting.controller.exported, timeout=WAIT):
        engine.gate.set()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fused.dcm"]
    ask_to_close(qtbot, exporting)
    assert exporting.close_guard.card is None


def test_finishing_first_ends_the_program_with_the_whole_file(qtbot, engine, exporting, tmp_path):
    ask_to_close(qtbot, exporting)
    exporting.close_guard.card.buttons["keep"].click()
    assert exporting.close_guard.quits_when_idle
    engine.gate.set()
    path = tmp_path / "out" / "fused.dcm"
    qtbot.waitUntil(path.exists, timeout=WAIT)
    assert int(pydicom.dcmread(path).NumberOfFrames) == 16
    qtbot.waitUntil(lambda: exporting.controller.volume_export.unfinished == (), timeout=WAIT)


def stopped(qtbot, engine, window) -> None:
    ask_to_close(qtbot, window)
    window.close_guard.card.buttons["stop"].click()
    assert not window.isVisible()
    engine.gate.set()


def test_what_is_stopped_is_offered_at_the_next_start(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    path = tmp_path / "out" / "fused.dcm"
    kept = store_beside(path)
    assert not path.exists()
    slices = len((kept / "slices.jsonl").read_text().splitlines())
    assert 0 < slices < 16
    stored = (tmp_path / "home" / "session.json").read_bytes()
    assert b"Zweistein" not in stored
    (left,) = from_json(stored).exports
    assert (left.name, left.located().folder) == ("fused.dcm", tmp_path / "out")
    again = start()
    card = again.services.cards.cards["export"]
    assert "fused.dcm" in card.text.text()
    with qtbot.waitSignal(again.controller.exported, timeout=WAIT):
        card.buttons["resume"].click()
    assert int(pydicom.dcmread(path).NumberOfFrames) == 16
    assert f"{slices} slices of a run that had ended early were kept" in again.session.message
    assert [one.name for one in path.parent.iterdir()] == ["fused.dcm"]
    assert again.services.snapshot().exports == ()


def test_what_is_on_show_stays_while_an_export_is_gone_on_with(
    qtbot, engine, exporting, start, tmp_path
):
    stopped(qtbot, engine, exporting)
    again = start()
    assert again.session.sources.sample
    go_on(qtbot, again)
    assert again.session.sources.sample
    again.close()
    assert "export" not in start().services.cards.cards


def go_on(qtbot, window, name: str = "export"):
    with qtbot.waitSignal(window.controller.exported, timeout=WAIT) as done:
        window.services.cards.cards[name].buttons["resume"].click()
    assert "of a run that had ended early were kept" in window.session.message
    return done.args[0][0]


def exported(qtbot, window, path):
    """What is on show, exported at once."""
    path.parent.mkdir(exist_ok=True)
    with qtbot.waitSignal(window.controller.exported, timeout=WAIT):
        window.controller.volume_export.export(VolumeExportPlan(path))
    return pydicom.dcmread(path)


def shows_keys(window, a: str, b: str) -> bool:
    shown = window.controller.volumes.on_show
    return settled(window) and (shown.a, shown.b) == (a, b)


def assert_same(path, wanted) -> None:
    found = pydicom.dcmread(path)
    assert found.NumberOfFrames == wanted.NumberOfFrames
    assert np.array_equal(found.pixel_array, wanted.pixel_array)
    for name in ("Rows", "Columns"):
        assert getattr(found, name) == getattr(wanted, name)


def test_a_pair_exchanged_since_is_exported_as_it_was(qtbot, engine, opened_study, start, tmp_path):
    window = opened_study
    shown = window.controller.volumes.on_show
    window.controller.swap()
    qtbot.waitUntil(lambda: shows_keys(window, shown.b, shown.a), timeout=WAIT)
    wanted = exported(qtbot, window, tmp_path / "out" / "wanted.dcm")
    begin_export(qtbot, engine, window, tmp_path / "out" / "fused.dcm")
    window.controller.swap()
    qtbot.waitUntil(lambda: window.controller.volumes.on_show.a == shown.a, timeout=WAIT)
    stopped(qtbot, engine, window)
    again = start()
    again.services.restore(from_json((tmp_path / "home" / "session.json").read_bytes()))
    qtbot.waitUntil(lambda: settled(again) and not again.session.sources.sample, timeout=WAIT)
    assert again.controller.volumes.on_show.a == shown.a
    assert_same(go_on(qtbot, again), wanted)
    assert again.controller.volumes.on_show.a == shown.a


MOVED = PairTransform(
    Transform.of("translation", [[1, 0, 0, 4], [0, 1, 0, -6], [0, 0, 1, 3], [0, 0, 0, 1]]),
    "a",
    origin="hand",
)


def test_what_it_was_aligned_by_is_kept(qtbot, engine, opened_study, start, tmp_path):
    window = opened_study
    plain = exported(qtbot, window, tmp_path / "out" / "plain.dcm")
    window.controller.set_transform(MOVED)
    qtbot.waitUntil(lambda: settled(window) and window.session.sources.transform == MOVED)
    wanted = exported(qtbot, window, tmp_path / "out" / "wanted.dcm")
    assert not np.array_equal(wanted.pixel_array, plain.pixel_array)
    begin_export(qtbot, engine, window, tmp_path / "out" / "fused.dcm")
    stopped(qtbot, engine, window)
    assert_same(go_on(qtbot, start()), wanted)


def test_frames_are_kept(qtbot, engine, start, tmp_path):
    folder = study_folder(tmp_path)
    folder.mkdir(parents=True)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    once = np.asarray(blob((16, 40, 60), 900).transpose(2, 1, 0), np.int16)
    # The second frame is another picture, not only brighter: each has its own window.
    frames = np.stack([once, once[::-1] // 2 + once // 3], axis=-1)
    nibabel.save(nibabel.Nifti1Image(frames, affine), folder / "pet.nii")
    write_nifti(folder / "t1.nii")
    window = start()
    window.files.take([folder])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    window.controller.volumes.show_frame(0, 1)
    qtbot.waitUntil(lambda: window.controller.volumes.on_show.frame_a == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    wanted = exported(qtbot, window, tmp_path / "out" / "wanted.dcm")
    begin_export(qtbot, engine, window, tmp_path / "out" / "fused.dcm")
    stopped(qtbot, engine, window)
    assert_same(go_on(qtbot, start()), wanted)


def test_series_that_were_moved_are_asked_for(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    folder = study_folder(tmp_path)
    elsewhere = folder.rename(tmp_path / "elsewhere")
    again = start()
    cards = again.services.cards.cards
    cards["export"].buttons["resume"].click()
    qtbot.waitUntil(lambda: again.session.problem is not None and "export" in cards, timeout=WAIT)
    text = str(again.session.problem.error)
    assert "not where they were" in text
    assert "Open the folder that they are in now, then go on." in text
    again.files.take([elsewhere])
    qtbot.waitUntil(lambda: settled(again) and not again.session.sources.sample, timeout=WAIT)
    path = go_on(qtbot, again)
    assert int(pydicom.dcmread(path).NumberOfFrames) == 16
    assert again.session.problem is None


def test_a_folder_that_is_away_keeps_the_offer(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    away = (tmp_path / "out").rename(tmp_path / "drive")
    again = start()
    cards = again.services.cards.cards
    cards["export"].buttons["resume"].click()
    qtbot.waitUntil(lambda: "export" in cards, timeout=WAIT)
    assert "The folder of “fused.dcm” is not there. Connect its drive" in again.session.message
    away.rename(tmp_path / "out")
    go_on(qtbot, again)


def test_without_its_pack_it_says_so_and_goes_on_once_that_is_back(
    qtbot, engine, exporting, start, tmp_path
):
    stopped(qtbot, engine, exporting)
    again = start()
    engine.trouble = lambda: InputError("The method “mif-compact”", "there is none of that name")
    cards = again.services.cards.cards
    cards["export"].buttons["resume"].click()
    qtbot.waitUntil(lambda: again.session.problem is not None and "export" in cards, timeout=WAIT)
    assert "there is none of that name" in str(again.session.problem.error)
    engine.trouble = None
    go_on(qtbot, again)


def test_a_second_export_does_not_displace_the_first(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    again = start()
    again.files.take([study_folder(tmp_path)])
    qtbot.waitUntil(lambda: settled(again), timeout=WAIT)
    begin_export(qtbot, engine, again, tmp_path / "out" / "other.dcm")
    again.services.cards.cards["export"].buttons["resume"].click()
    assert "Another export is running" in again.session.message
    assert "fused.dcm" in again.services.cards.cards["export"].text.text()
    stopped(qtbot, engine, again)
    third = start()
    assert set(third.services.cards.cards) >= {"export", "export 2"}
    assert go_on(qtbot, third, "export 2").name == "other.dcm"
    assert go_on(qtbot, third).name == "fused.dcm"


def test_an_export_of_the_sample_is_offered_too(qtbot, engine, start, tmp_path):
    window = start()
    window.files.take([write_study(study_folder(tmp_path))])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    window.pairs.scans = ()  # as for a sample
    begin_export(qtbot, engine, window, tmp_path / "out" / "fused.dcm")
    assert not window.services.snapshot().has_files
    stopped(qtbot, engine, window)
    again = start()
    assert not again.actions_.restore.isEnabled()
    go_on(qtbot, again)


def test_an_export_that_was_refused_is_not_offered(qtbot, opened_study, tmp_path):
    taken = tmp_path / "out"
    taken.mkdir()
    (taken / "letter.txt").write_text("of somebody")
    opened_study.controller.volume_export.export(VolumeExportPlan(taken, layout="single"))
    exporter = opened_study.controller.volume_export
    qtbot.waitUntil(lambda: opened_study.session.problem is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: exporter.unfinished == (), timeout=WAIT)
    assert "export" not in opened_study.services.cards.cards


def test_what_is_stopped_can_be_removed(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    assert list((tmp_path / "out").iterdir())
    again = start()
    again.services.cards.cards["export"].buttons["no"].click()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()), timeout=WAIT)
    assert again.services.snapshot().exports == ()
    again.close()
    assert "export" not in start().services.cards.cards


def test_exporting_the_same_again_goes_on(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    again = start()
    again.files.take([tmp_path / "Zweistein" / "export"])
    qtbot.waitUntil(lambda: settled(again), timeout=WAIT)
    with qtbot.waitSignal(again.controller.exported, timeout=WAIT):
        again.controller.volume_export.export(VolumeExportPlan(tmp_path / "out" / "fused.dcm"))
    assert "had ended early were kept" in again.session.message

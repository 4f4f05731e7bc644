"""The Batch workspace: the preview, the run, and what a person does about it."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit

from app.batch.table_model import NOTE, RESULT, SIZE, STATE, WHY, A
from app.pairs.edits import key_of
from app.shell.main_window import MainWindow
from core.batch import DEFAULT_TEMPLATE, FIELDS
from core.io import read_image
from tests.app.batch.conftest import WAIT, make_pairs, planned, states, when
from tests.app.conftest import gradient, write_png
from tests.app.shell.test_window import drop
from tests.app.standin import StandInEngine
from tests.junk import FAULTS, GOOD

_LEFT = Qt.MouseButton.LeftButton


def cell(page, row: int, column: int) -> str:
    return str(page.table.data(page.table.index(row, column)) or "")


def dropped(qtbot, page, *paths: Path) -> None:
    with planned(qtbot, page.batch):
        drop(page.zone, *paths)


def click(button: QAbstractButton) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, _LEFT)


def go(qtbot, page) -> None:
    """Press Start, until the run has ended and what can be done next is known."""
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.foot.start_button)
    with planned(qtbot, page.batch):
        pass


# --- the preview ---------------------------------------------------------------------------------


def test_a_dropped_folder_is_shown_before_anything_is_written(qtbot, page, junkyard):
    pairs = 3 + len([name for name in FAULTS if (junkyard / "a" / f"{name}.png").exists()])
    with when(qtbot, page.batch, lambda: len(page.batch.headers) == pairs):
        drop(page.zone, junkyard)
    names = [cell(page, row, A) for row in range(page.table.rowCount())]
    assert names[:3] == ["cut.png", "empty.png", "gone.png"]
    assert all("same name in a/ and b/" in cell(page, row, WHY) for row in range(pairs))
    row = names.index("size.png")
    assert cell(page, row, SIZE) == "16×12 / 7×5"
    assert "sizes differ" in cell(page, row, NOTE)
    assert "empty" in cell(page, names.index("empty.png"), NOTE)
    assert cell(page, names.index("p001.png"), STATE) == "Ready"
    left = {names[row]: cell(page, row, WHY) for row in range(pairs, page.table.rowCount())}
    assert set(left) == {"alone.png", "twice.png", "twice.bmp"}
    assert "several files" in left["twice.bmp"]
    red = page.table.data(page.table.index(pairs + 1, A), Qt.ItemDataRole.ForegroundRole)
    assert red.red() > 1.5 * red.green()
    assert f"{pairs} pairs" in page.summary.text()
    assert "not paired: 4" in page.summary.text()
    assert page.choices.folder.text() == str(junkyard.parent / "yard-fused")
    assert not (junkyard.parent / "yard-fused").exists()


def test_two_folders_dropped_one_after_the_other_belong_together(qtbot, page, study):
    dropped(qtbot, page, study / "a")
    assert len(page.batch.pairing.matches) == 0
    dropped(qtbot, page, study / "b")
    assert len(page.batch.pairing.active) == 6
    assert page.batch.pairing.leftovers == ()


def test_results_inside_the_source_folder_are_never_sources(qtbot, page, study):
    dropped(qtbot, page, study)
    inside = study / "a" / "results"
    with planned(qtbot, page.batch):
        page.batch.choose_folder(str(inside))
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    go(qtbot, page)
    assert len(list(inside.glob("p*.png"))) == 6
    dropped(qtbot, page, study)
    files = {path for m in page.batch.pairing.matches for path in key_of(m)}
    files |= {item.path for item in page.batch.pairing.leftovers}
    assert not any(inside in path.parents for path in files)
    assert len(page.batch.pairing.active) == 6


def test_pairs_are_changed_by_hand_and_fused_as_they_then_are(qtbot, page, engine, tmp_path):
    root = make_pairs(tmp_path / "in", 3)
    for name, side in (("moon", "a"), ("river2", "b")):
        write_png(root / side / f"{name}.png", gradient(16, 12))
    dropped(qtbot, page, root)
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    panel = page.panel
    for row, button in ((0, panel.swap_button), (1, panel.exclude_button)):
        panel.select([row])
        with planned(qtbot, page.batch):
            click(button)
    panel.select([3, 4])
    with planned(qtbot, page.batch):
        click(panel.join_button)
    assert page.batch.pairing.leftovers == ()
    panel.select([2])
    click(panel.choose_button)
    with planned(qtbot, page.batch):
        page.dialog.fileSelected.emit(str(root / "b" / "p000.png"))
    page.dialog.close()
    given = next(m for m in page.batch.pairing.matches if m.a == root / "a" / "p002.png")
    assert (given.b, given.reason) == (root / "b" / "p000.png", "paired by hand")
    apart = {item.path for item in page.batch.pairing.leftovers}
    assert apart == {root / "a" / "p000.png", root / "b" / "p002.png"}
    with planned(qtbot, page.batch):
        drop(page.zone, root)
    assert any(m.excluded and m.a.name == "p001.png" for m in page.batch.pairing.matches)
    engine.requests.clear()
    go(qtbot, page)
    fused = {(r.pair.a.origin.name, r.pair.b.origin.name) for r in engine.requests}
    assert ("p002.png", "p000.png") in fused
    assert ("moon.png", "river2.png") in fused
    assert not any("p001.png" in names for names in fused)


def test_swapped_sources_reach_the_engine_swapped(qtbot, page, engine, study):
    dropped(qtbot, page, study)
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    with planned(qtbot, page.batch):
        click(page.swap_all)
    engine.requests.clear()
    go(qtbot, page)
    assert {r.pair.a.origin.parent.name for r in engine.requests} == {"b"}


def test_a_tick_leaves_a_pair_out_and_the_row_says_so(qtbot, page, study):
    dropped(qtbot, page, study)
    with planned(qtbot, page.batch):
        page.table.setData(page.table.index(2, A), 0, Qt.ItemDataRole.CheckStateRole)
    assert cell(page, 2, STATE) == "Left out"
    assert "1 left out" in page.summary.text()
    assert len(page.batch.planned.plan.rows) == 5


# --- choices -------------------------------------------------------------------------------------


def test_names_are_previewed_as_they_are_typed_and_mistakes_are_said(qtbot, page, study):
    dropped(qtbot, page, study)
    assert page.choices.preview.text() == "→ p000.png"
    with planned(qtbot, page.batch):
        page.choices.template.clear()
        QTest.keyClicks(page.choices.template, "x_{a_stem}_{task}_{index:04}.tif")
    assert page.choices.preview.text() == "→ x_p000_mif_0001.tif"
    assert cell(page, 5, RESULT) == "x_p005_mif_0006.tif"
    with planned(qtbot, page.batch):
        QTest.keyClicks(page.choices.template, "{nonsense}")
    assert "nonsense" in page.choices.trouble.text()
    assert not page.foot.start_button.isEnabled()


def test_the_help_explains_every_field_there_is(page):
    assert list(page.choices.field_help()) == list(FIELDS)
    assert page.batch.choices.template == DEFAULT_TEMPLATE
    page.choices.template.clear()
    page.choices.fields.menu().actions()[1].trigger()
    assert page.batch.choices.template == "{a_stem}"


def test_every_control_has_a_name(qtbot, page, study):
    dropped(qtbot, page, study)
    for kind in (QAbstractButton, QComboBox, QLineEdit):
        for widget in page.findChildren(kind):
            if widget.objectName().startswith("qt_") or not widget.isVisible():
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget


@pytest.mark.parametrize("size", [(1024, 768), (1280, 820)])
def test_everything_fits_the_window(qtbot, window, page, study, size):
    dropped(qtbot, page, study)
    window.resize(*size)
    QApplication.processEvents()
    assert window.size().toTuple() == size
    for widget in (page.foot.start_button, page.choices, page.panel.filter, page.panel.details):
        corner = widget.mapTo(window, widget.rect().bottomRight())
        assert 0 < corner.x() < size[0]
        assert 0 < corner.y() < size[1]
    assert page.panel.view.width() > 0.5 * size[0]


# --- the run -------------------------------------------------------------------------------------


def test_a_folder_of_junk_ends_and_says_what_became_of_each(qtbot, page, junkyard, monkeypatch):
    notified = []
    monkeypatch.setattr(page.notice, "notify", lambda *words: notified.append(words))
    dropped(qtbot, page, junkyard)
    for flag in ("metrics", "figures"):
        with planned(qtbot, page.batch):
            page.choices.flags[flag].click()
    go(qtbot, page)
    ends = states(page.batch)
    assert {name for name, state in ends.items() if state == "done"} == {"p000", "p001", "p002"}
    assert set(ends.values()) == {"done", "failed"}
    for name in set(ends) - set(GOOD):
        row = page.table.row_of((junkyard / "a" / f"{name}.png", junkyard / "b" / f"{name}.png"))
        said = page.table.data(page.table.index(row, NOTE), Qt.ItemDataRole.ToolTipRole)
        assert (cell(page, row, STATE), FAULTS[name] in said) == ("Failed", True)
        assert cell(page, row, NOTE).startswith("B: " if name != "size" else "The two")
    out = junkyard.parent / "yard-fused"
    assert sorted(path.name for path in out.glob("*.png")) == [f"p00{i}.png" for i in range(3)]
    a, b, fused = (read_image(p / "p001.png") for p in (junkyard / "a", junkyard / "b", out))
    want = np.clip((a.normalised() + b.normalised()) / 2 + 0.05, 0, 1)
    assert np.abs(fused.normalised() - want).max() <= 0.5 / 255 + 1e-6
    with (out / "metrics.csv").open(encoding="utf-8") as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == ["p000", "p001", "p002"]
    assert (out / "contact-sheet.html").is_file()
    assert notified == [("Batch finished", f"3 fused, {len(ends) - 3} failed")]
    card = page.cards["end"]
    assert f"3 fused, {len(ends) - 3} failed" in card.text.text()
    assert set(card.buttons) == {"folder", "sheet", "table", "failed", "ok"}
    opened = []
    monkeypatch.setattr(page.card_area, "open_path", opened.append)
    for name in ("folder", "sheet", "table"):
        click(card.buttons[name])
    assert opened == [out, out / "contact-sheet.html", out / "metrics.csv"]
    click(card.buttons["failed"])
    shown = page.panel.shown
    assert shown.rowCount() == len(ends) - 3 + len(page.batch.pairing.leftovers)
    page.panel.only_problems.setChecked(False)
    row = page.table.row_of((junkyard / "a" / "cut.png", junkyard / "b" / "cut.png"))
    page.panel.select([row])
    assert str(junkyard / "b" / "cut.png") in page.panel.details.toPlainText()


def test_failed_rows_are_tried_again_and_no_others(qtbot, page, engine, study):
    broken = study / "b" / "p002.png"
    good = broken.read_bytes()
    broken.write_bytes(good[:40])
    dropped(qtbot, page, study)
    go(qtbot, page)
    assert [name for name, state in states(page.batch).items() if state == "failed"] == ["p002"]
    assert not page.foot.start_button.isVisible()
    broken.write_bytes(good)
    engine.requests.clear()
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.foot.retry_button)
    assert set(states(page.batch).values()) == {"done", "skipped"}
    assert [r.pair.b.origin for r in engine.requests] == [broken]
    assert not page.foot.retry_button.isVisible()


def test_a_pause_stands_still_until_it_is_resumed(qtbot, page, engine, study):
    dropped(qtbot, page, study)
    engine.gate.clear()
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    click(page.foot.pause_button)
    assert page.busy
    engine.gate.set()
    with qtbot.waitSignal(page.batch.ended, timeout=400, raising=False) as ended:
        pass
    assert not ended.signal_triggered
    assert "done" not in states(page.batch).values()
    assert "Paused" in page.foot.text.text()
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.foot.resume_button)
    assert set(states(page.batch).values()) == {"done"}


@pytest.mark.parametrize("paused", [False, True])
def test_cancel_is_there_within_a_second_and_the_rest_can_be_gone_on_with(
    qtbot, page, engine, study, paused
):
    dropped(qtbot, page, study)
    engine.gate.clear()
    engine.stubborn = True
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    if paused:
        click(page.foot.pause_button)
    with qtbot.waitSignal(page.batch.ended, timeout=1_000):
        click(page.foot.cancel_button)
    shown = {page.table.text_at(row).state for row in range(page.table.rowCount())}
    assert shown == {"Stopped"}
    assert page.busy == ""
    engine.stubborn = False
    with planned(qtbot, page.batch):
        engine.gate.set()
    assert page.foot.start_button.text() == "Go on"
    go(qtbot, page)
    assert set(states(page.batch).values()) <= {"done", "skipped"}
    assert len(list((study.parent / "study-fused").glob("*.png"))) == 6


def test_waiting_rows_are_taken_in_the_order_they_are_moved_to(qtbot, page, engine, tmp_path):
    dropped(qtbot, page, make_pairs(tmp_path / "in", 30))
    engine.gate.clear()
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    page.panel.select([29])
    page.table.moved.emit([29], 0)
    assert page.batch.pairing.matches[0].name == "p029"
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        engine.gate.set()
    order = [r.pair.a.origin.stem for r in engine.requests]
    assert sorted(order) == [f"p{i:03}" for i in range(30)]
    # Before it come the five in memory, the two that readers hold and wait to read, and those
    # the other reader finishes sooner.
    assert order.index("p029") <= 9


def test_alt_with_an_arrow_moves_a_row_and_keeps_it_selected(qtbot, page, study):
    dropped(qtbot, page, study)
    page.panel.select([4])
    with planned(qtbot, page.batch):
        QTest.keyClick(page.panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert [m.name for m in page.batch.pairing.matches][3:5] == ["p004", "p003"]
    assert page.panel.rows() == [3]
    page.panel.select([0])
    QTest.keyClick(page.panel.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert page.batch.pairing.matches[0].name == "p000"


def test_fuse_works_with_its_own_engine_while_a_batch_waits_for_its(qtbot, samples, files, study):
    made: list[StandInEngine] = []

    def factory() -> StandInEngine:
        made.append(StandInEngine())
        if len(made) == 2:
            made[1].gate.clear()
        return made[-1]

    window = MainWindow(factory, samples, "mif")
    qtbot.addWidget(window, before_close_func=lambda _w: [e.gate.set() for e in made])
    window.show()
    with qtbot.waitSignal(window.session.engine_changed, timeout=WAIT):
        window.controller.start()
    window.workspaces.show_page("batch")
    page = window.workspaces.page("batch")
    dropped(qtbot, page, study)
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    window.workspaces.show_page("fuse")
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.controller.open_pair(*files)
    assert window.session.outcome.is_model
    assert page.batch.is_busy
    assert window.workspaces.tabs.tabText(1).startswith("Batch")
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        made[1].gate.set()
    assert len(made) == 2


def test_dropping_during_a_run_is_refused_in_words(qtbot, page, engine, study, files):
    dropped(qtbot, page, study)
    engine.gate.clear()
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    before = page.batch.pairing
    drop(page.zone, files[0].parent)
    assert page.batch.pairing is before
    assert "busy" in page.cards
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        engine.gate.set()


# --- the folder holds a run already --------------------------------------------------------------


def test_a_finished_run_is_recognised_and_changed_sources_are_noticed(qtbot, page, engine, study):
    dropped(qtbot, page, study)
    go(qtbot, page)
    page.clear.click()
    dropped(qtbot, page, study)
    assert "All 6 pairs" in page.cards["found"].text.text()
    write_png(study / "a" / "p001.png", gradient(16, 12))
    engine.requests.clear()
    page.clear.click()
    dropped(qtbot, page, study)
    assert "Sources of 1 of them changed" in page.cards["found"].text.text()
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.cards["found"].buttons["go"])
    assert [r.pair.a.origin.name for r in engine.requests] == ["p001.png"]


def test_a_run_with_other_settings_offers_those_or_to_begin_anew(qtbot, page, engine, study):
    dropped(qtbot, page, study)
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    go(qtbot, page)
    with planned(qtbot, page.batch):
        page.batch.choose_method("laplacian")
    assert "method: average then, laplacian now" in page.cards["found"].text.text()
    assert not page.foot.start_button.isEnabled()
    with planned(qtbot, page.batch):
        click(page.cards["found"].buttons["settings"])
    assert page.batch.choices.method == "average"
    with planned(qtbot, page.batch):
        page.batch.choose_method("laplacian")
    engine.requests.clear()
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.cards["found"].buttons["anew"])
    assert {r.method for r in engine.requests} == {"laplacian"}
    assert set(states(page.batch).values()) == {"done"}
    assert not page.batch.choices.anew


def test_a_full_disk_is_a_card_and_can_be_gone_on_after(qtbot, page, study, monkeypatch):
    import errno

    from core.errors import OutputError
    from core.io import atomic

    real = atomic.atomic_write

    def full(path, data, **more):
        if Path(path).name == "p003.png":
            error = OSError(errno.ENOSPC, "No space left on device")
            raise OutputError(f"Cannot write {path}", "the disk is full", "Free some.") from error
        real(path, data, **more)

    dropped(qtbot, page, study)
    with monkeypatch.context() as patch:
        patch.setattr("core.io.writer.atomic_write", full)
        go(qtbot, page)
    assert "disk is full" in page.cards["error"].text.text()
    assert page.busy == ""
    go(qtbot, page)
    assert set(states(page.batch).values()) <= {"done", "skipped"}
    with sqlite3.connect(study.parent / "study-fused" / "unifusion-batch.sqlite") as db:
        assert db.execute("SELECT count(*) FROM rows WHERE state='done'").fetchone() == (6,)
    db.close()


def test_rows_next_to_each_other_are_told_by_one_signal(qtbot, page, tmp_path):
    dropped(qtbot, page, make_pairs(tmp_path / "in", 9, (2, 2)))
    keys = [key_of(m) for m in page.batch.pairing.matches]
    changed = []
    page.table.dataChanged.connect(lambda a, b, *_: changed.append((a.row(), b.row())))
    page.table.touch([keys[i] for i in (7, 1, 0, 2, 5)])
    assert changed == [(0, 2), (5, 5), (7, 7)]

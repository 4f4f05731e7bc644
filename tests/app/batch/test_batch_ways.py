"""Ways on from the table: remedies for rows, results seen, the right task, kept selections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.batch import row_text
from app.batch.last_batch import load_last_batch, save_last_batch
from app.batch.table_model import NOTE, STATE, WHY
from app.pairs.edits import key_of
from core.batch.row_choice import RowChoice
from core.io import read_image
from core.progress import NullProgress
from core.types import DeviceChoice
from tests.app.batch.conftest import WAIT, make_pairs, planned, states
from tests.app.batch.test_batch_page import cell, click, dropped, go
from tests.app.conftest import gradient, write_png

_LEFT = Qt.MouseButton.LeftButton


def odd_sizes(folder: Path, *names: str) -> Path:
    make_pairs(folder, 5)
    for name in names:
        write_png(folder / "b" / f"{name}.png", gradient(8, 6))
    return folder


def action(page, rows: list[int], title: str):
    menu = page.panel.make_menu(rows)
    found = next(one for one in menu.actions() if one.text() == title)
    return found, menu


def again(qtbot, page, press) -> None:
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        press()
    with planned(qtbot, page.batch):
        pass


# --- the remedy for sizes ------------------------------------------------------------------------


def test_the_card_resamples_what_failed_and_nothing_else(qtbot, page, tmp_path):
    source = odd_sizes(tmp_path / "in", "p001", "p003")
    dropped(qtbot, page, source)
    go(qtbot, page)
    assert sorted(n for n, s in states(page.batch).items() if s == "failed") == ["p001", "p003"]
    assert "2 pairs failed because the sizes" in page.cards["sizes"].text.text()
    out = tmp_path / "in-fused"
    before = {p.name: p.stat().st_mtime_ns for p in out.glob("*.png")}
    again(qtbot, page, lambda: click(page.cards["sizes"].buttons["resample"]))
    ends = states(page.batch)
    assert {n for n, s in ends.items() if s == "done"} == {"p001", "p003"}
    assert {n for n, s in ends.items() if s == "skipped"} == {"p000", "p002", "p004"}
    assert {n: (out / n).stat().st_mtime_ns for n in before} == before
    assert read_image(out / "p001.png").size == (16, 12), "B was brought onto A"
    assert "sizes" not in page.cards


def test_one_row_by_its_menu(qtbot, page, tmp_path):
    dropped(qtbot, page, odd_sizes(tmp_path / "in", "p001", "p003"))
    go(qtbot, page)
    page.panel.select([1])
    found, _menu = action(page, [1], "Resample B for this pair")
    assert found.isEnabled()
    same, _other = action(page, [0], "Resample B for this pair")
    assert not same.isEnabled(), "there is nothing to resample"
    with planned(qtbot, page.batch):
        found.trigger()
    assert cell(page, 1, STATE) == "Ready"
    assert page.batch.planned.error is None
    again(qtbot, page, lambda: click(page.foot.start_button))
    ends = states(page.batch)
    assert ends["p001"] == "done"
    assert ends["p003"] == "failed"
    back, _menu = action(page, [1], "Do not resample B")
    assert back.isEnabled()


def test_the_choice_for_all_is_no_other_batch(qtbot, page, tmp_path):
    dropped(qtbot, page, odd_sizes(tmp_path / "in", "p002"))
    go(qtbot, page)
    with planned(qtbot, page.batch):
        click(page.choices.flags["resample"])
    assert page.batch.planned.error is None
    again(qtbot, page, lambda: click(page.foot.retry_button))
    assert states(page.batch)["p002"] == "done"
    assert sum(state == "skipped" for state in states(page.batch).values()) == 4


def test_the_own_choice_is_kept_over_a_restart(qtbot, page, tmp_path):
    source = odd_sizes(tmp_path / "in", "p001")
    dropped(qtbot, page, source)
    key = key_of(page.batch.pairing.matches[1])
    with planned(qtbot, page.batch):
        page.batch.set_resample([key], True)
    from app.batch.last_batch import LastBatch

    last = LastBatch(
        page.batch.sources, page.batch.choices, page.batch.pairing, own=dict(page.batch.own)
    )
    save_last_batch(tmp_path, last, NullProgress())
    found = load_last_batch(tmp_path, NullProgress())
    assert found is not None
    assert found.own == {key: RowChoice(resample=True)}
    go(qtbot, page)
    assert set(states(page.batch).values()) == {"done"}


# --- results -------------------------------------------------------------------------------------


def test_double_click_enter_and_menu_show_a_pair(qtbot, page, tmp_path):
    source = make_pairs(tmp_path / "in", 3)
    dropped(qtbot, page, source)
    wanted = []
    page.pair_wanted.disconnect()
    page.pair_wanted.connect(wanted.append)
    view = page.panel.view
    show, _menu = action(page, [1], "Show result in a large view")
    assert not show.isEnabled()
    go(qtbot, page)
    place = view.visualRect(page.panel.shown.index(1, STATE)).center()
    QTest.mouseClick(view.viewport(), _LEFT, pos=place)
    QTest.mouseDClick(view.viewport(), _LEFT, pos=place)
    QTest.keyClick(view, Qt.Key.Key_Return)
    show, _menu = action(page, [1], "Show result in a large view")
    show.trigger()
    out = tmp_path / "in-fused" / "p001.png"
    assert [(w.a, w.b, w.output, w.task, w.large) for w in wanted] == [
        (source / "a" / "p001.png", source / "b" / "p001.png", out, "mif", large)
        for large in (False, False, True)
    ]


def test_a_double_click_brings_the_pair_to_fuse(qtbot, window, page, tmp_path):
    source = make_pairs(tmp_path / "in", 3)
    dropped(qtbot, page, source)
    go(qtbot, page)
    page.panel.select([2])
    page.panel.opened.emit(2, True)
    assert window.workspaces.current == "fuse"
    qtbot.waitUntil(
        lambda: (
            window.session.sources.pair is not None
            and window.session.sources.pair.a.origin == source / "a" / "p002.png"
        ),
        timeout=WAIT,
    )
    assert window.view.maximised == "fused"
    qtbot.waitUntil(lambda: window.session.outcome is not None, timeout=WAIT)
    result = window.session.outcome.result
    written = read_image(tmp_path / "in-fused" / "p002.png").normalised()
    assert np.array_equal(result.fused, written), "what the batch wrote, not fused anew"
    assert result.method == "mif-compact", "the default of the task, by its name"


# --- what is a problem ---------------------------------------------------------------------------


def test_done_rows_are_no_problems(qtbot, page, tmp_path):
    for index in range(3):
        for side in "xy":
            write_png(tmp_path / "in" / f"p{index}_{side}.png", gradient(16, 12))
    dropped(qtbot, page, tmp_path / "in")
    matches = page.batch.pairing.matches
    unsure = [row for row, match in enumerate(matches) if not match.sure]
    assert unsure, "which of x and y is A is a guess"
    foreground = Qt.ItemDataRole.ForegroundRole
    row = unsure[0]
    assert isinstance(page.table.data(page.table.index(row, WHY), foreground), QColor)
    assert row_text.is_troubled(page.batch, matches[row])
    go(qtbot, page)
    assert not row_text.is_troubled(page.batch, matches[row])
    for column in (WHY, NOTE):
        assert page.table.data(page.table.index(row, column), foreground) is None
    page.panel.only_problems.setChecked(True)
    assert page.panel.shown.rowCount() == 0


# --- selections ----------------------------------------------------------------------------------


def test_filtering_keeps_what_is_selected(qtbot, page, tmp_path):
    dropped(qtbot, page, odd_sizes(tmp_path / "in", "p001", "p003"))
    qtbot.waitUntil(lambda: len(page.batch.headers) == 5, timeout=WAIT)
    page.panel.view.selectAll()
    assert page.panel.rows() == [0, 1, 2, 3, 4]
    page.panel.only_problems.setChecked(True)
    assert page.panel.rows() == [1, 3]
    page.panel.only_problems.setChecked(False)
    assert page.panel.rows() == [0, 1, 2, 3, 4], "as it was before the filter"
    page.panel.filter.setText("p003")
    assert page.panel.rows() == [3]
    page.panel.filter.setText("p00")
    assert page.panel.rows() == [0, 1, 2, 3, 4]
    page.panel.filter.setText("p003")
    place = page.panel.view.visualRect(page.panel.shown.index(0, STATE)).center()
    QTest.mouseClick(page.panel.view.viewport(), _LEFT, pos=place)
    page.panel.filter.setText("")
    assert page.panel.rows() == [3], "a selection made meanwhile counts"


# --- the task ------------------------------------------------------------------------------------


def test_the_right_task_is_offered(qtbot, page, tmp_path):
    from dataclasses import replace

    dropped(qtbot, page, make_pairs(tmp_path / "in", 2))
    assert "task" not in page.cards, "the names say nothing"
    pairing = replace(page.batch.pairing, suggested_task="ivif")
    with planned(qtbot, page.batch):
        page.batch.set_pairing(pairing)
    assert "Infrared" in page.cards["task"].text.text()
    with planned(qtbot, page.batch):
        click(page.cards["task"].buttons["use"])
    assert page.batch.choices.task == "ivif"
    assert "task" not in page.cards
    with planned(qtbot, page.batch):
        page.batch.set_pairing(replace(page.batch.pairing, suggested_task="mff"))
    click(page.cards["task"].buttons["keep"])
    assert "task" not in page.cards
    page.batch.pairing_changed.emit()
    assert "task" not in page.cards, "who has said no is not asked again"


def test_one_pair_is_one_pair(qtbot, page, tmp_path):
    dropped(qtbot, page, make_pairs(tmp_path / "in", 1))
    assert page.summary.text() == "1 pair"
    assert page.foot.text.text() == "Ready: 1 pair"
    go(qtbot, page)
    assert row_text.share_text(0, 1) == "0 of 1 pair is done"
    assert row_text.share_text(1, 12) == "1 of 12 pairs is done"
    assert row_text.share_text(3, 12) == "3 of 12 pairs are done"
    assert np.asarray(read_image(tmp_path / "in-fused" / "p000.png").data).shape[:2] == (12, 16)


def test_the_page_says_where_its_batches_run_whatever_the_fuse_page_fell_back_to(qtbot, page):
    session = page._window
    qtbot.waitUntil(lambda: session.engine is not None, timeout=WAIT)
    assert page.chip.isVisible()
    assert page.chip.text() == "CPU"
    assert page.chip.toolTip() == "CPU: there is no other device here"
    other = DeviceChoice("cuda:0", "Card", "it is the fastest")
    session.set_engine(replace(session.engine, device=other))
    assert page.chip.text() == "CPU", "a batch has an engine of its own"


def test_names_of_options_stand_at_the_height_of_their_fields(qtbot, window, page, tmp_path):
    dropped(qtbot, page, make_pairs(tmp_path / "in", 2))
    panel = page.choices
    fields = {"Task": panel.tasks, "Method": panel.methods, "Folder": panel.folder,
              "Name": panel.template, "Format": panel.formats, "Depth": panel.depths}  # fmt: skip
    for label in panel.content.findChildren(QLabel):
        field = fields.pop(label.text(), None)
        if field is not None:
            off = [w.mapTo(panel, w.rect().center()).y() for w in (label, field)]
            assert abs(off[0] - off[1]) <= 1, label.text()
    assert not fields


def test_a_long_name_of_a_method_ends_in_an_ellipsis(qtbot, page, tmp_path):
    dropped(qtbot, page, make_pairs(tmp_path / "in", 2))
    box = page.choices.methods
    box.addItem("A pack with a title that nobody has room for in any panel at all, ever")
    box.setCurrentIndex(box.count() - 1)
    assert box.shown_text().startswith("A pack with")
    assert box.shown_text().endswith("…")


# --- the folder of the sources for results --------------------------------------------------------


def test_results_beside_their_sources_are_refused_and_the_pairs_stay(qtbot, page, tmp_path):
    source = make_pairs(tmp_path / "in", 3)
    dropped(qtbot, page, source)
    assert page.foot.start_button.isEnabled()
    with qtbot.waitSignal(page.batch.failed, timeout=WAIT) as failed:
        page.batch.choose_folder(str(source))
    assert "the folder for the results" in str(failed.args[0])
    assert len(page.batch.pairing.matches) == 3
    assert not page.foot.start_button.isEnabled()
    with planned(qtbot, page.batch):
        page.batch.choose_folder(str(source / "fused"))
    assert page.foot.start_button.isEnabled()

"""What the workspace is made of, each by itself: the valve, changes by hand, what is kept."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStyleOptionViewItem

from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.pause_gate import PauseGate
from app.batch.row_text import progress_text, rate_text, seconds_text
from app.batch.settings import BatchChoices, default_folder, options_of
from app.batch.settings_panel import BatchSettingsPanel
from app.batch.table_model import NOTE, STATE, A, B, BatchTable, FilteredTable, RowText
from app.batch.table_view import BatchView
from app.pairs.edits import carry_over, files_of, moved
from core.batch import Tally
from core.errors import Cancelled, InputError
from core.pairing.plan import Leftover, Match, PairingPlan
from core.progress import NullProgress


def match(name: str, **more: object) -> Match:
    return Match(name, Path("a") / name, Path("b") / name, "same name", **more)  # type: ignore[arg-type]


def names(plan: PairingPlan) -> str:
    return "".join(m.name for m in plan.matches)


PLAN = PairingPlan(
    tuple(map(match, "uvwxyz")), (Leftover(Path("p"), "alone"), Leftover(Path("q"), "alone"))
)


@pytest.mark.parametrize(
    ("rows", "to", "order"),
    [
        ([5], 0, "zuvwxy"),
        ([0], 6, "vwxyzu"),
        ([1, 4], 3, "uwvyxz"),
        ([2], 2, "uvwxyz"),
        ([2], 3, "uvwxyz"),
        ([0, 1], 6, "wxyzuv"),
    ],
)
def test_rows_are_moved_together_and_none_is_lost(rows, to, order):
    assert names(moved(PLAN, rows, to)) == order


def test_which_two_files_a_selection_joins():
    assert files_of(PLAN, [6, 7]) == (Path("p"), Path("q"))
    assert files_of(PLAN, [2, 7]) == (Path("a/w"), Path("q"))
    assert files_of(PLAN, [1, 2]) is None
    assert files_of(PLAN, [6]) is None
    assert files_of(PLAN, [6, 9]) is None


def test_what_was_changed_by_hand_stays_changed():
    old = PLAN.swap([0]).exclude([1]).pair_by_hand(Path("p"), Path("q"))
    fresh = replace(PLAN, matches=(*PLAN.matches, match("new")))
    new = carry_over(old, fresh)
    assert (new.matches[0].a, new.matches[0].b) == (Path("b/u"), Path("a/u"))
    assert [m.name for m in new.matches if m.excluded] == ["v"]
    assert new.matches[-1].reason == "paired by hand"
    assert new.leftovers == ()
    assert names(new) == "uvwxyznewp"
    assert carry_over(None, PLAN) is PLAN


def test_the_gate_blocks_workers_but_not_the_thread_of_the_events():
    pause_gate = PauseGate()
    pause_gate.begin(NullProgress())
    passed = threading.Event()

    def work() -> None:
        pause_gate.check()
        passed.set()

    pause_gate.check()
    pause_gate.shut()
    pause_gate.check()
    worker = threading.Thread(target=work)
    worker.start()
    assert not passed.wait(0.15)
    before = pause_gate.seconds()
    assert not passed.wait(0.05)
    assert pause_gate.seconds() == before, "the clock stands still as well"
    pause_gate.open()
    assert passed.wait(10)
    worker.join()
    assert pause_gate.seconds() >= before


def test_a_shut_gate_lets_a_cancellation_through():
    class Stopping:
        stop = False

        def report(self, done: float, total: float, stage: str) -> None: ...

        def check(self) -> None:
            if self.stop:
                raise Cancelled

    inner, pause_gate, ended = Stopping(), PauseGate(), threading.Event()
    pause_gate.begin(inner)
    pause_gate.shut()

    def work() -> None:
        with pytest.raises(Cancelled):
            pause_gate.check()
        ended.set()

    worker = threading.Thread(target=work)
    worker.start()
    inner.stop = True
    assert ended.wait(10)
    worker.join()


def test_choices_become_options_and_settings_become_choices(tmp_path):
    choices = BatchChoices(
        "ivif", "average", template="{a_stem}_{task}", format="tif", depth=16, keep_tree=False,
        resample=True, figures=True, out=str(tmp_path),
    )  # fmt: skip
    options = options_of(choices, resume=True)
    assert (options.task, options.suffix, options.depth, options.resume) == (
        "ivif", ".tif", 16, True
    )  # fmt: skip
    other = BatchChoices("mif", out=str(tmp_path), contact_sheet=choices.contact_sheet)
    assert other.with_settings(options.settings()) == choices
    assert not options_of(replace(choices, anew=True), resume=True).resume
    assert options_of(replace(choices, anew=True), resume=True).overwrite
    with pytest.raises(InputError, match="output folder"):
        options_of(replace(choices, out=" "), resume=False)


def test_windows_are_kept_recorded_and_taken_back(tmp_path):
    chosen = BatchChoices("ivif", out=str(tmp_path), window_a=(-10.5, 40.0))
    kept = json.loads(json.dumps(chosen.as_json()))
    assert BatchChoices.from_json(kept) == chosen
    settings = options_of(chosen, resume=False).settings()
    assert settings["window of A"] == "-10.5 40.0"
    assert BatchChoices("ivif", out=str(tmp_path)).with_settings(settings).windows == chosen.windows
    assert chosen.with_settings({"task": "ivif"}).windows == (None, None)
    for wrong in ([1], "x", [5, 3], [1, None], [True, 2], [0, float("inf")], {"low": 1}):
        assert BatchChoices.from_json({"task": "ivif", "window_a": wrong}).window_a is None


def test_the_numbers_of_a_window_are_typed(qtbot, tmp_path):
    panel = BatchSettingsPanel(BatchChoices("ivif"))
    qtbot.addWidget(panel)
    found = []
    panel.changed.connect(found.append)
    row = panel.windows["b"]
    row.low.setText("-3.5")
    row.low.textEdited.emit("-3.5")
    assert found == []
    assert "two numbers" in panel.wrong_window.text()
    row.high.setText("-4")
    row.high.textEdited.emit("-4")
    assert "smaller" in panel.wrong_window.text()
    row.high.setText("12")
    row.high.textEdited.emit("12")
    assert panel.wrong_window.text() == ""
    assert found[-1].windows == (None, (-3.5, 12.0))
    panel.show_choices(found[-1])
    assert (row.low.text(), row.high.text()) == ("-3.5", "12")
    panel.show_choices(BatchChoices("ivif", window_a=(29300.0, 30900.0)))
    assert (row.low.text(), row.high.text()) == ("", "")
    assert panel.windows["a"].low.text() == "29300"


def test_results_go_beside_the_sources(tmp_path):
    file = tmp_path / "deep" / "x.png"
    file.parent.mkdir()
    file.touch()
    assert default_folder((tmp_path / "deep",)) == str(tmp_path / "deep-fused")
    assert default_folder((file,)) == str(tmp_path / "deep-fused")
    assert default_folder(()) == ""


def test_the_last_batch_is_kept_whole_and_without_pixels(tmp_path):
    odd = Match(
        "ü", Path("a/\udce9.png"), Path("b/ü.png"), "why", Path("anna"), sure=False, excluded=True
    )
    plan = PairingPlan((*PLAN.matches, odd))
    last = LastBatch((Path("in"),), BatchChoices("mff", out=str(tmp_path / "out")), plan)
    save_last_batch(tmp_path / "home", last, NullProgress())
    assert load_last_batch(tmp_path / "home", NullProgress()) == last
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["batch.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "pairs": [[1]]}']
)
def test_a_damaged_memory_is_no_memory(tmp_path, content):
    (tmp_path / "batch.json").write_bytes(content)
    assert load_last_batch(tmp_path, NullProgress()) is None


def test_numbers_in_words():
    assert seconds_text(0.04) == "0.0 s"
    assert seconds_text(42.4) == "42 s"
    assert seconds_text(3.4, whole=True) == "3 s"
    assert seconds_text(600) == "10 min"
    assert seconds_text(7261) == "2 h 1 min"
    assert rate_text(4.25) == "4.2 pairs/s"
    assert rate_text(0.25) == "4.0 s a pair"
    tally = Tally(2000, done=10, failed=2, skipped=1, rate=2.0, seconds_left=993.5)
    text = progress_text(tally, "running")
    assert text == "13 of 2,000 · 2 failed · 2.0 pairs/s · about 17 min left"
    assert progress_text(tally, "paused") == "Paused · 13 of 2,000 · 2 failed"


def test_small_pictures_are_drawn_anew_once_a_damaged_file_was_mended(qapp):
    table = BatchTable(lambda _match: RowText(), lambda _match: False)
    table.show_plan(PairingPlan((match("whole"), match("cut"))))
    asked: list[object] = []
    table.thumb_wanted.connect(asked.append)
    keys = [(m.a, m.b) for m in table.plan.matches]
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    table.set_thumb(keys[0], image, image)
    table.set_thumb(keys[1], image, None)
    for row, key in enumerate(keys):
        table.forget_thumbs(key, Path("out.png"))
        table.data(table.index(row, 0), Qt.ItemDataRole.DecorationRole)
    assert asked == [keys[1]]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("{a}: the end is missing", "A: the end is missing"),
        ("{b}: the end is missing", "B: the end is missing"),
        ("x.png: the end is missing", "A: the end is missing"),
        ("The sizes differ: see {b}", "The sizes differ: see x.png"),
        ("done before", "done before"),
    ],
)
def test_a_note_says_which_of_two_files_of_one_name_it_is_about(qapp, said, shown):
    one = match("x.png")
    text = RowText(detail=said.format(a=one.a, b=one.b))
    table = BatchTable(lambda _match: text, lambda _match: True)
    table.show_plan(PairingPlan((one,)))
    assert table.data(table.index(0, NOTE)) == shown
    assert table.data(table.index(0, NOTE), Qt.ItemDataRole.ToolTipRole) == text.detail


def test_names_of_one_series_are_told_apart_in_a_narrow_table(qtbot, german):
    table = BatchTable(lambda _match: RowText(), lambda _match: False)
    view = BatchView(FilteredTable(table))
    qtbot.addWidget(view)
    table.show_plan(PairingPlan((match("roadscene_FLIR_01463.jpg"),)))
    for column, cut in (
        (A, Qt.TextElideMode.ElideMiddle),
        (B, Qt.TextElideMode.ElideMiddle),
        (NOTE, Qt.TextElideMode.ElideRight),
    ):
        option, place = QStyleOptionViewItem(), view.model().index(0, column)
        option.textElideMode = view.textElideMode()
        delegate = view.itemDelegateForIndex(place)
        delegate.initStyleOption(option, place)
        assert option.textElideMode == cut
    for state in ("Schon fertig", "Fertig · 0,2 s", "Ausgelassen", "Nicht gepaart"):
        assert view.fontMetrics().horizontalAdvance(state) + 10 <= view.columnWidth(STATE), state


def test_names_get_a_share_of_the_room_a_wide_table_has(qtbot):
    table = BatchTable(lambda _match: RowText(), lambda _match: False)
    view = BatchView(FilteredTable(table))
    qtbot.addWidget(view)
    narrow = view.columnWidth(A), view.columnWidth(B), view.columnWidth(NOTE)
    room = 210
    view.resize(sum(view.columnWidth(c) for c in range(NOTE + 1)) + room + 20, 300)
    view.show()
    left = view.viewport().width() - sum(narrow) - 84 - 108 - 132 - 150 - 80  # the other columns
    more = [view.columnWidth(c) - w for c, w in zip((A, B, NOTE), narrow, strict=True)]
    assert more == [left // 3] * 3
    assert left >= room - 20

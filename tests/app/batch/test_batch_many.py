"""Thousands of rows: what is selected stays so, and nobody asks every cell or opens a file anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from app.batch.state import RowStates
from app.batch.table_model import BatchTable, adjacent_runs
from app.batch.tasks import inspect_pairs
from app.pairs.edits import key_of
from core.batch import PairHeader, RowRecord, RowState
from core.pairing.plan import Match, PairingPlan
from core.progress import NullProgress
from tests.app.batch.conftest import make_pairs, planned
from tests.app.shell.test_window import drop

_ROWS = 600


@pytest.fixture
def many(page):
    """The page with pairs that are on no disk: a preview only."""
    pairs = (
        Match(f"p{i:03}", Path(f"a/p{i:03}.png"), Path(f"b/p{i:03}.png"), "same name")
        for i in range(_ROWS)
    )
    page.batch.set_pairing(PairingPlan(tuple(pairs)))
    return page


def test_adjacent_runs_of_rows():
    assert list(adjacent_runs([])) == []
    assert list(adjacent_runs([4])) == [(4, 4)]
    assert list(adjacent_runs([0, 1, 2, 5, 7, 8])) == [(0, 2), (5, 5), (7, 8)]


@pytest.mark.parametrize("rows", [range(_ROWS), range(0, _ROWS, 2), [3, 4, 5, 590]])
def test_what_is_selected_stays_selected_through_changes(many, rows):
    panel, rows = many.panel, list(rows)
    panel.select(rows)
    assert panel.rows() == rows
    for change in (panel.swap_button, panel.exclude_button, panel.include_button):
        change.click()
        assert panel.rows() == rows
    swapped = {row for row, m in enumerate(many.batch.pairing.matches) if m.a.parent.name == "b"}
    assert swapped == set(rows)
    assert not any(m.excluded for m in many.batch.pairing.matches)


def test_moved_rows_stay_selected_where_they_are_now(many):
    many.panel.select([5, 6, 9])
    many.panel.step(-1)
    assert many.panel.rows() == [4, 5, 6]
    names = [m.name for m in many.batch.pairing.matches[4:7]]
    assert names == ["p005", "p006", "p009"]


def test_of_filtered_rows_all_are_those_that_are_shown(many):
    panel = many.panel
    panel.filter.setText("p01")
    panel.view.selectAll()
    assert panel.rows() == list(range(10, 20))
    panel.exclude_button.click()
    panel.filter.clear()
    left_out = [row for row, m in enumerate(many.batch.pairing.matches) if m.excluded]
    assert left_out == list(range(10, 20))
    assert panel.rows() == list(range(10, 20))


def test_selecting_all_asks_only_for_what_is_seen(many, monkeypatch):
    asked: Counter[int] = Counter()
    flags = BatchTable.flags

    def counted(self, index):
        asked[index.row()] += 1
        return flags(self, index)

    monkeypatch.setattr(BatchTable, "flags", counted)
    many.panel.view.selectAll()
    many.grab()
    assert len(asked) < _ROWS / 4


def test_a_swapped_pair_is_not_opened_again(tmp_path):
    a, b = tmp_path / "none" / "a.png", tmp_path / "none" / "b.png"
    known = {(a, b): PairHeader((3, 4), (5, 6), "seen before")}
    ((seen,),) = list(inspect_pairs([(b, a)], known, NullProgress()))
    assert seen == ((b, a), PairHeader((5, 6), (3, 4), "seen before"))


def record(state: RowState, text: str = "") -> RowRecord:
    return RowRecord("", Path("a"), Path("b"), Path("x.png"), state, text=text)


def test_failed_rows_are_counted_as_they_come_and_go():
    rows, keys = RowStates(), [(Path(f"{i}"), Path()) for i in range(4)]
    for key, state in zip(keys, ("failed", "done", "failed", "queued"), strict=True):
        rows.put(key, record(state))
    assert rows.failed == 2
    rows.put(keys[0], record("queued"))
    rows.put(keys[2], record("failed"))
    assert rows.failed == 1
    assert rows.keep_only({keys[0], keys[1]})
    assert not rows.keep_only({keys[0], keys[1]})
    assert (rows.failed, set(rows)) == (0, set(keys[:2]))
    rows.put(keys[1], record("failed"))
    rows.clear()
    assert (rows.failed, len(rows)) == (0, 0)


def test_only_problems_are_the_rows_that_look_troubled(qtbot, page, tmp_path):
    root = make_pairs(tmp_path / "in", 4)
    (root / "b" / "p001.png").write_bytes(b"")
    with planned(qtbot, page.batch):
        drop(page.zone, root)
    matches = page.batch.pairing.matches
    page.batch.rows.put(key_of(matches[3]), record("failed", "why"))
    page.batch.rows.put(key_of(matches[2]), record("done"))
    qtbot.waitUntil(lambda: len(page.batch.headers) == 4)
    for row in range(4):
        said = page.table.text_at(row).severity in ("error", "warning")
        assert page.table.is_troubled(row) == said == (row in (1, 3))


def test_a_run_into_another_folder_forgets_rows_of_the_former_one(qtbot, page, tmp_path):
    with planned(qtbot, page.batch):
        drop(page.zone, make_pairs(tmp_path / "in", 3))
    run, first = page.batch.run, key_of(page.batch.pairing.matches[0])
    run.prepare(page.batch.planned)
    assert run.output(first) is None
    run.rows.put(first, replace(run.rows[first], state="done"))
    assert run.output(first) == tmp_path / "in-fused" / "p000.png"
    with planned(qtbot, page.batch):
        page.edits.include([0], False)
    run.prepare(page.batch.planned)
    assert run.rows[first].state == "done", "it is not part of this run into the same folder"
    with planned(qtbot, page.batch):
        page.batch.choose_folder(str(tmp_path / "other"))
    run.prepare(page.batch.planned)
    assert first not in run.rows
    assert [row.state for row in run.rows.values()] == ["queued", "queued"]

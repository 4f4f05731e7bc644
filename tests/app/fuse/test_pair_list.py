"""The list of pairs where it is long: what is put in at once, and what is asked for."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.fuse import pairs_list_model
from app.fuse.pairs_list_model import LEAST_ROWS, MOST_ROWS, PairModel, PairRow
from app.fuse.pairs_list_view import PairList
from app.pairs.edits import PairKey

WAIT = 30_000


def key(number: int) -> PairKey:
    return Path(f"/a/{number:04}.png"), Path(f"/b/{number:04}.png")


def rows(count: int, per_folder: int) -> list[PairRow]:
    return [
        PairRow(key(k), f"scene {k:04}", "same name", f"case {k // per_folder:03}")
        for k in range(count)
    ]


class Room:
    """A list with its model, and how many rows came at a time."""

    def __init__(self) -> None:
        self.states: dict[PairKey, tuple[str, str]] = {}
        self.model = PairModel(lambda of: self.states.get(of, ("ready", "", "")))
        self.list = PairList(self.model)
        self.at_once: list[int] = []
        self.model.rowsInserted.connect(self._came)

    def _came(self, parent, first: int, last: int) -> None:
        if parent.isValid():
            self.at_once.append(last - first + 1)
        else:  # a folder comes with its first pairs
            tops = (self.model.index(row, 0) for row in range(first, last + 1))
            self.at_once.append(sum(self.model.rowCount(top) for top in tops))

    def names(self) -> list[str]:
        tops = [self.model.index(row, 0) for row in range(self.model.rowCount())]
        return [
            self.model.index(row, 0, top).data()
            for top in tops
            for row in range(self.model.rowCount(top))
        ]


@pytest.fixture
def room(qtbot, monkeypatch) -> Room:
    monkeypatch.setattr(pairs_list_model, "perf_counter", lambda: 0.0)
    made = Room()
    qtbot.addWidget(made.list)
    made.list.resize(240, 400)
    made.list.show_counts(1, 0)
    made.list.show()
    return made


@pytest.mark.parametrize("per_folder", [1, 30, 10_000])
def test_long_lists_come_in_slices_in_order_and_whole(qtbot, room, per_folder):
    room.model.set_rows(rows(3 * MOST_ROWS + 7, per_folder))
    assert len(room.names()) == MOST_ROWS
    assert not room.model.is_complete
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert room.names() == [f"○ scene {k:04}" for k in range(3 * MOST_ROWS + 7)]
    assert max(room.at_once) <= MOST_ROWS
    folders = [room.model.index(row, 0) for row in range(room.model.rowCount())]
    assert all(room.list.tree.isExpanded(folder) for folder in folders)
    assert [folder.data() for folder in folders] == [
        f"case {k:03} ({room.model.rowCount(folder)})" for k, folder in enumerate(folders)
    ]


def test_a_turn_ends_by_the_clock(qtbot, room, monkeypatch):
    """Each row may have to wait for threads that work, so a turn takes few of them then."""
    clock = itertools.count()
    monkeypatch.setattr(pairs_list_model, "perf_counter", lambda: next(clock) * 0.001)
    room.model.set_rows(rows(MOST_ROWS + 3, 10_000))
    assert LEAST_ROWS <= len(room.names()) < LEAST_ROWS + 10
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert room.names() == [f"○ scene {k:04}" for k in range(MOST_ROWS + 3)]
    assert max(room.at_once) < LEAST_ROWS + 10


def test_a_short_list_is_there_at_once(room):
    room.model.set_rows(rows(MOST_ROWS - 1, 10))
    assert len(room.names()) == MOST_ROWS - 1
    assert room.model.is_complete


def test_rows_are_asked_for_as_they_are_listed(qtbot, room):
    asked: list[int] = []

    def told():
        for number, row in enumerate(rows(2 * MOST_ROWS, 50)):
            asked.append(number)
            yield row

    room.model.set_rows(told())
    assert len(asked) == MOST_ROWS
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert asked == list(range(2 * MOST_ROWS))


@pytest.mark.parametrize("listed", ["whole", "in part"])
def test_pairs_that_are_added_are_put_behind_those_listed(qtbot, room, listed):
    room.model.set_rows(rows(2 * MOST_ROWS, 50))
    if listed == "whole":
        qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    first = room.model.index(0, 0, room.model.index(0, 0))
    kept = room.model.itemFromIndex(first)
    gone: list[object] = []
    room.model.modelAboutToBeReset.connect(lambda: gone.append("all"))
    room.model.rowsAboutToBeRemoved.connect(lambda *_: gone.append("some"))
    room.model.set_rows(rows(4 * MOST_ROWS - 3, 50))
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert room.names() == [f"○ scene {k:04}" for k in range(4 * MOST_ROWS - 3)]
    assert room.model.itemFromIndex(room.model.index(0, 0, room.model.index(0, 0))) is kept
    assert not gone
    # Others in their place, or fewer of them: the list is made anew.
    room.model.set_rows(rows(3, 3))
    assert room.names() == [f"○ scene {k:04}" for k in range(3)]
    room.model.set_rows(rows(5, 3)[1:])
    assert room.names() == [f"○ scene {k:04}" for k in range(1, 5)]


def test_a_filter_set_while_rows_still_come_starts_anew(qtbot, room):
    room.model.set_rows(rows(3 * MOST_ROWS, 50))
    room.model.set_filter("SCENE 02")
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert room.names() == [f"○ scene {k:04}" for k in range(200, 300)]
    room.model.set_filter("")
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert len(room.names()) == 3 * MOST_ROWS


def test_the_open_pair_is_marked_when_its_row_comes(qtbot, room):
    room.model.set_rows(rows(3 * MOST_ROWS, 50))
    last = key(3 * MOST_ROWS - 1)
    room.list.show_current(last)
    assert room.model.key_at(room.list.tree.currentIndex()) != last
    qtbot.waitUntil(lambda: room.model.is_complete, timeout=WAIT)
    assert room.model.key_at(room.list.tree.currentIndex()) == last


def test_pictures_are_wanted_for_what_is_in_sight_only_the_topmost_last(qtbot, room):
    wanted: list[PairKey] = []
    room.list.thumb_wanted.connect(wanted.append)
    room.model.set_rows(rows(3 * MOST_ROWS, 10_000))
    qtbot.waitUntil(lambda: room.model.is_complete and bool(wanted), timeout=WAIT)
    QApplication.processEvents()
    in_sight = room.list.tree.viewport().height() // (room.list.tree.sizeHintForRow(0) or 1) + 1
    assert wanted[-1] == key(0)
    assert 3 < len(set(wanted)) <= in_sight
    wanted.clear()
    bar = room.list.tree.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: key(3 * MOST_ROWS - 1) in wanted, timeout=WAIT)
    assert len(set(wanted)) <= in_sight
    assert key(0) not in wanted


def test_a_pair_in_sight_explains_itself_and_says_so_when_that_changes(qtbot, room):
    room.model.set_rows(rows(3, 3))
    index = room.model.index_of(key(1))
    qtbot.waitUntil(lambda: bool(room.model.itemFromIndex(index).toolTip()), timeout=WAIT)
    assert room.model.itemFromIndex(index).toolTip() == "A: 0001.png\nB: 0001.png\nsame name"
    room.states[key(1)] = ("failed", "it is torn", "")
    room.model.refresh(key(1))
    assert room.model.itemFromIndex(index).text() == "! scene 0001"
    assert room.model.itemFromIndex(index).toolTip().endswith("it is torn")
    room.states[key(1)] = ("ready", "", "")
    room.model.refresh(key(1))
    assert index.data() == "○ scene 0001"

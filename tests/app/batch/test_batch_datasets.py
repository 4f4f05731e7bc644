"""Data sets in the Batch workspace: recognised with all their parts, and chosen by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.batch.settings import BatchChoices
from tests.app.batch.conftest import WAIT, make_pairs, planned
from tests.app.conftest import gradient, write_png


@pytest.fixture
def msrs(tmp_path: Path) -> Path:
    """A folder called MSRS with a pair to test on and one to train on, and what is in neither."""
    for split, name in (("test", "1N"), ("train", "2D")):
        for side in ("ir", "vi"):
            write_png(tmp_path / "MSRS" / split / side / f"{name}.png", gradient(32, 24))
    for side in "ab":
        write_png(tmp_path / "MSRS" / "more" / side / "x.png", gradient(32, 24))
    return tmp_path / "MSRS"


def names(page) -> set[str]:
    return {match.name for match in page.batch.pairing.matches}


def choose(page, name: str) -> None:
    combo = page.choices.dataset.names
    combo.setCurrentIndex(combo.findData(name))
    combo.activated.emit(combo.currentIndex())


def test_a_data_set_is_recognised_with_its_task_and_all_its_parts(page, msrs, qtbot):
    assert page.batch.choices.task == "mif"
    with planned(qtbot, page.batch):
        page.take([msrs])
    qtbot.waitUntil(lambda: page.batch.choices.task == "ivif", timeout=WAIT)
    row = page.choices.dataset
    assert row.names.currentText() == "Recognised: MSRS"
    assert row.splits.currentData() == "all"
    assert names(page) == {"1N", "2D"}


def test_a_part_or_a_plain_folder_is_chosen_by_hand(page, msrs, qtbot):
    page.take([msrs])
    row = page.choices.dataset
    qtbot.waitUntil(lambda: row.splits.count() == 3, timeout=WAIT)
    row.splits.setCurrentIndex(row.splits.findData("test"))
    row.splits.activated.emit(0)
    qtbot.waitUntil(lambda: names(page) == {"1N"}, timeout=WAIT)
    choose(page, "-")
    qtbot.waitUntil(lambda: names(page) == {"1N", "2D", "x"}, timeout=WAIT)


def test_a_data_set_that_does_not_fit_has_no_pairs_and_says_why(page, study, qtbot):
    page.take([study])
    qtbot.waitUntil(lambda: page.batch.pairing is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: page.choices.dataset.names.count() > 3, timeout=WAIT)
    choose(page, "llvip")
    qtbot.waitUntil(lambda: not names(page), timeout=WAIT)
    note = page.choices.dataset.note
    assert note.property("warns")
    assert "infrared/{split}/{name}" in note.text()
    choose(page, "")
    qtbot.waitUntil(lambda: len(names(page)) == 6, timeout=WAIT)
    assert not note.property("warns")


def test_a_data_set_is_one_folder(page, study, tmp_path, qtbot):
    page.take([study, make_pairs(tmp_path / "other", 1)])
    qtbot.waitUntil(lambda: page.batch.pairing is not None, timeout=WAIT)
    assert len(page.batch.pairing.matches) == 7
    qtbot.waitUntil(lambda: page.choices.dataset.names.count() > 3, timeout=WAIT)
    choose(page, "llvip")
    qtbot.waitUntil(lambda: not names(page), timeout=WAIT)
    assert "one folder" in page.choices.dataset.note.text()


def test_the_choice_is_kept_with_the_last_batch():
    choices = BatchChoices("ivif", dataset="msrs", split="test")
    assert BatchChoices.from_json(choices.as_json()) == choices
    assert BatchChoices.from_json({"task": "ivif"}).dataset == ""

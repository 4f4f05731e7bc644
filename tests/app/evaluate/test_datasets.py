"""Data sets as sources: recognised by themselves, changed by hand, refused with a reason."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.evaluate.settings import ChosenMethod, EvaluationChoices, load_choices, save_choices
from app.evaluate.tasks import evaluate_choices
from app.pairs.datasets import AUTOMATIC, PLAIN, DatasetChoice, inspect_folder, resolve
from core.errors import InputError
from core.pairing.dataset_descriptor import descriptors
from core.progress import NullProgress
from tests.app.conftest import gradient, write_png
from tests.app.evaluate.conftest import WAIT


@pytest.fixture
def msrs(tmp_path: Path) -> Path:
    """A folder called MSRS: two pairs to test on, one to train on, and a picture of neither."""
    for split, name in (("test", "1N"), ("test", "2D"), ("train", "3D")):
        for side in ("ir", "vi"):
            write_png(tmp_path / "MSRS" / split / side / f"{name}.png", gradient(32, 24))
    write_png(tmp_path / "MSRS" / "other" / "x.png", gradient(32, 24))
    return tmp_path / "MSRS"


def choose(page, qtbot, **changes):
    """Change the choices, and wait until the folder has been looked at."""
    evaluation = page.evaluation
    with qtbot.waitSignal(
        evaluation.datasets_changed, timeout=WAIT, check_params_cb=lambda: evaluation.dataset
    ):
        evaluation.set_choices(replace(evaluation.choices, **changes))


def texts(combo):
    return [combo.itemText(k) for k in range(combo.count())]


def test_every_data_set_is_offered(page, qtbot):
    row = page.choices.dataset
    qtbot.waitUntil(lambda: row.names.count() > 3, timeout=WAIT)
    titles = {one.title for one in descriptors()}
    assert len(titles) == 15
    assert titles < set(texts(row.names))
    assert row.names.currentData() == AUTOMATIC
    assert not row.splits.isVisibleTo(row)


def test_a_data_set_is_recognised_with_its_task_and_its_test_part(page, qtbot, msrs):
    page.evaluation.set_choices(
        EvaluationChoices("mff", "", (ChosenMethod("classical", "average"),))
    )
    choose(page, qtbot, sources=str(msrs))
    row = page.choices.dataset
    assert row.names.currentText() == "Recognised: MSRS"
    assert page.evaluation.choices.task == "ivif"
    assert texts(row.splits) == ["Test", "Training", "All parts"]
    assert row.splits.currentData() == "test"
    assert row.note.text() == "2 pairs laid out so"
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.start.click()
    result = page.evaluation.analysis.result
    assert {pair.name for pair in result.pairs} == {"test/1N", "test/2D"}
    assert result.settings["data set"] == "MSRS"


def test_another_part_and_a_plain_folder_are_chosen_by_hand(page, qtbot, msrs):
    page.evaluation.add_method(ChosenMethod("classical", "average"))
    choose(page, qtbot, sources=str(msrs))
    row = page.choices.dataset
    with qtbot.waitSignal(row.chosen):
        row.splits.setCurrentIndex(row.splits.findData("train"))
        row.splits.activated.emit(row.splits.currentIndex())
    qtbot.waitUntil(lambda: row.note.text() == "1 pair laid out so", timeout=WAIT)
    row.names.setCurrentIndex(row.names.findData(PLAIN))
    row.names.activated.emit(row.names.currentIndex())
    assert page.evaluation.choices.dataset == DatasetChoice(PLAIN)
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.start.click()
    assert len(page.evaluation.analysis.result.pairs) == 3
    assert not row.splits.isVisibleTo(row)


def test_a_data_set_that_does_not_fit_says_what_is_expected(page, qtbot, msrs):
    page.evaluation.add_method(ChosenMethod("classical", "average"))
    choose(page, qtbot, sources=str(msrs), dataset=DatasetChoice("roadscene"))
    note = page.choices.dataset.note
    assert note.property("warns")
    assert "RoadScene" in note.text()
    assert "cropinfrared/{name}" in note.text()
    with qtbot.waitSignal(page.evaluation.failed, timeout=WAIT):
        page.start.click()
    assert page.card.isVisibleTo(page)


def test_a_part_without_pairs_is_not_taken_by_itself(tmp_path):
    for side in ("ir", "vi"):
        write_png(tmp_path / "msrs" / "train" / side / "1D.png", gradient(16, 16))
    found = inspect_folder(tmp_path / "msrs", DatasetChoice(), "", NullProgress())
    assert (found.descriptor.name, found.split, found.pairs) == ("msrs", "all", 1)
    chosen = inspect_folder(tmp_path / "msrs", DatasetChoice("msrs"), "", NullProgress())
    assert chosen.error is not None
    assert resolve(tmp_path / "msrs", DatasetChoice(PLAIN)) == (None, "")
    with pytest.raises(InputError, match="nosuch"):
        resolve(tmp_path, DatasetChoice("nosuch"))


def test_data_sets_survive_a_session_and_older_settings_are_read(tmp_path):
    choices = EvaluationChoices("ivif", "/x", dataset=DatasetChoice("msrs", "train"))
    save_choices(tmp_path, choices, NullProgress())
    assert load_choices(tmp_path, NullProgress()) == choices
    older = {key: value for key, value in choices.as_json().items() if key != "dataset"}
    assert EvaluationChoices.from_json(older).dataset == DatasetChoice()


def test_a_folder_that_is_not_there_is_said_beside_it(page, qtbot, tmp_path):
    choose(page, qtbot, sources=str(tmp_path / "none"))
    assert page.choices.dataset.note.text() == "There is no such folder. Check the name."


def test_before_the_first_score_no_numbers_are_shown(page, tmp_path):
    evaluation = page.evaluation
    evaluation.phase = "running"
    page._show_progress()
    assert page.status.text() == "Starting…"
    evaluation.done, evaluation.total = 3, 8
    page._show_progress()
    assert page.status.text() == "3 / 8"
    evaluation.phase = "idle"


def test_a_missing_folder_is_said_before_the_engine_is_imported(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "core.evaluation.run", None)
    methods = (ChosenMethod("classical", "average"),)
    choices = EvaluationChoices("mif", str(tmp_path / "none"), methods)
    with pytest.raises(InputError, match="there is no such folder"):
        next(evaluate_choices(choices, None, NullProgress()))

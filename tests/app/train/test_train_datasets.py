"""Data sets on the Train page: recognised, chosen, known to a run and when it is resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.pairs.datasets import PLAIN, DatasetChoice, validation_layout
from app.train.comparison import compare_packs
from app.train.tasks import new_plan
from core.pairing.dataset_descriptor import get_descriptor
from core.progress import NullProgress
from tests.app.train.conftest import WAIT, prepare
from tests.app.train.test_run import click, phase
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.form import values_of
from trainer.config.run_plan import RunPlan


@pytest.fixture
def msrs(tmp_path: Path) -> Path:
    """Six pairs to train on and two of a test split, laid out as MSRS is."""
    for split, pairs in (("train", 6), ("test", 2)):
        folder = make_pairs(tmp_path / "MSRS" / split, pairs)
        (folder / "a").rename(folder / "ir")
        (folder / "b").rename(folder / "vi")
    return tmp_path / "MSRS"


def surveyed(qtbot, page, pairs: int) -> None:
    """Wait for the survey of so many pairs."""

    def done() -> bool:
        report = page.state.report
        return report is not None and report.count("train") + report.count("validation") == pairs

    qtbot.waitUntil(done, timeout=WAIT)


def pick(combo, name: str) -> None:
    combo.setCurrentIndex(combo.findData(name))
    combo.activated.emit(combo.currentIndex())


def test_the_training_part_of_a_recognised_data_set_is_used(qtbot, page, msrs):
    row = page.data.dataset
    assert not row.isVisible()
    qtbot.waitUntil(lambda: row.names.findData("msrs") > 0, timeout=WAIT)
    page.training.preparing.set_data([msrs])
    surveyed(qtbot, page, 6)
    assert row.isVisible()
    assert row.names.currentText() == "Recognised: MSRS"
    assert row.splits.currentData() == "train"
    assert "6 pairs" in row.note.text()
    assert page.state.suggested_task == "ivif", "the data set says of what task it is"
    pick(row.splits, "test")
    surveyed(qtbot, page, 2)
    pick(row.names, PLAIN)
    surveyed(qtbot, page, 8)
    assert not row.splits.isVisible()


def test_a_data_set_that_does_not_fit_is_told_and_can_be_changed(qtbot, page, msrs):
    page.training.preparing.set_data([msrs])
    surveyed(qtbot, page, 6)
    page.training.preparing.set_dataset(DatasetChoice("lytro"))
    qtbot.waitUntil(lambda: page.state.problem is not None, timeout=WAIT)
    assert page.state.report is None
    assert page.data.dataset.isVisible()
    pick(page.data.dataset.names, "")
    surveyed(qtbot, page, 6)
    assert page.state.problem is None


def test_a_run_knows_its_data_set_and_shows_it_when_it_is_resumed(qtbot, page, msrs):
    prepare(qtbot, page, msrs, task="ivif", steps=100_000, checkpoint_every=2)
    surveyed(qtbot, page, 6)
    click(page.start.start)
    qtbot.waitUntil(lambda: page.state.run_progress.step >= 2, timeout=WAIT)
    click(page.run.aside)
    qtbot.waitUntil(lambda: bool(page.state.runs), timeout=WAIT)
    plan = page.state.runs[0].handle.plan
    assert (plan.dataset, plan.split) == (get_descriptor("msrs"), "train")
    page.training.preparing.set_data([msrs.parent])
    click(page.open_runs.cards[0].buttons["resume"])
    phase(qtbot, page, "running")
    choice = page.state.data.dataset
    assert (choice.descriptor, choice.split) == (plan.dataset, "train")
    page.training.running.stop()
    phase(qtbot, page, "done")
    surveyed(qtbot, page, 6)


def test_a_run_of_a_plain_folder_stays_one():
    assert DatasetChoice.of_run(None, "") == DatasetChoice(PLAIN)


@pytest.mark.parametrize(
    ("choice", "training", "task", "found"),
    [
        (DatasetChoice(), None, "ivif", ("msrs", "test")),
        (DatasetChoice(), get_descriptor("msrs"), "ivif", ("msrs", "test")),
        (DatasetChoice("msrs"), get_descriptor("msrs"), "ivif", ("msrs", "test")),
        (DatasetChoice(), None, "mif", None),
        (DatasetChoice("lytro"), get_descriptor("lytro"), "mff", None),
        (DatasetChoice(PLAIN), None, "ivif", None),
    ],
)
def test_layout_of_a_folder_to_check_with(msrs, choice, training, task, found):
    descriptor, split = validation_layout(msrs, choice, training, task)
    assert (descriptor and (descriptor.name, split)) == found


def test_a_folder_to_check_with_is_recognised_and_its_test_part_used(qtbot, page, msrs, data):
    page.training.preparing.set_data([data])
    surveyed(qtbot, page, 6)
    page.training.preparing.set_task("ivif")
    page.training.preparing.set_validation(msrs)
    qtbot.waitUntil(
        lambda: page.state.report is not None and page.state.report.count("validation") == 2,
        timeout=WAIT,
    )
    assert page.state.report.count("train") == 6
    found = page.state.report.validation_dataset
    assert (found.descriptor, found.split) == (get_descriptor("msrs"), "test")
    plan = new_plan(
        page.state.capabilities, page.state.data, "x", "", False, report=page.state.report
    )
    assert (plan.validation_dataset, plan.validation_split) == (found.descriptor, "test")


def test_packs_are_compared_on_the_pairs_that_the_run_held_back(msrs, data, monkeypatch, tmp_path):
    seen, used = [], []

    def instead(before, child, pairs, progress, *, device, backbone, windows, align):
        seen.extend(match.a for match in pairs)
        used.append((device, backbone))
        return SimpleNamespace(scores=(), strips=(), pairs=len(pairs), wins={})

    monkeypatch.setattr("trainer.run.compare.compare", instead)
    plan = RunPlan(
        data,
        tmp_path / "p.safetensors",
        validation=msrs,
        validation_dataset=get_descriptor("msrs"),
        validation_split="test",
    )
    weights = tmp_path / "dinov3.safetensors"
    settings = {**values_of(CONFIG), "task": "ivif", "device": "cpu", "backbone": str(weights)}
    compare_packs(None, tmp_path / "p.safetensors", settings, plan, NullProgress())
    assert sorted(seen) == sorted((msrs / "test" / "ir").iterdir())
    # A run elsewhere than its settings say is compared there.
    plan, settings = replace(plan, device="cuda:1"), {**settings, "backbone": ""}
    compare_packs(None, tmp_path / "p.safetensors", settings, plan, NullProgress())
    assert used == [("cpu", weights), ("cuda:1", None)]

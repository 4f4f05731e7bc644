"""Answers that come after the run, the data or the settings they were for have changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.train import controller, tasks, unfinished_runs
from app.train.state import PackComparison, TrainState
from app.train.view_models import Cost, SavedPack
from core.errors import InputError
from tests.app.acts import HeldTask, settled
from tests.app.train.conftest import WAIT, prepare
from trainer.config.run_plan import RunPlan

ERROR = InputError("it", "is of what was before", "")


def kept(name: str = "mine") -> SavedPack:
    return SavedPack(
        name,
        Path(f"{name}.safetensors"),
        task="mif",
        step=12,
        best_step=6,
        kept="best",
        parent=None,
        scores={},
        score=1.2,
        report=Path("m.md"),
    )


@pytest.fixture
def ended(page) -> TrainState:
    """The state after a run whose pack can be compared."""
    page.training.running._plan = RunPlan(Path("data"), Path("mine.safetensors"))
    page.state.set_saved_pack(kept())
    return page.state


# --- the comparison of a run --------------------------------------------------------------------


@pytest.mark.parametrize("answer", [PackComparison((), (), 4, 2), ERROR])
def test_the_comparison_of_an_earlier_pack_is_not_taken(qtbot, page, ended, monkeypatch, answer):
    comparing = HeldTask(monkeypatch, controller, "compare_packs")
    comparing.answers = [answer]
    page.training.compare()
    comparing.wait()
    ended.clear_run()  # as a new run does
    ended.set_saved_pack(kept("another"))
    assert page._run_stack.currentWidget() is page.result
    comparing.gate.set()
    settled(qtbot, page.training._files)
    assert (ended.comparison, ended.problem) == (None, None)
    assert ended.background_task is None


def test_a_run_does_not_wait_for_the_comparison_of_the_last_one(qtbot, page, data, monkeypatch):
    prepare(qtbot, page, data, steps=2, validate_every=2)
    state, training = page.state, page.training
    comparing = HeldTask(monkeypatch, controller, "compare_packs")
    comparing.hears = True
    training.running._plan = RunPlan(Path("data"), Path("mine.safetensors"))
    state.set_saved_pack(kept())
    training.compare()
    comparing.wait()
    training.start()
    qtbot.waitUntil(lambda: state.saved_pack is not None, timeout=WAIT)
    assert state.saved_pack.name == "Our brains"
    assert page._run_stack.currentWidget() is page.result
    comparing.gate.set()
    qtbot.waitUntil(lambda: state.comparison is not None, timeout=WAIT)
    assert comparing.calls == 2


def test_a_default_that_was_made_is_not_said_of_the_next_pack(qtbot, page, ended, monkeypatch):
    making = HeldTask(monkeypatch, controller, "make_default")
    making.answers = [None]
    told: list[None] = []
    page.training.pack_written.connect(lambda: told.append(None))
    page.training.make_default()
    making.wait()
    ended.clear_run()
    making.gate.set()
    settled(qtbot, page.training._files)
    assert not ended.is_default
    assert told == [None]


def test_a_run_started_meanwhile_is_not_told_that_the_last_has_no_checkpoint(
    qtbot, page, ended, monkeypatch
):
    looking = HeldTask(monkeypatch, unfinished_runs, "open_runs")
    ended.set_phase("failed")
    page.training.running.resume_failed()
    looking.wait()
    page.training.running._plan = None  # as a start does
    ended.set_phase("starting")
    looking.gate.set()
    settled(qtbot, page.training._files)
    assert ended.problem is None
    ended.set_phase("setup")


# --- what is looked at before a run -------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_a_cost_is_that_of_the_settings_of_now(qtbot, page, data, monkeypatch, fails):
    estimating = HeldTask(monkeypatch, tasks, "estimate_cost")
    answers = [Cost(n, n, peak_bytes=0, free_bytes=0, device="cpu", reason="") for n in (1.0, 2.0)]
    estimating.answers = [ERROR if fails else answers[0], answers[1]]
    prepare(qtbot, page, data)
    state, preparing = page.state, page.training.preparing
    preparing.estimate()
    estimating.wait()
    shown: list[Cost | None] = []
    state.cost_changed.connect(lambda: shown.append(state.cost))
    preparing.set_value("batch", 3)
    estimating.gate.set()
    settled(qtbot, page.training._files)
    assert (shown, state.problem) == ([], None)
    qtbot.waitUntil(lambda: state.cost is not None, timeout=WAIT)
    assert shown == [answers[1]]
    assert not state.cost_stale


def test_a_cost_stays_where_another_setting_changes(qtbot, page, data, monkeypatch):
    """The name of a run costs nothing."""
    estimating = HeldTask(monkeypatch, tasks, "estimate_cost")
    cost = Cost(1.0, 1.0, peak_bytes=0, free_bytes=0, device="cpu", reason="")
    estimating.answers = [cost]
    prepare(qtbot, page, data)
    page.training.preparing.estimate()
    estimating.wait()
    page.training.preparing.set_value("seed", 5)
    estimating.gate.set()
    qtbot.waitUntil(lambda: page.state.cost is cost, timeout=WAIT)
    assert not page.state.cost_stale


def test_pictures_that_were_taken_away_are_no_problem(qtbot, page, data, monkeypatch):
    looking = HeldTask(monkeypatch, tasks, "survey_data")
    looking.answers = [ERROR]
    page.training.preparing.set_data([data])
    looking.wait()
    page.training.preparing.set_data([])
    looking.gate.set()
    settled(qtbot, page.training._files)
    assert (page.state.problem, page.state.report) == (None, None)

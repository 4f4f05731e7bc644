"""Searches and plans that end after what they were for has changed: their answers are not taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.batch import tasks
from app.batch.controller import BatchController
from core.errors import InputError
from tests.app.acts import HeldTask, settled
from tests.app.batch.conftest import WAIT, make_pairs, planned


@pytest.fixture
def listed(qtbot, page, study) -> BatchController:
    """A batch of six pairs, planned."""
    with planned(qtbot, page.batch):
        page.batch.add([study])
    return page.batch


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """Two more pairs."""
    return make_pairs(tmp_path / "more", 2)


def test_pairs_that_were_cleared_stay_away(qtbot, listed, more, monkeypatch):
    find = HeldTask(monkeypatch, tasks, "find")
    listed.add([more])
    find.wait()
    listed.clear()
    assert listed.phase == "idle"
    find.gate.set()
    settled(qtbot, listed._work)
    assert (listed.sources, listed.pairing, listed.dataset) == ((), None, None)


def test_a_search_that_fails_late_leaves_newer_sources(qtbot, listed, more, tmp_path, monkeypatch):
    find = HeldTask(monkeypatch, tasks, "find")
    find.answers = [InputError("it", "is gone", "")]
    failures: list[object] = []
    listed.failed.connect(failures.append)
    listed.add([tmp_path / "gone"])
    find.wait()
    listed.clear()
    listed.add([more])
    assert listed.phase == "finding"
    find.gate.set()
    qtbot.waitUntil(lambda: listed.pairing is not None, timeout=WAIT)
    assert listed.sources == (more,)
    assert len(listed.pairing.active) == 2
    assert failures == []


def test_the_search_of_now_ends_the_search(qtbot, listed, more, tmp_path, monkeypatch):
    """The answer of an older one does not say that nothing is looked for any more."""
    find = HeldTask(monkeypatch, tasks, "find")
    listed.add([more])
    find.wait()
    phases: list[tuple[str, int]] = []
    listed.phase_changed.connect(lambda: phases.append((listed.phase, find.calls)))
    listed.add([make_pairs(tmp_path / "third", 1)])
    find.gate.set()
    qtbot.waitUntil(lambda: bool(phases), timeout=WAIT)
    assert phases == [("idle", 2)]
    assert len(listed.pairing.active) == 6 + 2 + 1


def test_rows_left_out_during_a_search_stay_left_out(qtbot, page, listed, more, monkeypatch):
    find = HeldTask(monkeypatch, tasks, "find")
    listed.add([more])
    find.wait()
    listed.set_pairing(listed.pairing.exclude([1]))
    find.gate.set()
    qtbot.waitUntil(lambda: listed.phase == "idle", timeout=WAIT)
    assert len(listed.pairing.matches) == 8
    assert len(listed.pairing.active) == 7


def test_a_plan_of_pairs_that_were_cleared_is_not_taken(qtbot, listed, monkeypatch):
    plan = HeldTask(monkeypatch, tasks, "plan")
    listed.set_choices(replace(listed.choices, template="{name}-x"))
    qtbot.waitUntil(plan.begun.is_set, timeout=WAIT)
    plan.wait()
    listed.clear()
    assert not listed.is_planning
    plan.gate.set()
    settled(qtbot, listed._work)
    assert not listed.planned.can_run
    assert listed.targets == {}


def test_clearing_right_after_a_change_leaves_no_plan(qtbot, listed):
    listed.set_choices(replace(listed.choices, template="{name}-x"))
    listed.clear()
    assert not listed.is_planning
    assert listed.targets == {}


def test_only_the_plan_of_now_is_taken(qtbot, listed, monkeypatch):
    """With a plan at work and a newer one waiting, neither start nor names are of the older one."""
    plan = HeldTask(monkeypatch, tasks, "plan")
    ready: list[object] = []
    listed.set_choices(replace(listed.choices, template="{name}-x"))
    qtbot.waitUntil(plan.begun.is_set, timeout=WAIT)
    plan.wait()
    listed.planner.ready.connect(lambda: ready.append({p.stem for p in listed.targets.values()}))
    listed.set_choices(replace(listed.choices, template="{name}-y"))
    qtbot.waitUntil(lambda: not listed.planner._timer.isActive())
    plan.gate.set()
    qtbot.waitUntil(lambda: plan.calls == 2 and not listed.is_planning, timeout=WAIT)
    assert ready == [{f"p{index:03}-y" for index in range(6)}]


def test_an_error_of_an_older_plan_is_not_of_the_newer_one(qtbot, listed, monkeypatch):
    plan = HeldTask(monkeypatch, tasks, "plan")
    plan.answers = [InputError("older", "", "")]
    seen: list[object] = []
    listed.planner.ready.connect(lambda: seen.append(listed.planned.error))
    listed.set_choices(replace(listed.choices, template="{name}-x"))
    qtbot.waitUntil(plan.begun.is_set, timeout=WAIT)
    plan.wait()
    listed.set_choices(replace(listed.choices, template="{name}-y"))
    qtbot.waitUntil(lambda: not listed.planner._timer.isActive())
    plan.gate.set()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] is None, timeout=WAIT)
    assert seen == [None]


def test_headers_of_pairs_that_were_cleared_are_not_kept(qtbot, page, study, monkeypatch):
    """The files may have changed when they are listed again."""
    reading = HeldTask(monkeypatch, tasks, "inspect_pairs")
    with planned(qtbot, page.batch):
        page.batch.add([study])
    reading.wait()
    page.batch.clear()
    reading.gate.set()
    settled(qtbot, page.batch._inspector._runner)
    assert page.batch.headers == {}

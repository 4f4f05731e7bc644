"""Other computers in the Evaluate workspace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.evaluate.settings import ChosenMethod, EvaluationChoices, load_choices, save_choices
from core.progress import NullProgress
from tests.app.batch.conftest import make_pairs
from tests.app.evaluate.conftest import WAIT
from tests.cluster_processes import ClusterProcesses


def test_the_choice_is_remembered(page, tmp_path: Path) -> None:
    choices = EvaluationChoices("mif", scheduler="tls://here:1", certificates="/keys")
    save_choices(tmp_path, choices, NullProgress())
    assert load_choices(tmp_path, NullProgress()) == choices
    assert page.choices.cluster.more.isHidden()
    page.choices.show_choices(choices)
    assert not page.choices.cluster.more.isHidden()


def test_workers_score_and_the_result_is_that_of_this_computer(page, qtbot, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    evaluation, rows = page.evaluation, page.choices.cluster
    methods = (ChosenMethod("classical", "average"), ChosenMethod("classical", "maximum"))
    here = replace(
        evaluation.choices, task="mif", sources=str(make_pairs(tmp_path / "many", 6)),
        methods=methods, metrics=("MI",),
    )  # fmt: skip
    evaluation.set_choices(here)
    tables = []
    with ClusterProcesses(tmp_path) as cluster:
        cluster.start_workers()
        for address in ("", cluster.address):
            rows.scheduler.setText(address)
            rows.scheduler.textEdited.emit(address)
            with qtbot.waitSignal(evaluation.analysis_changed, timeout=WAIT):
                page.start.click()
            qtbot.waitUntil(lambda: evaluation.phase == "idle", timeout=WAIT)
            result = evaluation.analysis.result
            tables.append([[dict(one.values) for one in m.pairs] for m in result.methods])
            assert not evaluation.is_stale
    assert tables[0] == tables[1]
    assert len(tables[1][0]) == 6
    assert all(score["MI"] > 0 for row in tables[1] for score in row)
    assert "1 worker gets pairs" in rows.state.text()
    rows.scheduler.setText("")
    rows.scheduler.textEdited.emit("")
    assert not evaluation.is_stale

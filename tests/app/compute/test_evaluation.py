"""Evaluations and ablations in the compute process, whatever happens to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.compute.process import ComputeProcess, ProcessEnded
from app.evaluate.ablation_panel import AblationPanel
from app.evaluate.controller import EvaluationController
from app.evaluate.page import EvaluatePage
from app.evaluate.settings import ChosenMethod, EvaluationChoices
from app.fuse.state import FuseState
from tests.app.batch.conftest import make_pairs
from tests.trainer import runs

_PATIENCE = 120_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def page(qtbot, process: ComputeProcess, samples: Path, tmp_path: Path) -> Iterator[EvaluatePage]:
    """The page, about to evaluate one method on sixty pairs."""
    evaluation = EvaluationController("mif", tmp_path / "home")
    made = EvaluatePage(evaluation, FuseState("mif"), samples)
    qtbot.addWidget(made)
    made.show()
    folder = make_pairs(tmp_path / "in", 60, (256, 192))
    methods = (ChosenMethod("classical", "average"),)
    evaluation.set_choices(EvaluationChoices("ivif", str(folder), methods))
    yield made
    made.shutdown()


@pytest.fixture
def panel(qtbot, process: ComputeProcess) -> Iterator[AblationPanel]:
    """The panel of ablations."""
    made = AblationPanel("mif")
    qtbot.addWidget(made)
    made.show()
    yield made
    made.shutdown()


def test_killed_while_evaluating_a_card_says_so_and_kept_scores_are_not_found_again(
    qtbot, process: ComputeProcess, page: EvaluatePage, tmp_path: Path
):
    evaluation, errors = page.evaluation, []
    evaluation.failed.connect(errors.append)
    evaluation.start()
    qtbot.waitUntil(lambda: evaluation.done >= 5, timeout=_PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: len(errors) == 1, timeout=_PATIENCE)
    assert isinstance(errors[0], ProcessEnded)
    assert "Scores that were found are kept" in page.card.text.text()
    assert page.card.isVisibleTo(page)
    assert evaluation.phase == "idle"
    found = evaluation.done
    assert 5 <= found < 60

    with qtbot.waitSignal(evaluation.analysis_changed, timeout=_PATIENCE):
        page.commands["evaluate.run"]()
    assert len(errors) == 1
    assert not page.card.isVisibleTo(page)
    assert (evaluation.done, evaluation.errors) == (60, 0)
    # What was written but not yet told when it was killed need not be found again either.
    assert evaluation._fresh <= 60 - found
    scores = evaluation.analysis.result.methods[0].pairs
    assert [score.pair for score in scores] == [f"p{place:03}" for place in range(60)]
    with qtbot.waitSignal(evaluation.written, timeout=_PATIENCE):
        evaluation.export(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_a_cancelled_evaluation_ends_and_its_process_stays(
    qtbot, process: ComputeProcess, page: EvaluatePage
):
    evaluation = page.evaluation
    evaluation.start()
    qtbot.waitUntil(lambda: evaluation.done >= 1, timeout=_PATIENCE)
    pid = process.pid
    with qtbot.waitSignal(evaluation.cancelled, timeout=5_000):
        evaluation.cancel()
    assert process.pid == pid


def test_killed_in_an_ablation_a_card_says_so_and_it_goes_on(
    qtbot, process: ComputeProcess, panel: AblationPanel, tmp_path: Path
):
    panel.form.set_out(tmp_path / "results")
    panel.form.set_data(runs.make_pairs(tmp_path / "data", 4))
    panel.form.steps.setValue(1)
    panel.form.seeds.setValue(1)
    for name, box in panel.form.variants.items():
        box.setChecked(name == "no-reconstruction")
    panel.begin()
    panel._toggle_pause()
    qtbot.waitUntil(lambda: panel.phase == "paused", timeout=_PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: panel.card.isVisible(), timeout=_PATIENCE)
    assert isinstance(panel._error, ProcessEnded)
    assert panel.busy == ""
    panel.begin()
    qtbot.waitUntil(lambda: panel.page is not None, timeout=_PATIENCE)
    assert panel.card.isHidden()
    assert panel.page.is_file()
    assert panel.rows.table.done == 2

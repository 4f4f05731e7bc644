"""After a run: what is recommended, runs taken up again, and damaged ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton

from app.pairs.datasets import PLAIN, DatasetChoice
from app.train.preset_names import preset_of
from app.train.state import PackComparison
from app.train.view_models import SavedPack, ScoreRow, get
from tests.app.train.conftest import LONG, WAIT, prepare


def kept(score: float, best_step: int = 6, parent: Path | None = Path("parent")) -> SavedPack:
    return SavedPack(
        "Mine",
        Path("mine"),
        task="mif",
        step=12,
        best_step=best_step,
        kept="best",
        parent=parent,
        scores={},
        score=score,
        report=Path("m.md"),
    )


def compared(*better: int) -> PackComparison:
    lines = tuple(ScoreRow(f"M{k}", "", 0.5, 0.5 + one, one) for k, one in enumerate(better))
    return PackComparison(lines, (), 4, 2)


# --- what is recommended -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "better", "parent", "wanted"),
    [
        (1.2, (1, 1, 0, -1), Path("p"), "default"),
        (1.2, (1, -1, -1, 0), Path("p"), "keep"),  # on the whole pictures it is worse
        (0.9, (1, 1, 1, 1), Path("p"), "keep"),
        (1.0, (0, 0, 0, 0), Path("p"), "keep"),  # the start was kept
        (1.1, None, Path("p"), "default"),
        (0.9, None, Path("p"), "keep"),
        (0.0, None, Path("p"), ""),  # nothing was held back
        (5.0, None, None, ""),  # from scratch, and not compared yet
        (5.0, (1, 1, 1, -1), None, "default"),
        (5.0, (-1, -1, 0, 0), None, "keep"),
    ],
)
def test_only_what_is_better_is_recommended(page, score, better, parent, wanted):
    page.state.set_saved_pack(kept(score, parent=parent))
    if better is not None:
        page.state.set_comparison(compared(*better))
    buttons: dict[str, QPushButton] = {"default": page.result.default, "keep": page.result.keep}
    primary = [name for name, button in buttons.items() if button.objectName() == "fuseButton"]
    assert primary == ([wanted] if wanted else [])


def test_keeping_the_old_one_changes_nothing(page):
    page.state.set_saved_pack(kept(0.9, best_step=0))
    assert "it holds the start" in page.result.text.text()
    assert "not better" in page.result.text.text()
    page.result.keep.click()
    assert page.state.phase == "setup"
    assert page.state.saved_pack is None
    assert "Mine" in page.state.message


# --- runs that are taken up again ---------------------------------------------------------------


def test_a_run_that_is_resumed_brings_its_own_settings(qtbot, page, data):
    prepare(qtbot, page, data, **LONG, batch=2, seed=77)
    page.training.preparing.set_share(0.4)
    preparing, state = page.training.preparing, page.state
    qtbot.waitUntil(lambda: state.report is not None, timeout=WAIT)
    begun, choice = state.settings, state.data
    page.training.start()
    qtbot.waitUntil(lambda: state.run_progress.step >= 5, timeout=WAIT)
    page.training.running.set_aside()
    qtbot.waitUntil(lambda: bool(state.runs), timeout=WAIT)
    preparing.choose_preset("paper")
    preparing.set_name("Another")
    preparing.set_data([])
    assert state.settings != begun
    page.open_runs.cards[0].buttons["resume"].click()
    assert {**state.settings, "init": ""} == {**begun, "init": ""}
    # No data set was recognised, so that none is looked for when the run is shown again.
    none = DatasetChoice(PLAIN)
    plain = replace(choice, dataset=none, validation_dataset=none)
    assert (state.data, state.name) == (plain, "Our brains")
    rows = page.settings.advanced.rows
    assert rows["seed"].control.text() == "77"
    assert rows["batch"].control.value() == 2
    qtbot.waitUntil(lambda: state.phase == "running", timeout=WAIT)
    page.training.running.set_aside()
    qtbot.waitUntil(lambda: state.phase == "set aside", timeout=WAIT)


def test_a_preset_is_known_again(qtbot, page):
    preparing, state = page.training.preparing, page.state

    def name_of_settings() -> str:
        return preset_of(state.settings, state.capabilities, state.parent_pack)

    for name in ("quick", "fine", "paper"):
        preparing.choose_preset(name)
        assert name_of_settings() == name
        if get(page.state.settings, "precision") == "auto":
            preparing.set_value("precision", "bf16")  # as the run holds it
            assert name_of_settings() == name
        preparing.set_value("steps", 77)
        assert name_of_settings() == ""


def test_a_damaged_run_is_said_to_be_and_hides_no_other(qtbot, page, home, data):
    prepare(qtbot, page, data, **LONG)
    page.training.start()
    qtbot.waitUntil(lambda: page.state.run_progress.step >= 5, timeout=WAIT)
    page.training.running.set_aside()
    qtbot.waitUntil(lambda: bool(page.state.runs), timeout=WAIT)
    bad = home / "packs" / "bad.run"
    bad.mkdir()
    (bad / "run.json").write_text("[" * 100_000)
    page.training.running.find_runs()
    qtbot.waitUntil(lambda: len(page.state.runs) == 2, timeout=WAIT)
    whole, damaged = page.open_runs.cards
    assert "resume" in whole.buttons
    assert "resume" not in damaged.buttons
    assert "“bad” is damaged" in damaged.title.text()
    damaged.buttons["discard"].click()
    assert bad.is_dir()  # the first press only asks
    damaged.buttons["discard"].click()
    qtbot.waitUntil(lambda: len(page.state.runs) == 1, timeout=WAIT)
    assert not bad.exists()


def test_groups_of_roads_are_no_patients(page, qtbot, data):
    page.training.preparing.set_data([data])
    qtbot.waitUntil(lambda: page.state.report is not None, timeout=WAIT)
    report = replace(page.state.report, by="patient", medical=False)
    sides = page.data.sides
    assert sides.title(report) == "Groups"
    sides.show_report(report)
    assert "atient" not in sides.verdict.text()
    assert sides.title(replace(report, medical=True)) == "Patients"

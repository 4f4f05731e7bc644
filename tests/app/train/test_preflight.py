"""Before a run: where it will train, and who is on which side."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.train.split_table import SplitRows
from app.train.view_models import OpenRun
from app.widgets import theme
from core.device import choose_device
from core.errors import InputError
from tests.app.train.conftest import WAIT, prepare
from tests.app.train.test_run import click, phase
from tests.trainer.runs import make_pairs
from trainer.config.settings_file import load_config


def reported(qtbot, page) -> None:
    qtbot.waitUntil(lambda: page.state.report is not None, timeout=WAIT)


# --- the device --------------------------------------------------------------------------------


def choose(page, name: str) -> None:
    box = page.start.device
    box.setCurrentIndex(box.findData(name))
    box.activated.emit(box.currentIndex())


def test_the_device_is_chosen_told_saved_and_used(qtbot, page, data, tmp_path):
    box, auto = page.start.device, choose_device("auto")
    names = [box.itemData(k) for k in range(box.count())]
    assert names[:2] == ["auto", "cpu"]
    assert page.start.reason.text() == f"{auto.label}: {auto.reason}"
    page.training.preparing.choose_preset("quick")
    choose(page, "cpu")
    assert page.state.settings["device"] == "cpu"
    assert page.state.preset == "quick"
    assert page.start.reason.text().endswith("the CPU was asked for")
    page.training.preparing.choose_preset("fine")
    assert page.state.settings["device"] == "cpu", "a preset is no other machine"
    path = tmp_path / "mine.toml"
    with qtbot.waitSignal(page.state.message_changed, timeout=WAIT):
        page.training.preparing.save(path)
    assert load_config(path).device == "cpu"
    prepare(qtbot, page, data, device="cpu", steps=2)
    assert box.currentData() == "cpu"
    qtbot.waitUntil(lambda: page.state.cost is not None, timeout=WAIT)
    assert page.state.cost.reason == "the CPU was asked for"
    click(page.start.start)
    assert not box.isEnabled()
    phase(qtbot, page, "done")
    assert page.state.run_progress.reason == "the CPU was asked for"


def test_a_device_of_another_machine_is_told_and_start_waits(qtbot, page, data):
    prepare(qtbot, page, data, device="cuda:9")
    assert page.start.device.currentData() == "cuda:9"
    assert page.start.reason.text() == "This machine has no cuda:9."
    assert page.start.reason.property("warns")
    assert not page.start.start.isEnabled()
    assert not page.steps[1].warns, "it is put right beside Start, not in step 2"
    choose(page, "auto")
    assert page.start.start.isEnabled()
    assert page.start.device.findData("cuda:9") < 0


def test_a_run_of_a_device_that_is_gone_goes_on_elsewhere(qtbot, page, data, home):
    prepare(qtbot, page, data, steps=100_000, checkpoint_every=2)
    click(page.start.start)
    qtbot.waitUntil(lambda: page.state.run_progress.step >= 2, timeout=WAIT)
    click(page.run.aside)
    qtbot.waitUntil(lambda: bool(page.state.runs), timeout=WAIT)
    record = home / "packs" / "our-brains.run" / "run.json"
    raw = json.loads(record.read_text())
    raw["plan"]["device"] = raw["config"]["device"] = "cuda:9"
    record.write_text(json.dumps(raw))
    page.training.running.find_runs()
    qtbot.waitUntil(lambda: _device_of(page.state.runs) == "cuda:9", timeout=WAIT)
    click(page.open_runs.cards[0].buttons["resume"])
    phase(qtbot, page, "running")
    assert "no cuda:9" in page.message.text.text()
    assert page.state.run_progress.reason == choose_device("auto").reason


def _device_of(runs: tuple[OpenRun, ...]) -> str:
    return runs[0].settings["device"] if runs else ""


# --- who is on which side ----------------------------------------------------------------------


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    for number in range(5):
        make_pairs(tmp_path / "set" / f"patient{number}", 2)
    return tmp_path / "set"


def table(page) -> dict[str, tuple[str, str]]:
    rows = page.data.sides.rows
    cells = [[rows.data(rows.index(r, c)) for c in range(3)] for r in range(rows.rowCount())]
    return {name: (train, check) for name, train, check in cells}


def test_every_patient_is_on_one_side_and_that_is_shown(qtbot, page, patients, caplog):
    with caplog.at_level(logging.DEBUG):
        page.training.preparing.set_data([patients])
        reported(qtbot, page)
    assert page.data.table.isVisible()
    assert page.data.as_groups.text() == "Patients"
    click(page.data.as_groups)
    assert page.data.sides.isVisible()
    assert not page.data.table.isVisible()
    found = table(page)
    assert set(found) == {f"patient{number}" for number in range(5)}
    assert sorted(found.values()) == [("2", "–")] * 4 + [("–", "2")]
    assert page.data.sides.rows.rows[0].validation == 2, "those checked with come first"
    assert page.data.sides.verdict.text() == "No patient is on both sides."
    assert {row.group for row in page.state.report.rows} == set(found)
    assert "patient" not in caplog.text
    click(page.data.as_pairs)
    assert page.data.table.isVisible()
    page.data.share.setValue(0)
    reported(qtbot, page)
    click(page.data.as_groups)
    assert "Nothing is held back" in page.data.sides.verdict.text()


def test_a_patient_in_both_folders_is_named_in_the_table_alone(qtbot, page, patients, tmp_path):
    make_pairs(tmp_path / "own" / "patient3", 1)
    make_pairs(tmp_path / "own" / "patient8", 2)
    page.training.preparing.set_data([patients])
    page.training.preparing.set_validation(tmp_path / "own")
    reported(qtbot, page)
    click(page.data.as_groups)
    sides = page.data.sides
    assert sides.rows.rows[0].name == "patient3"
    assert table(page)["patient3"] == ("2", "1")
    assert table(page)["patient8"] == ("–", "2")
    red = sides.rows.data(sides.rows.index(0, 0), Qt.ItemDataRole.ForegroundRole)
    assert red.name() == theme.colours().error_border
    assert sides.verdict.text().startswith("On both sides: 1.")
    (note,) = [note for note in page.state.report.notes if "both sides" in note]
    assert "patient3" not in note
    assert "1 patient is on both sides" in page.data.notes.text()


def test_folders_and_neighbours_are_called_what_they_are(qtbot, page, tmp_path):
    for name in ("spring", "summer", "autumn"):
        make_pairs(tmp_path / "set" / name, 2)
    page.training.preparing.set_data([tmp_path / "set"])
    reported(qtbot, page)
    assert page.data.as_groups.text() == "Folders"
    assert set(table(page)) == {"spring", "summer", "autumn"}
    page.training.preparing.set_data([make_pairs(tmp_path / "flat", 30)])
    reported(qtbot, page)
    click(page.data.as_groups)
    assert page.data.as_groups.text() == "Groups"
    assert len(table(page)) == 15
    assert "pair0 – pair1" in table(page)
    assert "do not tell patients apart" in page.data.sides.verdict.text()


def test_copied_details_hold_no_patients(qtbot, page, patients, qapp):
    page.training.preparing.set_data([patients])
    reported(qtbot, page)
    page.state.set_problem(InputError("patient3", "it is odd"))
    page.card.copy_requested.emit()
    assert "patient3" not in qapp.clipboard().text()


def test_an_empty_table_has_no_rows():
    rows = SplitRows()
    assert (rows.rowCount(), rows.columnCount()) == (0, 3)

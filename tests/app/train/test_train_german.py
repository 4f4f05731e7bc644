"""The Train workspace in German: what it says of pictures, settings and runs."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from app.i18n.translate import translate
from app.train.chart import Chart
from core.errors import Message
from tests.app.german import english_in, left_over
from tests.app.train.conftest import WAIT, prepare
from tests.trainer.runs import CONFIG
from trainer.config.config import TrainConfig
from trainer.config.form import FIELDS, validate, values_of
from trainer.config.run_plan import RunPlan
from trainer.run.network import Diverged
from trainer.run_folder.registry import RunRecord, read_record, write_record

pytestmark = pytest.mark.usefixtures("german")


def test_a_look_at_muddled_pictures_leaves_no_english(qtbot, page, data):
    (data / "a" / "pair1.png").write_bytes(b"no picture")
    grey = np.zeros((20, 30), np.uint8)
    (data / "b" / "pair2.png").write_bytes(cv2.imencode(".png", grey)[1].tobytes())
    (data / "b" / "pair3.png").unlink()
    prepare(qtbot, page, data)
    qtbot.waitUntil(lambda: page.state.cost is not None, timeout=WAIT)
    rows = {row.name: row.reason for row in page.state.report.rows}
    assert translate(rows["pair2"]) == "A hat 48×48 Pixel und B 30×20"
    assert translate(rows["pair3.png"]) == "keine Datei dieses Namens in a/ und b/"
    assert "auswendig" in page.data.notes.text()
    assert left_over(page) == {}


def test_numbers_in_settings_have_a_comma_and_are_taken_with_either_sign(qtbot, page, data):
    prepare(qtbot, page, data)
    row = page.settings.advanced.rows["ema"]
    row.show_value(0.125)
    assert row.control.text() == "0,125"
    taken = []
    row.edited.connect(lambda name, value: taken.append((name, value)))
    for text in ("0,25", "0.25"):
        row.control.setText(text)
        row.control.editingFinished.emit()
    assert taken == [("ema", 0.25)] * 2


def test_charts_write_their_numbers_with_a_comma(qtbot):
    chart = Chart("scores")
    qtbot.addWidget(chart)
    axis = chart.plot.getPlotItem().getAxis("left")
    assert axis.tickStrings([0.5, 12.25], 1.0, 0.01) == ["0,50", "12,25"]


@pytest.mark.parametrize("wrong", ["?", -1e30, -1, 1e30])
def test_every_fault_of_a_number_is_german(wrong):
    for field in FIELDS:
        if field.kind not in ("int", "float"):
            continue
        values = values_of(TrainConfig("mif"))
        *path, name = field.name.split(".")
        group = values
        for step in path:
            group = group[step]
        group[name] = wrong
        for fault in validate(values).values():
            assert isinstance(fault, Message)
            assert translate(fault) != fault
            assert english_in(translate(fault)) == ""


def test_limits_in_a_fault_have_a_comma():
    fault = validate({**values_of(TrainConfig("mif")), "ema": 1.5})["ema"]
    assert translate(fault) in ("muss kleiner als 1,0 sein", "darf höchstens 1,0 sein")


def test_why_a_run_failed_is_kept_for_any_language(tmp_path):
    plan = RunPlan(tmp_path / "data", tmp_path / "brains.safetensors")
    plan.run_folder.mkdir()
    error = Diverged(
        Message("Training diverged at step {0}", 7),
        Message("{0} is no longer a number", Message("loss “{0}”", "ssim")),
        "",
    )
    write_record(RunRecord(CONFIG, plan, state="failed", why=error.message))
    found = read_record(plan.run_folder)
    assert found.why == str(error)
    assert translate(found.why) == (
        "Das Training lief bei Schritt 7 auseinander: Verlust „ssim“ ist keine Zahl mehr."
    )
    raw = json.loads(plan.record.read_text())
    raw["why"] = "as older versions wrote it"
    plan.record.write_text(json.dumps(raw))
    assert read_record(plan.run_folder).why == "as older versions wrote it"

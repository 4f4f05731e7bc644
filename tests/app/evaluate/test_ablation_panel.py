"""The ablation panel as a person uses it: choose, run, pause, go on, read the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.evaluate.ablation_panel import AblationPanel
from app.evaluate.ablation_tasks import AblationTable, ScoreCell, VariantRow
from tests.trainer.runs import make_pairs
from trainer.ablation.variants import FULL, MAIN

WAIT = 60_000


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path) -> Iterator[AblationPanel]:
    made = AblationPanel("mif")
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    made.form.set_out(tmp_path / "results")
    yield made
    made.shutdown()


def click(button) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def texts(panel: AblationPanel) -> list[list[str]]:
    model = panel.rows
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_run_pause_go_on_and_open_the_report(qtbot, panel, tmp_path) -> None:
    assert not panel.start.isEnabled()
    panel.form.set_data(make_pairs(tmp_path / "data", 4))
    panel.form.steps.setValue(1)
    panel.form.seeds.setValue(1)
    for name, box in panel.form.variants.items():
        box.setChecked(name == "no-reconstruction")
    click(panel.start)
    assert panel.busy
    assert not panel.form.isEnabled()
    click(panel.pause)
    qtbot.waitUntil(lambda: panel.phase == "paused", timeout=WAIT)
    assert panel.pause.text() == "Continue"
    click(panel.pause)
    qtbot.waitUntil(lambda: panel.page is not None, timeout=WAIT)
    assert panel.busy == ""
    assert panel.page.is_file()
    assert panel.report.isVisible()
    full, without = texts(panel)
    assert full[:6] == ["full", "✓", "✓", "✓", "✓", "1"]
    assert without[:6] == ["w/o reconstruction", "✓", "✓", "–", "–", "1"]
    assert without[-1] == "–"  # no PSNR without reconstruction
    assert panel.status.text() == "All 2 runs are done."

    click(panel.start)  # finished runs are read
    qtbot.waitUntil(lambda: panel.page is not None, timeout=WAIT)
    assert texts(panel) == [full, without]


def test_what_is_wrong_is_said(qtbot, panel, tmp_path) -> None:
    panel.form.set_data(tmp_path)
    click(panel.start)
    qtbot.waitUntil(lambda: panel.card.isVisible(), timeout=WAIT)
    assert "no usable pair" in panel.card.text.text().lower()
    assert panel.start.isEnabled()


def test_means_deviations_and_the_best(panel) -> None:
    nothing = ScoreCell(float("nan"), float("nan"), 4)
    rows = (
        VariantRow("full", (True,) * 4, 2, (ScoreCell(0.51239, 0.0101, 4, True), nothing)),
        VariantRow(
            "w/o adapter", (False, True, True, True), 1, (ScoreCell(0.4, nothing.sd, 4),) * 2
        ),
    )
    panel.rows.show_table(AblationTable(("Qabf", "MI"), rows, 3, 4, True))
    assert texts(panel)[0][5:] == ["2", "0.5124 ± 0.0101", "–"]
    assert texts(panel)[1][5:] == ["1", "0.4000", "0.4000"]
    header = panel.rows.headerData(2, Qt.Orientation.Horizontal)
    assert header == "Encoder"
    assert panel.rows.index(0, 6).data(Qt.ItemDataRole.FontRole).bold()
    assert panel.rows.index(1, 6).data(Qt.ItemDataRole.FontRole) is None


def test_the_boxes_are_the_variants_of_table_2(panel) -> None:
    assert (FULL, *panel.form.variants) == MAIN
    panel.form.set_data(Path("somewhere"))
    panel.form.variants["no-bilevel"].setChecked(False)
    assert panel.form.choice().variants == "full,no-adapter,no-dinov3,no-reconstruction"
    panel.form.every.setChecked(True)
    assert panel.form.choice().variants == "all"

"""What results lose of their sources: in the record, the table, the sheet, and on resuming."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.batch.manifest import BatchManifest
from core.batch.row_record import RowRecord
from core.io import read_pair
from core.retention import FIGURES, RetentionTotals, measure_retention
from tests.core.batch.test_batch_run import planned, run
from tests.core.batch.test_batch_studies import _plan as study_plan
from tests.core.batch.test_batch_studies import _run as study_run
from tests.core.batch.test_batch_studies import export as export  # a fixture

SIDE = 96


def _picture(spots: dict[tuple[int, int], int]) -> bytes:
    rows, columns = np.indices((SIDE, SIDE))
    pixels = np.full((SIDE, SIDE), 70.0)
    for (row, column), change in spots.items():
        pixels += change * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 18)
    return cv2.imencode(".png", pixels.astype(np.uint8))[1].tobytes()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One pair whose A alone has a faint spot, and one of equal pictures."""
    pictures = {
        "faint": (_picture({(40, 40): 30}), _picture({})),
        "same": (_picture({(40, 40): 30}),) * 2,
    }
    for name, both in pictures.items():
        for side, content in zip("ab", both, strict=True):
            (tmp_path / "in" / side).mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / side / f"{name}.png").write_bytes(content)
    return tmp_path / "in"


def _records(out: Path) -> dict[str, RowRecord]:
    manifest = BatchManifest(out)
    found = {record.target.stem: record for record in manifest.records().values()}
    manifest.close()
    return found


def test_the_average_loses_a_faint_spot_and_the_reports_say_so(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    rows, _ = run(planned(source, out, "mif", metrics=True, contact_sheet=True))
    last = {event.row.match.name: event.record for event in rows}
    assert (last["faint"].is_lost, last["same"].is_lost) == (True, False)
    assert (last["faint"].metrics or {})["lost_a"] == 1
    with (out / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        table = {line["name"]: line for line in csv.DictReader(stream)}
    assert [table["faint"][name] for name in FIGURES] == ["1", "0", "1", "0", "1"]
    assert [table["same"][name] for name in FIGURES] == ["0", "0", "1", "1", "0"]
    page = (out / "contact-sheet.html").read_text(encoding="utf-8")
    assert "Much is lost in 1 result." in page
    assert "lost: 100% of A, 0% of B" in page
    assert page.count("look at the sources") == 1
    kept = _records(out)
    assert (kept["faint"].is_lost, kept["same"].is_lost) == (True, False)
    rows, _ = run(planned(source, out, "mif", metrics=True, contact_sheet=True, resume=True))
    again = {event.row.match.name: event.record for event in rows}
    assert again["faint"].state == "skipped"
    assert again["faint"].is_lost


def test_without_a_report_nothing_is_measured(source: Path, tmp_path: Path) -> None:
    rows, _ = run(planned(source, tmp_path / "out", "mif"))
    assert all(not event.record.metrics for event in rows)
    assert not any(event.record.is_lost for event in rows)


def test_the_figures_are_those_of_the_pair_that_was_fused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(planned(source, out, "mif", contact_sheet=True))
    pair = read_pair(source / "a" / "faint.png", source / "b" / "faint.png", task="mif")
    fused = (pair.a.normalised() + pair.b.normalised()) / 2
    figures = RetentionTotals.of(measure_retention(pair, fused)).figures
    assert _records(out)["faint"].metrics == figures


def test_slices_of_a_study_are_counted_together(export: Path, tmp_path: Path) -> None:
    study_run(study_plan(export, tmp_path, contact_sheet=True))
    record = next(iter(_records(tmp_path).values()))
    found = record.metrics or {}
    assert set(found) == set(FIGURES)
    assert found["spots_a"] + found["spots_b"] > 0
    assert any("Lost in the fused picture" in note for note in record.notes)

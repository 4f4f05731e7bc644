"""What a report on a study says of what fusion lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.fusion.slices import VolumePair, align
from core.fusion.volume_fusion import SliceSettings
from core.study_report import StudyReport, report_slice
from core.study_report.content import tables
from core.types import SeriesHeader, Volume

SIZE = 64


def _volume(spots: dict[int, tuple[int, int]]) -> Volume:
    """Grey slices of 1 mm with a bright spot of 8 mm at (row, column) of each slice named."""
    data = np.full((4, SIZE, SIZE), 0.3, np.float32)
    y, x = np.mgrid[:SIZE, :SIZE]
    for number, (row, column) in spots.items():
        data[number] += 0.5 * np.exp(-4 * np.log(2) * np.hypot(y - row, x - column) ** 2 / 64)
    return Volume(data=data, affine=np.eye(4), modality="MR", frame_of_reference="1.2")


@pytest.fixture
def pair() -> VolumePair:
    return align(_volume({0: (20, 20), 1: (40, 30)}), _volume({0: (45, 45)}))


def _rows(report: StudyReport) -> list[list[str]]:
    (table,) = [one for one in tables(report) if one.title == "Lost in the fused pictures"]
    return [[cell.text for cell in row] for row in table.rows]


def test_losses_of_each_slice_and_of_all_together(pair: VolumePair) -> None:
    """B alone is shown as the fused picture: all of A is lost, nothing of B."""
    settings = SliceSettings("mif", "average", palettes=("grey", "grey"))
    fused = [one[..., np.newaxis] for one in pair.b.data]
    slices = tuple(report_slice(pair, settings, index, fused[index]) for index in (0, 1))
    header = SeriesHeader("NIfTI", "MR", (4, SIZE, SIZE), ((),))
    report = StudyReport(
        series=(header, header), pair=pair, settings=settings, provenance={}, slices=slices
    )
    total = report.loss
    assert (total.a.spots, total.a.lost, total.b.spots, total.b.lost) == (2, 2, 1, 0)
    assert total.alarms == (0, 1)
    assert "in 2 of 2 slices" in str(report.loss.warnings[0])
    assert _rows(report) == [
        ["1, axial", "A (MR)", "1", "1", "100%"],
        ["1, axial", "B (MR)", "1", "0", "0%"],
        ["2, axial", "A (MR)", "1", "1", "100%"],
        ["2, axial", "B (MR)", "0", "0", "–"],
        ["all that are shown", "A (MR)", "2", "2", "100%"],
        ["all that are shown", "B (MR)", "1", "0", "0%"],
    ]
    # Of all that was fused together, where that is known.
    whole = replace(report, lost=slices[0].lost)
    assert whole.loss.a.spots == 1
    assert _rows(whole)[-2:] == [
        ["all 1 with both sources", "A (MR)", "1", "1", "100%"],
        ["all 1 with both sources", "B (MR)", "1", "0", "0%"],
    ]

"""Series and volumes on the Batch page."""

from __future__ import annotations

from pathlib import Path

import nibabel
import pytest

from app.batch.settings import BatchChoices
from app.batch.table_model import RESULT, SIZE, STATE, WHY, A, B
from core.batch import BatchOptions
from tests.app.batch.conftest import planned
from tests.app.batch.test_batch_page import cell, dropped, go
from tests.core.io.studies import write_mr, write_study


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "in" / "export"
    write_study(folder, "ZweisteinA")
    write_mr(folder / "knee", PatientID="B", SeriesInstanceUID="1.9", FrameOfReferenceUID="1.8")
    return folder


def test_a_study_is_listed_and_fused(qtbot, page, export):
    dropped(qtbot, page, export)
    assert page.table.rowCount() == 2
    assert (cell(page, 0, A), cell(page, 0, B)) == ("PT · FDG", "MR · T1 ax")
    assert cell(page, 0, SIZE) == "PT 12×12×8 / MR 20×24×10"
    assert cell(page, 0, STATE) == "Ready"
    assert "of one patient in one frame of reference" in cell(page, 0, WHY)
    assert "the patient has no series of PET" in cell(page, 1, WHY)
    target = Path(cell(page, 0, RESULT))
    assert target.name.startswith("pt-mr_")
    assert target.name.endswith(".nii.gz")
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    go(qtbot, page)
    assert "Done" in cell(page, 0, STATE)
    out = page.batch.choices.folder
    assert out is not None
    assert nibabel.load(out / target).shape == (20, 24, 10)
    qtbot.waitUntil(lambda: (out / target, Path()) in page.table._thumbs or _asked(page))


def _asked(page) -> bool:
    page.table.data(page.table.index(0, RESULT), 1)  # Qt.ItemDataRole.DecorationRole
    return False


def test_slices_instead_of_a_volume(qtbot, page, export):
    dropped(qtbot, page, export)
    box = page.choices.flags["slices"]
    with planned(qtbot, page.batch):
        box.click()
    qtbot.waitUntil(lambda: not cell(page, 0, RESULT).endswith(".nii.gz"))
    assert page.batch.choices.slices


def test_choices_of_volumes_come_back_from_file_and_from_a_run():
    choices = BatchChoices(
        "mif", slices=True, suv="lbm", palette_a="pet", accept_gap=True, not_registered=True
    )
    assert BatchChoices.from_json(choices.as_json()) == choices
    recorded = BatchOptions(
        "mif", out=Path("x"), slices=True, suv="lbm", palette_a="pet", accept_gap=True
    ).settings()
    taken = BatchChoices("mif", not_registered=True).with_settings(recorded)
    assert (taken.slices, taken.suv, taken.palette_a) == (True, "lbm", "pet")
    assert (taken.accept_gap, taken.accept_uneven, taken.not_registered) == (True, False, False)

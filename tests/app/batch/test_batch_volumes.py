"""Series and volumes on the Batch page."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.settings import BatchChoices
from app.batch.table_model import RESULT, SIZE, STATE, WHY, A, B
from app.pairs.edits import key_of
from core.batch import BatchOptions
from core.io.transforms import write_transform
from core.io.volumes import list_series
from core.progress import NullProgress
from core.types import PairTransform, Transform
from tests.app.acts import WAIT
from tests.app.batch.conftest import planned
from tests.app.batch.test_batch_page import cell, dropped, go
from tests.app.fuse.volumes import settled
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
    box = page.choices.volumes
    for index, (slices, dicom) in ((3, (True, "")), (1, (False, "multi")), (2, (False, "single"))):
        with planned(qtbot, page.batch):
            box.setCurrentIndex(index)
            box.activated.emit(index)
        qtbot.waitUntil(lambda: not cell(page, 0, RESULT).endswith(".nii.gz"))
        assert (page.batch.choices.slices, page.batch.choices.dicom) == (slices, dicom)


def test_rows_of_studies_are_edited_and_the_edits_kept(qtbot, page, export):
    (first,) = list_series(export / "MR").series
    write_mr(
        export / "second", PatientID="ZweisteinA", SeriesInstanceUID="1.9.9",
        FrameOfReferenceUID=first.frame_of_reference, StudyInstanceUID=_study_uid(export),
        SeriesDescription="T2 ax",
    )  # fmt: skip
    dropped(qtbot, page, export)

    def choose(open_menu, text: str) -> None:
        open_menu()
        (action,) = [one for one in page.series.menu.actions() if one.text().endswith(text)]
        with planned(qtbot, page.batch):
            action.trigger()
        page.series.menu.close()

    def rows() -> list[tuple[str, str, bool]]:
        matches = page.batch.pairing.matches
        found = [(m.study.a, m.study.b, m.excluded) for m in matches]
        return [(a.title, b.title, excluded) for a, b, excluded in found]

    choose(lambda: page.panel.choose_b.emit(0), "T1 ax")
    titles = [action.text() for action in page.panel.make_menu([0]).actions()]
    assert {"Choose another A…", "Choose another B…", "Pair A with one more series…"} <= {*titles}
    others = rows()[1:]
    choose(lambda: page.panel.add_b.emit(0), "T2 ax")
    assert rows() == [("FDG", "T1 ax", False), ("FDG", "T2 ax", False), *others]
    with planned(qtbot, page.batch):
        page.edits.swap([1])
    choose(lambda: page.panel.choose_b.emit(1), "FDG")
    with planned(qtbot, page.batch):
        page.edits.include([0], False)
    wanted = [("FDG", "T1 ax", True), ("T2 ax", "FDG", False), *others]
    assert rows() == wanted
    with planned(qtbot, page.batch):
        page.batch._find()
    assert sorted(rows()) == sorted(wanted)


def test_another_mr_is_chosen_for_a_pet_where_several_fit(qtbot, page, export):
    (first,) = list_series(export / "MR").series
    write_mr(
        export / "second", PatientID="ZweisteinA", SeriesInstanceUID="1.9.9",
        FrameOfReferenceUID=first.frame_of_reference, StudyInstanceUID=_study_uid(export),
        SeriesDescription="T2 ax",
    )  # fmt: skip
    dropped(qtbot, page, export)
    assert "several series could be B alike" in page.panel._in_full(0)
    page._ask_partner(0)
    menu = page.series.menu
    assert [action.text() for action in menu.actions()] == [
        "MR 20×24×10 · T1 ax",
        "MR 20×24×10 · T2 ax",
    ]
    assert not any(action.isChecked() for action in menu.actions())
    with planned(qtbot, page.batch):
        menu.actions()[1].trigger()
    menu.close()
    assert cell(page, 0, B) == "MR · T2 ax"
    assert cell(page, 0, STATE) == "Ready"
    # It can be changed back, and is kept when the folders are looked through again.
    page._ask_partner(0)
    texts = [action.text() for action in page.series.menu.actions() if action.isChecked()]
    page.series.menu.close()
    assert texts == ["MR 20×24×10 · T2 ax"]
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    with planned(qtbot, page.batch):
        page.batch._find()
    assert cell(page, 0, B) == "MR · T2 ax"
    with planned(qtbot, page.batch):
        page.choices.volumes.setCurrentIndex(1)
        page.choices.volumes.activated.emit(1)
    with planned(qtbot, page.batch):
        page.choices.flags["reports"].click()
    go(qtbot, page)
    assert "Done" in cell(page, 0, STATE)
    out = page.batch.choices.folder
    fused = pydicom.dcmread(out / cell(page, 0, RESULT) / "fused.dcm")
    said = (
        {one.SeriesInstanceUID for one in fused.ReferencedSeriesSequence}
        if ("ReferencedSeriesSequence" in fused)
        else {
            one.SeriesInstanceUID
            for study in fused.StudiesContainingOtherReferencedInstancesSequence
            for one in study.ReferencedSeriesSequence
        }
    )
    assert "1.9.9" in said
    assert list((out / "_reports").rglob("*.pdf"))


def _study_uid(export: Path) -> str:
    return str(pydicom.dcmread(next((export / "MR").iterdir())).StudyInstanceUID)


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


def test_a_study_opens_in_fuse_as_its_row_was_laid(qtbot, window, page, export, tmp_path):
    matrix = np.eye(4)
    matrix[:3, 3] = 3, -2, 1
    by = Transform.of("translation", matrix)
    write_transform(tmp_path / "t.tfm", by)
    dropped(qtbot, page, export)
    key = key_of(page.batch.pairing.active[0])
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    # A file leads from A to B; A is the one that is moved.
    with planned(qtbot, page.batch):
        page.batch.set_align([key], f"file {tmp_path / 't.tfm'}")

    def shown() -> PairTransform | None:
        page._open(0, large=False)
        qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
        sources = window.session.sources
        assert sources.slice is not None
        return sources.transform

    before = shown()
    assert before is not None
    assert (before.origin, before.name) == ("file", str(tmp_path / "t.tfm"))
    np.testing.assert_allclose(before.moving_side("b").transform.array, by.array, atol=1e-9)
    window.workspaces.show_page("batch")
    go(qtbot, page)
    record = page.batch.rows[key]
    assert record.state == "done"
    window.controller.close_pictures()
    assert shown() == record.transform == before
    # Taken as it lies, it is shown so, whatever it was opened with before.
    window.workspaces.show_page("batch")
    with planned(qtbot, page.batch):
        page.batch.set_align([key], "none")
    assert shown() is None


def test_a_restored_batch_finds_its_studies_again(qtbot, page, export, tmp_path):
    """Only the first files of series are saved, which alone would be fused as pictures.

    Folders of scans are often named after patients: no name is on file.
    """
    batch = page.batch
    named = export.rename(export.with_name("Zweistein"))
    out = tmp_path / "Zweistein out"
    out.mkdir()
    dropped(qtbot, page, named)
    with planned(qtbot, batch):
        batch.choose_folder(str(out))
    key = key_of(batch.pairing.matches[0])
    with planned(qtbot, batch):
        batch.set_align([key], "register")
    with planned(qtbot, batch):
        page.edits.include([0], False)
    last = LastBatch(batch.sources, batch.choices, batch.pairing, own=dict(batch.own))
    save_last_batch(tmp_path / "home", last, NullProgress())
    loaded = load_last_batch(tmp_path / "home", NullProgress())
    assert loaded is not None
    assert b"weistein" not in (tmp_path / "home" / "batch.json").read_bytes()
    assert loaded.has_volumes
    assert (loaded.sources, loaded.choices.folder) == ((named,), out)
    assert loaded.own[key].align == "register"
    batch.clear()
    with planned(qtbot, batch):
        batch.restore(loaded)
    (match,) = batch.pairing.matches
    assert match.study is not None
    assert match.excluded

"""Registration of a batch in the window: chosen, run, marked, and shown in Fuse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.row_text import is_troubled, row_text
from app.batch.settings import BatchChoices, options_of
from app.batch.settings_panel import BatchSettingsPanel
from app.batch.table_model import ALIGN
from app.pairs.align_menu import AlignMenu
from app.pairs.edits import key_of
from core.alignment.choice import AlignChoice
from core.alignment.rigs import Rig, add_rig
from core.batch.row_choice import RowChoice
from core.io.transforms import write_transform
from core.messages import Message
from core.progress import NullProgress
from core.registration import Registration
from core.types import Image, Transform
from tests.app.acts import WAIT
from tests.app.batch.conftest import over, planned, states
from tests.app.batch.test_batch_page import cell
from tests.app.conftest import write_png


def moved(x: float, y: float) -> Transform:
    return Transform.of("translation", [[1, 0, x], [0, 1, y], [0, 0, 1]])


ALIGNED = BatchChoices("ivif", align="register affine", align_onto="b", crop=True, keep_failed=True)


@pytest.mark.parametrize("align", ["register", "register rigid", "rig a mast", "file /x y/t.tfm"])
def test_choices_are_kept_recorded_and_taken_back(tmp_path, align):
    choices = BatchChoices(
        "mff", format="png", out=str(tmp_path), align=align, align_onto="b", crop=True
    )
    assert BatchChoices.from_json(json.loads(json.dumps(choices.as_json()))) == choices
    options = options_of(choices, resume=False)
    assert options.align_choice.text() == align
    again = BatchChoices("mff", out=str(tmp_path)).with_settings(options.settings())
    assert again == choices
    assert choices.with_settings({"task": "mff"}).align_choice == AlignChoice()


@pytest.fixture
def panel(qtbot):
    made = BatchSettingsPanel(BatchChoices("ivif"))
    qtbot.addWidget(made)
    return made


def pick(box: Any, data: str) -> None:
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


def test_the_form_shows_and_gives_the_choice(panel):
    rows, found = panel.align, []
    panel.changed.connect(found.append)
    assert rows.kinds.isHidden()
    assert rows.onto.isHidden()
    assert panel.flags["crop"].isHidden()
    pick(rows.ways, "register")
    assert found[-1].align == "register"
    panel.show_choices(found[-1])
    assert not rows.kinds.isHidden()
    assert not panel.flags["keep_failed"].isHidden()
    pick(rows.kinds, "affine")
    pick(rows.onto, "b")
    panel.flags["crop"].click()
    panel.flags["keep_failed"].click()
    assert found[-1] == ALIGNED
    panel.show_choices(ALIGNED)
    assert rows.settings == {"align": "register affine", "align_onto": "b"}
    pick(rows.ways, "none")
    assert found[-1].align == "none"


def test_rigs_and_files_are_chosen(panel):
    rows, found = panel.align, []
    panel.changed.connect(found.append)
    rows.show_rigs(["mast", "roof"])
    pick(rows.ways, "rig roof")
    assert found[-1].align == "rig roof"
    panel.show_choices(found[-1])
    rows.show_rigs(["mast"])  # removed meanwhile: still what is chosen
    assert rows.ways.currentData() == "rig roof"
    pick(rows.ways, "file")
    assert rows.ways.currentData() == "rig roof"
    rows.dialog.fileSelected.emit("/x/t.tfm")
    rows.dialog.close()
    assert found[-1].align == "file /x/t.tfm"
    assert rows.ways.currentText() == "File: t.tfm"


def test_the_page_lists_the_rigs_whenever_it_is_shown(qtbot, window, page, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    size = (32, 24)
    add_rig(Rig(name="mast", transform=moved(1, 2), moving="b", size_a=size, size_b=size))
    with qtbot.waitSignal(page.rigs.found, timeout=WAIT):
        window.workspaces.show_page("fuse")
        window.workspaces.show_page("batch")
    assert page.choices.align.ways.findData("rig mast") > 0


def test_doubtful_rows_are_marked_and_shown_in_fuse_as_they_were_fused(
    qtbot, window, page, tmp_path, monkeypatch
):
    whole = np.random.default_rng(3).integers(0, 256, (60, 80)).astype(np.uint8)
    for name in ("one", "two"):
        write_png(tmp_path / "s" / "a" / f"{name}.png", whole[4:44, 8:68])
        write_png(tmp_path / "s" / "b" / f"{name}.png", whole[:56, :72])

    def register(fixed: Image, *_: Any, **__: Any) -> Registration:
        doubtful = fixed.origin is not None and fixed.origin.stem == "two"
        return Registration(
            transform=moved(8, 4),
            spread=0.5,
            measure=Message("m"),
            before=0.0,
            after=1.0,
            verdict="doubtful" if doubtful else "good",
            reasons=(Message("Parts disagree."),) if doubtful else (),
        )

    monkeypatch.setattr("core.registration.registering.register", register)
    batch = page.batch
    with planned(qtbot, batch):
        page.take([tmp_path / "s"])
    with planned(qtbot, batch):
        batch.set_choices(BatchChoices("mff", "average", out=batch.choices.out, align="register"))
    with over(qtbot, batch):
        batch.start()
    assert states(batch) == {"one": "done", "two": "done"}
    one, two = batch.pairing.active
    assert not is_troubled(batch, one)
    assert is_troubled(batch, two)
    text = row_text(batch, two)
    assert text.severity == "warning"
    assert text.state.startswith("Doubtful")
    assert "1 registration is doubtful" in page.cards["end"].text.text()
    assert "Parts disagree." in text.detail
    wanted = []
    page.pair_wanted.connect(wanted.append)
    row = next(n for n in range(2) if page.table.match_at(n) is two)
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        page._open(row, large=False)
    assert wanted[0].transform.transform == moved(8, 4)
    shown = window.session.sources
    assert shown.transform == wanted[0].transform
    np.testing.assert_array_equal(shown.pair.a.data, shown.pair.b.data)
    # One that was fused as it lies, since its registration failed, is more than doubtful.
    key = key_of(two)
    failed = {"registration": {"verdict": "failed", "reasons": ["Parts disagree."]}}
    batch.rows.put(key, replace(batch.rows[key], alignment=failed))
    assert row_text(batch, two).state == "Not registered"


# --- rows with a choice of their own -------------------------------------------------------------


@pytest.fixture
def two_pairs(qtbot, page, tmp_path, monkeypatch):
    """Two pairs of one scene, B 8 and 4 pixels beside A, and a rig that knows it."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    whole = np.random.default_rng(3).integers(0, 256, (60, 80)).astype(np.uint8)
    for name in ("one", "two"):
        write_png(tmp_path / "s" / "a" / f"{name}.png", whole[4:44, 8:68])
        write_png(tmp_path / "s" / "b" / f"{name}.png", whole[0:40, 0:60])
    size = (60, 40)
    add_rig(Rig(name="mast", transform=moved(8, 4), moving="b", size_a=size, size_b=size))
    batch = page.batch
    with planned(qtbot, batch):
        page.take([tmp_path / "s"])
    with planned(qtbot, batch):
        batch.set_choices(BatchChoices("mff", "average", out=batch.choices.out))
    page.panel.set_rigs(("mast",))
    return page


def align_menu(page, rows: list[int]) -> AlignMenu:
    menu = page.panel.make_menu(rows)
    return menu.findChild(AlignMenu)


def choose(qtbot, page, rows: list[int], text: str) -> None:
    (action,) = (one for one in align_menu(page, rows).actions() if one.text() == text)
    with planned(qtbot, page.batch):
        action.trigger()


def test_a_row_is_laid_by_its_own_choice_and_opens_in_fuse_so(qtbot, window, two_pairs):
    page, batch = two_pairs, two_pairs.batch
    assert page.panel.view.isColumnHidden(ALIGN)
    choose(qtbot, page, [1], "Rig: mast")
    assert not page.panel.view.isColumnHidden(ALIGN)
    assert [cell(page, row, ALIGN) for row in (0, 1)] == ["As it lies", "Rig: mast"]
    assert [one.text() for one in align_menu(page, [1]).actions() if one.isChecked()] == [
        "Rig: mast"
    ]
    # What is shown before the run is what will be fused.
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        page._open(1, large=False)
    shown = window.session.sources
    assert (shown.transform.origin, shown.transform.name) == ("rig", "mast")
    np.testing.assert_array_equal(shown.pair.b.data[:36, :52], shown.pair.a.data[:36, :52])
    with over(qtbot, batch):
        batch.start()
    one, two = (batch.rows[key_of(match)] for match in batch.pairing.active)
    assert one.transform is None
    assert two.transform.name == "mast"
    # Chosen anew, a row that is done is made again, and only that one.
    choose(qtbot, page, [1], "As chosen for all")
    assert key_of(batch.pairing.active[1]) not in batch.rows
    with over(qtbot, batch):
        batch.start()
    assert states(batch) == {"one": "skipped", "two": "done"}
    assert batch.rows[key_of(batch.pairing.active[1])].transform is None


def test_a_transform_file_for_one_row_is_asked_for(qtbot, two_pairs, tmp_path):
    path = tmp_path / "t.tfm"
    write_transform(path, moved(-8, -4))
    menu = align_menu(two_pairs, [0])
    menu.actions()[-1].trigger()
    with planned(qtbot, two_pairs.batch):
        two_pairs.dialog.fileSelected.emit(str(path))
    two_pairs.dialog.reject()
    assert cell(two_pairs, 0, ALIGN) == "File: t.tfm"
    assert two_pairs.batch.align(key_of(two_pairs.batch.pairing.matches[1])) == "none"


def test_own_choices_come_back_with_the_last_batch(two_pairs, tmp_path):
    key = key_of(two_pairs.batch.pairing.matches[0])
    two_pairs.batch.set_align([key], "register rigid")
    two_pairs.batch.set_resample([key], True)
    own = two_pairs.batch.own
    assert own[key] == RowChoice(True, "register rigid")
    last = LastBatch((), BatchChoices("mff"), two_pairs.batch.pairing, own=own)
    save_last_batch(tmp_path, last, NullProgress())
    found = load_last_batch(tmp_path, NullProgress())
    assert found is not None
    assert found.own == own


def test_the_end_names_what_failed_and_what_is_doubtful(qtbot, two_pairs, monkeypatch):
    page, batch = two_pairs, two_pairs.batch

    def register(fixed: Image, *_: Any, **__: Any) -> Registration:
        bad = fixed.origin is not None and fixed.origin.stem == "two"
        return Registration(
            transform=moved(-8, -4),
            spread=0.5,
            measure=Message("m"),
            before=0.0,
            after=1.0,
            verdict="failed" if bad else "doubtful",
            reasons=(Message("Parts disagree."),),
        )

    monkeypatch.setattr("core.registration.registering.register", register)
    choices = replace(batch.choices, align="register", keep_failed=True)
    with planned(qtbot, batch):
        batch.set_choices(choices)
    with over(qtbot, batch):
        batch.start()
    said = page.cards["end"].text.text()
    assert "1 registration is doubtful" in said
    assert "1 registration failed" in said
    assert "Doubtful: one" in said
    assert "Not registered: two" in said
    assert page.cards["end"].buttons["failed"].text() == "Show failed"

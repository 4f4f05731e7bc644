"""Registration of a batch in the window: chosen, run, marked, and shown in Fuse."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.batch.row_text import is_troubled, row_text
from app.batch.settings import BatchChoices, options_of
from app.batch.settings_panel import BatchSettingsPanel
from app.pairs.edits import key_of
from core.alignment.choice import AlignChoice
from core.alignment.rigs import Rig, add_rig
from core.messages import Message
from core.registration import Registration
from core.types import Image, Transform
from tests.app.acts import WAIT
from tests.app.batch.conftest import over, planned, states
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

    monkeypatch.setattr("core.registration.register", register)
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

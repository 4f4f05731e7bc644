"""Plans of batches as files: written, edited by hand, refused, and kept by the record of a run."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.batch import BatchFinished, BatchOptions, plan_batch, run_batch
from core.batch.plan_file import edited_pairs, plan_text, read_plan, resumed_pairs
from core.batch.row_choice import RowChoice
from core.errors import InputError
from core.fusion.engine import FusionEngine
from core.pairing.folders import pair_paths
from core.pairing.plan import PairingPlan
from tests.core.io.studies import write_mr, write_study

PEOPLE = ("ZweisteinA", "ZweisteinB")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients with PET and T1, the first also with T2 that suits as well."""
    folder = tmp_path_factory.mktemp("export")
    for patient in PEOPLE:
        write_study(folder / patient, patient)
    number = 1 + sum(map(ord, PEOPLE[0]))
    write_mr(
        folder / PEOPLE[0] / "T2", PatientID=PEOPLE[0], SeriesInstanceUID=f"1.2.3.{number}.2",
        StudyInstanceUID=f"1.2.3.{number}", FrameOfReferenceUID=f"1.2.9.{number}",
        SeriesDescription="T2 ax",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def found(export: Path) -> PairingPlan:
    return pair_paths([export], "mif", volumes=True)


def keys(plan: PairingPlan) -> list[tuple[str, str]]:
    return [(m.study.a.key, m.study.b.key) for m in plan.active if m.study is not None]


def pair(a: str, b: str, **more: Any) -> str:
    lines = [f'a = "{a}"', f'b = "{b}"', *(f"{name} = {value}" for name, value in more.items())]
    return "\n".join(["[[pair]]", *lines, ""])


def test_what_is_written_is_read_as_the_same_and_names_nobody(found: PairingPlan) -> None:
    first = found.matches[0]
    own = {(first.a, first.b): RowChoice(align="register rigid")}
    text = plan_text(found.exclude([1]), own)
    assert not [word for word in (*PEOPLE, "FDG", "T2 ax", "/") if word in text]
    back = edited_pairs(text, found)
    assert [(m.a, m.b, m.excluded) for m in back.pairing.matches] == [
        (m.a, m.b, place == 1) for place, m in enumerate(found.matches)
    ]
    assert back.own == own
    # All series that may be chosen are listed in it.
    assert all(one.key in text for one in found.series)
    # What was still to be chosen is chosen by the plan.
    assert [m.study is not None and m.study.equals for m in found.matches].count(()) == 1
    assert all(m.study is not None and not m.study.equals for m in back.pairing.matches)


def test_rows_are_exchanged_changed_added_and_left_out(found: PairingPlan) -> None:
    several = next(m.study for m in found.matches if m.study is not None and m.study.equals)
    pet, (one, other) = several.a, several.open_choices
    text = (
        pair(other.key[:6], pet.key)
        + pair(one.key, other.key)
        + pair(pet.key, one.key, use="false")
    )
    plan = edited_pairs(text, found).pairing
    assert keys(plan) == [(other.key, pet.key), (one.key, other.key)]
    assert sum(m.excluded for m in plan.matches) == 2, "that of the other patient is not used"
    assert plan.active[0].name == f"mr-pt_{other.key[:8]}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"it has no \[\[pair\]\]"),
        ("a = 1 2", "line 1"),
        (pair("0123", "KEY"), "0123 is neither the key of a series"),
        (pair("KEY", "KEY"), "a and b are the same"),
        (pair("KEY", "OTHER", aling='"x"'), "“aling” is none of"),
        (pair("KEY", "OTHER", use='"no"'), "“use” is true or false"),
        (pair("KEY", "OTHER", align='"nicely"'), "nicely"),
        ("[[pair]]\nb = 'KEY'\n", "“a” is missing"),
        (2 * pair("KEY", "OTHER"), "number 2: an earlier pair has the same"),
        (pair("KEY", __file__), "one is a series, the other a picture"),
    ],
)
def test_what_is_wrong_is_told_with_its_pair(found: PairingPlan, text: str, why: str) -> None:
    study = found.matches[0].study
    assert study is not None
    text = text.replace("KEY", study.a.key).replace("OTHER", study.b.key)
    with pytest.raises(InputError, match=why) as told:
        edited_pairs(text, found, name="plan.toml")
    assert "plan.toml" in str(told.value)


def test_a_file_that_is_no_text_is_refused(found: PairingPlan, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("plan.toml", "none.toml"):
        with pytest.raises(InputError, match="cannot be read as text"):
            read_plan(tmp_path / name, found)


def test_pictures_are_named_by_their_files(tmp_path: Path) -> None:
    for name in ("x_ir.png", "x_vis.png", 'Ünlü "y".png'):
        (tmp_path / name).write_bytes(b"")
    plan = PairingPlan().pair_by_hand(tmp_path / "x_ir.png", tmp_path / 'Ünlü "y".png')
    text = plan_text(plan)
    assert tomllib.loads(text)["pair"][0]["b"] == str(tmp_path / 'Ünlü "y".png')
    changed = text.replace("x_ir.png", "x_vis.png")
    (match,) = edited_pairs(changed, PairingPlan()).pairing.matches
    assert (match.a.name, match.b.name) == ("x_vis.png", 'Ünlü "y".png')


def test_a_run_that_is_gone_on_with_keeps_its_edits(export: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "export"
    shutil.copytree(export, folder)
    export = folder
    found = pair_paths([export], "mif", volumes=True)
    several = next(m.study for m in found.matches if m.study is not None and m.study.equals)
    other = several.open_choices[1]
    plan = edited_pairs(pair(other.key, several.a.key), found).pairing
    options = BatchOptions("mif", "average", out=out)
    assert _done(plan, options) == 1
    again = resumed_pairs(out, pair_paths([export], "mif", volumes=True))
    assert keys(again) == [(other.key, several.a.key)]
    # What has come since is added; what is gone is left.
    write_study(export / "late", "ZweisteinC")
    more = resumed_pairs(out, pair_paths([export], "mif", volumes=True))
    assert len(keys(more)) == 2
    assert resumed_pairs(tmp_path, found) is found
    gone = resumed_pairs(out, pair_paths([export / PEOPLE[1]], "mif", volumes=True))
    assert len(gone.matches) == 1


def _done(plan: PairingPlan, options: BatchOptions) -> int:
    *_, end = run_batch(plan_batch(plan, options), FusionEngine("cpu"))
    assert isinstance(end, BatchFinished)
    assert not end.failures
    return end.tally.done

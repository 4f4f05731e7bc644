"""Rows whose sources are laid on each other: what is fused, recorded, listed, and refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from core.alignment.rigs import Rig, add_rig
from core.batch import BatchOptions, find_run, plan_batch
from core.batch.manifest import BatchManifest
from core.batch.plan import BatchPlan
from core.batch.row_choice import RowChoice
from core.batch.row_record import RowRecord, row_record_of, values_of
from core.errors import InputError
from core.io import read_image
from core.io.transforms import write_transform
from core.messages import Message
from core.pairing.folders import pair_paths
from core.registration import Registration
from core.types import Image, PairTransform, Transform
from tests.core.batch.test_batch_run import ends, run
from tests.core.batch.test_batch_studies import _plan as study_plan
from tests.core.io.studies import write_mr, write_pet

SHIFTS = {"one": (3, -2), "two": (-1, 4)}
REASON = "Parts of the pictures disagree."


def moved(x: float, y: float) -> Transform:
    return Transform.of("translation", [[1, 0, x], [0, 1, y], [0, 0, 1]])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pairs of 16 bits whose B lies by SHIFTS beside A."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    whole = np.random.default_rng(4).integers(0, 65536, (48, 56)).astype(np.uint16)
    for side in "ab":
        (tmp_path / "in" / side).mkdir(parents=True)
    for name, (x, y) in SHIFTS.items():
        tifffile.imwrite(tmp_path / "in" / "a" / f"{name}.tif", whole[8:40, 8:48])
        part = whole[8 - y : 40 - y, 8 - x : 48 - x]
        tifffile.imwrite(tmp_path / "in" / "b" / f"{name}.tif", part)
    return tmp_path / "in"


def registering(
    monkeypatch: pytest.MonkeyPatch, verdicts: dict[str, str]
) -> list[tuple[str, str, str]]:
    """Lets the registration find SHIFTS, with these verdicts; returns what it was asked for."""
    asked: list[tuple[str, str, str]] = []

    def register(
        fixed: Image, moving: Image, kind: Any, *, task: str, progress: Any
    ) -> Registration:
        name = fixed.origin.stem if fixed.origin else ""
        asked.append((name, kind, task))
        verdict = verdicts.get(name, "good")
        return Registration(
            transform=moved(*SHIFTS[name]),
            spread=0.25,
            measure=Message("gradient correlation"),
            before=0.125,
            after=0.875,
            verdict=verdict,  # type: ignore[arg-type]
            reasons=() if verdict == "good" else (Message(REASON),),
        )

    monkeypatch.setattr("core.registration.registering.register", register)
    return asked


def planned(source: Path, out: Path, **more: Any) -> BatchPlan:
    options = BatchOptions("mff", "average", out=out, format="tif", **more)
    return plan_batch(pair_paths([source], "mff", skip=[out]), options)


def table_of(out: Path) -> list[dict[str, str]]:
    text = (out / "registration.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def fused_is_the_scene(out: Path, name: str, source: Path) -> bool:
    """The mean of two equal pictures is each of them, and outside of B it is A."""
    fused = read_image(out / f"{name}.tif")
    a = read_image(source / "a" / f"{name}.tif")
    return bool(np.abs(fused.data - a.data).max() <= 1)


def test_every_row_is_registered_by_itself(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = registering(monkeypatch, {"two": "doubtful"})
    out = tmp_path / "out"
    plan = planned(source, out, align="register rigid", contact_sheet=True)
    rows, last = run(plan)
    assert ends(rows) == {"one": ("done", ""), "two": ("done", "")}
    assert sorted(asked) == [("one", "rigid", "mff"), ("two", "rigid", "mff")]
    assert all(fused_is_the_scene(out, name, source) for name in SHIFTS)
    done = {e.row.match.name: e.record for e in rows if e.record.state == "done"}
    assert done["one"].transform == PairTransform(moved(3, -2), origin="registered", verdict="good")
    assert not done["one"].is_doubtful
    assert done["two"].is_doubtful
    assert done["two"].reasons == (REASON,)
    assert REASON in done["two"].notes
    # In the table, on the page, and in the record.
    table = table_of(out)
    assert [(line["name"], line["verdict"]) for line in table] == [
        ("one", "good"),
        ("two", "doubtful"),
    ]
    assert table[1]["kind"] == "translation"
    assert (table[1]["before"], table[1]["after"], table[1]["spread"]) == ("0.125", "0.875", "0.25")
    assert table[1]["reasons"] == REASON
    assert out / "registration.csv" in last.files
    page = (out / "contact-sheet.html").read_text(encoding="utf-8")
    assert page.count("Registration is doubtful.") == 1
    manifest = BatchManifest(out)
    try:
        assert manifest.records()[done["two"].key].transform == done["two"].transform
        assert manifest.settings()["registration"] == "register rigid"
    finally:
        manifest.close()


def test_a_registration_that_fails_costs_its_row(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registering(monkeypatch, {"two": "failed"})
    out = tmp_path / "out"
    rows, last = run(planned(source, out, align="register"))
    state, text = ends(rows)["two"]
    assert state == "failed"
    assert REASON in text
    assert "take the pair as it is" in text
    assert last.tally.failed == 1
    assert not (out / "two.tif").exists()
    table = table_of(out)
    assert (table[1]["state"], table[1]["verdict"], table[1]["result"]) == ("failed", "failed", "")
    # The same run goes on when such rows are to be taken as they are.
    again, last = run(
        planned(source, out, align="register", keep_failed=True, resume=True, contact_sheet=True)
    )
    page = (out / "contact-sheet.html").read_text(encoding="utf-8")
    assert page.count("Registration failed: fused as it lies.") == 1
    assert "doubtful" not in page
    assert {name: state for name, (state, _) in ends(again).items()} == {
        "one": "skipped",
        "two": "done",
    }
    record = next(e.record for e in again if e.record.state == "done")
    assert record.transform is None
    assert record.is_doubtful
    assert any("taken as it is" in note for note in record.notes)
    assert not fused_is_the_scene(out, "two", source)


def test_a_row_of_two_sizes_says_that_it_could_not_be_registered(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registering(monkeypatch, {"two": "failed"})
    path = source / "b" / "two.tif"
    tifffile.imwrite(path, tifffile.imread(path)[:-2])
    out = tmp_path / "out"
    rows, _ = run(planned(source, out, align="register", keep_failed=True))
    record = next(event.record for event in rows if event.record.state == "failed")
    assert record.sizes_differ
    assert record.reasons == (REASON,)
    found = table_of(out)[1]
    assert (found["state"], found["verdict"], found["reasons"]) == ("failed", "failed", REASON)


def test_doubt_is_known_of_rows_that_were_done_before(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = registering(monkeypatch, {"two": "doubtful"})
    run(planned(source, tmp_path / "out", align="register"))
    rows, _ = run(planned(source, tmp_path / "out", align="register", resume=True))
    assert len(asked) == 2
    skipped = {e.row.match.name: e.record.is_doubtful for e in rows}
    assert skipped == {"one": False, "two": True}


def test_another_registration_is_another_batch(source: Path, tmp_path: Path) -> None:
    registered = planned(source, tmp_path / "out")
    run(registered)
    with pytest.raises(InputError, match="registration"):
        planned(source, tmp_path / "out", align="register", resume=True)


@pytest.mark.parametrize("onto", ["a", "b"])
def test_a_file_and_a_rig_lay_every_row_alike(source: Path, tmp_path: Path, onto: str) -> None:
    write_transform(tmp_path / "t.tfm", moved(3, -2))
    rig = Rig(name="mast", transform=moved(3, -2), moving="b", size_a=(40, 32), size_b=(40, 32))
    add_rig(rig)
    for number, align in enumerate((f"file {tmp_path / 't.tfm'}", "rig mast")):
        out = tmp_path / f"out{number}"
        rows, _ = run(planned(source, out, align=align, align_onto=onto, crop=True))
        assert {state for state, _ in ends(rows).values()} == {"done"}
        fused = read_image(out / "one.tif")
        assert fused.size == (37, 30)
        wanted = read_image(source / onto / "one.tif").data
        wanted = wanted[2:, :37] if onto == "a" else wanted[:30, 3:]
        assert np.abs(fused.data - wanted).max() <= 1
        record = next(e.record for e in rows if e.record.state == "done")
        assert record.transform is not None
        assert record.transform.fixed == onto
        assert record.registration == {}


@pytest.mark.parametrize("way", ["file", "rig"])
def test_a_transform_replaced_under_its_name_is_used_for_every_row(
    source: Path, tmp_path: Path, way: str
) -> None:
    path, out = tmp_path / "Süd.tfm", tmp_path / "out"
    align = f"{way} {path if way == 'file' else 'R'}"
    options = BatchOptions("mff", "average", out=out, format="tif", align=align, resume=True)

    def keep(by: Transform) -> None:
        write_transform(path, by)
        rig = Rig(name="R", transform=by, moving="b", size_a=(40, 32), size_b=(40, 32))
        add_rig(rig, overwrite=True)

    def states() -> dict[str, str]:
        plan = planned(source, out, align=align, resume=True)
        rows, _ = run(plan)
        return {name: state for name, (state, _) in ends(rows).items()}

    keep(moved(*SHIFTS["one"]))
    assert states() == {"one": "done", "two": "done"}
    keep(moved(*SHIFTS["one"]))  # written again, but the same
    assert find_run(options).changed == 0  # type: ignore[union-attr]
    assert states() == {"one": "skipped", "two": "skipped"}
    keep(moved(*SHIFTS["two"]))
    assert find_run(options).changed == 2  # type: ignore[union-attr]
    assert states() == {"one": "done", "two": "done"}
    assert fused_is_the_scene(out, "two", source)
    assert not fused_is_the_scene(out, "one", source)


def test_what_is_not_there_stops_the_batch_before_it_begins(source: Path, tmp_path: Path) -> None:
    for align, text in (
        ("rig mast", "There is no rig “mast”"),
        (f"file {tmp_path / 'none.tfm'}", "none.tfm"),
        ("register bent", "bent"),
        ("rig", "Name a rig"),
        ("guess", "guess"),
    ):
        with pytest.raises(InputError, match=text):
            planned(source, tmp_path / "out", align=align)
    assert not (tmp_path / "out").exists()


def test_a_rig_of_other_cameras_costs_the_rows(source: Path, tmp_path: Path) -> None:
    rig = Rig(name="m", transform=moved(1, 1), moving="b", size_a=(64, 32), size_b=(40, 32))
    add_rig(rig)
    rows, _ = run(planned(source, tmp_path / "out", align="rig m"))
    assert all(
        state == "failed" and "other proportions" in text for state, text in ends(rows).values()
    )


def test_a_record_comes_back_with_how_its_sources_lie() -> None:
    record = RowRecord(
        "k",
        Path("a"),
        Path("b"),
        Path("t.png"),
        "done",
        metrics={},
        alignment={"registration": {"x": 1}},
    )
    assert row_record_of(values_of(record)) == record
    plain = replace(record, alignment=None)
    assert row_record_of(values_of(plain)) == plain
    assert plain.transform is None
    assert not plain.is_doubtful


def test_volumes_of_two_frames_are_fused_through_a_transform(tmp_path: Path) -> None:
    write_pet(tmp_path / "in" / "PET", FrameOfReferenceUID="1.2.9.1")
    write_mr(tmp_path / "in" / "MR", FrameOfReferenceUID="1.2.9.2")
    matrix = np.eye(4)
    matrix[0, 3] = -2
    write_transform(tmp_path / "t.tfm", Transform.of("translation", matrix))

    def plan(name: str, **more: Any) -> BatchPlan:
        return study_plan(tmp_path / "in", tmp_path / name, **more)

    refused, _ = run(plan("refused"))
    assert "different frames of reference" in refused[-1].record.text
    rows, _ = run(plan("out", align=f"file {tmp_path / 't.tfm'}", contact_sheet=True))
    record = rows[-1].record
    assert record.state == "done", record.text
    assert record.study is not None
    assert record.study["alignment"] == "registered"
    assert record.transform is not None
    assert record.transform.moving == "a"
    assert any("2.0, 0.0, 0.0 mm" in note for note in record.notes)
    with pytest.raises(InputError, match="There is no rig"):
        plan("rig", align="rig m")


def test_volumes_of_two_frames_are_fused_when_they_are_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pet(tmp_path / "in" / "PET", FrameOfReferenceUID="1.2.9.1")
    write_mr(tmp_path / "in" / "MR", FrameOfReferenceUID="1.2.9.2")
    matrix = np.eye(4)
    matrix[0, 3] = 2
    by = Transform.of("translation", matrix)
    asked: list[object] = []

    def register(fixed: Any, moving: Any, kind: str, **_: Any) -> Registration:
        asked.append((fixed.modality, moving.modality, kind))
        return Registration(
            transform=by,
            spread=0.5,
            measure=Message("m"),
            before=0.0,
            after=1.0,
            verdict="doubtful",
        )

    def plan(name: str, **more: Any) -> BatchPlan:
        return study_plan(tmp_path / "in", tmp_path / name, **more)

    monkeypatch.setattr("core.registration.registering.register", register)
    refused, _ = run(plan("refused"))
    assert "different frames of reference" in refused[-1].record.text
    rows, _ = run(plan("out", align="register", contact_sheet=True))
    record = rows[-1].record
    assert record.state == "done", record.text
    assert asked == [("MR", "PT", "rigid")]
    assert record.study is not None
    assert record.study["alignment"] == "registered"
    assert record.transform is not None
    assert record.transform.moving == "a"
    assert any("2.0, 0.0, 0.0 mm" in note for note in record.notes)


def test_a_row_has_a_choice_of_its_own_which_a_resumed_run_keeps(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = registering(monkeypatch, {})
    size = (40, 32)
    add_rig(Rig(name="mast", transform=moved(3, -2), moving="b", size_a=size, size_b=size))
    out = tmp_path / "out"
    pairing = pair_paths([source], "mff", skip=[out])
    keys = {match.name: (match.a, match.b) for match in pairing.matches}

    def plan(own: dict[str, str], **more: Any) -> BatchPlan:
        options = BatchOptions("mff", "average", out=out, format="tif", **more)
        chosen = {keys[name]: RowChoice(align=align) for name, align in own.items()}
        return plan_batch(pairing, options, chosen)

    rows, last = run(plan({"one": "rig mast", "two": "register rigid"}))
    assert ends(rows) == {"one": ("done", ""), "two": ("done", "")}
    assert asked == [("two", "rigid", "mff")]
    done = {e.row.match.name: e.record for e in rows if e.record.state == "done"}
    assert done["one"].transform == PairTransform(moved(3, -2), origin="rig", name="mast")
    assert all(fused_is_the_scene(out, name, source) for name in SHIFTS)
    assert out / "registration.csv" in last.files
    # Nothing is said of the rows now: each keeps what it was made with.
    resumed = plan({}, resume=True)
    assert [row.choice.align for row in resumed.rows] == ["rig mast", "register rigid"]
    rows, _ = run(resumed)
    assert {state for state, _ in ends(rows).values()} == {"skipped"}
    # Another choice makes its row anew, and no other one; "" is that of all.
    rows, _ = run(plan({"two": ""}, resume=True))
    assert {name: state for name, (state, _) in ends(rows).items()} == {
        "one": "skipped",
        "two": "done",
    }
    done = {e.row.match.name: e.record for e in rows if e.record.state == "done"}
    assert done["two"].transform is None
    assert done["two"].choice.align in (None, "")
    assert not fused_is_the_scene(out, "two", source)
    # A rig that is gone is a problem of its row, before anything is read.
    gone = plan({"two": "rig roof"}, resume=True)
    assert "There is no rig “roof”" in gone.rows[1].problem
    assert not gone.rows[0].problem

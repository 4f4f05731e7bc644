"""Two pictures of different patients are never paired, whatever else lies in their folders."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.pairing.folders import PairingPlan, pair_paths
from core.pairing.name_matching import match_names
from core.pairing.patients import different_patients, patient_of

FOUR = ("2_pet.png", "2_mri.png", "10_pet.png", "10_mri.png")
PATIENTS = ("sub-1", "sub-2", "anna", "berta", "patient_a", "patient_b", "a", "b", "Low", "High",
            "x_left", "x_right", "left", "right", "P 07", "x_ir", "x_vis", "t", "t_t1")  # fmt: skip


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def pairs(plan: PairingPlan, root: Path) -> set[tuple[str, str]]:
    """(A, B) as paths below ``root``."""
    return {tuple(p.relative_to(root).as_posix() for p in (m.a, m.b)) for m in plan.matches}  # type: ignore[misc]


def loose(plan: PairingPlan, root: Path) -> dict[str, str]:
    return {i.path.relative_to(root).as_posix(): i.trouble for i in plan.leftovers}


def inside(*patients: str) -> set[tuple[str, str]]:
    return {(f"{p}/{n}_pet.png", f"{p}/{n}_mri.png") for p in patients for n in (2, 10)}


@pytest.mark.parametrize("names", [("sub-1", "sub-2"), ("anna", "berta"), ("a", "b")])
@pytest.mark.parametrize("explicit", [False, True])
def test_a_lonely_file_does_not_turn_patients_into_sides(
    tmp_path: Path, names: tuple[str, str], explicit: bool
) -> None:
    for name in names:
        touch(tmp_path / name, *FOUR)
    touch(tmp_path / names[0], "30_pet.png")
    dropped = [tmp_path / name for name in names] if explicit else [tmp_path]
    plan = pair_paths(dropped, "mif")
    assert pairs(plan, tmp_path) == inside(*names)
    assert loose(plan, tmp_path) == {f"{names[0]}/30_pet.png": "unmatched"}
    assert "mri" in plan.leftovers[0].reason
    assert all(m.sure and m.folder == m.a.parent.relative_to(tmp_path) for m in plan.matches)


@pytest.mark.parametrize("task", ["mif", None])
@pytest.mark.parametrize("names", [("anna", "berta"), ("patient_a", "patient_b"), ("Low", "High")])
def test_a_patient_who_lacks_one_picture_borrows_none(
    tmp_path: Path, names: tuple[str, str], task: str | None
) -> None:
    whole, half = names
    touch(tmp_path / whole, "2_pet.png", "2_mri.png")
    touch(tmp_path / half, "2_pet.png")
    plan = pair_paths([tmp_path], task)
    assert pairs(plan, tmp_path) == {(f"{whole}/2_pet.png", f"{whole}/2_mri.png")}
    assert loose(plan, tmp_path) == {f"{half}/2_pet.png": "unmatched"}


@pytest.mark.parametrize("names", [("sub-1", "sub-2"), ("anna", "berta"), ("Low", "High")])
def test_one_and_the_same_source_is_not_paired_with_itself(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for name in names:
        touch(tmp_path / name, "2_pet.png", "3_pet.png")
    plan = pair_paths([tmp_path], "mif")
    assert plan.matches == ()
    assert set(loose(plan, tmp_path).values()) == {"unmatched"}
    assert len(plan.leftovers) == 4


def test_folders_of_two_persons_are_no_sides_and_it_is_said(tmp_path: Path) -> None:
    for name in ("Patient 01", "Patient 02"):
        touch(tmp_path / name, "x.png", "y.png", "z.png")
    for dropped in ([tmp_path], sorted(tmp_path.iterdir())):
        plan = pair_paths(dropped, "mif")
        assert plan.matches == ()
        assert len(plan.leftovers) == 6
        assert any("two persons" in note for note in plan.notes)


def test_what_is_only_guessed_is_said(tmp_path: Path) -> None:
    for name in ("anna", "berta"):
        touch(tmp_path / name, "x.png", "y.png", "z.png")
    plan = pair_paths([tmp_path], "mif")
    assert len(plan.matches) == 3
    assert not any(match.sure for match in plan.matches)
    assert any("anna/ and berta/ were taken for two sources" in note for note in plan.notes)


def test_the_parts_of_two_patients_given_by_hand_stay_apart(tmp_path: Path) -> None:
    pet, mri = touch(tmp_path / "sub-1/pet", "1.png"), touch(tmp_path / "sub-2/mri", "1.png")
    assert pair_paths([pet, mri], "mif").matches == ()
    own = touch(tmp_path / "sub-1/mri", "1.png")
    assert [m.b.parent for m in pair_paths([pet, own], "mif").matches] == [own]
    two = pair_paths([pet / "1.png", mri / "1.png"], "mif")
    assert len(two.matches) == 1
    assert any("two persons" in note for note in two.notes)


@pytest.mark.parametrize(("a", "b"), [("PET", "MRI"), ("a", "b"), ("set_pet", "set_mri")])
def test_patients_below_two_sides(tmp_path: Path, a: str, b: str) -> None:
    for side in (a, b):
        touch(tmp_path / side, "sub-1/1.png", "sub-2/1.png", "sub-2/7.png")
    touch(tmp_path / a, "sub-1/8.png")
    plan = pair_paths([tmp_path], "mif")
    same = ("sub-1/1.png", "sub-2/1.png", "sub-2/7.png")
    assert pairs(plan, tmp_path) == {(f"{a}/{name}", f"{b}/{name}") for name in same}
    assert loose(plan, tmp_path) == {f"{a}/sub-1/8.png": "unmatched"}


@pytest.mark.parametrize("stem", ["{}", "sub-{}", "sub-{}_slice"])
def test_a_missing_partner_is_not_replaced_by_the_next_number(tmp_path: Path, stem: str) -> None:
    touch(tmp_path / "PET", *(f"{stem.format(n)}.png" for n in (1, 3, 4)))
    touch(tmp_path / "MRI", *(f"{stem.format(n)}.png" for n in (2, 3, 4)))
    plan = pair_paths([tmp_path], "mif")
    assert [m.a.stem for m in plan.matches] == [stem.format(3), stem.format(4)]
    assert loose(plan, tmp_path) == dict.fromkeys(
        (f"PET/{stem.format(1)}.png", f"MRI/{stem.format(2)}.png"), "unmatched"
    )


def test_numbers_tell_two_folders_apart_where_names_keep_to_them(tmp_path: Path) -> None:
    touch(tmp_path / "near", "x_1.png", "y_1.png")
    touch(tmp_path / "far", "x_2.png", "y_2.png")
    assert [m.name for m in pair_paths([tmp_path], "mff").matches] == ["x", "y"]


def test_names_of_two_persons_are_no_pair() -> None:
    assert match_names(["sub-1", "sub-2"]).pairs == []
    assert match_names(["case 01_x", "case 02_x"]).pairs == []
    assert len(match_names(["sub-1_1", "sub-1_2"]).pairs) == 1
    assert [patient_of(n) for n in ("sub-007_t1", "Patient A", "subset 3", "patient_anna")] == [
        "7", "a", "", "",
    ]  # fmt: skip
    assert different_patients(Path("d/sub-1/pet"), Path("d/sub-2/mri"))
    assert not different_patients(Path("d/sub-1/pet"), Path("d/sub-01/mri"))
    assert not different_patients(Path("sub-1/pet_sub-2"), Path("sub-1/mri"))


@pytest.mark.parametrize("within", ["_left", "_low"])
def test_words_of_the_folders_count_for_more_than_weaker_words_inside(
    tmp_path: Path, within: str
) -> None:
    other = {"_left": "_right", "_low": "_high"}[within]
    for side in ("ir", "vis"):
        touch(tmp_path / side, f"1{within}.png", f"1{other}.png")
    plan = pair_paths([tmp_path], "ivif")
    assert pairs(plan, tmp_path) == {(f"ir/1{w}.png", f"vis/1{w}.png") for w in (within, other)}


def test_a_stray_pair_in_one_side_does_not_take_the_set_apart(tmp_path: Path) -> None:
    for side in ("a", "b"):
        touch(tmp_path / side, "1.png", "2.png", "3.png")
    touch(tmp_path / "a", "x_ir.png", "x_vis.png")
    plan = pair_paths([tmp_path], "ivif")
    assert [m.name for m in plan.matches] == ["1", "2", "3"]
    assert len(plan.leftovers) == 2


# --- properties ----------------------------------------------------------------------------

Patient = tuple[set[int], set[str]]
"""Numbers of whole pairs; files without a partner."""


def _patients() -> st.SearchStrategy[list[Patient]]:
    whole = st.sets(st.integers(1, 12), min_size=1, max_size=3)
    lonely = st.sets(st.sampled_from(("30_pet", "31_mri", "32_pet", "1x_mri")), max_size=3)
    return st.lists(st.tuples(whole, lonely), min_size=2, max_size=4)


def _write(root: Path, names: Sequence[str], patients: Sequence[Patient]) -> set[tuple[str, str]]:
    """The pairs there should be."""
    for name, (whole, lonely) in zip(names, patients, strict=False):
        touch(root / name, *(f"{n}_{kind}.png" for n in whole for kind in ("pet", "mri")))
        touch(root / name, *(f"{stem}.png" for stem in lonely))
    return {
        (f"{name}/{n}_pet.png", f"{name}/{n}_mri.png")
        for name, (whole, _) in zip(names, patients, strict=False)
        for n in whole
    }


@settings(max_examples=50, deadline=None)
@given(
    patients=_patients(),
    names=st.lists(st.sampled_from(PATIENTS), min_size=4, max_size=4, unique=True),
    task=st.sampled_from(["mif", None]),
    seed=st.integers(0, 2**16),
    half=st.booleans(),
)
@example([({2}, set()), ({2}, {"30_pet"})], ["a", "b", "anna", "berta"], "mif", 0, True)
def test_pairs_stay_within_patients_whatever_their_names_and_order(
    patients: list[Patient], names: list[str], task: str | None, seed: int, half: bool
) -> None:
    if half:  # one patient has no whole pair at all
        patients[0] = (set(), {"2_pet", "title page", *patients[0][1]})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        wanted = _write(root, names, patients)
        dropped = [root / name for name in names[: len(patients)]]
        random.Random(seed).shuffle(dropped)
        for paths in ([root], dropped, [file for one in dropped for file in one.iterdir()]):
            if len(paths) == 2 and paths[0].is_file():
                continue
            plan = pair_paths(paths, task)
            assert pairs(plan, root) == wanted
            assert len(plan.leftovers) == sum(len(lonely) for _, lonely in patients)


SCENES = ("bird", "cat", "dark road", "7", "21", "40")
LAYOUTS = {
    "plain sides": ("a/{}.png", "b/{}.png"),
    "named sides": ("ir/{}.png", "vis/{}.jpg"),
    "sides by a word": ("set_thermal/{}.png", "set_rgb/{}.png"),
    "words in folders and files": ("ir/{}_ir.png", "vis/{}_vis.png"),
    "one word in both": ("ir/IR_{}.png", "vis/IR_{}.png"),
    "flat": ("{}_ir.png", "{}_vis.png"),
    "scenes": ("s{}/ir/1.png", "s{}/vis/1.png"),
    "scenes with pictures": ("{}/ir.png", "{}/vis.png"),
    "deep": ("ir/day/{}.png", "vis/day/{}.png"),
    "folders that say nothing": ("cam0/frame {} end.png", "cam1/frame {} end.png"),
    "only files tell": ("cam0/{}_ir.png", "cam1/{}_vis.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=15, deadline=None)
@given(
    scenes=st.sets(st.sampled_from(SCENES), min_size=3, max_size=6),
    lonely=st.sets(st.sampled_from((0, 1, "beside")), min_size=1),
    task=st.sampled_from(["ivif", None]),
)
def test_a_lonely_file_changes_no_pair_in_any_layout(
    layout: str, scenes: set[str], lonely: set[object], task: str | None
) -> None:
    first, second = LAYOUTS[layout]
    if layout == "folders that say nothing":
        task = "ivif"  # without a task, a “dark road” in both may be one and the same source
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        wanted = {(first.format(scene), second.format(scene)) for scene in scenes}
        touch(root, *(name for pair in wanted for name in pair))
        assert pairs(pair_paths([root], task), root) == wanted
        extra = {name for side, name in enumerate((first.format("house"), second.format("lake")))
                 if side in lonely}  # fmt: skip
        if "beside" in lonely:
            extra.add("title page.png")
        touch(root, *extra)
        plan = pair_paths([root], task)
        assert pairs(plan, root) == wanted
        assert set(loose(plan, root)) == extra

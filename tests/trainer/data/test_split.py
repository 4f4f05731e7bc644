"""Which pairs belong together, and that none of a group is on both sides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pairing.known_folders import truth_of
from core.pairing.plan import Match
from tests.trainer.runs import make_pairs
from trainer.data.pairs import find_pairs, fingerprint
from trainer.data.split import Group, group_split
from trainer.data.split import predefined_split as given_folders


def _match(name: str, folder: str = "") -> Match:
    return Match(name, Path("a") / folder / name, Path("b") / folder / name, "", Path(folder))


def _names(part: tuple[Match, ...]) -> list[str]:
    return [match.name for match in part]


def test_slices_of_a_patient_stay_together_by_name_or_folder() -> None:
    by_name = [_match(f"sub-{p:02d}_slice{s}") for p in range(10) for s in range(5)]
    by_folder = [_match(f"{s}", f"PET/Patient{p}") for p in range(10) for s in range(5)]
    by_folder += [_match(f"{s}", f"CT/patient_{p:03d}") for p in range(10) for s in range(5)]
    for matches in (by_name, by_folder):
        split = group_split(matches, 0.2)
        assert (split.by, split.groups) == ("patient", 10)
        sides = [
            {int(re.findall(r"\d+", m.folder.name or m.name)[0]) for m in part}
            for part in (split.train, split.validation)
        ]
        assert len(sides[1]) == 2
        assert not sides[0] & sides[1]


def test_folders_then_prefixes_then_neighbours_keep_pairs_together() -> None:
    folders = group_split([_match(f"{i}", name) for name in "ABCDE" for i in range(4)], 0.2)
    assert (folders.by, folders.groups, len(folders.validation)) == ("folder", 5, 4)
    assert len({m.folder for m in folders.validation}) == 1
    scenes = group_split([_match(f"scene{s}_{i}") for s in range(10) for i in range(3)], 0.2)
    assert (scenes.by, scenes.groups, len(scenes.validation)) == ("name", 10, 6)
    # Kinds of pictures are no patients: neighbours stay together, and each kind is judged.
    kinds = group_split(
        [_match(f"{kind}_{i:04d}") for kind in ("ct", "pet") for i in range(50)], 0.2
    )
    assert kinds.by == "order"
    assert "Names do not tell" in kinds.note
    assert {m.name.split("_")[0] for m in kinds.validation} == {"ct", "pet"}
    assert 15 <= len(kinds.validation) <= 25


def test_what_cannot_be_divided_is_trained_on_and_said() -> None:
    one = group_split([_match(f"patient7_{i}") for i in range(20)], 0.2)
    assert (len(one.train), one.validation) == (20, ())
    assert "one patient" in one.note
    single = group_split([_match("x")], 0.2)
    assert (len(single.train), single.validation) == (1, ())
    assert single.note
    none = group_split([_match(f"sub-{i}") for i in range(9)], 0)
    assert (len(none.train), none.validation, none.note) == (9, (), "")


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "p1", "sub-3", "x/y"]), st.text("ab1_", min_size=1)),
        min_size=1,
        unique=True,
    ),
    st.floats(0, 0.9),
)
def test_every_pair_is_on_one_side_in_its_order_and_alike_every_time(
    names: list[tuple[str, str]], share: float
) -> None:
    matches = [_match(name, folder) for folder, name in names]
    split = group_split(matches, share)
    assert split.train
    assert sorted(map(id, (*split.train, *split.validation))) == sorted(map(id, matches))
    places = [matches.index(m) for m in split.train]
    assert places == sorted(places)
    assert group_split(matches, share) == split


def test_pairs_are_found_in_folders_of_any_kind_and_in_order(tmp_path: Path) -> None:
    image = next((make_pairs(tmp_path / "one", 1) / "a").iterdir()).read_bytes()
    for patient in ("sub-1", "sub-2"):
        folder = tmp_path / "two" / patient
        folder.mkdir(parents=True)
        for slice_ in (2, 10):
            (folder / f"{slice_}_pet.png").write_bytes(image)
            (folder / f"{slice_}_mri.png").write_bytes(image)
    (tmp_path / "one" / "a" / "lonely.png").write_bytes(image)
    found = find_pairs((tmp_path / "one", tmp_path / "two"), "mif")
    assert len(found.matches) == 5
    assert [m.a.name for m in found.matches if m.name != "pair0"] == ["10_pet.png", "2_pet.png"] * 2
    assert any("lonely.png" in problem for problem in found.problems)
    swapped = find_pairs(tmp_path / "two", "mif", swapped=True)
    assert all("mri" in m.a.name for m in swapped.matches)
    assert len(find_pairs(tmp_path / "two", "mif", ("10*",)).matches) == 2
    with pytest.raises(InputError, match="all are excluded"):
        find_pairs(tmp_path / "two", "mif", ("*",))
    assert fingerprint(found.matches, False) != fingerprint(swapped.matches, False)


def test_the_truth_lies_beside_the_sides(tmp_path: Path) -> None:
    folder = make_pairs(tmp_path / "d", 2)
    (folder / "gt").mkdir()
    (folder / "gt" / "pair1.png").write_bytes(b"x")
    first, second = find_pairs(folder, "mff").matches
    assert truth_of(first) is None
    assert truth_of(second) == folder / "gt" / "pair1.png"
    before = fingerprint((first, second), True)
    assert before != fingerprint((first, second), False)
    (folder / "gt" / "pair1.png").write_bytes(b"xy")
    assert fingerprint((first, second), True) != before


def test_sides_name_every_group_with_its_pairs() -> None:
    split = group_split(
        [_match(f"{s}", f"PET/Patient_{p:02d}") for p in range(4) for s in range(3)], 0.3
    )
    assert sum(group.train for group in split.sides()) == len(split.train) == 9
    assert [group for group in split.sides() if group.validation] == [split.sides()[0]]
    assert {group.name for group in split.sides()} == {f"Patient_{p:02d}" for p in range(4)}
    by_name = group_split(
        [_match(f"sub-{p:02d}_slice{s}") for p in range(3) for s in range(2)], 0.3
    )
    assert {group.name for group in by_name.sides()} == {"sub-00", "sub-01", "sub-02"}
    neighbours = group_split([_match(f"ct_{k:02d}") for k in range(30)], 0.2)
    assert neighbours.by == "order"
    assert Group("ct_00 – ct_01", 2, 0) in neighbours.sides()
    assert sum(group.validation for group in neighbours.sides()) == len(neighbours.validation)


def test_a_patient_in_both_folders_is_counted_and_not_named() -> None:
    train = [_match(f"{s}", f"patient{p}") for p in (1, 2, 3) for s in range(2)]
    apart = given_folders(train, [_match("0", "patient4")])
    assert (apart.by, apart.groups, apart.note) == ("given", 3, "")
    assert apart.sides()[0] == Group("patient4", 0, 1)
    one = given_folders(train, [_match("9", "Patient_02"), _match("9", "patient4")])
    assert "1 patient is on both sides" in one.note
    assert "02" not in one.note
    assert Group("patient2", 2, 1) in one.sides()
    two = given_folders(train, [_match("9", "patient1"), _match("9", "patient3")])
    assert "2 patients are on both sides" in two.note
    # Folders of one name in two places need not be the same patient's.
    plain = given_folders([_match("a", "x"), _match("b", "y")], [_match("c", "x")])
    assert (plain.sides(), plain.note) == ((), "")


def test_only_medical_pictures_are_said_to_be_of_patients() -> None:
    many, one = [_match(f"ct_{k:02d}") for k in range(30)], [_match(f"sub-7_{k}") for k in range(9)]
    for task, word in (("mif", "patient"), ("", "patient"), ("ivif", "scene"), ("mff", "scene")):
        assert word in group_split(many, 0.2, task).note
        assert ("patient" in group_split(one, 0.2, task).note) is (word == "patient")
        assert group_split(one, 0.2, task).note

"""Whatever is dropped is paired by name and by telling words, never by position."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.pairing.folder_tree import Places
from core.pairing.folders import Match, PairingPlan, pair_paths
from core.pairing.name_matching import match_names


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def rows(plan: PairingPlan) -> list[tuple[str, str, str]]:
    return [(m.name, m.a.name, m.b.name) for m in plan.matches]


def left(plan: PairingPlan) -> dict[str, str]:
    return {item.path.name: item.trouble for item in plan.leftovers}


def test_a_folder_with_two_sides(tmp_path: Path) -> None:
    touch(tmp_path / "a", "2.png", "10.PNG", "only.bmp", "readme.txt")
    touch(tmp_path / "b", "10.jpg", "2.png", "lone.tif")
    plan = pair_paths([tmp_path])
    assert rows(plan) == [("2", "2.png", "2.png"), ("10", "10.PNG", "10.jpg")]
    assert all(m.a.parent.name == "a" and m.b.parent.name == "b" for m in plan.matches)
    assert plan.matches[0].reason == "same name in a/ and b/"
    assert left(plan) == {"only.bmp": "unmatched", "lone.tif": "unmatched"}
    assert any("1 file that is no picture" in note for note in plan.notes)
    assert all(m.sure and m.folder == Path() for m in plan.matches)


@pytest.mark.parametrize(
    ("names", "task", "words"),
    [
        (("Vis", "ir"), "ivif", ("ir", "Vis")),
        (("MRI", "PET"), "mif", ("PET", "MRI")),
        (("over", "under"), None, ("under", "over")),
        (("set_thermal", "set_rgb"), None, ("set_thermal", "set_rgb")),
    ],
)
def test_side_folders_are_known_by_the_words_of_a_task(
    tmp_path: Path, names: tuple[str, str], task: str | None, words: tuple[str, str]
) -> None:
    for name in names:
        touch(tmp_path / name, "1.png", "2.png")
    plan = pair_paths([tmp_path], task)
    assert [(m.a.parent.name, m.b.parent.name) for m in plan.matches] == [words, words]
    assert [m.a.name for m in plan.matches] == [m.b.name for m in plan.matches]


def test_two_folders_in_either_order(tmp_path: Path) -> None:
    vis, ir = touch(tmp_path / "x" / "vis", "1.png"), touch(tmp_path / "y" / "ir", "1.jpg")
    for order in ([vis, ir], [ir, vis]):
        plan = pair_paths(order, "ivif")
        assert [(m.a, m.b) for m in plan.matches] == [(ir / "1.jpg", vis / "1.png")]
    first, second = touch(tmp_path / "left out", "1.png"), touch(tmp_path / "cam", "1.png")
    plan = pair_paths([second, first])
    assert [(m.a.parent, m.sure) for m in plan.matches] == [(second, False)]
    assert any("which source is A" in note for note in plan.notes)


def test_two_folders_keep_their_tree(tmp_path: Path) -> None:
    for side in ("a", "b"):
        touch(tmp_path / side / "night" / "rain", "1.png")
        touch(tmp_path / side / "day", "1.png")
    plan = pair_paths([tmp_path / "a", tmp_path / "b"])
    assert [m.folder for m in plan.matches] == [Path("day"), Path("night/rain")]
    assert all(m.a.parent.name == m.b.parent.name for m in plan.matches)


@pytest.mark.parametrize(
    ("first", "second", "task"),
    [
        ("{}_ir.png", "{}_vis.png", "ivif"),
        ("IR{}.png", "VIS{}.png", "ivif"),
        ("case {} (PET).png", "case {} (MRI).tif", "mif"),
        ("{}_under.jpg", "{}_over.jpg", "mef"),
        ("lytro-{}-A.jpg", "lytro-{}-B.jpg", "mff"),
        ("c{}_1.tif", "c{}_2.tif", "mff"),
        ("c{}_01.tif", "c{}_02.tif", None),
        ("FLIR_{}_PreviewData.jpeg", "FLIR_{}_RGB.jpg", None),
        ("scene{}zeta.png", "scene{}omega.png", None),
        ("{}.png", "{}_thermal.png", None),
        ("{}D.png", "{}N.png", None),
    ],
)
def test_words_are_learned_from_a_flat_folder(
    tmp_path: Path, first: str, second: str, task: str | None
) -> None:
    numbers = [f"{n:03}" for n in (3, 7, 8, 21, 22)]
    touch(tmp_path, *(first.format(n) for n in numbers), *(second.format(n) for n in numbers))
    plan = pair_paths([tmp_path], task)
    assert len(plan.matches) == 5, plan
    assert plan.leftovers == ()
    for match, number in zip(plan.matches, numbers, strict=True):
        assert {match.a.name, match.b.name} == {first.format(number), second.format(number)}
        assert number in match.name
    if task is not None:
        assert all(m.a.name == first.format(n) for m, n in zip(plan.matches, numbers, strict=True))
        assert all(m.sure for m in plan.matches)


def test_the_reason_names_the_words(tmp_path: Path) -> None:
    touch(tmp_path, "s1_vis.png", "s1_ir.png", "s2_ir.png")
    plan = pair_paths([tmp_path])
    assert plan.matches[0].reason == "differ only in ir/vis"
    assert plan.leftovers[0].path.name == "s2_ir.png"
    assert "vis" in plan.leftovers[0].reason


def test_words_that_make_more_pairs_win(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{s}_{w}.png" for s in ("low", "high", "mid", "far") for w in "ab"))
    plan = pair_paths([tmp_path])
    assert [m.reason for m in plan.matches] == ["differ only in a/b"] * 4


def test_two_sets_of_words_in_one_folder(tmp_path: Path) -> None:
    touch(tmp_path, "1_ir.png", "1_vis.png", "2_ir.png", "2_vis.png", "p_PET.png", "p_MRI.png")
    plan = pair_paths([tmp_path])
    assert [m.name for m in plan.matches] == ["1", "2", "p"]
    assert plan.matches[2].a.name == "p_PET.png"


def test_a_row_of_numbers_is_no_pair(tmp_path: Path) -> None:
    touch(tmp_path, *(f"frame{n}.png" for n in range(1, 6)))
    plan = pair_paths([tmp_path])
    assert plan.matches == ()
    assert len(plan.leftovers) == 5
    assert all("row" in item.reason for item in plan.leftovers)


def test_numbers_do_not_pair_two_pictures_of_one_kind(tmp_path: Path) -> None:
    touch(tmp_path, "mri_1.png", "mri_2.png")
    assert pair_paths([tmp_path], "mif").matches == ()
    touch(tmp_path, "pet_1.png", "pet_2.png")
    assert [m.name for m in pair_paths([tmp_path], "mif").matches] == ["1", "2"]


def test_three_that_fit_are_ambiguous(tmp_path: Path) -> None:
    touch(tmp_path, "7_pet.png", "7_ct.png", "7_mri.png")
    plan = pair_paths([tmp_path], "mif")
    assert plan.matches == ()
    assert left(plan) == dict.fromkeys(("7_pet.png", "7_ct.png", "7_mri.png"), "ambiguous")


def test_two_ways_to_pair_are_ambiguous(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{s}_{w}.png" for s in ("cat", "dog") for w in ("sunny", "rainy")))
    plan = pair_paths([tmp_path])
    assert plan.matches == ()
    assert set(left(plan).values()) == {"ambiguous"}


def test_duplicate_names_are_ambiguous(tmp_path: Path) -> None:
    touch(tmp_path / "a", "1.png", "1.jpg", "2.png")
    touch(tmp_path / "b", "1.png", "2.png")
    plan = pair_paths([tmp_path])
    assert [m.name for m in plan.matches] == ["2"]
    assert [(i.path.parent.name, i.path.name) for i in plan.ambiguous] == [
        ("a", "1.jpg"),
        ("a", "1.png"),
        ("b", "1.png"),
    ]
    touch(tmp_path / "flat", "s_ir.png", "s_ir.tif", "s_vis.png")
    flat = pair_paths([tmp_path / "flat"])
    assert flat.matches == ()
    assert left(flat)["s_ir.png"] == "ambiguous"


def test_patient_folders_are_paired_each_by_itself(tmp_path: Path) -> None:
    touch(tmp_path / "p1", "pet.png", "mri.png")
    touch(tmp_path / "p2", "pet.png", "mri.png")
    touch(tmp_path / "deep" / "p3" / "a", "s1.png", "s2.png")
    touch(tmp_path / "deep" / "p3" / "b", "s1.png", "s2.png")
    touch(tmp_path / "p4", "PT_scan_4711.png", "t1 (head).png")
    touch(tmp_path / "p5", "pet.png")
    plan = pair_paths([tmp_path], "mif")
    assert [(str(m.folder), m.name) for m in plan.matches] == [
        ("deep/p3", "s1"),
        ("deep/p3", "s2"),
        ("p1", "p1"),
        ("p2", "p2"),
        ("p4", "p4"),
    ]
    assert plan.matches[2].a.name == "pet.png"
    assert plan.matches[4].a.name == "PT_scan_4711.png"
    assert "only two pictures" in plan.matches[4].reason
    assert [item.path.parent.name for item in plan.leftovers] == ["p5"]


def test_two_patients_are_not_taken_for_two_sides(tmp_path: Path) -> None:
    for patient in ("patient_a", "patient_b"):
        touch(tmp_path / patient, "pet.png", "mri.png")
    for dropped in ([tmp_path], [tmp_path / "patient_a", tmp_path / "patient_b"]):
        plan = pair_paths(dropped, "mif")
        assert len(plan.matches) == 2
        assert all(m.a.parent == m.b.parent and m.a.name == "pet.png" for m in plan.matches)


def test_strange_folders_with_numbers_only_are_ambiguous_unless_given_as_two(
    tmp_path: Path,
) -> None:
    for camera in ("cam0", "cam1"):
        touch(tmp_path / camera, "1.png", "2.png")
    assert set(left(pair_paths([tmp_path]))) == {"cam0", "cam1"}
    plan = pair_paths([tmp_path / "cam0", tmp_path / "cam1"])
    assert [(m.a.name, m.b.name) for m in plan.matches] == [("1.png",) * 2, ("2.png",) * 2]
    touch(tmp_path / "cam0", "3.png")
    touch(tmp_path / "cam1", "3.png")
    assert len(pair_paths([tmp_path]).matches) == 3


def test_words_across_two_folders(tmp_path: Path) -> None:
    touch(tmp_path / "infrared", *(f"{n}_ir.png" for n in range(9)))
    touch(tmp_path / "visible", *(f"{n}_vis.png" for n in range(9)))
    plan = pair_paths([tmp_path], "ivif")
    assert [(m.a.name, m.b.name) for m in plan.matches] == [
        (f"{n}_ir.png", f"{n}_vis.png") for n in range(9)
    ]
    assert plan.leftovers == ()


def test_capitals_and_accents(tmp_path: Path) -> None:
    touch(tmp_path / "a", "IMG_1.JPG", "caf\u00e9.png")
    touch(tmp_path / "b", "img_1.jpg", "cafe\u0301.png")
    plan = pair_paths([tmp_path])
    assert sorted(m.reason for m in plan.matches) == [
        "same name but for capitals in a/ and b/",
        "same name in a/ and b/",
    ]


def test_loose_files(tmp_path: Path) -> None:
    folder = touch(tmp_path, "s1_vis.png", "s2_ir.png", "s1_ir.png", "s2_vis.png", "note.txt")
    plan = pair_paths(sorted(folder.iterdir()), "ivif")
    assert rows(plan) == [
        ("s1", "s1_ir.png", "s1_vis.png"),
        ("s2", "s2_ir.png", "s2_vis.png"),
    ]
    assert left(plan) == {"note.txt": "unmatched"}
    a, b = touch(tmp_path / "p", "9.png"), touch(tmp_path / "q", "9.png", "8.png")
    both = pair_paths([b / "8.png", a / "9.png", b / "9.png"])
    assert [(m.a, m.b) for m in both.matches] == [(b / "9.png", a / "9.png")] or [
        (m.a, m.b) for m in both.matches
    ] == [(a / "9.png", b / "9.png")]
    assert left(both) == {"8.png": "unmatched"}


def test_two_files_alone_are_a_pair(tmp_path: Path) -> None:
    touch(tmp_path, "holiday.png", "zebra mri.png")
    plan = pair_paths([tmp_path / "zebra mri.png", tmp_path / "holiday.png"], "mif")
    assert [(m.a.name, m.reason) for m in plan.matches] == [
        ("holiday.png", "the only two files given")
    ]


def test_the_same_thing_twice_counts_once(tmp_path: Path) -> None:
    touch(tmp_path / "a", "1.png")
    touch(tmp_path / "b", "1.png")
    plan = pair_paths([tmp_path, tmp_path / "a" / "..", tmp_path / "a", tmp_path / "a" / "1.png"])
    assert len(plan.matches) == 1
    assert sum("counts once" in note for note in plan.notes) == 2
    assert pair_paths([tmp_path / "a", tmp_path / "a"]).matches == ()


def test_links_make_no_pair_of_one_file_and_no_endless_walk(tmp_path: Path) -> None:
    touch(tmp_path / "a", "1.png", "2.png")
    touch(tmp_path / "b", "2.png")
    (tmp_path / "b" / "1.png").symlink_to(tmp_path / "a" / "1.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    plan = pair_paths([tmp_path])
    assert [m.name for m in plan.matches] == ["2"]
    assert [i.reason for i in plan.ambiguous] == ["A and B would be one and the same file"] * 2


def test_the_truth_and_the_results_are_passed_over(tmp_path: Path) -> None:
    for name in ("a", "b", "gt", "out"):
        touch(tmp_path / name, "1.png", "2.png")
    plan = pair_paths([tmp_path], skip=[tmp_path / "out"])
    assert len(plan.matches) == 2
    assert plan.leftovers == ()
    assert any("gt/" in note for note in plan.notes)


def test_the_folder_for_results_is_no_source(tmp_path: Path) -> None:
    for name in ("a", "b"):
        touch(tmp_path / "in" / name, "1.png")
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    for named in ("in", "link"):
        with pytest.raises(InputError, match="folder for the results") as caught:
            pair_paths([tmp_path / named], skip=[tmp_path / "in"])
        assert str(tmp_path / named) in str(caught.value)
    assert len(pair_paths([tmp_path / "in"], skip=[tmp_path / "in" / "fused"]).matches) == 1


def test_a_rule_may_claim_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "p1" / "ct", "slice1.dcm")
    touch(tmp_path / "p1" / "mr", "slice1.dcm")
    touch(tmp_path / "p2", "ct.png", "mr.png")

    def series(folder: Path) -> tuple[Match, ...] | None:
        parts = [folder / "ct", folder / "mr"]
        if not all(part.is_dir() for part in parts):
            return None
        return (Match(folder.name, *parts, "series of one patient"),)

    plan = pair_paths([tmp_path], "mif", folder_rules=[series])
    assert [(str(m.folder), m.name, m.a.name) for m in plan.matches] == [
        ("p1", "p1", "ct"),
        ("p2", "p2", "ct.png"),
    ]


def test_bad_calls(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        pair_paths([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="Nothing"):
        pair_paths([])
    with pytest.raises(InputError, match="Unknown task"):
        pair_paths([tmp_path], "sculpture")
    assert pair_paths([tmp_path]) == PairingPlan()


def test_changes_give_new_plans(tmp_path: Path) -> None:
    for side in ("a", "b"):
        touch(tmp_path / side, "1.png", "2.png")
    touch(tmp_path / "a", "lone.png")
    plan = pair_paths([tmp_path])
    swapped = plan.swap([1])
    assert (swapped.matches[1].a, swapped.matches[1].b) == (plan.matches[1].b, plan.matches[1].a)
    assert swapped.matches[0] == plan.matches[0]
    assert swapped.swap([1]) == plan
    assert [m.name for m in plan.exclude([0]).active] == ["2"]
    assert plan.exclude().active == ()
    assert plan.exclude().include() == plan
    with pytest.raises(IndexError):
        plan.swap([2])
    lone = tmp_path / "a" / "lone.png"
    by_hand = plan.pair_by_hand(lone, plan.matches[0].b)
    assert (by_hand.matches[0].a, by_hand.matches[0].reason) == (lone, "paired by hand")
    assert [item.path for item in by_hand.leftovers] == [plan.matches[0].a]
    assert len(by_hand.matches) == 2


@pytest.mark.parametrize("times", [1, 30])
def test_links_are_followed_to_where_files_are(tmp_path: Path, monkeypatch, times: int) -> None:
    """Also of folders that are asked for often, which are listed as a whole."""
    folder = tmp_path / "data" / "in"
    folder.mkdir(parents=True)
    (folder / "x.png").touch()
    (folder / "link.png").symlink_to(folder / "x.png")
    (tmp_path / "elsewhere").symlink_to(folder, target_is_directory=True)
    monkeypatch.chdir(tmp_path / "data")
    places = Places()
    for path in (
        folder / "x.png",
        folder / "link.png",
        tmp_path / "elsewhere" / "x.png",
        tmp_path / "elsewhere" / ".." / "in" / "x.png",
        Path("in/x.png"),
        Path("in/.."),
        Path("in"),
        Path("/"),
        folder / "gone.png",
    ):
        for _ in range(times):
            assert places.real(path) == str(path.resolve())


def test_of_a_large_folder_no_file_is_asked_for_by_itself(tmp_path: Path, monkeypatch) -> None:
    asked: list[Path] = []
    real = os.path.islink
    monkeypatch.setattr(os.path, "islink", lambda path: asked.append(path) or real(path))
    places = Places()
    for number in range(500):
        path = tmp_path / f"{number}.png"
        path.touch()
    for number in range(500):
        places.real(tmp_path / f"{number}.png")
    assert len(asked) <= 8


_WORD = st.text(alphabet="abcdefgh", min_size=3, max_size=5)


@settings(max_examples=40, deadline=None)
@given(
    scenes=st.lists(_WORD, min_size=1, max_size=12, unique=True),
    missing=st.sets(st.integers(0, 11)),
    seed=st.integers(0, 2**16),
)
def test_the_order_of_files_never_matters(scenes: list[str], missing: set[int], seed: int) -> None:
    names = [f"{scene}_ir" for scene in scenes]
    names += [f"{scene}_vis" for index, scene in enumerate(scenes) if index not in missing]
    shuffled = names[:]
    random.Random(seed).shuffle(shuffled)
    for given_names in (names, shuffled):
        found = match_names(given_names, "ivif")
        pairs = {(given_names[p.a], given_names[p.b]) for p in found.pairs}
        whole = [scene for index, scene in enumerate(scenes) if index not in missing]
        assert pairs == {(f"{scene}_ir", f"{scene}_vis") for scene in whole}
        assert len(found.unmatched) == len(names) - 2 * len(whole)


@pytest.mark.parametrize("task", [None, "ivif"])
def test_folders_of_two_sources_are_paired_although_each_holds_exposures(
    tmp_path: Path, task: str | None
) -> None:
    for side in ("ir", "vis"):
        (tmp_path / side).mkdir()
        for name in ("x_-2EV.png", "x_+2EV.png"):
            (tmp_path / side / name).touch()
    plan = pair_paths([tmp_path], task)
    found = {
        (m.a.relative_to(tmp_path).as_posix(), m.b.relative_to(tmp_path).as_posix())
        for m in plan.matches
    }
    assert found == {(f"ir/x_{ev}EV.png", f"vis/x_{ev}EV.png") for ev in ("-2", "+2")}
    assert plan.suggested_task == "ivif"
    brackets = pair_paths([tmp_path], "mef").matches
    assert [(m.a.name, m.b.name) for m in brackets] == [("x_-2EV.png", "x_+2EV.png")] * 2

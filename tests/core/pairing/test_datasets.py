"""Data sets by descriptor: which files are the pairs, and what is said when they are not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from core.errors import InputError
from core.metrics import METRICS
from core.pairing.dataset_descriptor import descriptors, get_descriptor, read_descriptor
from core.pairing.datasets import dataset_pairs, find_dataset, group_of, label_folder
from core.pairing.folders import PairingPlan, pair_paths

PairNames = tuple[tuple[str, str], ...]
TREES: dict[str, tuple[PairNames, bool]] = {
    # Files of A and B, and whether the layout alone tells the data set.
    "m3fd": ((("Ir/00001.png", "Vis/00001.png"), ("Ir/00002.png", "Vis/00002.png")), False),
    "tno": ((("ir/01.bmp", "vi/01.bmp"),), False),
    "roadscene": ((("cropinfrared/FLIR_1.jpg", "crop_LR_visible/FLIR_1.jpg"),), True),
    "msrs": ((("test/ir/00004N.png", "test/vi/00004N.png"),
              ("test/ir/00055D.png", "test/vi/00055D.png")), False),
    "llvip": ((("infrared/test/190001.jpg", "visible/test/190001.jpg"),), True),
    "kaist": ((("set06/V000/lwir/I00000.jpg", "set06/V000/visible/I00000.jpg"),
               ("set09/V000/lwir/I00000.jpg", "set09/V000/visible/I00000.jpg")), True),
    "flir-aligned": ((("JPEGImages/FLIR_1_PreviewData.jpeg", "JPEGImages/FLIR_1_RGB.jpg"),), True),
    "vifb": ((("input/IR/peopleShadow.jpg", "input/VI/peopleshadow.jpg"),), False),
    "harvard": ((("CT-MRI/CT/2006.png", "CT-MRI/MRI/2006.png"),
                 ("PET-MRI/PET/25015.png", "PET-MRI/MRI/25015.png"),
                 ("SPECT-MRI/SPECT/10009.png", "SPECT-MRI/MRI/10009.png")), True),
    "mefb": ((("input/Farmhouse/Farmhouse_A.png", "input/Farmhouse/FarmHouse_B.png"),
              ("input/House/House_A.png", "input/House/House_B.png")), False),
    "sice": ((("under/1.jpg", "over/1.jpg"), ("under/2.jpg", "over/2.jpg")), False),
    "lytro": ((("lytro-01-A.jpg", "lytro-01-B.jpg"), ("lytro-02-A.jpg", "lytro-02-B.jpg")), False),
    "mffw": ((("1_A.jpg", "1_B.jpg"), ("2_A.jpg", "2_B.jpg")), False),
    "mfi-whu": ((("source_1/1.jpg", "source_2/1.jpg"), ("source_1/2.jpg", "source_2/2.jpg")),
                False),
    "mfifb": ((("input/aymaz_01/aymaz_01_A.bmp", "input/aymaz_01/aymaz_01_B.bmp"),
               ("input/books/books_A.jpg", "input/books/books_B.jpg")), False),
}  # fmt: skip


def make(folder: Path, files: Iterable[str]) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def tree(name: str, tmp_path: Path) -> tuple[Path, PairNames]:
    pairs, _ = TREES[name]
    return make(tmp_path / name, (file for pair in pairs for file in pair)), pairs


def test_labels_of_a_split(tmp_path: Path) -> None:
    msrs, llvip, m3fd = (get_descriptor(name) for name in ("msrs", "llvip", "m3fd"))
    assert msrs.masks is not None
    assert (len(msrs.masks.classes), msrs.masks.classes[1], msrs.masks.ignore) == (9, "car", 255)
    for split in ("test", "train"):
        (tmp_path / split / "Segmentation_labels").mkdir(parents=True)
    assert label_folder(msrs, msrs.masks, tmp_path) == tmp_path / "test" / "Segmentation_labels"
    train = label_folder(msrs, msrs.masks, tmp_path, "train")
    assert train == tmp_path / "train" / "Segmentation_labels"
    with pytest.raises(InputError, match=r"in several folders.*test, train"):
        label_folder(msrs, msrs.masks, tmp_path, "all")
    assert llvip.boxes is not None
    with pytest.raises(InputError, match=r"LLVIP are not there.*Annotations"):
        label_folder(llvip, llvip.boxes, tmp_path)
    (tmp_path / "Annotations").mkdir()
    for split in ("test", "all"):
        assert label_folder(llvip, llvip.boxes, tmp_path, split) == tmp_path / "Annotations"
    assert m3fd.boxes is not None
    (tmp_path / "M3FD_Detection" / "Annotation").mkdir(parents=True)
    found = label_folder(m3fd, m3fd.boxes, tmp_path)
    assert found == tmp_path / "M3FD_Detection" / "Annotation"


def files(plan: PairingPlan, folder: Path) -> set[tuple[str, str]]:
    return {
        (m.a.relative_to(folder).as_posix(), m.b.relative_to(folder).as_posix())
        for m in plan.matches
    }


def test_every_descriptor_has_a_tree() -> None:
    assert {item.name for item in descriptors()} == set(TREES)
    assert all(set(item.metrics) <= set(METRICS) for item in descriptors())


@pytest.mark.parametrize("name", TREES)
def test_pairs_of_every_data_set(name: str, tmp_path: Path) -> None:
    folder, pairs = tree(name, tmp_path)
    descriptor = get_descriptor(name)
    plan = dataset_pairs(descriptor, folder)
    assert files(plan, folder) == set(pairs)
    assert not plan.leftovers
    assert all(match.sure and match.name for match in plan.matches)
    assert len({(match.folder, match.name) for match in plan.matches}) == len(pairs)
    assert plan.suggested_task == descriptor.task


@pytest.mark.parametrize("name", TREES)
def test_automatic_pairing_agrees(name: str, tmp_path: Path) -> None:
    folder, _ = tree(name, tmp_path)
    descriptor = get_descriptor(name)
    automatic = pair_paths([folder], descriptor.task)
    assert files(automatic, folder) == files(dataset_pairs(descriptor, folder), folder)


@pytest.mark.parametrize("name", TREES)
def test_recognised_by_name_or_layout(name: str, tmp_path: Path) -> None:
    folder, _ = tree(name, tmp_path)
    _, distinctive = TREES[name]
    every = descriptors()
    by_name = find_dataset(folder, every)
    assert by_name is not None
    assert by_name.name == name
    folder = folder.rename(tmp_path / "pictures")
    by_layout = find_dataset(folder, every)
    assert (by_layout is not None and by_layout.name == name) == distinctive


def test_what_lacks_a_partner_is_left_over(tmp_path: Path) -> None:
    folder = make(
        tmp_path, ["ir/1.png", "vi/1.png", "ir/2.png", "vi/3.png", "ir/4.png", "vi/4.png",
                   "vi/4.jpg", "readme.png", "fused_images/1.png"],
    )  # fmt: skip
    plan = dataset_pairs(get_descriptor("tno"), folder)
    assert files(plan, folder) == {("ir/1.png", "vi/1.png")}
    left = {item.path.relative_to(folder).as_posix(): item.trouble for item in plan.leftovers}
    assert left == {
        "ir/2.png": "unmatched", "vi/3.png": "unmatched", "ir/4.png": "ambiguous",
        "vi/4.png": "ambiguous", "vi/4.jpg": "ambiguous",
    }  # fmt: skip
    assert any("1 picture is in no folder" in note for note in plan.notes)
    assert any("fused_images/" in note for note in plan.notes)


def test_splits(tmp_path: Path) -> None:
    names = [f"{split}/{side}/{split}.png" for split in ("test", "train") for side in ("ir", "vi")]
    folder = make(tmp_path, names)
    msrs = get_descriptor("MSRS")
    found = {split: len(dataset_pairs(msrs, folder, split).matches) for split in ("", "all")}
    assert found == {"": 1, "all": 2}
    assert dataset_pairs(msrs, folder, "train").matches[0].name == "train"
    with pytest.raises(InputError, match="Choose one of: test, train, all"):
        dataset_pairs(msrs, folder, "val")


def test_groups(tmp_path: Path) -> None:
    folder, _ = tree("harvard", tmp_path)
    harvard = get_descriptor("harvard")
    groups = [group_of(harvard, m, folder) for m in dataset_pairs(harvard, folder).matches]
    assert groups == ["CT", "PET", "SPECT"]
    folder, _ = tree("msrs", tmp_path)
    msrs = get_descriptor("msrs")
    groups = [group_of(msrs, m, folder) for m in dataset_pairs(msrs, folder).matches]
    assert groups == ["night", "day"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["infrared/test/1.png"], r"no file is at visible/\{split\}/\{name\}"),
        (["infrared/test/1.png", "visible/test/2.png"], "no file of A has the name"),
        (["x/1.png"], "not laid out as LLVIP"),
    ],
)
def test_what_is_missing_is_named(names: list[str], words: str, tmp_path: Path) -> None:
    folder = make(tmp_path, names)
    with pytest.raises(InputError, match=words) as caught:
        dataset_pairs(get_descriptor("llvip"), folder)
    assert str(folder) in str(caught.value)


def test_no_such_folder_or_data_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        dataset_pairs(get_descriptor("tno"), tmp_path / "none")
    with pytest.raises(InputError, match=r"Unknown data set “lenna”.*tno"):
        get_descriptor("lenna")


GOOD = """name = "mine"
title = "Mine"
task = "ivif"
[[layouts]]
a = "warm/{name}"
b = "plain/{name}"
"""


def test_own_descriptor(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    folder = make(tmp_path / "data", ["warm/1.png", "plain/1.png"])
    mine = get_descriptor("mine", [tmp_path])
    assert mine == get_descriptor(str(tmp_path / "mine.toml"))
    assert files(dataset_pairs(mine, folder), folder) == {("warm/1.png", "plain/1.png")}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "Mine"', 'titel = "Mine"', "mine.toml: titl?"),
        ('title = "Mine"', 'title = "Mine"\ncolour = 1', "colour: is no key"),
        ('title = "Mine"\n', "", "title: is missing"),
        ('"ivif"', '"xray"', "task: Unknown task “xray”"),
        ("plain/{name}", "plain/{other}", "same words in braces"),
        ("plain/{name}", "plain/x", "same words in braces"),
        ("/{name}", "/{split}/{name}", "there are no splits"),
        ("[[layouts]]", "[[layouts", "TOML"),
        ('"Mine"', "3", "title: Input should be a valid string"),
    ],
)
def test_bad_descriptor_is_explained(old: str, new: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=words) as caught:
        read_descriptor(path)
    assert str(path) in str(caught.value)


def test_a_split_that_the_folder_does_not_tell_is_refused(tmp_path: Path) -> None:
    """Otherwise all pairs would be taken for that split."""
    for side in ("ir", "vi"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "00001D.png").write_bytes(b"")
    msrs = get_descriptor("msrs")
    assert len(dataset_pairs(msrs, tmp_path).matches) == 1
    with pytest.raises(InputError, match=r"“test” cannot be told apart.*Leave out the split"):
        dataset_pairs(msrs, tmp_path, "test")

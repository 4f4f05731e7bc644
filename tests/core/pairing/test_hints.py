"""What names say: which task a pair is for, and which file is A."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.pairing.folders import pair_paths
from core.pairing.source_words import in_order, suggest_task, suggest_task_of, which_source

PAIRS = [  # A, B, the task their names speak of
    ("001_ir.png", "001_vis.png", "ivif"),
    ("001_thermal.png", "001.png", "ivif"),
    ("sceneIR.png", "sceneVIS.png", "ivif"),
    ("sceneir.png", "scenevis.png", "ivif"),
    ("IRscene.png", "VISscene.png", "ivif"),
    ("1801i.bmp", "1801v.bmp", "ivif"),
    ("DJI_0001_T.JPG", "DJI_0001_W.JPG", "ivif"),
    ("set00/V000/lwir/I00000.jpg", "set00/V000/visible/I00000.jpg", "ivif"),
    ("Ir/00000.png", "Vis/00000.png", "ivif"),
    ("infrared/train/010001.jpg", "visible/train/010001.jpg", "ivif"),
    ("thermal_8_bit/FLIR_1.jpeg", "RGB/FLIR_1.jpg", "ivif"),
    ("cropinfrared/1.jpg", "crop_LR_visible/1.jpg", "ivif"),
    ("VT5000/Train/T/1.jpg", "VT5000/Train/RGB/1.jpg", "ivif"),
    ("train/trainimgr/1.jpg", "train/trainimg/1.jpg", "ivif"),
    ("thermal_img/1.png", "visible_light/1.png", "ivif"),
    ("infrared_images/1.png", "rgb_images/1.png", "ivif"),
    ("Wärmebilder/1.png", "sichtbar/1.png", "ivif"),
    ("LLVIP/a/1.png", "LLVIP/b/1.png", "ivif"),
    ("vis-ir/TNO/ir/1.bmp", "vis-ir/TNO/vis/1.bmp", "ivif"),
    ("case7_PET.png", "case7_MRI.png", "mif"),
    ("CT-MRI/CT/1.png", "CT-MRI/MRI/1.png", "mif"),
    ("Harvard/SPECT-MRI/SPECT/1.png", "Harvard/SPECT-MRI/MRI/1.png", "mif"),
    ("PET-MRI/a/1.png", "PET-MRI/b/1.png", "mif"),
    ("ct/1.png", "t2w/1.png", "mif"),
    ("s_under.png", "s_over.png", "mef"),
    ("underexposed/1.jpg", "overexposed/1.jpg", "mef"),
    ("under_exposure/1.jpg", "over_exposure/1.jpg", "mef"),
    ("underexp/1.jpg", "overexp/1.jpg", "mef"),
    ("Unterbelichtet/1.jpg", "Überbelichtet/1.jpg", "mef"),
    ("multi-exposure/dataset1/ue/1.jpg", "multi-exposure/dataset1/oe/1.jpg", "mef"),
    ("dark/1.png", "bright/1.png", "mef"),
    ("low/1.png", "high/1.png", "mef"),
    ("short/1.png", "long/1.png", "mef"),
    ("room_-2EV.jpg", "room_+2EV.jpg", "mef"),
    ("SICE/1/1.JPG", "SICE/1/7.JPG", "mef"),
    ("near/1.jpg", "far/1.jpg", "mff"),
    ("nearfocus/1.jpg", "farfocus/1.jpg", "mff"),
    ("Vordergrund/1.jpg", "Hintergrund/1.jpg", "mff"),
    ("lytro-01-A.jpg", "lytro-01-B.jpg", "mff"),
    ("MFFW/MFFW_02_A.jpg", "MFFW/MFFW_02_B.jpg", "mff"),
    ("MFI-WHU/source_1/01.jpg", "MFI-WHU/source_2/01.jpg", "mff"),
    ("x/sourceA/1.png", "x/sourceB/1.png", ""),
    ("c01_1.tif", "c01_2.tif", ""),
    ("left/1.png", "right/1.png", ""),
    ("near_ir.png", "far_vis.png", ""),
]


@pytest.mark.parametrize(("a", "b", "task"), PAIRS)
def test_the_task_and_the_sides_of_a_pair(a: str, b: str, task: str) -> None:
    first, second = Path(a), Path(b)
    assert suggest_task(first, second) == suggest_task(second, first) == task
    assert which_source(first, second) == "a"
    assert which_source(second, first) == "b"
    for given in (None, "mif", "ivif", "mef", "mff"):
        if a != "near_ir.png":  # both tasks have words here: the given one decides
            assert in_order(second, first, given) == (first, second)


@pytest.mark.parametrize(
    ("a", "b", "task"),
    [
        ("one.png", "two.png", ""),
        ("x/1_PET.png", "x/1_CT.png", "mif"),
        ("x/s_t1.png", "x/s_t2.png", "mif"),
        ("dark road/kitchen.png", "dark road/garden.png", ""),
        ("chair.png", "cha.png", ""),
        ("elev1.png", "elev2.png", ""),
    ],
)
def test_names_that_say_no_side_keep_their_order(a: str, b: str, task: str) -> None:
    first, second = Path(a), Path(b)
    assert suggest_task(first, second) == task
    if "2" not in b:  # 1 and 2 are A and B by habit
        assert which_source(first, second) == ""
        assert in_order(second, first) == (second, first)


def test_words_of_the_task_at_hand_count_before_those_of_others() -> None:
    first, second = Path("near_vis.png"), Path("far_ir.png")
    assert in_order(first, second, "mff") == (first, second)
    assert in_order(first, second, "ivif") == (second, first)


def test_one_file_alone() -> None:
    assert suggest_task_of(Path("d/7_pet.png")) == "mif"
    assert suggest_task_of(Path("LLVIP/x/7.png")) == "ivif"
    assert suggest_task_of(Path("d/holiday.png")) == ""


@pytest.mark.parametrize("part", ["train", "val"])
@pytest.mark.parametrize("task", ["ivif", "mif", "mef", "mff"])
def test_public_pairs_suggest_their_task(shared_data: Path, part: str, task: str) -> None:
    plan = pair_paths([shared_data / part / task])
    names = sorted(path.stem for path in (shared_data / part / task / "a").iterdir())
    assert sorted(match.name for match in plan.matches) == names
    assert all((m.a.parent.name, m.b.parent.name) == ("a", "b") for m in plan.matches)
    assert all(m.a.stem == m.b.stem for m in plan.matches)
    assert plan.leftovers == ()
    assert plan.suggested_task == task


def test_folders_of_several_tasks_suggest_none(shared_data: Path) -> None:
    plan = pair_paths([shared_data / "val"])
    assert len(plan.matches) == 16 + 18 + 14 + 14
    assert plan.suggested_task == ""

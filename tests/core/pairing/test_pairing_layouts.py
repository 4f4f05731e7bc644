"""Folders as public data sets, cameras and file systems lay them out: which pairs, which are A."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.pairing.folders import PairingPlan, pair_paths


def several(*names: str, of: Sequence[object] = (1, 2, 3)) -> tuple[str, ...]:
    return tuple(name.format(n) for n in of for name in names)


def pairs_of(a: str, b: str, of: Sequence[object] = (1, 2, 3)) -> tuple[tuple[str, str], ...]:
    return tuple((a.format(n), b.format(n)) for n in of)


@dataclass(frozen=True)
class Layout:
    """Files there are besides those of ``pairs``, and what should be found.

    ``left``: path to (trouble, how many pictures). ``notes``: words of one note each.
    """

    pairs: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()
    task: str = ""
    left: dict[str, tuple[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def unmatched(*paths: str, count: int = 1) -> dict[str, tuple[str, int]]:
    return {path: ("unmatched", count) for path in paths}


def ambiguous(*paths: str, count: int = 1) -> dict[str, tuple[str, int]]:
    return {path: ("ambiguous", count) for path in paths}


IVIF = pairs_of("ir/{}.png", "vis/{}.png")
LAYOUTS: dict[str, Layout] = {
    # --- exposures ---
    "signed exposures of two rooms": Layout(
        pairs_of("{}_-2EV.jpg", "{}_+2EV.jpg", ["room", "hall"]), task="mef"
    ),
    "two rooms, one exposure each": Layout(
        (), ("room_-2EV.jpg", "hall_+2EV.jpg"), left=unmatched("room_-2EV.jpg", "hall_+2EV.jpg")
    ),
    "two rooms by number": Layout(
        (), ("room1_-2EV.jpg", "room2_+2EV.jpg"),
        left=unmatched("room1_-2EV.jpg", "room2_+2EV.jpg"),
    ),
    "decimal exposures": Layout(pairs_of("{}_-0.7EV.png", "{}_+0.7EV.png", ["r", "s"]), task="mef"),
    "decimal commas": Layout((("r_-1,3ev.png", "r_0,7ev.png"),), task="mef"),
    "EV before the number": Layout(
        (("room_ev-1.png", "room_EV+1.3.png"), ("hall_EV_m1.png", "hall_EV_p1.png")), task="mef"
    ),
    "signs in brackets": Layout((("img(-2).jpg", "img(2).jpg"),), task="mef"),
    "copies are no exposures": Layout(
        (), ("x.jpg", "img (3).jpg", "img (4).jpg"),
        left=unmatched("x.jpg", "img (3).jpg", "img (4).jpg"),
    ),
    "n and p": Layout(pairs_of("{}_n2.jpg", "{}_p2.jpg", ["a", "c"]), task="mef"),
    "m and p with the middle": Layout(
        (("w_m1.jpg", "w_p1.jpg"),), ("w_0.jpg",), "mef", unmatched("w_0.jpg"), ("least",)
    ),
    "thirds of a stop": Layout(
        (("x (\u22121⅓ EV).jpg", "x (+1⅓ EV).jpg"), ("y(-½EV).jpg", "y(+⅔EV).jpg"),
         ("z_-1_EV.jpg", "z_+0.3_EV.jpg")), ("x (\u2212⅔ EV).jpg",), "mef",
        unmatched("x (\u2212⅔ EV).jpg"), ("least",),
    ),
    "microseconds": Layout(
        (("x_100us.jpg", "x_5000us.jpg"), ("y_80µs.jpg", "y_2ms.jpg")), task="mef"
    ),
    "stops": Layout(pairs_of("{}_-2stops.jpg", "{}_+2 stops.jpg", ["a", "c"]), task="mef"),
    "years are no exposures": Layout(
        (), ("barn_1990s.png", "barn_2000s.png"), left=unmatched("barn_1990s.png", "barn_2000s.png")
    ),
    "degrees are no exposures": Layout(
        (), ("roof_-5C.jpg", "roof_+5C.jpg"), left=unmatched("roof_-5C.jpg", "roof_+5C.jpg")
    ),
    "sources at temperatures": Layout(
        pairs_of("roof_{}C_ir.jpg", "roof_{}C_vis.jpg", ["-5", "+5"]), task="ivif"
    ),
    "sources at places": Layout(
        pairs_of("at_{}_151.2_ir.tif", "at_{}_151.2_rgb.tif", ["-33.85", "+33.85"]), task="ivif"
    ),
    "slices of two sources": Layout(
        pairs_of("pet_z{}.png", "mri_z{}.png", ["-9", "+9"]), task="mif"
    ),
    "sources at times": Layout(
        pairs_of("bird_{}s_ir.png", "bird_{}s_vis.png", ["5", "10"]), task="ivif"
    ),
    "sources at decimals": Layout(
        pairs_of("p_{}_near.png", "p_{}_far.png", ["0.5", "1.5"]), task="mff"
    ),
    "only two, of two places": Layout(
        (), ("ir_-5_x.png", "vis_+5_x.png"), left=unmatched("ir_-5_x.png", "vis_+5_x.png")
    ),
    "a minus that is no hyphen": Layout((("x_\u22122EV.jpg", "x_+2EV.jpg"),), task="mef"),
    "a bracket of five": Layout(
        (("b_-2EV.jpg", "b_+2EV.jpg"),), several("b_{}EV.jpg", of=["-1", "0", "+1"]), "mef",
        unmatched("b_-1EV.jpg", "b_0EV.jpg", "b_+1EV.jpg"), ("least",),
    ),
    "two scenes, two numbers": Layout(pairs_of("{}_1.png", "{}_2.png", ["1", "2"])),
    "two scenes with a letter": Layout(pairs_of("s{}_1.jpg", "s{}_2.jpg", ["1", "2"])),
    "three scenes, two numbers": Layout(pairs_of("{}_1.png", "{}_2.png", ["1", "2", "3"])),
    "sources by number first": Layout(pairs_of("source1_{}.png", "source2_{}.png", ["1", "2"])),
    "shots by number": Layout(pairs_of("s{}_exp1.jpg", "s{}_exp2.jpg", ["1", "2"])),
    "shots and scenes by number": Layout(
        pairs_of("{}_exp1.jpg", "{}_exp2.jpg", ["1", "2", "3"])
    ),
    "focus by number": Layout(pairs_of("{}_focus1.jpg", "{}_focus2.jpg", ["a", "b"]), task="mff"),
    "frames of one camera": Layout(
        (), ("FLIR0001.jpg", "FLIR0002.jpg"), left=unmatched("FLIR0001.jpg", "FLIR0002.jpg")
    ),
    "frames beside labels": Layout(
        (), ("images/00001D.png", "images/00002D.png", "labels/00001D.png"),
        left=unmatched("images/00001D.png", "images/00002D.png"), notes=("labels",),
    ),
    "copies": Layout(
        (("x_ir.png", "x_vis.png"),), ("x_ir - Copy.png", "x_vis copy.png", "x_ir - Kopie.png"),
        "ivif", unmatched("x_ir - Copy.png", "x_vis copy.png", "x_ir - Kopie.png"),
    ),
    "infrared called IRX": Layout(
        pairs_of("IRX_{}.jpg", "MAX_{}.jpg", ["0001", "0002"]), task="ivif"
    ),
    "signs without EV": Layout(pairs_of("{}_-2.jpg", "{}_+2.jpg", ["a", "c"]), task="mef"),
    "folders of exposures": Layout(
        pairs_of("-2EV/{}.jpg", "+2EV/{}.jpg"), several("0EV/{}.jpg"), "mef",
        unmatched("0EV", count=3), ("least",),
    ),
    "a folder for each scene": Layout(
        pairs_of("{}/-2EV.jpg", "{}/+2EV.jpg", ["room", "hall"]), task="mef"
    ),
    "shutter times": Layout(pairs_of("{}_1_250s.jpg", "{}_1_30s.jpg", ["a", "c"]), task="mef"),
    "shutter times in ms": Layout((("a_4ms.jpg", "a_100ms.jpg"),), task="mef"),
    "seconds of numbered scenes": Layout(
        (("lake_1_10s.jpg", "lake_1_30s.jpg"), ("lake_2_10s.jpg", "lake_2_30s.jpg")),
        task="mef",
    ),
    "numbers that may be times": Layout(
        (), ("r_0.004.jpg", "r_0.25.jpg"), left=ambiguous("r_0.004.jpg", "r_0.25.jpg")
    ),
    "hyphen or minus": Layout(
        (), ("r-2EV.jpg", "r-0EV.jpg"), left=ambiguous("r-2EV.jpg", "r-0EV.jpg")
    ),
    "one exposure twice": Layout(
        (), ("r_2EV.jpg", "r_+2EV.jpg", "r_0EV.jpg"),
        left=ambiguous("r_2EV.jpg", "r_+2EV.jpg", "r_0EV.jpg"),
    ),
    # --- truth, results, systems ---
    "SICE": Layout(
        (), (*several(*(f"Part1/{s}/{{}}.JPG" for s in (1, 2)), of=range(1, 8)),
             *several("Part1/Label/{}.JPG", of=(1, 2))),
        left=unmatched("Part1/1", "Part1/2", count=7), notes=("Label/",),
    ),
    "SICE of three scenes": Layout(
        (), (*several(*(f"Part1/{s}/{{}}.JPG" for s in (1, 2, 3)), of=range(1, 8)),
             *several("Part1/Label/{}.JPG")),
        left=unmatched("Part1/1", "Part1/2", "Part1/3", count=7), notes=("Label/",),
    ),
    "results of two methods": Layout(
        IVIF, several("results/CDDFuse/{}.png", "results/U2Fusion/{}.png"), "ivif",
        notes=("results/",),
    ),
    "results alone": Layout(
        (), several("results/CDDFuse/{}.png", "results/U2Fusion/{}.png"), notes=("results/",)
    ),
    "methods beside sources": Layout(
        IVIF, several("CDDFuse/{}.png", "SwinFusion_TNO/{}.png", "IFCNN/{}.png"), "ivif",
        notes=("CDDFuse/, IFCNN/, SwinFusion_TNO/",),
    ),
    "methods alone": Layout(
        (), several("CDDFuse/{}.png", "U2Fusion/{}.png"), notes=("CDDFuse/, U2Fusion/",)
    ),
    "output and fused": Layout(
        IVIF, several("output/{}.png", "fused/{}.png", "test_result/{}.png", "Ergebnisse/{}.png"),
        "ivif", notes=("Ergebnisse/, fused/, output/, test_result/",),
    ),
    "results of ours": Layout(
        IVIF, (*several("mine/{}.png"), "mine/unifusion-batch.sqlite"), "ivif", notes=("mine/",)
    ),
    "results written among the sources": Layout(
        IVIF, ("ir/unifusion-batch.sqlite", "run/run.json", "run/preview.png"), "ivif",
        notes=("run/",),
    ),
    "a program called after a method": Layout(
        pairs_of("MMIF-CDDFuse/test_img/TNO/ir/{}.png", "MMIF-CDDFuse/test_img/TNO/vi/{}.png"),
        several("MMIF-CDDFuse/test_result/TNO/{}.png"), "ivif", notes=("test_result/",),
    ),
    "what systems leave behind": Layout(
        IVIF,
        (*several("@eaDir/{}.png", "ir/@eaDir/{}.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/{}.png",
                  "__MACOSX/ir/{}.png", "$RECYCLE.BIN/{}.png", "Thumbs/{}.png",
                  "System Volume Information/{}.png", "lost+found/{}.png", "vis/@eaDir/{}.png"),
         "ir/.AppleDouble/1.png", ".thumbnails/1.png", "ir/._1.png", ".@__thumb/1.png"),
        "ivif", notes=("files of the system",),
    ),
    "the truth in every spelling": Layout(
        IVIF, several("GT/{}.png", "Ground Truth/{}.png", "ground_truth/{}.png", "labels/{}.png",
                      "Annotations/{}.png", "Segmentation_labels/{}.png", "reference/{}.png",
                      "masks/{}.png"),
        "ivif", notes=("ground truth or labels",),
    ),
    "a reference that is a source": Layout(
        pairs_of("reference/ir/{}.png", "reference/vis/{}.png"), task="ivif"
    ),
    "the truth among the files": Layout(
        pairs_of("MFFW_{}_A.jpg", "MFFW_{}_B.jpg", ["01", "02"]),
        several("MFFW_{}_gt.jpg", of=["01", "02"]), "mff",
        unmatched("MFFW_01_gt.jpg", "MFFW_02_gt.jpg"),
    ),
    "a result beside its source": Layout(
        (), several("{}.png", "{}_fused.png", of=["x", "y"]),
        left=unmatched("x.png", "y.png", "x_fused.png", "y_fused.png"),
    ),
    "a scene called mask": Layout(
        pairs_of("{}_under.png", "{}_over.png", ["gate", "mask"]), task="mef",
    ),
    "times of one scene, or of scene 1": Layout(
        (), ("w_1_10s.jpg", "w_1_30s.jpg"), left=ambiguous("w_1_10s.jpg", "w_1_30s.jpg")
    ),
    # --- words by stem ---
    "under- and overexposed": Layout(
        pairs_of("underexposed/{}.jpg", "overexposed/{}.jpg"), several("normal/{}.jpg"), "mef",
        unmatched("normal", count=3),
    ),
    "under_exposure": Layout(pairs_of("under_exposure/{}.jpg", "over_exposure/{}.jpg"), task="mef"),
    "underexp": Layout(pairs_of("underexp/{}.jpg", "overexp/{}.jpg"), task="mef"),
    "German": Layout(pairs_of("Unterbelichtet/{}.jpg", "Überbelichtet/{}.jpg"), task="mef"),
    "dark and bright": Layout(pairs_of("dark/{}.jpg", "bright/{}.jpg"), task="mef"),
    "low and high": Layout(pairs_of("low/{}.jpg", "high/{}.jpg"), task="mef"),
    "short and long": Layout(pairs_of("short/{}.jpg", "long/{}.jpg"), task="mef"),
    "plurals": Layout(
        pairs_of("infrared_images/{}_ir.jpg", "visible_images/{}_vis.jpg"),
        several("masks/{}.png"), "ivif", notes=("masks/",),
    ),
    "stems and labels": Layout(
        pairs_of("thermal_img/{}.jpg", "visible_light/{}.jpg"), several("labels/{}.png"), "ivif",
        notes=("labels/",),
    ),
    "nearfocus": Layout(pairs_of("nearfocus/{}.jpg", "farfocus/{}.jpg"), task="mff"),
    "glued words": Layout(pairs_of("{}ir.png", "{}vis.png", ["tree", "scene"]), task="ivif"),
    # --- data sets ---
    "MFI-WHU": Layout(
        pairs_of("MFI-WHU/source_1/{}.jpg", "MFI-WHU/source_2/{}.jpg"),
        several("MFI-WHU/full_clear/{}.jpg"), "mff", notes=("full_clear/",),
    ),
    "two sources and another": Layout(
        pairs_of("source_1/{}.jpg", "source_2/{}.jpg"), several("other/{}.jpg"),
        left=unmatched("other", count=3),
    ),
    "VT5000": Layout(
        (*pairs_of("VT5000/Train/T/{}.jpg", "VT5000/Train/RGB/{}.jpg"),
         *pairs_of("VT5000/Test/T/{}.jpg", "VT5000/Test/RGB/{}.jpg")),
        several("VT5000/Train/GT/{}.png", "VT5000/Test/GT/{}.png"), "ivif", notes=("GT/",),
    ),
    "FLIR ADAS": Layout(
        pairs_of("train/thermal_8_bit/FLIR_{}.jpeg", "train/RGB/FLIR_{}.jpg"),
        several("train/thermal_16_bit/FLIR_{}.tiff", "train/Annotated_thermal_8_bit/FLIR_{}.jpeg"),
        "ivif", unmatched("train/thermal_16_bit", count=3), ("Annotated",),
    ),
    "FLIR aligned": Layout(
        pairs_of("align/JPEGImages/F_{}_PreviewData.jpeg", "align/JPEGImages/F_{}_RGB.jpg"),
        several("align/Annotations/F_{}_PreviewData.xml"), "ivif", notes=("Annotations/",),
    ),
    "DroneVehicle": Layout(
        pairs_of("train/trainimgr/0{}.jpg", "train/trainimg/0{}.jpg"),
        several("train/trainlabel/0{}.xml", "train/trainlabelr/0{}.xml"), "ivif",
        notes=("trainlabel/, trainlabelr/",),
    ),
    "RoadScene": Layout(
        pairs_of("cropinfrared/F_{}.jpg", "crop_LR_visible/F_{}.jpg"),
        several("crop_HR_visible/F_{}.jpg"), "ivif", unmatched("crop_HR_visible", count=3),
    ),
    "MSRS": Layout(
        (*pairs_of("train/ir/0{}D.png", "train/vi/0{}D.png"),
         *pairs_of("test/ir/1{}N.png", "test/vi/1{}N.png")),
        several("train/Segmentation_labels/0{}D.png"), "ivif", notes=("Segmentation_labels/",),
    ),
    "MSRS of old": Layout(
        pairs_of("Infrared/train/MSRS/0{}D.png", "Visible/train/MSRS/0{}D.png"),
        several("Label/train/MSRS/0{}D.png"), "ivif", notes=("Label/",),
    ),
    "M3FD": Layout(
        pairs_of("Ir/0{}.png", "Vis/0{}.png"), several("Annotation/0{}.xml"), "ivif",
        notes=("Annotation/",),
    ),
    "LLVIP": Layout(
        (*pairs_of("infrared/train/{}.jpg", "visible/train/{}.jpg"),
         *pairs_of("infrared/test/{}.jpg", "visible/test/{}.jpg", [7, 8, 9])), task="ivif",
    ),
    "KAIST": Layout(
        (*pairs_of("set00/V000/lwir/I{}.jpg", "set00/V000/visible/I{}.jpg"),
         *pairs_of("set00/V001/lwir/I{}.jpg", "set00/V001/visible/I{}.jpg")), task="ivif",
    ),
    "TNO": Layout(
        (("Athena/s1/IR_meting003_g.bmp", "Athena/s1/VIS_meting003_r.bmp"),
         ("Athena/s2/IR_a.bmp", "Athena/s2/VIS_a.bmp"), ("DHV/x/1801i.bmp", "DHV/x/1801v.bmp")),
        task="ivif",
    ),
    "TNO with three bands": Layout(
        (), ("s/NIR.bmp", "s/LWIR.bmp", "s/VIS.bmp"),
        left=ambiguous("s/NIR.bmp", "s/LWIR.bmp", "s/VIS.bmp"),
    ),
    "VIFB": Layout(
        pairs_of("input/IR/car{}.jpg", "input/VI/car{}.jpg"),
        ("fused_images/car1_CBF.jpg", "fused_images/car1_CNN.jpg"), "ivif",
        notes=("fused_images/",),
    ),
    "MEFB": Layout(
        (("input/Arno/Arno_A.png", "input/Arno/Arno_B.png"),
         ("input/Land/1.jpg", "input/Land/2.jpg"),
         ("input/Mask/Mask_under.png", "input/Mask/Mask_over.png")), task="mef",
    ),
    "Lytro": Layout(pairs_of("lytro-0{}-A.jpg", "lytro-0{}-B.jpg"), task="mff"),
    "sourceA": Layout(
        pairs_of("sourceA/{}.png", "sourceB/{}.png"), several("ref/{}.png"), notes=("ref/",)
    ),
    "Harvard": Layout(
        (*pairs_of("Harvard/CT-MRI/CT/{}.png", "Harvard/CT-MRI/MRI/{}.png"),
         *pairs_of("Harvard/PET-MRI/PET/{}.png", "Harvard/PET-MRI/MRI/{}.png"),
         *pairs_of("Harvard/SPECT-MRI/SPECT/{}.png", "Harvard/SPECT-MRI/MRI/{}.png")), task="mif",
    ),
    "U2Fusion": Layout(
        (*pairs_of("multi-exposure/dataset1/ue/{}.jpg", "multi-exposure/dataset1/oe/{}.jpg"),
         *pairs_of("multi-exposure/dataset2/ue/{}.jpg", "multi-exposure/dataset2/oe/{}.jpg")),
        task="mef",
    ),
    "SwinFusion": Layout(
        (*pairs_of("MEF/under/{}.png", "MEF/over/{}.png"),
         *pairs_of("MFF/A_Y/{}.png", "MFF/B_Y/{}.png")),
    ),
    "IFCNN": Layout(
        pairs_of("MDDataset/c{}_1.tif", "MDDataset/c{}_2.tif", ["01", "02"]),
        ("Results/IFCNN-MAX-c01.png",), notes=("Results/",),
    ),
    "VEDAI": Layout(pairs_of("000{}_ir.png", "000{}_co.png"), task="ivif"),
    "RGB-NIR": Layout(pairs_of("country/00{}_nir.tiff", "country/00{}_rgb.tiff"), task="ivif"),
    "a, b and fused of two pairs": Layout(
        pairs_of("p{}.a.png", "p{}.b.png", [1, 2]), several("p{}.f.png", of=[1, 2]),
        left=unmatched("p1.f.png", "p2.f.png"),
    ),
    "infrared of three bands": Layout(
        (), several("FIR/x{}.png", "NIR/x{}.png", "RGB/x{}.png"),
        left=ambiguous("FIR", "NIR", "RGB", count=3),
    ),
    # --- cameras ---
    "DJI": Layout(
        (("DJI_0001_T.JPG", "DJI_0001_W.JPG"), ("DJI_0002_T.JPG", "DJI_0002_V.JPG"),
         ("DJI_0003_T.JPG", "DJI_0003_Z.JPG")),
        ("DJI_0001_Z.JPG", "DJI_0001_V.JPG", "DJI_0002_Z.JPG", "DJI_0004_W.JPG"), "ivif",
        unmatched("DJI_0001_Z.JPG", "DJI_0001_V.JPG", "DJI_0002_Z.JPG", "DJI_0004_W.JPG"),
    ),
    "DJI with the time": Layout(
        (("DJI_20230427121043_0001_T.JPG", "DJI_20230427121043_0001_W.JPG"),),
        ("DJI_20230427121043_0001_Z.JPG",), "ivif", unmatched("DJI_20230427121043_0001_Z.JPG"),
    ),
    # --- patients ---
    "loose pictures of two patients": Layout(
        (), ("Patient1/PET.png", "Patient2/MRI.png"),
        left=unmatched("Patient1/PET.png", "Patient2/MRI.png"),
    ),
    "two names of patients": Layout(
        (), ("anna/PET.png", "berta/MRI.png"), left=unmatched("anna/PET.png", "berta/MRI.png")
    ),
    "patients in the names": Layout(
        (), ("P1_PET.png", "P2_MRI.png"), left=unmatched("P1_PET.png", "P2_MRI.png")
    ),
    "two persons in the names": Layout(
        (), ("anna_PET.png", "berta_MRI.png"), left=unmatched("anna_PET.png", "berta_MRI.png")
    ),
    "patients who repeat their names": Layout(
        (), several(*(f"BraTS_{n}/BraTS_{n}_{{}}.png" for n in (1, 2)), of=["t1", "t2", "flair"]),
        left=unmatched("BraTS_1", "BraTS_2", count=3),
    ),
    "cases by letter": Layout(
        (), ("Case A/PET.png", "Case B/MRI.png"), left=unmatched("Case A/PET.png", "Case B/MRI.png")
    ),
    "two names of patients, slices by number": Layout(
        (), ("mueller/PET_1.png", "maier/MRI_1.png"),
        left=unmatched("mueller/PET_1.png", "maier/MRI_1.png"),
    ),
    "two sides by habit": Layout(
        (), ("left eye/PET.png", "right eye/MRI.png"),
        left=unmatched("left eye/PET.png", "right eye/MRI.png"),
    ),
    "patients below their sources": Layout(
        (), ("PET/mueller.png", "MRI/maier.png", "PET/s1.png", "MRI/s2.png"),
        left=unmatched("PET/mueller.png", "MRI/maier.png", "PET/s1.png", "MRI/s2.png"),
    ),
    "one source alone": Layout(
        (), ("PET/1.png", "PET/2.png"), left=unmatched("PET/1.png", "PET/2.png")
    ),
    "FLIR ADAS of today": Layout(
        (), several("images_{}_train/data/v-f1.jpg", "images_{}_train/data/v-f2.jpg", of=["rgb"]),
        left=unmatched("images_rgb_train/data/v-f1.jpg", "images_rgb_train/data/v-f2.jpg"),
    ),
    "masks beside pictures": Layout(
        (), several("{}.png", "{}_mask.png", of=["x", "y"]),
        left=unmatched("x.png", "x_mask.png", "y.png", "y_mask.png"),
    ),
    "numbered folders": Layout(
        (), several("1/a{}.png", "2/a{}.png"), left=ambiguous("1", "2", count=3)
    ),
}  # fmt: skip


def made(root: Path, layout: Layout) -> Path:
    for name in (*(name for pair in layout.pairs for name in pair), *layout.others):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def below(plan: PairingPlan, root: Path) -> set[tuple[str, str]]:
    return {
        (m.a.relative_to(root).as_posix(), m.b.relative_to(root).as_posix()) for m in plan.matches
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(tmp_path: Path, name: str) -> None:
    layout = LAYOUTS[name]
    root = made(tmp_path / "x", layout)
    plan = pair_paths([root])
    assert below(plan, root) == set(layout.pairs)
    found = {i.path.relative_to(root).as_posix(): (i.trouble, i.count) for i in plan.leftovers}
    assert found == layout.left
    assert plan.suggested_task == layout.task
    assert all(match.sure for match in plan.matches)
    assert plan.loose == sum(count for _, count in layout.left.values())
    notes = [note for note in plan.notes if "no picture" not in note]
    assert len(notes) == len(layout.notes), plan.notes
    for word in layout.notes:
        assert sum(word in note for note in notes) == 1, plan.notes


@pytest.mark.parametrize("name", [n for n in LAYOUTS if LAYOUTS[n].pairs])
@pytest.mark.parametrize("task", ["mif", "ivif", "mef", "mff"])
def test_another_task_at_hand_changes_no_pair(tmp_path: Path, name: str, task: str) -> None:
    layout = LAYOUTS[name]
    root = made(tmp_path / "x", layout)
    plan = pair_paths([root], task)
    assert below(plan, root) == set(layout.pairs)
    assert plan.suggested_task == layout.task


def test_numbers_are_exposures_where_exposures_are_fused(tmp_path: Path) -> None:
    root = made(tmp_path, Layout((("r_0.004.jpg", "r_0.25.jpg"), ("s_1_250.jpg", "s_1_30.jpg"))))
    assert below(pair_paths([root], "mef"), root) == {
        ("r_0.004.jpg", "r_0.25.jpg"),
        ("s_1_250.jpg", "s_1_30.jpg"),
    }


SETS = [f"{folder}/{n}.png" for folder in ("ir", "vis", "gt") for n in (1, 2)]


@pytest.mark.parametrize("given", [SETS, ["ir", "vis", "gt"], ["gt", "vis", "ir"]])
def test_folders_and_files_given_one_by_one(tmp_path: Path, given: list[str]) -> None:
    root = made(tmp_path, Layout((), tuple(SETS)))
    plan = pair_paths([root / name for name in given])
    assert below(plan, root) == {("ir/1.png", "vis/1.png"), ("ir/2.png", "vis/2.png")}
    assert plan.leftovers == ()
    assert len(plan.notes) == 1
    assert "gt/" in plan.notes[0]


def test_the_truth_is_no_source_even_when_given(tmp_path: Path) -> None:
    root = made(tmp_path, Layout((), tuple(SETS)))
    assert pair_paths([root / "ir", root / "gt"]).matches == ()
    assert pair_paths([root / "gt"]).matches == ()


def test_two_patients_paired_as_asked_is_said(tmp_path: Path) -> None:
    root = made(tmp_path, Layout((), ("Patient1/PET.png", "Patient2/MRI.png", "Patient3/PET.png")))
    files = [root / "Patient1/PET.png", root / "Patient2/MRI.png", root / "Patient3/PET.png"]
    plan = pair_paths(files[:2], "mif")
    assert below(plan, root) == {("Patient1/PET.png", "Patient2/MRI.png")}
    assert plan.notes == ("PET.png and MRI.png name two persons; paired as asked.",)
    assert pair_paths(files, "mif").matches == ()


def test_two_sources_in_two_exposures_go_by_the_task(tmp_path: Path) -> None:
    root = made(
        tmp_path, Layout((), ("ir_-2EV.png", "ir_+2EV.png", "vis_-2EV.png", "vis_+2EV.png"))
    )
    for task in ("ivif", None):
        assert below(pair_paths([root], task), root) == {
            ("ir_-2EV.png", "vis_-2EV.png"),
            ("ir_+2EV.png", "vis_+2EV.png"),
        }
    assert below(pair_paths([root], "mef"), root) == {
        ("ir_-2EV.png", "ir_+2EV.png"),
        ("vis_-2EV.png", "vis_+2EV.png"),
    }


def test_a_folder_that_is_named_is_listed_whatever_it_is_called(tmp_path: Path) -> None:
    root = made(tmp_path / "results", Layout(IVIF))
    assert below(pair_paths([root]), root) == set(IVIF)
    assert pair_paths([tmp_path]).matches == ()


def test_files_are_told_by_content(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(40)
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40)
    for name, data in {
        "a/1": png, "b/1.jfif": jpeg, "a/2.jpe": jpeg, "b/2.PNG": png, "a/3.txt": b"no picture",
        "b/3": b"nor this",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    plan = pair_paths([tmp_path])
    assert below(plan, tmp_path) == {("a/1", "b/1.jfif"), ("a/2.jpe", "b/2.PNG")}
    assert plan.notes == ("2 files that are no pictures were passed over.",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_are_not_opened_and_lost_links_are_told_later(tmp_path: Path) -> None:
    root = made(tmp_path, Layout(IVIF))
    os.mkfifo(root / "ir" / "pipe")
    os.mkfifo(root / "ir" / "pipe.png")
    (root / "vis" / "1.png").unlink()
    (root / "vis" / "1.png").symlink_to(root / "nowhere.png")
    plan = pair_paths([root])
    assert below(plan, root) == set(IVIF)
    assert plan.leftovers == ()


def test_files_whose_suffix_is_known_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    for side in ("a", "b"):
        made(tmp_path / side, Layout((), several("{}.png", of=range(50))))
    (tmp_path / "a" / "notes.odd").touch()
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: opened.append(self) or real(self, *a, **k)
    )
    assert len(pair_paths([tmp_path]).matches) == 50
    assert [path.name for path in opened] == ["notes.odd"]

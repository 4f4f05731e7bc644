"""The bundled sample pairs are what they claim to be, and can be made again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.fusion.slices import align
from core.geometry.alignment import Alignment
from core.io.volumes import list_series, load_study_volume, series_suv
from resources import SAMPLES
from tools.samples import make_scenes, photo

FOLDER = SAMPLES
TASKS = ("ivif", "mef", "mff")


def _load(name: str) -> NDArray[np.float64]:
    with Image.open(FOLDER / f"{name}.png") as image:
        return np.asarray(image, dtype=np.float64)


def _luma(image: NDArray[np.float64]) -> NDArray[np.float64]:
    return image if image.ndim == 2 else image @ np.array([0.299, 0.587, 0.114])


def _sharpness(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Local energy of the Laplacian."""
    edges = cv2.Laplacian(_luma(image), cv2.CV_64F)
    return cv2.GaussianBlur(edges**2, (0, 0), 8.0)


@pytest.mark.parametrize("task", TASKS)
def test_pair_is_complete_aligned_in_size_and_distinct(task: str) -> None:
    a, b = _load(f"{task}_a"), _load(f"{task}_b")
    assert a.shape[:2] == b.shape[:2]
    assert min(a.shape[:2]) >= 448
    # Both must carry a picture (not flat), and not the same one.
    assert _luma(a).std() > 10
    assert _luma(b).std() > 10
    assert np.abs(_luma(a) - _luma(b)).mean() > 3


def test_all_pictures_together_stay_small() -> None:
    sizes = [p.stat().st_size for p in FOLDER.glob("*.png")]
    assert len(sizes) == 6
    assert sum(sizes) <= 3_000_000
    scans = [p.stat().st_size for p in FOLDER.glob("mif_*/*.dcm")]
    assert sum(scans) <= 1_700_000


def test_pet_and_mr_of_the_head_line_up_in_millimetres_and_the_pet_has_an_suv() -> None:
    pet, mr = (list_series([FOLDER / f"mif_{side}"]).series for side in "ab")
    derivation = series_suv(pet[0])
    assert derivation is not None
    # 185 MBq, an hour of decay with a half-life of 6586.2 s, 70 kg.
    assert derivation.factor == pytest.approx(70000 / (185e6 * 0.5 ** (3600 / 6586.2)), rel=1e-6)
    assert derivation.problems == ()
    a, b = load_study_volume(pet[0]), load_study_volume(mr[0])
    assert (a.unit, a.modality, b.modality) == ("SUVbw", "PT", "MR")
    # Of the cortex of a brain; fluid inside of it holds little.
    assert 6 < np.percentile(a.data, 99) < 14
    aligned = align(a, b)
    assert aligned.alignment is Alignment.AS_ACQUIRED
    uptake, anatomy = aligned.a.data, aligned.b.data
    # The air around the head is black in both; the brain is bright in both.
    assert uptake[anatomy == 0].mean() < 0.1 * uptake[uptake > 4].mean()
    assert anatomy[uptake > 4].mean() > 2 * anatomy.mean()


def test_nobody_is_in_the_tags_of_the_scans() -> None:
    for path in FOLDER.glob("mif_*/*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert (header.PatientName, header.PatientID) == ("Nobody^Average", "ICBM152")
        assert (header.PatientBirthDate, header.PatientIdentityRemoved) == ("", "YES")
        assert "of no patient" in header.DerivationDescription


def test_the_brain_notice_travels_with_the_pictures() -> None:
    line = "Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre"
    assert line in (FOLDER / "LICENSE-ICBM152.txt").read_text(encoding="utf-8")
    assert line in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_heat_picture_is_grey_and_shows_other_things_than_the_photograph() -> None:
    heat, photograph = _load("ivif_a"), _load("ivif_b")
    assert heat.ndim == 2
    assert photograph.ndim == 3
    agreement = np.corrcoef(heat.ravel(), _luma(photograph).ravel())[0, 1]
    assert abs(agreement) < 0.6
    # Someone walks in the dark: hot for one camera, nearly black for the other.
    assert ((heat > 190) & (_luma(photograph) < 40)).mean() > 0.003


def test_exposures_hold_what_the_other_loses() -> None:
    under, over = _luma(_load("mef_a")), _luma(_load("mef_b"))
    assert under.mean() + 40 < over.mean()
    clipped, drowned = over > 250, under < 20
    assert clipped.mean() > 0.03
    assert drowned.mean() > 0.2
    assert under[clipped].std() > 15
    assert over[drowned].std() > 15


def test_focus_sources_are_sharp_in_different_places() -> None:
    near, far = _sharpness(_load("mff_a")), _sharpness(_load("mff_b"))
    rows = near.shape[0]
    top, bottom = slice(0, rows * 4 // 10), slice(rows * 7 // 10, rows)
    assert np.median(far[top]) > 2 * np.median(near[top])
    assert np.median(near[bottom]) > 2 * np.median(far[bottom])


def test_scenes_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        make_scenes.main(["--out", str(tmp_path / folder), "--scale", "0.1", "--samples", "1"])
    names = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert names == [f"{t}_{s}.png" for t in ("ivif", "mef", "mff") for s in "ab"]
    for name in names:
        first, second = ((tmp_path / f / name).read_bytes() for f in ("one", "two"))
        assert first == second
        small = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert small.shape == (48, 64)
        full = cv2.resize(_luma(_load(name[:-4])), (64, 48), interpolation=cv2.INTER_AREA)
        # The committed file really comes from this script: its small twin shows the same scene.
        assert np.corrcoef(small.ravel(), full.ravel())[0, 1] > 0.6, name


def test_defocus_keeps_brightness_and_widens_with_the_disc() -> None:
    sheet = np.zeros((65, 65, 1), np.float32)
    sheet[32, 32] = 1.0
    sums, peaks = [], []
    for diameter in (0.0, 4.0, 9.0):
        soft = photo.defocus(sheet, np.full((65, 65), diameter, np.float32))
        sums.append(float(soft.sum()))
        peaks.append(float(soft.max()))
    assert sums == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)
    assert peaks[0] == pytest.approx(1.0)
    # A disc of diameter D spreads one pixel over about pi D^2 / 4 pixels.
    assert peaks[2] == pytest.approx(4 / (np.pi * 9.0**2), rel=0.15)
    assert peaks[0] > peaks[1] > peaks[2]

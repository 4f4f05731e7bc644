"""Our scores against those of the code published with the paper, on real pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from core.metrics import METRICS, Luma, evaluate

AGREE = {
    "MI": "MI",
    "NMI": "NMI",
    "VIF": "VIF",
    "Qabf": "Qabf",
    "Nabf": "Nabf",
    "Qy": "Qy",
    "CC": "CC",
    "PSNR": "PSNR",
    "SSIM": "SSIM_paper",
    "MS_SSIM": "MS_SSIM_paper",
    "SD": "SD",
    "EN": "EN",
    "AG": "AG",
    "SF": "SF",
    "SCD": "SCD",
    "MSE": "MSE",
    "CE": "CE_paper",
}
"""Column of the file, and the metric of ours that has the same definition."""

PRINTED = 1.01e-6
"""The file has six decimals."""


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Path:
    folder = shared_data / "golden"
    if not (folder / "metrics.csv").is_file():
        pytest.skip(f"golden metric values not found in {folder}")
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def triple(folder: Path, case: str) -> tuple[Luma, Luma, Luma]:
    a, b, f = (np.asarray(PilImage.open(folder / f"{case}.{which}.png")) for which in "abf")
    return a, b, f


def test_same_definition_same_score(golden: Path) -> None:
    rows = rows_of(golden)
    assert len(rows) == 12
    wrong = []
    for row in rows:
        ours = evaluate(*triple(golden, row["case"]), AGREE.values())
        for column, name in AGREE.items():
            theirs = float(row[column])
            if abs(ours[name] - theirs) > 1e-3 * abs(theirs) + PRINTED:
                wrong.append(f"{row['case']} {name}: {ours[name]:.6f}, golden {theirs:.6f}")
    assert not wrong, "\n".join(wrong)


def test_chen_blum_agrees_where_rounding_noise_does_not_decide(golden: Path) -> None:
    # On a black background (the medical pictures) the contrast is that of float32 noise.
    for row in rows_of(golden):
        if not row["case"].startswith("mif"):
            ours = evaluate(*triple(golden, row["case"]), ["Qcb_paper"])["Qcb_paper"]
            assert ours == pytest.approx(float(row["Qcb"]), rel=1e-4), row["case"]


def test_every_metric_stays_within_its_bounds(golden: Path) -> None:
    for row in rows_of(golden):
        for name, value in evaluate(*triple(golden, row["case"])).items():
            low, high = METRICS[name].bounds
            assert low <= value <= high, (row["case"], name, value)

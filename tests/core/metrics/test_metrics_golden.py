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


Scored = list[tuple[dict[str, str], dict[str, float]]]


@pytest.fixture(scope="module")
def scored(golden: Path) -> Scored:
    """Rows of the file, and our scores of the same pictures."""
    names = METRICS.keys() - {"FMI_pixel", "FMI_gradient", "FMI_wavelet"}  # seconds each
    return [(row, evaluate(*triple(golden, row["case"]), names)) for row in rows_of(golden)]


def test_same_definition_same_score(scored: Scored) -> None:
    assert len(scored) == 12
    wrong = []
    for row, ours in scored:
        for column, name in AGREE.items():
            theirs = float(row[column])
            if abs(ours[name] - theirs) > 1e-3 * abs(theirs) + PRINTED:
                wrong.append(f"{row['case']} {name}: {ours[name]:.6f}, golden {theirs:.6f}")
    assert not wrong, "\n".join(wrong)


def test_chen_blum_agrees_with_the_authors_code(scored: Scored) -> None:
    # On a black background (the medical pictures) the contrast is that of single precision, whose
    # last bit in an exponential is not the same in all libraries.
    for row, ours in scored:
        tolerance = 1e-2 if row["case"].startswith("mif") else 1e-4
        assert ours["Qcb_paper"] == pytest.approx(float(row["Qcb"]), rel=tolerance), row["case"]


def test_every_metric_stays_within_its_bounds(scored: Scored) -> None:
    for row, ours in scored:
        for name, value in ours.items():
            low, high = METRICS[name].bounds
            assert low <= value <= high, (row["case"], name, value)

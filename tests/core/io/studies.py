"""Small studies on disk, made up here: PET and MR of one patient in one frame of reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.core.io.dicom_files import item, write_series


def write_pet(folder: Path, **tags: Any) -> Path:
    """8 slices of 12×12 voxels of 3 mm that hold a hot ball, in SUV by weight."""
    drug = item(RadionuclideTotalDose=320e6, RadionuclideHalfLife=6586.2, Radiopharmaceutical="F")
    wanted: dict[str, Any] = {
        "SeriesInstanceUID": "1.2.3.1.7",
        "SeriesDescription": "FDG",
        "Units": "BQML",
        "DecayCorrection": "ADMIN",
        "CorrectedImage": ["DECY", "ATTN"],
        "PatientWeight": 80,
        "RescaleSlope": 1,
        "RescaleIntercept": 0,
        "SeriesTime": "100000",
        "RadiopharmaceuticalInformationSequence": [drug],
    }
    places = tags.pop("places", range(8))
    z, y, x = np.indices((8, 12, 12)) - np.array([3.5, 5.5, 5.5]).reshape(3, 1, 1, 1)
    ball = 40_000 * np.exp(-(x**2 + y**2 + z**2) / 18) + 200
    stored = ball[list(places)].astype(np.uint16)
    geometry = {"spacing": (3.0, 3.0, 3.0), "origin": (0.0, 0.0, 0.0)}
    write_series(folder, stored, "PT", geometry=geometry, places=list(places), **wanted | tags)
    return folder


def write_mr(folder: Path, slices: int = 10, **tags: Any) -> Path:
    """Slices of 24×20 voxels of 2×1.5 mm at 2.5 mm."""
    rng = np.random.default_rng(5)
    stored = rng.integers(100, 900, (slices, 24, 20), dtype=np.uint16)
    geometry = {"spacing": (2.5, 1.5, 2.0), "origin": (0.0, 0.0, 0.0)}
    write_series(folder, stored, "MR", geometry=geometry, **tags)
    return folder


def write_study(folder: Path, patient: str) -> Path:
    """PET and MR of a patient of that ID in a folder of each."""
    number = str(1 + sum(map(ord, patient)))
    tags = {
        "PatientID": patient,
        "PatientName": f"Zweistein^{patient}",
        "StudyInstanceUID": f"1.2.3.{number}",
        "FrameOfReferenceUID": f"1.2.9.{number}",
    }
    write_pet(folder / "PET", **tags, SeriesInstanceUID=f"1.2.3.{number}.7")
    write_mr(folder / "MR", **tags, SeriesInstanceUID=f"1.2.3.{number}.1")
    return folder

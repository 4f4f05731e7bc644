"""Small made-up studies for the tests of volumes in the window."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from app.shell.main_window import MainWindow
from tests.core.io.dicom_files import item, write_series

HOT = 5.0
"""SUV of the hot spot."""


def blob(shape: tuple[int, int, int], top: float) -> np.ndarray:
    """A smooth hill in the middle, brighter from slice to slice."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    hill = np.exp(-2 * sum(axis**2 for axis in axes)) * top
    return (hill * np.linspace(0.5, 1, shape[0])[:, None, None]).astype(np.uint16)


def write_pet(folder: Path, **tags: object) -> None:
    """A PET of 8×12×12 voxels of 3×5×5 mm, SUV by weight."""
    wanted = {
        "SeriesInstanceUID": "1.2.3.1.2",
        "SeriesDescription": "FDG",
        "geometry": {"spacing": (3.0, 5.0, 5.0)},
        "Units": "GML",
        "CorrectedImage": ["ATTN", "DECY"],
        "RescaleSlope": 0.01,
        "RescaleIntercept": 0,
        "RadiopharmaceuticalInformationSequence": [item(RadionuclideTotalDose=1e8)],
    }
    write_series(folder, blob((8, 12, 12), HOT * 100), "PT", **(wanted | tags))


def write_mr(folder: Path, **tags: object) -> None:
    """An MR of 16×40×60 voxels of 1.5×1.5×1 mm in the same frame of reference."""
    wanted = {
        "SeriesInstanceUID": "1.2.3.1.3",
        "SeriesDescription": "T1 ax",
        "geometry": {"spacing": (1.5, 1.5, 1.0)},
    }
    write_series(folder, blob((16, 40, 60), 900), "MR", **(wanted | tags))


def write_study(folder: Path, **mr: object) -> Path:
    """PET and MR of one patient in a folder each."""
    write_pet(folder / "pet")
    write_mr(folder / "mr", **mr)
    return folder


def write_nifti(path: Path, shape: tuple[int, int, int] = (16, 40, 60)) -> Path:
    """A volume of 2 mm voxels."""
    data = np.asarray(blob(shape, 900).transpose(2, 1, 0), np.int16)
    nibabel.save(nibabel.Nifti1Image(data, np.diag([2.0, 2.0, 2.0, 1.0])), path)
    return path


def settled(window: MainWindow) -> bool:
    """A slice is on show, and fused."""
    session = window.session
    return bool(session.sources.slice and session.results and session.running is None)


def shows(window: MainWindow, index: int) -> bool:
    view = window.session.sources.slice
    return view is not None and view.index == index

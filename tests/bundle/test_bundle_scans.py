"""The stand-alone program reads scans: every decoder is found by name only when a file needs it."""

from __future__ import annotations

import json
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless, JPEG2000Lossless, JPEGLSLossless

from tests.bundle.test_bundle import _run, bundle, home, pytestmark
from tests.core.io.dicom_files import write_series

__all__ = ["bundle", "home", "pytestmark"]

_CODERS = {
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"),
    HTJ2KLossless: lambda pixels: imagecodecs.htj2k_encode(pixels, reversible=True),
}


def _study(folder: Path, syntax: str) -> tuple[Path, Path]:
    """A PET and an MR on one grid, the MR compressed."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 3000, (3, 48, 40), dtype=np.uint16)
    write_series(folder / "PT", values, "PT", SeriesInstanceUID="1.2.3.1.7", Units="BQML",
                 RescaleSlope=2, RescaleIntercept=0)  # fmt: skip
    for path in write_series(folder / "MR", values[::-1], "MR"):
        made = pydicom.dcmread(path)
        coded = bytes(_CODERS[syntax](made.pixel_array))
        made.file_meta.TransferSyntaxUID = syntax
        made.PixelData = encapsulate([coded])
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
        made.save_as(path)
    return folder / "PT", folder / "MR"


@pytest.mark.parametrize("syntax", list(_CODERS), ids=["JPEG-LS", "JPEG 2000", "HTJ2K"])
def test_scans_are_listed_and_fused(bundle: Path, home: Path, tmp_path: Path, syntax: str) -> None:
    pet, mr = _study(tmp_path / "study", syntax)
    listed = _run(bundle, home, "inspect", "--json", tmp_path / "study")
    assert listed.returncode == 0, listed.stderr
    series = json.loads(listed.stdout)["series"]
    assert sorted(one["modality"] for one in series) == ["MR", "PT"]
    out = tmp_path / "out.nii.gz"
    done = _run(bundle, home, "fuse", pet, mr, "--task", "mif", "--pack", "laplacian", "-o", out)
    assert done.returncode == 0, done.stderr
    fused = nibabel.load(out)
    assert fused.shape == (40, 48, 3)
    assert len(np.unique(np.asarray(fused.dataobj))) > 100

"""``unifusion inspect``: what is in a folder, for people and as JSON, without a patient's name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML
from typer.testing import CliRunner

from app.cli.main import app
from core.errors import InputError, Message
from tests.core.io.dicom_files import BIRTH, ID, item, save, write_series

_VOLUME = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
_SECRETS = re.compile(rf"Zweistein|Ottokar|{ID}|{BIRTH}", re.IGNORECASE)


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    folder = tmp_path / "export"
    write_series(folder / "mr", _VOLUME, WindowCenter=50, WindowWidth=101, SeriesNumber=1)
    drug = item(
        RadionuclideTotalDose=370e6,
        RadionuclideHalfLife=6586.2,
        RadiopharmaceuticalStartTime="110000",
    )
    write_series(
        folder / "pt",
        _VOLUME,
        "PT",
        SeriesInstanceUID="1.2.3.1.2",
        SeriesDescription=f"FDG Zweistein {BIRTH}",
        SeriesNumber=2,
        Units="BQML",
        RescaleSlope=["2", "3", "4"],
        RescaleIntercept="0",
        CorrectedImage=["ATTN", "DECY"],
        DecayCorrection="ADMIN",
        PatientWeight="74",
        RadiopharmaceuticalInformationSequence=[drug],
        SeriesDate="20200101",
        SeriesTime="120000",
        AcquisitionDate="20200101",
        AcquisitionTime="120000",
    )
    write_series(folder / "gap", _VOLUME, places=[0, 1, 3], SeriesInstanceUID="1.2.3.1.3")
    nibabel.save(nibabel.Nifti1Image(_VOLUME.T.astype(np.int16), np.eye(4)), folder / "x.nii")
    (folder / "notes.txt").write_text("hello")
    return folder


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["inspect", *arguments])
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_json(export: Path) -> None:
    text = _run(str(export), "--json")
    assert not _SECRETS.search(text)
    told: dict[str, Any] = json.loads(text)
    series = {one["title"]: one for one in told["series"]}
    assert len(told["series"]) == 4
    mr = next(one for one in told["series"] if one["modality"] == "MR" and not one["problem"])
    assert (mr["size"], mr["spacing"], mr["frames"]) == ([5, 4, 3], [1.25, 1.5, 3.0], 1)
    assert mr["affine"][2] == [0.0, 0.0, 3.0, 30.0]
    assert (mr["frame_of_reference"], mr["window"], mr["unit"]) == ("1.2.3.9", [-0.5, 99.5], "")
    assert mr["suv"] == {"factor": None, "time": None, "tags": {}, "missing": []}
    pet = series["FDG … …"]
    assert pet["unit"] == "Bq/mL"
    assert pet["suv"]["factor"] == pytest.approx(74_000 / 370e6)
    assert "RadionuclideTotalDose (0018,1074)" in pet["suv"]["tags"]
    assert pet["suv"]["missing"] == []
    gap = next(one for one in told["series"] if one["problem"])
    assert "36.00 mm" in gap["problem"]
    assert series["x"]["kind"] == "NIfTI"
    assert sum(told["left_out"].values()) == 1


def test_text(export: Path) -> None:
    text = _run(str(export))
    assert not _SECRETS.search(text)
    for words in ("PT FDG … …", "5×4×3, 1.25×1.5×3 mm, 3 files, DICOM", "SUVbw = value × 0.0002"):
        assert words in text
    assert "cannot be read as it is: 1 slice is missing, at 36.00 mm" in text


def test_a_missing_tag_is_named(export: Path) -> None:
    for path in (export / "pt").iterdir():
        made = dcmread(path)
        del made.PatientWeight
        save(path, made)
    told = json.loads(_run(str(export / "pt"), "--json"))["series"][0]
    assert told["suv"]["factor"] is None
    assert told["suv"]["missing"] == ["PatientWeight (0010,1030)"]


def test_factors_that_differ_are_listed(export: Path) -> None:
    """Counts of Philips have a factor of their own in each slice."""
    paths = sorted((export / "pt").iterdir(), key=lambda path: int(path.stem[-1]))
    for index, path in enumerate(paths):
        made = dcmread(path)
        made.Units = "CNTS"
        block = made.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", str(index + 1))
        save(path, made)
    told = json.loads(_run(str(export / "pt"), "--json"))["series"][0]
    assert told["suv"]["factor"] == [1.0, 2.0, 3.0]
    text = _run(str(export / "pt"))
    assert "SUVbw = value × 1 to 3" in text
    assert f"key: {told['key']}" in text


def test_nothing_to_tell(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    done = CliRunner().invoke(app, ["inspect", str(tmp_path)])
    assert done.exit_code == 2
    assert "no series of images" in done.stderr


def test_pixels_that_cannot_be_decoded_hide_nothing(export: Path) -> None:
    for path in (export / "pt").iterdir():
        made = dcmread(path)
        made.PixelData = encapsulate([bytes(8)])
        made["PixelData"].VR = "OB"
        made.file_meta.TransferSyntaxUID = MPEG2MPML
        save(path, made)
    told = json.loads(_run(str(export), "--json"))
    assert len(told["series"]) == 4
    pet = next(one for one in told["series"] if one["modality"] == "PT")
    assert pet["suv"]["factor"] == pytest.approx(74_000 / 370e6)


def test_a_series_that_is_gone_when_its_tags_are_read(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> None:
        raise InputError("a.dcm", Message("it is gone"), Message("Look for it."))

    monkeypatch.setattr("app.cli.inspect.series_suv", gone)
    told = json.loads(_run(str(export), "--json"))
    assert len(told["series"]) == 4
    assert told["series"][0]["suv"]["problems"] == ["it is gone"]

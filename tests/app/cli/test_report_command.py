"""``unifusion report``: a PDF of slices of a study that names nobody, all of it or nothing."""

from __future__ import annotations

import csv
import importlib
import io
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.report import slice_numbers
from core.errors import InputError, Message
from core.registration.result import Registration
from core.study_report.pdf import jpeg
from core.types import Transform
from tests.core.io.pdf_text import pdf_text
from tests.core.io.studies import write_mr, write_pet, write_study

runner = CliRunner()
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"), "ZweisteinA")
    for path in folder.rglob("*.dcm"):
        tags = pydicom.dcmread(path)
        tags.StudyDate = tags.SeriesDate = tags.AcquisitionDate = "20190203"
        tags.save_as(path)
    return folder


def _report(study: Path, out: Path, *more: object) -> Result:
    words = ["report", study / "PET", study / "MR", "--pack", "average", "-o", out, *more]
    return runner.invoke(app, [str(word) for word in words])


def test_the_slices_that_were_asked_for_with_all_that_made_them(
    study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.pdf"
    done = _report(study, out, "--slices", "3,6-7", "--window-a", "0", "4")
    assert done.exit_code == 0, done.output
    text = pdf_text(out.read_bytes())
    assert re.findall(r"Slice (\d+) of 10, axial", text) == ["3", "6", "7"]
    for words in (
        "Research use only",
        "No name, ID or date of the patient is in this report.",
        "PT, 0 to 4 SUVbw, hot_iron",
        "Fused by average",
        "in one frame of reference, as acquired",
        "that of B: 20×24, 10 axial slices",
        "2 × 1.5 × 2.5 mm",
        "UniFusion Studio",
        "the slices shown here",
    ):
        assert words in text, words
    assert "AI-generated" not in text  # a classical method is none
    again = tmp_path / "y.pdf"
    assert _report(study, again, "--slices", "3,6-7", "--window-a", "0", "4").exit_code == 0
    assert again.read_bytes() == out.read_bytes()


def test_nobody_is_named_unless_that_is_asked_for(study: Path, tmp_path: Path) -> None:
    tags = pydicom.dcmread(next((study / "PET").iterdir()))
    private = [str(tags.PatientName), str(tags.PatientID), str(tags.PatientBirthDate)]
    private += [str(tags.StudyDate), "2019-02-03", str(tags.StudyInstanceUID)]
    assert all(private)
    out = tmp_path / "x.pdf"
    done = _report(study, out)
    assert done.exit_code == 0, done.output
    for word in private:
        assert word not in done.output
        assert word not in pdf_text(out.read_bytes())
        assert word.encode() not in out.read_bytes()
    named = tmp_path / "named.pdf"
    assert _report(study, named, "--keep-identity").exit_code == 0
    text = pdf_text(named.read_bytes())
    assert "Zweistein^ZweisteinA" in text
    assert "No name, ID or date" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--slices", "0"), "there are 10 axial slices"),
        (("--slices", "11"), "there are 10 axial slices"),
        (("--slices", "1,x"), "no list of numbers"),
        (("--palette-a", "puce"), "palette"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    study: Path, tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    done = _report(study, tmp_path / "x.pdf", *words)
    assert done.exit_code == 2
    assert said in done.output
    assert not list(tmp_path.iterdir())


def test_targets_that_cannot_be(study: Path, tmp_path: Path) -> None:
    assert "suffix .pdf" in _report(study, tmp_path / "x.html").output
    assert "no folder" in _report(study, tmp_path / "gone" / "x.pdf").output
    assert not list(tmp_path.iterdir())


def test_a_study_without_the_tag_of_its_unit_says_so(tmp_path: Path) -> None:
    tags = {"PatientID": "P", "FrameOfReferenceUID": "1.2.9"}
    write_pet(tmp_path / "s" / "PET", **tags, PatientWeight=None)
    write_mr(tmp_path / "s" / "MR", **tags)
    done = _report(tmp_path / "s", tmp_path / "x.pdf")
    assert done.exit_code == 0, done.output
    text = pdf_text((tmp_path / "x.pdf").read_bytes())
    assert "No SUV" in text
    assert "PatientWeight" in text
    assert "SUVbw" not in text
    assert "Bq/mL" in text


def test_half_a_series_is_refused_unless_accepted(tmp_path: Path) -> None:
    tags = {"PatientID": "P", "FrameOfReferenceUID": "1.2.9"}
    write_pet(tmp_path / "s" / "PET", places=[0, 1, 2, 5, 6, 7], **tags)
    write_mr(tmp_path / "s" / "MR", **tags)
    out = tmp_path / "x.pdf"
    done = _report(tmp_path / "s", out)
    assert done.exit_code == 2
    assert "--accept-gap" in done.output or "missing" in done.output
    assert not out.exists()
    assert _report(tmp_path / "s", out, "--accept-gap").exit_code == 0
    assert "Missing" in pdf_text(out.read_bytes()) or "missing" in pdf_text(out.read_bytes())


def test_a_disk_that_is_full_leaves_no_report(study: Path, tmp_path: Path) -> None:
    """A limit of 4 KB on files stands for the disk; an earlier report stays as it was."""
    out = tmp_path / "x.pdf"
    out.write_bytes(b"earlier")
    words = ["report", study / "PET", study / "MR", "--pack", "average", "-o", out]
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, words)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "Cannot write" in done.stderr
    assert out.read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["x.pdf"]


def test_figures_of_regions_are_those_of_measure(study: Path, tmp_path: Path) -> None:
    kept, table = tmp_path / "r.json", tmp_path / "r.csv"
    words = ["measure", study / "PET", study / "MR", "--sphere", "16.5,16.5,10.5,6"]
    words += ["-o", table, "--keep-regions", kept]
    done = runner.invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    out = tmp_path / "x.pdf"
    done = _report(study, out, "--regions", kept)
    assert done.exit_code == 0, done.output
    text = pdf_text(out.read_bytes())
    rows = list(csv.DictReader(table.read_text("utf-8-sig").splitlines()))
    assert [row["source"] for row in rows] == ["A", "B"]
    for row in rows:
        for name in ("mean", "maximum", "volume_ml"):
            assert f"{float(row[name]):.4g}" in text, (row, name)
    assert "never on the fused pictures" in text


def test_lists_of_slices() -> None:
    assert slice_numbers("10, 20,30-32,20") == [10, 20, 30, 31, 32]
    assert slice_numbers("  ") is None
    for text in ("1-", "-3", "a", "1,,2", "1-999"):
        with pytest.raises(InputError):
            slice_numbers(text)


def test_pictures_have_square_pixels() -> None:
    pixels = np.zeros((10, 20, 1), np.float32)
    pixels[5:] = 1
    size = Image.open(io.BytesIO(jpeg(pixels, (4.0, 1.0)))).size
    assert size == (20, 40)
    shown = Image.open(io.BytesIO(jpeg(np.zeros((3000, 1500, 3), np.float32), (1.0, 1.0))))
    assert shown.size == (512, 1024)


@pytest.mark.parametrize("command", ["report", "measure"])
def test_a_pair_that_cannot_be_registered_is_taken_as_it_is_on_wish(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The refusal names that option."""
    module = importlib.import_module("core.registration.registering")
    found = Registration(
        transform=Transform.identity(3),
        spread=np.inf,
        measure=Message("none"),
        before=0,
        after=0,
        verdict="failed",
        reasons=(Message("Nothing matches."),),
    )
    monkeypatch.setattr(module, "register", lambda *given, **more: found)
    out = tmp_path / ("x.pdf" if command == "report" else "x.csv")
    words = [command, study / "PET", study / "MR", "-o", out, "--register"]
    words += ["--pack", "average"] if command == "report" else ["--sphere", "0,0,0,10"]
    refused = runner.invoke(app, [str(word) for word in words])
    assert refused.exit_code == 2
    assert "--keep-failed" in refused.output
    assert not out.exists()
    kept = runner.invoke(app, [*map(str, words), "--keep-failed"])
    assert "Nothing matches." in kept.output
    assert out.exists()

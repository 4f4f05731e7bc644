"""``unifusion measure``, as a person types it."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.measure import read_sphere, read_threshold
from core.errors import InputError
from core.io.transforms import write_transform
from core.regions import DistanceLine, SphereRegion, Threshold, ThresholdRegion
from core.regions.files import read_regions, write_regions
from core.types import Transform
from tests.core.io.dicom_files import BIRTH, ID
from tests.core.io.studies import write_mr, write_pet

_BALL = "16.5,16.5,10.5,18,Hot spot"


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["measure", *(str(word) for word in words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    write_pet(tmp_path / "PT")
    write_mr(tmp_path / "MR", 12)
    return tmp_path / "PT", tmp_path / "MR"


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_sphere_and_a_threshold_on_both_sources(study, tmp_path: Path) -> None:
    out, seg, seg_b, kept = (tmp_path / name for name in ("f.csv", "s.dcm", "t.dcm", "r.json"))
    code, said, notes = run(
        *study, "--sphere", _BALL, "--threshold", "41%", "-o", out, "--seg", seg, "--seg-b", seg_b,
        "--keep-regions", kept,
    )  # fmt: skip
    assert code == 0
    assert said.splitlines()[0].startswith("Hot spot (≥ 41 % of maximum), A PT: ")
    assert said.splitlines()[-4:] == [str(out), str(seg), str(seg_b), str(kept)]
    assert "PS3.15" in notes
    a, b = rows_of(out)
    assert (a["source"], a["unit"], b["source"], b["unit"]) == ("A", "SUVbw", "B", "")
    assert float(a["mtv_ml"]) == pytest.approx(int(a["voxels"]) * 0.027, rel=1e-5)
    assert float(a["tlg"]) == pytest.approx(float(a["mtv_ml"]) * float(a["mean"]), rel=1e-4)
    for path, row in ((seg, a), (seg_b, b)):
        assert pydicom.dcmread(path).pixel_array.sum() == int(row["voxels"])
    # What was kept gives the same figures when it is measured again.
    code, _, _ = run(*study, "--regions", kept, "-o", tmp_path / "g.csv")
    assert code == 0
    assert (tmp_path / "g.csv").read_bytes() == out.read_bytes()
    for written in (out, seg, seg_b, kept):
        for planted in ("Zweistein", "Ottokar", ID, BIRTH):
            assert planted.encode() not in written.read_bytes()


def test_one_series_alone_and_distances(study, tmp_path: Path) -> None:
    write_regions(
        tmp_path / "r.json",
        [SphereRegion("s", (16.5, 16.5, 10.5), 5.0), DistanceLine("w", (0, 0, 0), (0, 3, 4))],
    )
    code, said, _ = run(study[0], "--regions", tmp_path / "r.json")
    assert code == 0
    assert [line.split(":")[0] for line in said.splitlines()] == ["s (sphere), A PT", "w"]
    assert said.splitlines()[1] == "w: 5.00 mm"


def test_a_transform_is_honoured(study, tmp_path: Path) -> None:
    """Places of the MR are 12 mm off those of the PET."""
    shift = np.eye(4)
    shift[0, 3] = 12
    write_transform(tmp_path / "t.tfm", Transform.of("translation", shift).inverse(), [0, 0, 0])
    run(*study, "--sphere", _BALL, "-o", tmp_path / "plain.csv")
    moved = "4.5,16.5,10.5,18,Hot spot"
    code, _, _ = run(
        *study, "--sphere", moved, "--transform", tmp_path / "t.tfm", "-o", tmp_path / "moved.csv"
    )
    assert code == 0
    plain, through = rows_of(tmp_path / "plain.csv")[0], rows_of(tmp_path / "moved.csv")[0]
    assert through == plain


def test_nothing_measured_is_no_success(study, tmp_path: Path) -> None:
    code, said, _ = run(*study, "--sphere", "900,0,0,10", "-o", tmp_path / "f.csv")
    assert code == 1
    assert "outside of the field of view" in said
    for row in rows_of(tmp_path / "f.csv"):
        assert row["mean"] == row["volume_ml"] == ""
        assert "outside of the field of view" in row["notes"]


def test_a_study_without_weight_has_no_suv_to_compare_with(tmp_path: Path) -> None:
    write_pet(tmp_path / "PT", PatientWeight=None)
    code, said, _ = run(tmp_path / "PT", "--sphere", _BALL, "--threshold", "SUV2.5")
    assert code == 1
    assert "PatientWeight (0010,1030) is missing" in said
    code, said, _ = run(tmp_path / "PT", "--sphere", _BALL, "--threshold", "20000")
    assert code == 0
    assert "Bq/mL" in said
    assert "tlg" not in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "nothing to measure"),
        (["--threshold", "41%"], "it is of a sphere"),
        (["--sphere", "1,2,3"], "not of the form"),
        (["--sphere", "1,2,3,0"], "no size of a region"),
        (["--sphere", _BALL, "--threshold", "hot"], "no threshold"),
        (["--sphere", _BALL, "--threshold", "141%"], "between 0 and 100"),
        (["--sphere", _BALL, "-o", "f.txt"], "another kind"),
        (["--sphere", _BALL, "--seg", "f.nii"], "a segmentation is a DICOM file"),
        (["--sphere", _BALL, "--seg", "none/f.dcm"], "there is no folder"),
        (["--sphere", _BALL, "--seg-b", "f.dcm"], "no second series"),
        (["--sphere", _BALL, "--frame-a", "2"], "They count from 1"),
        (["--sphere", _BALL, "--suv", "x"], "nothing of that name"),
        (["--regions", "none.json"], "no such file"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
) -> None:
    write_pet(tmp_path / "PT")
    monkeypatch.chdir(tmp_path)
    code, said, error = run("PT", *words)
    assert (code, said) == (2, "")
    assert says in " ".join(error.split())
    assert [path.name for path in tmp_path.iterdir()] == ["PT"]


def test_a_source_is_never_overwritten(study, tmp_path: Path) -> None:
    source = next(study[0].iterdir())
    before = source.read_bytes()
    code, _, error = run(*study, "--sphere", _BALL, "--seg", source)
    assert code == 2
    assert "never overwritten" in " ".join(error.split())
    assert source.read_bytes() == before


def test_spheres_and_thresholds_as_they_are_typed() -> None:
    ball = read_sphere("-1.5,2,3e1,20, Left, upper ", "1.2", ["Liver"])
    assert ball == SphereRegion("Left, upper", (-1.5, 2, 30), 10, frame_of_reference="1.2")
    assert read_sphere("0,0,0,1", "", ["Liver"]).name == "Sphere 2"
    assert read_sphere("0,0,0,1,Liver", "", ["Liver"]).name == "Liver 2"
    assert read_threshold("41%", "SUVbw") == Threshold("share", 0.41)
    for text in ("SUV>=2.5", "suv 2.5", "SUV2.5", "SUV≥2.5"):
        assert read_threshold(text, "SUVbw") == Threshold("suv", 2.5)
    for text in (">=12000", "12000", "1.2e4"):
        assert read_threshold(text, "Bq/mL") == Threshold("value", 12_000, "Bq/mL")
    for text in ("", "%", "SUV41%", "1.2.3", "2,5"):
        with pytest.raises(InputError):
            read_threshold(text, "")


def test_thresholds_of_several_spheres_have_names_of_their_own(study, tmp_path: Path) -> None:
    kept = tmp_path / "r.json"
    run(
        *study, "--sphere", _BALL, "--sphere", _BALL, "--threshold", "41%", "--threshold", "SUV1",
        "--keep-regions", kept,
    )  # fmt: skip
    found = read_regions(kept)
    assert all(isinstance(one, ThresholdRegion) for one in found)
    endings = ("threshold 41 %", "threshold SUV 1")
    name = _BALL.split(",", 4)[4]
    assert [one.name for one in found] == [
        f"{ball}, {ending}" for ball in (name, f"{name} 2") for ending in endings
    ]
    assert [one.sphere.radius for one in found if isinstance(one, ThresholdRegion)] == [9] * 4


def test_spheres_without_names_are_counted_whatever_thresholds_they_have(
    study, tmp_path: Path
) -> None:
    kept, ball = tmp_path / "r.json", _BALL.rsplit(",", 1)[0]
    code, _, _ = run(
        *study, "--sphere", ball, "--sphere", ball, "--sphere", f"{ball},{'L' * 64}",
        "--threshold", "41%", "--threshold", "3", "--keep-regions", kept,
    )  # fmt: skip
    assert code == 0
    names = [one.name for one in read_regions(kept)]
    assert names[2:4] == ["Sphere 2, threshold 41 %", "Sphere 2, threshold 3 SUVbw"]
    assert len(set(names)) == 6
    assert all(len(name) <= 64 for name in names)


def test_a_segmentation_of_a_file_without_images_is_refused_at_once(tmp_path: Path) -> None:
    nibabel.save(
        nibabel.Nifti1Image(np.ones((9, 9, 9), np.float32), np.eye(4)), tmp_path / "a.nii.gz"
    )
    code, said, error = run(
        tmp_path / "a.nii.gz", "--sphere", "-4,-4,4,4", "-o", tmp_path / "f.csv",
        "--seg", tmp_path / "s.dcm",
    )  # fmt: skip
    assert (code, said) == (2, "")
    assert "refers to DICOM images" in " ".join(error.split())
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]
    code, said, _ = run(tmp_path / "a.nii.gz", "--sphere", "-4,-4,4,4")
    assert code == 0
    assert "33 voxels" in said

"""``unifusion register``, and fuse and batch with what it wrote, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from typer.testing import CliRunner

from app.cli.main import app
from core.alignment.rigs import Rig, add_rig
from core.io import read_image
from core.io.transforms import read_transform, write_transform
from core.messages import Message
from core.registration.result import Registration
from core.types import Transform
from tests.core.io.studies import write_mr, write_pet

BY = Transform.of("rigid", [[1, 0, 5], [0, 1, -3], [0, 0, 1]])


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two parts of one picture; (x, y) of A is (x + 5, y - 3) of B."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    whole = np.random.default_rng(6).integers(0, 256, (60, 70)).astype(np.uint8)
    Pil.fromarray(whole[10:50, 10:60]).save(tmp_path / "a.png")
    Pil.fromarray(whole[13:53, 5:55]).save(tmp_path / "b.png")
    return tmp_path / "a.png", tmp_path / "b.png"


def finding(
    monkeypatch: pytest.MonkeyPatch, verdict: str = "good", by: Transform = BY
) -> list[tuple[Any, ...]]:
    asked: list[tuple[Any, ...]] = []

    def register(fixed: Any, moving: Any, kind: str, *, task: str, progress: Any) -> Registration:
        asked.append((fixed, moving, kind, task))
        return Registration(
            transform=by,
            spread=0.25,
            measure=Message("gradient correlation"),
            before=0.125,
            after=0.875,
            verdict=verdict,  # type: ignore[arg-type]
            reasons=() if verdict == "good" else (Message("Parts disagree."),),
            seconds=1.25,
        )

    monkeypatch.setattr("core.registration.registering.register", register)
    return asked


def test_what_was_found_is_printed_and_written(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = finding(monkeypatch)
    out = tmp_path / "t.tfm"
    code, text, _ = run("register", *pair, "-o", out, "--kind", "rigid", "-t", "mff")
    assert code == 0
    assert "rigid: MOVING is moved by -5.00, 3.00 pixels, turned 0.00°, ×1.0000" in text
    # Signs of the matrix are the opposite ones, and the line above it says why.
    assert "maps points of FIXED to MOVING, in files too:\n               1" in text
    assert "spread   0.25 pixels" in text
    assert "gradient correlation 0.1250 before, 0.8750 after" in text
    assert "verdict  good (1.2 s)" in text
    assert asked[0][2:] == ("rigid", "mff")
    assert read_transform(out).apply([0, 0]).tolist() == [5, -3]
    # Its centre, for programs that go on from here, is that of the fixed picture.
    assert "FixedParameters: 24.5 19.5" in out.read_text()


def test_a_failed_registration_writes_nothing(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch, "failed")
    code, text, error = run("register", *pair, "-o", tmp_path / "t.tfm")
    assert code == 1
    assert "verdict  failed" in text
    assert "Parts disagree." in text
    assert "is not written" in error
    assert not (tmp_path / "t.tfm").exists()


def test_json_says_the_same(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    finding(monkeypatch, "doubtful")
    code, text, _ = run("register", *pair, "--json")
    assert code == 0
    found = json.loads(text)
    assert found["matrix"] == [[1, 0, 5], [0, 1, -3], [0, 0, 1]]
    assert (found["verdict"], found["reasons"], found["unit"]) == (
        "doubtful",
        ["Parts disagree."],
        "pixels",
    )
    assert (found["before"], found["after"], found["spread"]) == (0.125, 0.875, 0.25)


def test_a_mask_leaves_parts_of_the_fixed_picture_out(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = finding(monkeypatch)
    mask = np.zeros((40, 50), np.uint8)
    mask[:, :20] = 255
    Pil.fromarray(mask).save(tmp_path / "mask.png")
    assert run("register", *pair, "--mask", tmp_path / "mask.png")[0] == 0
    np.testing.assert_array_equal(asked[0][0].mask, mask > 0)
    Pil.fromarray(mask[:10]).save(tmp_path / "small.png")
    code, _, error = run("register", *pair, "--mask", tmp_path / "small.png")
    assert code == 2
    assert "50×10" in error


def test_what_cannot_be_registered_is_explained(pair: tuple[Path, Path], tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    Pil.fromarray(np.zeros((9, 9), np.uint8)).save(small)
    for words, text in (
        ((tmp_path / "none.png", pair[1]), "none.png"),
        ((*pair, "--kind", "bent"), "--kind bent"),
        ((*pair, "-t", "polarisation"), "polarisation"),
        ((*pair, "-o", tmp_path / "t.mat"), ".mat"),
        # Said before anything is estimated, which would find a picture too small.
        ((small, pair[1]), "too small"),
        ((small, pair[1], "-o", tmp_path / "none" / "t.tfm"), "does not exist"),
        ((small, pair[1], "-o", tmp_path / "t.tfm", "--kind", "homography"), "no homographies"),
    ):
        code, _, error = run("register", *words)
        assert code == 2, words
        assert text in error


def test_series_are_registered_in_millimetres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = 1, 2, 3
    asked = finding(monkeypatch, by=Transform.of("rigid", matrix))
    mr, pet = write_mr(tmp_path / "mr"), write_pet(tmp_path / "pet")
    code, text, error = run("register", mr, pet, "-o", tmp_path / "t.tfm", "-t", "mif")
    assert code == 0, error
    assert "moved by -1.00, -2.00, -3.00 mm" in text
    fixed, moving, kind, _ = asked[0]
    assert (fixed.modality, moving.modality, kind) == ("MR", "PT", "rigid")
    assert read_transform(tmp_path / "t.tfm").apply([0, 0, 0]).tolist() == [1, 2, 3]
    code, _, error = run("register", mr, pet, "--mask", tmp_path / "m.png")
    assert code == 2


def test_series_go_onto_each_other_by_a_file(tmp_path: Path) -> None:
    mr, pet = write_mr(tmp_path / "mr"), write_pet(tmp_path / "pet", FrameOfReferenceUID="1.9")
    matrix = np.eye(4)
    matrix[:3, 3] = 1, 2, 3
    write_transform(tmp_path / "t.tfm", Transform.of("rigid", matrix))
    line = ["fuse", pet, mr, "-t", "mif", "--pack", "average", "-o", tmp_path / "f.nii.gz"]
    assert run(*line)[0] == 2
    code, _, error = run(*line, "--transform", tmp_path / "t.tfm")
    assert code == 0, error
    # The file leads from PET to MR, and PET is the one that is moved.
    assert "by 1.0, 2.0, 3.0 mm" in error


# --- fuse and batch ------------------------------------------------------------------------------


def fused(pair: tuple[Path, Path], out: Path, *words: object) -> tuple[int, str]:
    code, _, error = run("fuse", *pair, "-t", "mff", "--pack", "average", "-o", out, *words)
    return code, error


def test_a_pair_is_fused_through_what_register_wrote(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch)
    out = tmp_path / "fused.png"
    a = read_image(pair[0]).data
    for name in ("t.tfm", "t.json"):
        run("register", *pair, "-o", tmp_path / name)
        code, error = fused(pair, out, "--transform", tmp_path / name)
        assert code == 0, error
        assert "Moved onto the other picture" in error
        np.testing.assert_array_equal(read_image(out).data, a)
    size = Rig(name="m", transform=BY, moving="b", size_a=(50, 40), size_b=(50, 40))
    add_rig(size)
    assert fused(pair, out, "--rig", "m")[0] == 0
    np.testing.assert_array_equal(read_image(out).data, a)
    assert fused(pair, out, "--register", "--crop")[0] == 0
    np.testing.assert_array_equal(read_image(out).data, a[3:, :45])
    assert fused(pair, out, "--register", "--onto", "b", "--crop")[0] == 0
    assert fused(pair, out)[0] == 0
    assert np.abs(read_image(out).data - a).max() > 20


def test_the_picture_that_is_kept_is_the_fixed_one(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = finding(monkeypatch, by=BY.inverse())
    out = tmp_path / "fused.png"
    assert fused(pair, out, "--register", "--onto", "b")[0] == 0
    assert [image.name for image in asked[0][:2]] == ["b.png", "a.png"]
    np.testing.assert_array_equal(read_image(out).data, read_image(pair[1]).data)
    write_transform(tmp_path / "t.tfm", BY)  # from A to B, whichever is kept
    assert fused(pair, out, "--transform", tmp_path / "t.tfm", "--onto", "b")[0] == 0
    np.testing.assert_array_equal(read_image(out).data, read_image(pair[1]).data)


def test_a_result_names_its_transform(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch, "doubtful")
    code, error = fused(pair, tmp_path / "f.png", "--register")
    assert code == 0
    assert "doubtful" in error
    assert "Parts disagree." in error
    with Pil.open(tmp_path / "f.png") as image:
        said = " ".join(str(value) for value in image.text.values())
    assert "b onto a, rigid, registered, doubtful, 1 0 5; 0 1 -3; 0 0 1" in said


def test_a_pair_that_cannot_be_registered_is_fused_only_when_asked(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch, "failed")
    out = tmp_path / "f.png"
    code, error = fused(pair, out, "--register")
    assert code == 2
    assert "could not be registered: Parts disagree." in error
    assert not out.exists()
    code, error = fused(pair, out, "--register", "--keep-failed")
    assert code == 0
    assert "taken as it is" in error


def test_an_error_about_sizes_says_that_registration_failed(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch, "failed")
    with Pil.open(pair[1]) as image:
        image.resize((40, 32)).save(pair[1])
    out = tmp_path / "f.png"
    code, error = fused(pair, out, "--register", "--keep-failed")
    assert code == 2
    said = " ".join(error.split())
    assert "A is 50×40 pixels and B is 40×32" in said
    assert "could not be registered: Parts disagree." in said
    assert "--resample" in said
    assert "registered" not in fused(pair, out)[1]
    assert fused(pair, out, "--register", "--keep-failed", "--resample")[0] == 0


def test_options_that_contradict_each_other_are_refused(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    write_transform(tmp_path / "t.tfm", BY)
    for words, text in (
        (("--register", "--rig", "m"), "--register and --rig"),
        (("--kind", "rigid"), "--register"),
        (("--crop",), "--transform"),
        (("--onto", "b"), "--transform"),
        (("--transform", tmp_path / "t.tfm", "--onto", "c"), "Choose one of: a, b"),
        (("--rig", "m"), "There is no rig “m”"),
    ):
        code, error = fused(pair, tmp_path / "f.png", *words)
        assert code == 2, words
        assert text in error


def test_doubtful_rows_of_a_batch_are_listed(
    pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding(monkeypatch, "doubtful")
    for side, path in zip("ab", pair, strict=True):
        (tmp_path / "in" / side).mkdir(parents=True)
        path.rename(tmp_path / "in" / side / "one.png")
    line = ["batch", tmp_path / "in", "-t", "mff", "--pack", "average", "-o", tmp_path / "out"]
    code, text, error = run(*line, "--register", "--kind", "rigid")
    assert code == 0, error
    assert "registration is doubtful: one: Parts disagree." in error
    assert "registration.csv" in text
    code, text, _ = run(*line, "--register", "--kind", "rigid", "--overwrite", "--json-progress")
    done = [json.loads(one) for one in text.splitlines()]
    (row,) = [one for one in done if one.get("state") == "done"]
    assert row["registration"]["verdict"] == "doubtful"
    assert row["registration"]["transform"]["matrix"][0] == [1, 0, 5]
    finding(monkeypatch, "failed")
    code, _, error = run(*line, "--register", "--keep-failed", "--overwrite")
    assert code == 0
    assert "registration failed, fused as it lies: one: Parts disagree." in error
    assert "doubtful" not in error
    code, _, error = run(*line, "--rig", "m", "--overwrite")
    assert code == 2
    assert "There is no rig" in error

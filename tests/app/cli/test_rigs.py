"""``unifusion rigs`` as a person types it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from typer.testing import CliRunner

from app.cli.main import app
from core.alignment.rigs import find_rig
from core.io.transforms import write_transform
from core.types import Transform


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """A transform and two pictures that it is for."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    for name, size in (("a.png", (32, 24)), ("b.png", (64, 40))):
        Pil.fromarray(np.zeros(size[::-1], np.uint8)).save(tmp_path / name)
    by = Transform.of("affine", [[1.9, 0, 3], [0, 1.9, -2], [0, 0, 1]])
    write_transform(tmp_path / "t.tfm", by)
    return tmp_path / "t.tfm", tmp_path / "a.png", tmp_path / "b.png"


def test_a_rig_is_added_listed_renamed_and_removed(pair: tuple[Path, Path, Path]) -> None:
    assert run("rigs", "add", "mast", *pair)[0] == 0
    code, text, _ = run("rigs", "list")
    assert code == 0
    assert "mast                     b onto a, affine, for 32×24 and 64×40 pixels" in text
    assert run("rigs", "rename", "mast", "roof")[0] == 0
    assert find_rig("roof").transform.apply([0, 0]).tolist() == [3, -2]
    assert run("rigs", "remove", "roof")[0] == 0
    assert "roof" not in run("rigs", "list")[1]


def test_the_other_picture_may_be_kept(pair: tuple[Path, Path, Path]) -> None:
    assert run("rigs", "add", "mast", *pair, "--onto", "b")[0] == 0
    rig = find_rig("mast")
    assert rig.moving == "a"
    # The file leads from A to B, so the rig leads back.
    assert rig.transform.apply([3, -2]) == pytest.approx([0, 0], abs=1e-12)


def test_what_cannot_be_done_is_explained(pair: tuple[Path, Path, Path], tmp_path: Path) -> None:
    file, a, b = pair
    far = tmp_path / "far.tfm"
    write_transform(far, Transform.of("translation", [[1, 0, 5000], [0, 1, 0], [0, 0, 1]]))
    run("rigs", "add", "mast", *pair)
    code, _, error = run("rigs", "add", "mast", *pair)
    assert code == 2
    assert "there is a rig of that name" in error
    assert run("rigs", "add", "mast", *pair, "--overwrite")[0] == 0
    for words, text in (
        (("add", "x", tmp_path / "none.tfm", a, b), "none.tfm"),
        (("add", "x", file, a, file), "not a picture"),
        (("add", "far", far, a, b), "moves one picture off the other one"),
        (("add", "x", *pair, "--onto", "c"), "Choose one of a, b"),
        (("remove", "x"), "there are: mast"),
        (("rename", "x", "y"), "there are: mast"),
    ):
        code, _, error = run("rigs", *words)
        assert code == 2
        assert text in error

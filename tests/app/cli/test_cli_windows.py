"""Black and white by hand and pixels without data, from the command line to files and records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil
from PySide6.QtGui import QImage
from typer.testing import CliRunner

from app.cli.main import app
from core.baselines import BASELINES
from core.batch import MANIFEST_NAME
from core.batch.manifest import BatchManifest
from core.evaluation.methods import read_luma8
from core.io import read_pair
from tests.app.shell.test_gui import python

runner = CliRunner()

_ROWS, _COLUMNS = np.mgrid[0:60, 0:80]
_SCENE = (np.sin(_ROWS / 9) * np.cos(_COLUMNS / 7) + 1) / 2
_COUNTS = np.round(29300 + 1600 * _SCENE).astype(np.uint16)
_VISIBLE = np.round(255 * (np.sin(_COLUMNS / 5 + _ROWS / 11) + 1) / 2).astype(np.uint8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        for side in "ab":
            (tmp_path / "in" / side).mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "a" / f"{name}.png").write_bytes(imagecodecs.png_encode(_COUNTS))
        Pil.fromarray(_VISIBLE).save(tmp_path / "in" / "b" / f"{name}.png")
    return tmp_path / "in"


def _run(*words: str | Path) -> tuple[int, str, str]:
    done = runner.invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def _fuse(source: Path, out: Path, *words: str) -> tuple[int, str, str]:
    a, b = source / "a" / "one.png", source / "b" / "one.png"
    return _run("fuse", a, b, "-t", "ivif", "--pack", "average", "-o", out, *words)


def _provenance(path: Path) -> dict[str, str]:
    with Pil.open(path) as image:
        image.load()
        return {key.rpartition(":")[2]: str(value) for key, value in image.info.items()}


def test_fuse_tells_the_range_and_takes_another(source: Path, tmp_path: Path) -> None:
    code, _, notes = _fuse(source, tmp_path / "own.png")
    assert code == 0
    assert "A: Values 29300…30900 of 0…65535 are black to white" in notes
    assert "--window-a" in notes
    code, _, notes = _fuse(
        source, tmp_path / "hand.png", "--window-a", "29000", "31000", "--window-b", "-50.5", "200"
    )
    assert code == 0
    assert "A: Values 29000…31000 are black to white, as was asked for." in notes
    a = np.clip((_COUNTS.astype(np.float64) - 29000) / 2000, 0, 1)
    b = np.clip((_VISIBLE + 50.5) / 250.5, 0, 1)
    found = np.asarray(Pil.open(tmp_path / "hand.png")).astype(np.float64) / 65535
    np.testing.assert_allclose(found, (a + b) / 2, atol=2e-5)


def test_windows_are_in_the_provenance_only_where_they_say_something(
    source: Path, tmp_path: Path
) -> None:
    _fuse(source, tmp_path / "own.png")
    _fuse(source, tmp_path / "hand.png", "--window-b", "10", "200.5")
    own, hand = (_provenance(tmp_path / name) for name in ("own.png", "hand.png"))
    assert own["window_a"] == hand["window_a"] == "29300 30900"
    assert "window_b" not in own
    assert hand["window_b"] == "10 200.5"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--window-a", "31000", "29000"), "low end must be"),
        (("--window-a", "nan", "29000"), "low end must be"),
        (("--window-b", "0", "inf"), "low end must be"),
        (("--window-a", "0", "1000"), "one.png: the window 0…1000 lies outside its values"),
        (("--window-a", "5"), "requires 2 arguments|takes 2"),
        (("--window-a", "low", "high"), "number"),
    ],
)
def test_wrong_windows_are_one_clear_line(
    source: Path, tmp_path: Path, words: tuple[str, ...], what: str
) -> None:
    code, _, notes = _fuse(source, tmp_path / "out.png", *words)
    assert code == 2
    assert re.search(what, " ".join(notes.split()))
    assert not (tmp_path / "out.png").exists()


def test_a_batch_uses_and_records_them(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("batch", source, "-o", out, "-t", "ivif", "--pack", "average")
    assert _run(*words, "--window-a", "29000", "31000", "--metrics", "--contact-sheet")[0] == 0
    a = np.clip((_COUNTS.astype(np.float64) - 29000) / 2000, 0, 1)
    found = np.asarray(Pil.open(out / "two.png")).astype(np.float64) / 65535
    np.testing.assert_allclose(found, (a + _VISIBLE / 255) / 2, atol=2e-5)
    manifest = BatchManifest(out)
    settings = manifest.settings()
    manifest.close()
    assert settings is not None
    assert settings["window of A"] == "29000.0 31000.0"
    assert "window of B" not in settings
    assert _run(*words, "--window-a", "29000", "31000", "--metrics", "--resume")[0] == 0
    code, _, notes = _run(*words, "--metrics", "--resume")
    assert code == 2
    assert "window of A: 29000.0 31000.0 then, none now" in notes
    code, _, notes = _run(*words, "--window-a", "9", "3")
    assert code == 2
    assert "low end must be" in notes


def test_a_batch_that_was_begun_before_there_were_windows_goes_on(
    source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("batch", source, "-o", out, "-t", "ivif", "--pack", "average")
    assert _run(*words)[0] == 0
    manifest = BatchManifest(out)
    settings = manifest.settings()
    assert settings is not None
    assert not [name for name in settings if "window" in name]
    manifest.close()
    code, said, _ = _run(*words, "--resume")
    assert code == 0
    assert "2 done before" in said
    assert (out / MANIFEST_NAME).is_file()


def test_a_window_outside_costs_its_row(source: Path, tmp_path: Path) -> None:
    dim = np.round(100 + 50 * _SCENE).astype(np.uint16)
    (source / "a" / "two.png").write_bytes(imagecodecs.png_encode(dim))
    code, _, notes = _run(
        "batch", source, "-o", tmp_path / "out", "-t", "ivif", "--pack", "average",
        "--window-a", "29000", "31000",
    )  # fmt: skip
    assert code == 3
    assert "two" in notes
    assert "lies outside its values, which are 100…150" in notes
    assert (tmp_path / "out" / "one.png").is_file()


def test_evaluate_reads_sources_by_windows_and_results_as_stored(
    source: Path, tmp_path: Path
) -> None:
    """A dim 16-bit result is dim; the scores of a folder are those of the method that made it."""
    out = tmp_path / "out"
    _run("batch", source, "-o", out, "-t", "ivif", "--pack", "average")
    dim = np.round(np.asarray(Pil.open(out / "one.png")).astype(np.float64) / 8).astype(np.uint16)
    (out / "one.png").write_bytes(imagecodecs.png_encode(dim))
    np.testing.assert_array_equal(read_luma8(out / "one.png"), np.floor(dim / 257 + 0.5))
    _run("batch", source, "-o", out, "-t", "ivif", "--pack", "average", "--overwrite")
    code, said, notes = _run(
        "evaluate", "--sources", source, "--task", "ivif", "--method", f"made={out}",
        "--method", "average", "--metrics", "MSE,CC,Qabf",
    )  # fmt: skip
    assert code == 0, notes
    rows = [line.split()[1:] for line in said.splitlines() if line.startswith(("made", "average"))]
    assert len(rows) == 2
    plain = [[cell.strip("*_") for cell in row[:3]] for row in rows]
    assert plain[0] == plain[1]


def _notes(said: str) -> list[str]:
    return [line.removeprefix("note: ") for line in said.splitlines() if line.startswith("note: ")]


def test_what_reading_sources_took_is_told_once_by_evaluate_and_batch(
    source: Path, tmp_path: Path
) -> None:
    """As ``fuse`` tells it of one pair; several methods are scored on the same sources."""
    out = tmp_path / "out"
    _, _, alone = _fuse(source, tmp_path / "alone.png")
    (told,) = _notes(alone)
    assert told.startswith("A: Values 29300…30900 of 0…65535 are black to white")
    code, _, batch = _run("batch", source, "-o", out, "-t", "ivif", "--pack", "average")
    assert code == 0
    assert _notes(batch) == [f"{told} (2 of 2 pairs)"]
    words = ("evaluate", "--sources", source, "-t", "ivif", "--metrics", "CC")
    methods = ("--method", f"made={out}", "--method", "average", "--method", "maximum")
    code, table, notes = _run(*words, *methods)
    assert code == 0, notes
    assert _notes(notes) == [f"{told} (2 of 2 pairs)"]
    assert told not in table
    # One of three pairs has another range, one has transparent areas.
    (source / "a" / "two.png").write_bytes(imagecodecs.png_encode(_COUNTS - 1000))
    for side, pixels in (("a", 255 - _VISIBLE), ("b", _VISIBLE)):
        Pil.fromarray(pixels).convert("P").save(source / side / "three.gif", transparency=3)
    code, _, notes = _run(*words, "--method", "average")
    assert code == 0, notes
    found = _notes(notes)
    assert f"{told} (2 of 3 pairs, with other numbers in some)" in found
    assert "Transparent areas were put on black. (1 of 3 pairs)" in found
    assert len(found) == 2
    for name in ("two.png", "three.gif"):
        for side in "ab":
            (source / side / name).unlink()
    code, _, notes = _run(*words, "--method", "average")
    assert _notes(notes) == [told]


@pytest.mark.parametrize("method", [name for name in BASELINES if name != "mertens"])
def test_no_data_through_a_batch(source: Path, tmp_path: Path, method: str) -> None:
    degrees = (20 + 16 * _SCENE).astype(np.float32)
    degrees[:20, :30] = -9999
    tag: Any = [(42113, "s", 6, "-9999", True)]
    (source / "a" / "one.png").unlink()
    tifffile.imwrite(source / "a" / "one.tif", degrees, extratags=tag)
    code, _, notes = _run(
        "batch", source, "-o", tmp_path / "out", "-t", "ivif", "--pack", method, "--metrics",
        "--depth", "16",
    )  # fmt: skip
    assert code == 0, notes
    found = np.asarray(Pil.open(tmp_path / "out" / "one.png"))
    np.testing.assert_array_equal(found[:20, :30], _VISIBLE[:20, :30].astype(np.uint16) * 257)
    manifest = BatchManifest(tmp_path / "out")
    records = {record.a.stem: record for record in manifest.records().values()}
    manifest.close()
    assert any("600 pixels hold no data" in note for note in records["one"].notes)


def test_rows_missing_of_a_damaged_png_come_from_the_other_source(tmp_path: Path) -> None:
    a, b, out = (tmp_path / f"{name}.png" for name in ("a", "b", "out"))
    Pil.fromarray(np.random.default_rng(4).integers(0, 256, (90, 70), np.uint8)).save(a)
    a.write_bytes(a.read_bytes()[: a.stat().st_size // 2])
    other = np.tile(np.arange(70, dtype=np.uint8) * 3, (90, 1))
    Pil.fromarray(other).save(b)
    words = ("fuse", a, b, "-t", "mif", "--pack", "average", "-o", out)
    code, _, said = _run(*words)
    assert code == 2
    assert "--show-damaged" in said
    code, _, said = _run(*words, "--show-damaged")
    assert code == 0, said
    assert "A: The file is damaged" in said
    seen = read_pair(a, b, damaged="show").a
    assert seen.mask is not None
    left = int(seen.mask.any(axis=1).sum())
    assert 20 < left < 70
    fused = np.asarray(Pil.open(out))
    np.testing.assert_array_equal(fused[left:], other[left:])
    assert (fused[:left] != other[:left]).any()


def test_the_window_opens_on_the_values_that_were_asked_for(source: Path, tmp_path: Path) -> None:
    run = (
        "import sys; from pathlib import Path; from app.shell.application import run;"
        "a, b, out, low, high = sys.argv[1:6];"
        "sys.exit(run(Path(a), Path(b), 'ivif', 'average', 'cpu', screenshot=Path(out),"
        " windows=((float(low), float(high)), None)))"
    )
    files = (str(source / "a" / "one.png"), str(source / "b" / "one.png"))
    shown = []
    for low, high in ((29300, 30900), (30800, 33000)):
        out = tmp_path / f"{low}.png"
        done = python(run, *files, str(out), str(low), str(high))
        assert (done.returncode, done.stderr) == (0, "")
        shown.append(_brightness(QImage(str(out))))
    assert shown[0] > shown[1] + 20
    done = python(run, *files, str(tmp_path / "no.png"), "5", "3")
    assert done.returncode == 2
    assert "low end must be a number below its high end" in done.stderr


def _brightness(image: QImage) -> float:
    """Mean grey level in the middle of the first pane of the upper row."""
    part = image.copy(150, 250, 150, 100).convertToFormat(QImage.Format.Format_Grayscale8)
    rows = [[part.pixelColor(x, y).value() for x in range(0, 150, 5)] for y in range(0, 100, 5)]
    return float(np.mean(rows))

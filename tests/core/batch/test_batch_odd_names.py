"""Names that a disk cannot hold cost their row; names of any bytes are fused, kept and shown."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from core.batch import BatchOptions, BatchPlan, RowEvent, plan_batch, run_batch
from core.batch.manifest import BatchManifest
from core.batch.naming import fill, length_problem
from core.errors import OutputError
from core.fusion.engine import FusionEngine
from core.io import write_image
from core.pairing.folders import Match, pair_paths

LATIN = os.fsdecode(b"caf\xe9 \xff")


def make(source: Path, *names: str) -> Path:
    for number, side in enumerate("ab"):
        (source / side).mkdir(parents=True, exist_ok=True)
        for name in names:
            pixels = np.full((12, 16), 40 + 100 * number, np.uint8)
            content = cv2.imencode(".png", pixels)[1].tobytes()
            (source / side / f"{name}.png").write_bytes(content)
    return source


def plan_of(source: Path, out: Path, **more: object) -> BatchPlan:
    options = BatchOptions("mff", "average", out=out, **more)  # type: ignore[arg-type]
    return plan_batch(pair_paths([source], "mff"), options)


def run(plan: BatchPlan) -> dict[str, tuple[str, str]]:
    events = run_batch(plan, FusionEngine("cpu"))
    return {
        e.row.match.name: (e.record.state, e.record.text) for e in events if isinstance(e, RowEvent)
    }


@pytest.mark.skipif(sys.platform == "win32", reason="bytes of names are a matter of POSIX")
@pytest.mark.parametrize(
    ("long", "more"),
    [
        ("n" * 140, {"template": "{a_stem}_{b_stem}"}),
        ("ü" * 120, {"template": "{name}-{method}-fused"}),
        ("n" * 240, {"reconstructions": True}),
    ],
)
def test_a_name_that_is_too_long_costs_its_row(
    tmp_path: Path, long: str, more: dict[str, object]
) -> None:
    source = make(tmp_path / "in", "one", long, "two")
    plan = plan_of(source, tmp_path / "out", **more)
    problems = {row.match.name: row.problem for row in plan.rows}
    assert "255 are possible" in problems[long], "said before anything is fused"
    found = run(plan)
    assert {name: state for name, (state, _) in found.items()} == {
        "one": "done", long: "failed", "two": "done",
    }  # fmt: skip
    assert "{index:04}" in found[long][1]
    again = run(plan_of(source, tmp_path / "other", template="{index:04}"))
    assert {state for state, _ in again.values()} == {"done"}, "the remedy works"


@pytest.mark.skipif(sys.platform == "win32", reason="bytes of names are a matter of POSIX")
def test_lengths_to_the_byte(tmp_path: Path) -> None:
    assert length_problem([tmp_path / ("x" * 251 + ".png")]) == ""
    assert "has 256 bytes; 255 are possible" in length_problem([tmp_path / ("x" * 252 + ".png")])
    assert "has 256 bytes" in length_problem([tmp_path / ("é" * 126 + ".png")])
    name = LATIN * 42  # 6 bytes each, though 6 signs of which 2 are no Unicode
    assert length_problem([tmp_path / name]) == ""
    assert "has 258 bytes" in length_problem([tmp_path / (LATIN * 43)])
    folder = tmp_path.joinpath(*["d" * 200] * 20)
    assert "the path of its result" in length_problem([folder / "x.png"])
    room = os.pathconf(tmp_path, "PC_PATH_MAX") - 1
    rest = room - len(os.fsencode(tmp_path)) - len(f".{'0' * 32}.part.tiff") - 1
    deep = tmp_path / "/".join(["d" * 99] * (rest // 100))
    deep = deep.with_name(deep.name + "e" * (rest % 100 - 1)) if rest % 100 else deep
    assert length_problem([deep / "x.png"]) == "", "the name while it is written fits as well"
    assert length_problem([deep.with_name(deep.name + "eee") / "x.png"]) != ""


@pytest.mark.parametrize("name", ["CON", "con .x", "COM¹", "conout$", "lpt0.a", "nul"])
def test_reserved_names(name: str) -> None:
    match = Match(name, Path("a"), Path("b"), "")
    assert fill("{name}", match, "mff", "average", 1) == Path(f"_{name}")


@pytest.mark.parametrize(("name", "wanted"), [("x...", "x"), ("x . .", "x"), ("...", "_")])
def test_trailing_dots(name: str, wanted: str) -> None:
    match = Match(name, Path("a"), Path("b"), "")
    assert fill("{name}", match, "mff", "average", 1) == Path(wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are a matter of Linux")
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "webp", "bmp"])
def test_names_that_are_not_unicode(tmp_path: Path, suffix: str) -> None:
    source, out = make(tmp_path / "in", "one", LATIN), tmp_path / os.fsdecode(b"\xfcber")
    extras = {"metrics": True, "contact_sheet": True, "figures": True}
    found = run(plan_of(source, out, format=suffix, **extras))
    assert {state for state, _ in found.values()} == {"done"}
    assert (out / f"{LATIN}.{suffix}").is_file()
    with PIL.Image.open(out / f"{LATIN}.{suffix}") as image:
        assert int(np.asarray(image).flat[0]) == 90
        if suffix == "png":
            assert image.info["source_a"] == "caf\\udce9 \\udcff.png"
    rows = list(csv.DictReader((out / "metrics.csv").read_text("utf-8").splitlines()))
    assert {row["name"] for row in rows} == {"one", "caf\\udce9 \\udcff"}
    page = (out / "contact-sheet.html").read_text("utf-8")
    assert f'href="caf%E9%20%FF.{suffix}"' in page, "the link goes to the very bytes"
    manifest = BatchManifest(out)
    assert {record.a for record in manifest.records().values()} == {
        source / "a" / "one.png", source / "a" / f"{LATIN}.png",
    }  # fmt: skip
    manifest.close()
    again = run(plan_of(source, out, format=suffix, resume=True, **extras))
    assert set(again.values()) == {("skipped", "done before")}


def test_a_single_result_whose_name_is_too_long(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 1), np.float32)
    for overwrite in (True, False):
        with pytest.raises(OutputError, match="the file name is too long"):
            write_image(tmp_path / ("x" * 300 + ".png"), pixels, bit_depth=8, overwrite=overwrite)

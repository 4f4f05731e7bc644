"""Records that older versions of the program left are gone on with."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.batch import MANIFEST_NAME, BatchOptions, RowEvent, find_run, plan_batch, run_batch
from core.batch.manifest import BatchManifest
from core.batch.plan import row_key
from core.fusion.engine import FusionEngine
from core.pairing.folders import Match, pair_paths

_FORMAT_1 = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE rows (
        key TEXT PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, target TEXT NOT NULL,
        state TEXT NOT NULL, text TEXT NOT NULL DEFAULT '',
        stamp_a TEXT NOT NULL DEFAULT '', stamp_b TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
        metrics TEXT NOT NULL DEFAULT '{}', notes TEXT NOT NULL DEFAULT '[]')""",
    "INSERT INTO meta VALUES ('format', '1')",
)


def image(path: Path, width: int = 24) -> Path:
    pixels = np.full((20, width), 90, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, width in (("one", 24), ("three", 24), ("two", 12)):
        image(tmp_path / "in" / "a" / f"{name}.png")
        image(tmp_path / "in" / "b" / f"{name}.png", width)
    return tmp_path / "in"


def format_1(source: Path, out: Path) -> None:
    """One row done, one failed for its size, one begun: as the first format had it."""
    out.mkdir()
    database = sqlite3.connect(out / MANIFEST_NAME)
    for statement in _FORMAT_1:
        database.execute(statement)
    settings = {
        "task": "mff", "method": "average", "template": "{name}", "format": ".png",
        "depth": "as the sources", "folder tree": "yes", "resample": "no",
        "reconstructions": "no", "figures": "no", "metrics": "no",
    }  # fmt: skip
    facts = {"settings": json.dumps(settings), "total": "3", "made by": "average"}
    database.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
    done = image(out / "one.png")
    for name, state, size in (
        ("one", "done", done.stat().st_size), ("three", "begun", 0), ("two", "failed", 0),
    ):  # fmt: skip
        a, b = source / "a" / f"{name}.png", source / "b" / f"{name}.png"
        stamps = [json.dumps([p.stat().st_size, p.stat().st_mtime_ns, ""]) for p in (a, b)]
        row = (
            row_key(Match(name, a, b, "")), json.dumps(str(a)), json.dumps(str(b)),
            json.dumps(f"{name}.png"), state, "", *stamps, size, 0.1, "{}", "[]",
        )  # fmt: skip
        database.execute(f"INSERT INTO rows VALUES ({', '.join('?' * 12)})", row)
    database.commit()
    database.close()


def last_states(source: Path, out: Path, **more: object) -> dict[str, str]:
    options = BatchOptions("mff", "average", out=out, resume=True, **more)  # type: ignore[arg-type]
    plan = plan_batch(pair_paths([source], "mff"), options)
    found: dict[str, str] = {}
    for event in run_batch(plan, FusionEngine("cpu")):
        if isinstance(event, RowEvent):
            found[event.row.match.name] = event.record.state
    return found


def test_format_1_is_gone_on_with(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    format_1(source, out)
    before = (out / "one.png").stat().st_mtime_ns
    found = find_run(BatchOptions("mff", "average", out=out))
    assert found is not None
    assert (found.total, found.done, found.failed, found.differences) == (3, 1, 1, ())
    assert last_states(source, out) == {"one": "skipped", "three": "done", "two": "failed"}
    assert last_states(source, out, resample=True) == {
        "one": "skipped", "three": "skipped", "two": "done",
    }  # fmt: skip
    assert (out / "one.png").stat().st_mtime_ns == before
    manifest = BatchManifest(out)
    assert manifest.meta()["format"] == "2"
    assert {(r.strikes, r.choice.resample) for r in manifest.records().values()} == {(0, None)}
    manifest.close()

"""A fifth task, a new reader and a new metric need their own file and one registration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.batch.plan import BatchOptions, plan_rows
from core.fusion.classical_engine import fuse_classically
from core.io import READERS, is_image, read_pair, write_image
from core.io.readers.registry import Reader
from core.metrics import METRICS, Metric, add_metric, evaluate
from core.pairing.folders import pair_paths
from core.pairing.known_folders import truth_of
from core.pairing.source_words import in_order, suggest_task, suggest_task_of
from core.tasks import TASKS, TaskSpec, add_task, get_task
from core.types import FusionRequest
from tests.walks import added_metric, added_reader, added_task, blocks, functions_of


@pytest.fixture
def task() -> Iterator[TaskSpec]:
    with added_task() as added:
        yield added


@pytest.fixture
def reader() -> Iterator[Reader]:
    with added_reader() as added:
        yield added


@pytest.fixture
def metric() -> Iterator[Metric]:
    with added_metric() as added:
        yield added


def _run(test: Callable[..., None], tmp_path: Path) -> None:
    """A test as it stands in a document, with each of its parameters."""
    marks = getattr(test, "pytestmark", [])
    takes_path = {"tmp_path": tmp_path} if "tmp_path" in inspect.signature(test).parameters else {}
    for values in marks[0].args[1] if marks else [None]:
        given = {marks[0].args[0]: values} if marks else {}
        test(**takes_path, **given)


def test_task_of_the_walk(task: TaskSpec, tmp_path: Path) -> None:
    (test,) = functions_of(blocks("task")[1])
    _run(test, tmp_path)


def test_reader_of_the_walk(reader: Reader, tmp_path: Path) -> None:
    for test in functions_of(blocks("reader")[1]):
        _run(test, tmp_path)


def test_metric_of_the_walk(metric: Metric, tmp_path: Path) -> None:
    (test,) = functions_of(blocks("metric")[2])
    _run(test, tmp_path)


def test_nothing_of_the_walks_stays_registered() -> None:
    assert "pif" not in TASKS
    assert "farbfeld" not in READERS.names
    assert ".ff" not in READERS.suffixes
    assert "RMS" not in METRICS


def test_one_name_one_entry() -> None:
    with pytest.raises(ValueError, match="two tasks are called 'mif'"):
        add_task(get_task("mif"))
    with pytest.raises(ValueError, match="two metrics are called 'MI'"):
        add_metric(METRICS["MI"])


def test_fifth_task_through_pairing_engine_and_batch(task: TaskSpec, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    for number in range(3):
        for side, name in enumerate(("dolp", "s0")):
            pixels = np.random.default_rng(2 * number + side).random((24, 32, 1), np.float32)
            (folder / name).mkdir(parents=True, exist_ok=True)
            write_image(folder / name / f"{number}.png", pixels, bit_depth=16)
    a, b = folder / "dolp" / "0.png", folder / "s0" / "0.png"
    assert in_order(b, a) == (a, b)
    assert suggest_task(b, a) == "pif"
    assert suggest_task_of(a) == "pif"
    for asked in ("pif", None):
        pairing = pair_paths([folder], asked)
        assert [(m.a.parent.name, m.b.parent.name) for m in pairing.matches] == [("dolp", "s0")] * 3
    plan = plan_rows(pairing, BatchOptions(out=tmp_path / "out", task="pif", method="guided"))
    assert [row.problem for row in plan.rows] == ["", "", ""]
    for baseline in ("average", "laplacian", "guided"):
        request = FusionRequest(read_pair(a, b, task="pif"), "pif", baseline)
        assert fuse_classically(request).fused.shape == (24, 32, 1)


def test_new_reader_through_pairing_and_truth(reader: Reader, tmp_path: Path) -> None:
    content = _farbfeld(np.random.default_rng(0).integers(0, 65536, (16, 16, 4), np.uint16))
    for name in ("ir/x.ff", "vis/x.ff", "gt/x.ff"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert is_image(tmp_path / "ir" / "x.ff")
    (match,) = pair_paths([tmp_path / "ir", tmp_path / "vis"], "ivif").matches
    assert (match.a.parent.name, match.b.parent.name) == ("ir", "vis")
    assert truth_of(match) == tmp_path / "gt" / "x.ff"
    pair = read_pair(match.a, match.b, task="ivif")
    assert pair.a.bit_depth == 16
    assert fuse_classically(FusionRequest(pair, "ivif", "average")).fused.shape == (16, 16, 3)


def _farbfeld(rgba: np.ndarray) -> bytes:
    height, width = rgba.shape[:2]
    sizes = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"farbfeld" + sizes + rgba.astype(">u2").tobytes()


def test_new_metric_keeps_the_contract(metric: Metric) -> None:
    a, b, f = np.random.default_rng(0).integers(0, 256, (3, 24, 24), np.uint8)
    assert evaluate(a, b, f)["RMS"] == evaluate(b, a, f)["RMS"] > 0

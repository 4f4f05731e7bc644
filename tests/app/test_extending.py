"""A fifth task, a new reader and a new metric show on the command line and in the window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.fuse.source_tasks import image_suffixes
from app.train.data_panel import DataPanel
from app.train.state import TrainState
from core.progress import NullProgress
from core.tasks import TASKS, TaskSpec
from tests.app.conftest import gradient, write_png
from tests.walks import added_metric, added_reader, added_task


@pytest.fixture
def task() -> Iterator[TaskSpec]:
    with added_task() as added:
        yield added


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    for number in range(2):
        write_png(folder / f"wall{number}_dolp.png", gradient(40, 32))
        write_png(folder / f"wall{number}_s0.png", gradient(40, 32)[:, ::-1])
    return folder


def _told(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_fifth_task_on_the_command_line(task: TaskSpec, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "fused.png"
    files = [str(pairs / f"wall0_{name}.png") for name in ("dolp", "s0")]
    _told("fuse", *files, "-t", "pif", "--pack", "laplacian", "-o", str(out))
    assert out.is_file()
    words = ["batch", str(pairs), "-o", str(tmp_path / "out"), "-t", "pif", "--pack", "laplacian"]
    rows = [json.loads(line) for line in _told(*words, "--dry-run", "--json-progress").splitlines()]
    assert [Path(row["a"]).name for row in rows] == ["wall0_dolp.png", "wall1_dolp.png"]
    _told(*words)
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    wrong = CliRunner().invoke(app, ["fuse", *files, "-t", "xray", "-o", str(out)])
    assert ", ".join(TASKS) in wrong.output
    assert "pif" in TASKS


def test_doctor_misses_no_pack_of_a_task_without_one(task: TaskSpec) -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert "packs" in done.output
    assert "pif" not in done.output


def test_new_metric_on_the_command_line(pairs: Path, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    words = ["evaluate", "--sources", str(pairs), "--task", "ivif", "--method", "average"]
    with added_metric(), added_task():
        words[words.index("ivif")] = "pif"
        _told(*words, "--metrics", "RMS,CC", "--csv", str(table))
    assert "RMS" in table.read_text("utf-8").splitlines()[0]


def test_fifth_task_in_the_window(task: TaskSpec, window, qtbot, pairs: Path) -> None:
    tasks = window.top_bar.tasks
    assert tasks.itemText(tasks.findData("pif")) == "Polarisation"
    assert window.view.welcome.cards["pif"].text() == "Polarisation"
    with qtbot.waitSignal(window.controller.idle, timeout=10_000):
        window.controller.open_pair(pairs / "wall0_dolp.png", pairs / "wall0_s0.png")
    assert window.session.problem is None


def test_fifth_task_is_offered_for_training(task: TaskSpec, qtbot) -> None:
    panel = DataPanel(TrainState())
    qtbot.addWidget(panel)
    assert panel.task.itemText(panel.task.findData("pif")) == "Polarisation"


def test_new_reader_in_the_file_dialog() -> None:
    with added_reader():
        assert ".ff" in image_suffixes(NullProgress())
    assert ".ff" not in image_suffixes(NullProgress())

"""Which file is A is decided alike through every door: drop, list, batch, trainer, command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.batch.settings import BatchChoices
from app.batch.tasks import find as find_for_batch
from app.cli.main import app
from app.fuse.drop_sorting import DroppedPaths, guess_task, ordered
from app.fuse.pair_search import find_pairs as find_for_window
from app.pairs.datasets import PLAIN
from core.progress import NullProgress
from core.tasks import TASKS
from tests.core.pairing.test_hints import PAIRS
from tests.core.pairing.test_pairing_layouts import IVIF, LAYOUTS, Layout, below, made
from trainer.data.pairs import find_pairs as find_for_trainer

Two = tuple[Path, Path]


def through_every_door(paths: list[Path], task: str, out: Path) -> dict[str, set[Two]]:
    words = ["batch", *map(str, paths), "-o", str(out), "-t", task, "--pack", "average"]
    told = CliRunner().invoke(app, [*words, "--dry-run", "--json-progress"])
    assert told.exit_code == 0, told.output
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    window = find_for_window(paths, task, NullProgress())
    choices = BatchChoices(task=task)
    batch = find_for_batch(paths, choices, None, NullProgress()).pairing
    plain = find_for_batch(paths, replace(choices, dataset=PLAIN), None, NullProgress()).pairing
    # A data set that is recognised has the same pairs, with reasons of its own.
    assert window == plain
    found = {
        "window": {(m.a, m.b) for m in window.matches},
        "batch": {(m.a, m.b) for m in batch.matches},
        "trainer": {(m.a, m.b) for m in find_for_trainer(paths, task).matches},
        "command": {(Path(row["a"]), Path(row["b"])) for row in lines},
    }
    files = DroppedPaths.of(paths).files
    if len(files) == len(paths) == 2:
        found["drop"] = {ordered(*files, TASKS[task])}
    return found


@pytest.mark.parametrize(("first", "second", "task"), PAIRS)
def test_two_files_in_either_order(tmp_path: Path, first: str, second: str, task: str) -> None:
    root = made(tmp_path / "x", Layout(((first, second),)))
    a, b = root / first, root / second
    for given in ([a, b], [b, a]):
        doors = through_every_door(given, task or "mif", tmp_path / "out")
        assert doors == {key: {(a, b)} for key in ("window", "batch", "trainer", "command", "drop")}
        assert guess_task(*given) == (task or next(iter(TASKS)))


@pytest.mark.parametrize("order", [1, -1])
def test_two_files_that_say_nothing_stay_as_they_came(tmp_path: Path, order: int) -> None:
    root = made(tmp_path / "x", Layout((("holiday.png", "garden.png"),)))
    given = [root / "holiday.png", root / "garden.png"][::order]
    doors = through_every_door(given, "mif", tmp_path / "out")
    assert set(map(frozenset, doors.values())) == {frozenset({tuple(given)})}


@pytest.mark.parametrize("name", ["RoadScene", "DJI", "signed exposures of two rooms", "Lytro"])
@pytest.mark.parametrize("task", ["mif", "mef"])
def test_folders(tmp_path: Path, name: str, task: str) -> None:
    root = made(tmp_path / "x", LAYOUTS[name])
    doors = through_every_door([root], task, tmp_path / "out")
    wanted = {(root / a, root / b) for a, b in LAYOUTS[name].pairs}
    assert doors == dict.fromkeys(("window", "batch", "trainer", "command"), wanted)


def test_what_a_batch_wrote_is_no_source(tmp_path: Path) -> None:
    root = made(tmp_path / "x", Layout(IVIF))
    made(root / "mine", Layout(IVIF, ("unifusion-batch.sqlite",)))
    assert below(find_for_window([root], "ivif", NullProgress()), root) == set(IVIF)

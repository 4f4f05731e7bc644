"""Which of two files is A, and which task a pair is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.fuse.drop_sorting import DroppedPaths, guess_task, ordered
from core.tasks import TASKS


@pytest.mark.parametrize(
    ("task", "a", "b"),
    [
        ("mif", "case7_PET.png", "case7_MRI.png"),
        ("mif", "sub/ct-12.png", "sub/t1-12.png"),
        ("ivif", "ir/0001.jpg", "vis/0001.jpg"),
        ("mef", "house_under.tif", "house_over.tif"),
        ("mff", "x/a/1.png", "x/b/1.png"),
    ],
)
def test_hints_decide_whichever_way_the_files_come(task, a, b):
    a, b = Path(a), Path(b)
    assert ordered(a, b, TASKS[task]) == (a, b)
    assert ordered(b, a, TASKS[task]) == (a, b)


def test_without_hints_the_order_is_kept():
    first, second = Path("x/one.png"), Path("x/two.png")
    assert ordered(first, second, TASKS["mif"]) == (first, second)
    assert ordered(second, first, TASKS["mif"]) == (second, first)


@pytest.mark.parametrize(
    ("a", "b", "task"),
    [
        ("p_pet.png", "p_mr.png", "mif"),
        ("ir_1.png", "vis_1.png", "ivif"),
        ("s_under.png", "s_over.png", "mef"),
        ("near.png", "far.png", "mff"),
        ("one.png", "two.png", "mif"),
    ],
)
def test_task_is_guessed_from_names(a, b, task):
    assert guess_task(Path(a), Path(b)) == task


def test_nothing_given_is_the_first_task():
    assert guess_task(None, None) == next(iter(TASKS))


def test_intake_sorts_and_drops_doubles(tmp_path):
    file = tmp_path / "a.png"
    file.touch()
    dropped = DroppedPaths.of([file, tmp_path, file])
    assert dropped.files == (file,)
    assert dropped.folders == (tmp_path,)

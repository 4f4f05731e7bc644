"""Measures of what fused images invent and lose, by hand on made-up images."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from benchmarks.elsewhere import elsewhere, elsewhere_tables
from benchmarks.naturalness import (
    day_difference,
    hue_turned,
    invented,
    measured,
    targets,
)
from core.retention.levels import Levels
from core.tasks import TASKS
from core.types import Image, SourcePair


def _levels(*rows: list[int]) -> Levels:
    return np.array(rows, np.int16)


def _flat(value: int, shape: tuple[int, int] = (120, 160)) -> Levels:
    return np.full(shape, value, np.int16)


def test_what_is_beyond_both_sources_by_more_than_four_levels_is_invented() -> None:
    a, b = _levels([100, 100, 100, 100]), _levels([120, 120, 120, 120])
    assert invented(a, b, _levels([124, 125, 96, 95])) == {"brighter": 25.0, "darker": 25.0}
    assert invented(a, b, _levels([100, 110, 120, 104])) == {"brighter": 0.0, "darker": 0.0}


def test_a_day_scene_keeps_the_brightness_of_the_visible_image() -> None:
    visible, infrared = _flat(180), _flat(60)
    assert day_difference(infrared, visible, visible) == pytest.approx(0, abs=1e-3)
    assert day_difference(infrared, visible, infrared) == pytest.approx(120, abs=1e-2)
    assert isnan(day_difference(infrared, _flat(149), infrared))


def test_a_warm_person_may_be_bright_and_a_bright_lamp_is_no_target() -> None:
    """A hot spot that the visible image does not show is left out of both means."""
    visible, infrared = _flat(160), _flat(60)
    infrared[50:70, 40:48] = 220
    where = targets(infrared, visible)
    assert where[50:70, 40:48].all()
    assert where.sum() == 160
    fused = visible.copy()
    fused[50:70, 40:48] = 240
    assert day_difference(infrared, visible, fused) == pytest.approx(0, abs=1e-3)
    visible[50:70, 40:48] = 250
    assert not targets(infrared, visible).any()


def test_hue_is_judged_against_the_well_exposed_frame() -> None:
    blue = np.full((1, 4, 3), [0.2, 0.3, 0.5], np.float32)
    teal = np.full((1, 4, 3), [0.3, 1.0, 1.0], np.float32)
    pair = SourcePair(Image(blue), Image(teal))
    assert hue_turned(pair, blue) == 0
    assert hue_turned(pair, 0.5 * blue + 0.3) == 0
    assert hue_turned(pair, np.concatenate([blue[:, :3], teal[:, :1]], axis=1)) == 25
    assert isnan(hue_turned(SourcePair(Image(blue), Image(blue)), blue))


@pytest.mark.parametrize("task", list(TASKS))
def test_sources_as_results_are_measured_in_every_task(task: str) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.random((40, 60, 3), dtype=np.float32) for _ in range(2))
    pair = SourcePair(Image(a), Image(b))
    found = measured(task, pair, a)
    assert found["brighter"] == found["darker"] == 0
    if task == "mif":
        assert found["uptake lost"] == found["regions"] == found["A lost"] == 0
        assert found["B lost"] > 50, "nothing of B is in A"


def test_figures_from_elsewhere_stand_apart() -> None:
    """Every set tells its pictures, and every table is under the title that says whose they are."""
    for task in ("mif", "ivif", "mef"):
        sets = elsewhere(task)
        text = "\n".join(elsewhere_tables(task))
        assert "on pictures that are not in this repository" in text
        for one in sets:
            assert one.title in text
            assert all(f"| {method} |" in text for method in one.methods)
    assert "(42 pairs)" in "\n".join(elsewhere_tables("mif"))
    assert elsewhere_tables("mff") == []

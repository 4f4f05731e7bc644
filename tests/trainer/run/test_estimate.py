"""Which steps an estimate times: those of the mean cost, and the largest for the memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.run_plan import RunPairs
from trainer.data.preflight import run_preflight
from trainer.optimization.bilevel import BilevelStep, consistency_margins
from trainer.run.estimate import estimate, steps_to_time

CONSISTENT = replace(CONFIG, consistency=1.0, crop=96, steps=400)


def pixels(config, number: int) -> int:
    columns, rows = consistency_margins(config, config.crop, number)
    return (config.crop + 2 * columns) * (config.crop + 2 * rows)


@pytest.mark.parametrize("seed", range(5))
def test_steps_with_the_mean_cost_of_the_consistency_term_are_timed(seed: int) -> None:
    config = replace(CONSISTENT, seed=seed)
    every = [pixels(config, number) for number in range(config.steps)]
    chosen = steps_to_time(config)
    timed = fmean(pixels(config, number) for number in chosen.typical)
    assert timed == pytest.approx(fmean(every), rel=0.05)
    assert pixels(config, chosen.largest) == max(every)
    assert len(set(chosen.typical)) == len(chosen.typical) == 2


def test_without_the_term_any_steps_do_even_of_a_run_of_one() -> None:
    chosen = steps_to_time(replace(CONFIG, consistency=0.0, steps=1))
    assert (chosen.largest, chosen.typical) == (0, (0, 1))


def test_an_estimate_runs_these_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[int, int]] = []
    run = BilevelStep.__call__

    def recorded(self: BilevelStep, batch, step: int) -> dict[str, float]:
        ran.append((batch.a.shape[-1], step))
        return run(self, batch, step)

    monkeypatch.setattr(BilevelStep, "__call__", recorded)
    config = replace(CONSISTENT, crop=48, batch=1)
    estimate(
        config, run_preflight(RunPairs(make_pairs(tmp_path / "d", 4), share=0.2), config), "cpu"
    )
    chosen = steps_to_time(config)
    timed = [step for side, step in ran if side == config.crop]
    assert timed == [chosen.largest, *chosen.typical]

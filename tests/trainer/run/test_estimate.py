"""Which steps an estimate times: those of the mean cost, and the largest for the memory."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
import torch

from core.errors import Cancelled, DeviceMemoryError, InputError
from core.messages import Message
from core.progress import NullProgress
from tests.trainer.run import child_work
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.run_plan import RunPairs
from trainer.data.pairs import find_pairs
from trainer.data.preflight import run_preflight
from trainer.optimization.bilevel import BilevelStep, consistency_margins
from trainer.run import estimate as estimating
from trainer.run.fresh_process import ProcessDied, run_in_fresh_process
from trainer.run.step_costs import StepOrder, measure_steps, steps_to_time

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
    found = find_pairs(make_pairs(tmp_path / "d", 4), "mif").matches
    threads = torch.get_num_threads()
    costs = measure_steps(StepOrder(config, found, device="cpu", threads=threads), NullProgress())
    chosen = steps_to_time(config)
    timed = [step for side, step in ran if side == config.crop]
    assert timed == [chosen.largest, *chosen.typical]
    assert costs.step_seconds > 0


class Heard(NullProgress):
    """Cancels after some reports, if it is told to."""

    def __init__(self, most: float = float("inf")) -> None:
        self.reports: list[tuple[float, str]] = []
        self._most = most

    def report(self, done: float, total: float, stage: str) -> None:
        self.reports.append((done, stage))

    def check(self) -> None:
        if len(self.reports) >= self._most:
            raise Cancelled


def test_work_in_a_process_of_its_own_reports_and_returns() -> None:
    heard = Heard()
    assert run_in_fresh_process(child_work.doubled, 21, heard, seconds=60) == 42
    assert heard.reports == [(1, "half of 21")]
    assert isinstance(heard.reports[0][1], Message)
    assert multiprocessing.active_children() == []


def test_errors_come_back_as_they_were_raised() -> None:
    with pytest.raises(DeviceMemoryError) as raised:
        run_in_fresh_process(child_work.refused, 7, NullProgress(), seconds=60)
    error = raised.value
    assert (error.what, error.why, error.remedy) == ("A picture of 7", "too large", "Cut it.")
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by chance"):
        run_in_fresh_process(child_work.stumbled, 7, NullProgress(), seconds=60)


def test_a_process_that_is_killed_costs_nothing_else() -> None:
    with pytest.raises(ProcessDied) as died:
        run_in_fresh_process(child_work.killed, 7, NullProgress(), seconds=60)
    assert died.value.code == -9


@pytest.mark.parametrize(
    ("most", "seconds", "error", "match"),
    [(3, 60, Cancelled, None), (float("inf"), 3, InputError, "longer than 0 minutes")],
    ids=["cancelled", "too long"],
)
def test_it_ends_when_it_is_cancelled_or_takes_too_long(
    most: float, seconds: float, error: type[Exception], match: str | None
) -> None:
    heard = Heard(most)
    with pytest.raises(error, match=match):
        run_in_fresh_process(child_work.endless, 7, heard, seconds=seconds)
    assert multiprocessing.active_children() == []
    for pid, _ in heard.reports[:1]:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_too_little_memory_for_one_step_is_said_whatever_ended_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*words: object, **more: object) -> None:
        raise ProcessDied(-9)

    monkeypatch.setattr(estimating, "run_in_fresh_process", killed)
    pairs = RunPairs(make_pairs(tmp_path / "d", 4), share=0.2)
    with pytest.raises(DeviceMemoryError, match="1 crop of 32×32 does not fit cpu"):
        estimating.estimate(CONFIG, run_preflight(pairs, CONFIG), "cpu")

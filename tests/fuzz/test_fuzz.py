"""A few hundred mutated files in every run; ``python -m tests.fuzz`` takes as many as one likes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fuzz.campaign import run
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import seeds


def test_mutated_files_crash_nothing_and_are_told() -> None:
    report = run(seeds(), 300)
    assert report.faults == []
    outcomes = {outcome for _, outcome in report.counts}
    assert {"refused", "same", "different"} <= outcomes  # the mutations do something, and not all


@pytest.mark.slow
def test_many_mutated_files() -> None:
    assert run(seeds(), 50_000).faults == []


def test_a_number_stands_for_a_file() -> None:
    known = seeds()
    first, again = (mutate(np.random.default_rng((20260, 7)), known[3], known) for _ in range(2))
    assert first == again

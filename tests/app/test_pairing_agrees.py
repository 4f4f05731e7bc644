"""Window, batch and trainer find the same pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.batching.choices import Choices
from app.batching.work import find as find_for_batch
from app.pairs import find_pairs as find_for_window
from core.io.pairing import pair_paths
from core.progress import NullProgress
from tests.core.test_io_patients import FOUR, LAYOUTS, touch
from trainer.sources import find_pairs as find_for_trainer


@pytest.mark.parametrize("layout", ["plain sides", "scenes", "flat", "patients"])
def test_window_batch_and_trainer_agree(tmp_path: Path, layout: str) -> None:
    if layout == "patients":
        touch(tmp_path, *(f"sub-{n}/{name}" for n in (1, 2) for name in FOUR), "sub-1/30_pet.png")
    else:
        touch(tmp_path, *(part.format(n) for part in LAYOUTS[layout] for n in (1, 2, 3)))
        touch(tmp_path, LAYOUTS[layout][0].format(9))
    task = "mif" if layout == "patients" else "ivif"
    window = find_for_window([tmp_path], task, NullProgress())
    batch = find_for_batch([tmp_path], Choices(task=task), None, NullProgress())
    trainer = find_for_trainer(tmp_path, task)
    assert batch == window == pair_paths([tmp_path], task)
    assert set(trainer.matches) == set(window.matches)
    assert len(window.matches) == (4 if layout == "patients" else 3)
    assert len(trainer.problems) == len(window.leftovers) == 1

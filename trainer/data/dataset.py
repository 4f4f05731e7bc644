"""The images of a run in memory: found, divided, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.pairing.plan import Match
from core.progress import Progress
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.data.memory_check import check_memory
from trainer.data.pairs import FoundPairs, find_pairs, fingerprint
from trainer.data.sampler import PairSet, read_pairs
from trainer.data.split import divide, given


@dataclass(frozen=True)
class Dataset:
    """Images in memory. ``sha256``: of the files trained on; ``judged_sha256``: judged by."""

    pairs: PairSet
    validation: PairSet | None
    sha256: str
    judged_sha256: str
    notes: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be used."""
        return self.pairs.problems + (self.validation.problems if self.validation else ())


def read_dataset(
    config: TrainConfig, plan: RunPlan, progress: Progress, device: str = "cpu", batch: int = 1
) -> Dataset:
    """Find, divide and read the images of a run.

    Args:
        device: where its steps are made.
        batch: crops a step will have at least.

    Raises:
        DeviceMemoryError: the images, or a step beside them, do not fit into memory.
        InputError: not one pair can be used. Cancelled: from ``progress``.
    """
    found = find_pairs(plan.sources, config.task, config.exclude, plan.swapped)
    judged = FoundPairs((), (), ())
    if plan.validation is not None:
        judged = find_pairs(plan.validation, config.task, config.exclude, plan.swapped)
        division = given(found.matches, judged.matches, config.task)
    else:
        division = divide(found.matches, plan.share, config.task)
    train, held = division.train, division.validation
    notes = (*found.notes, division.note) if division.note else found.notes
    held = _some(held, config.validate_pairs)
    check_memory(config, (*train, *held), device, batch)
    pairs = read_pairs(
        train, config.colour, progress, config.truth, task=config.task, windows=config.windows
    )
    pairs = replace(pairs, problems=(*found.problems, *judged.problems, *pairs.problems))
    validation = None
    if held:
        validation = read_pairs(
            held, config.colour, progress, task=config.task, windows=config.windows
        )
    return Dataset(
        pairs,
        validation,
        fingerprint(train, config.truth),
        fingerprint(held, False) if held else "",
        notes,
    )


def _some(matches: Sequence[Match], most: int) -> tuple[Match, ...]:
    """At most ``most`` of them, spread evenly; all when 0."""
    count = len(matches)
    if not most or count <= most:
        return tuple(matches)
    return tuple(matches[(2 * place + 1) * count // (2 * most)] for place in range(most))

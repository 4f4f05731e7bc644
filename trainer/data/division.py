"""Which pairs a run learns from and which it is checked with; for runs and for their preflight."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPairs
from trainer.data.pairs import FoundPairs, find_pairs
from trainer.data.split import DataSplit, group_split, predefined_split


@dataclass(frozen=True)
class DividedPairs:
    """All pairs of the data, those of the validation folder, and the division of both."""

    found: FoundPairs
    held_out: FoundPairs
    split: DataSplit


def divide_pairs(pairs: RunPairs, config: TrainConfig) -> DividedPairs:
    """Find and divide the pairs of a run.

    Raises:
        InputError: a path does not exist, or no pair was found.
    """
    found = find_pairs(
        pairs.sources,
        config.task,
        config.exclude,
        pairs.swapped,
        config.slice_distance,
        dataset=pairs.dataset,
        split=pairs.split,
        aligns=config.align != "none",
    )
    if pairs.validation is None:
        division = group_split(found.matches, pairs.share, config.task)
        return DividedPairs(found, FoundPairs((), (), ()), division)
    held_out = find_pairs(
        pairs.validation,
        config.task,
        config.exclude,
        pairs.swapped,
        config.slice_distance,
        dataset=pairs.validation_dataset,
        split=pairs.validation_split,
        aligns=config.align != "none",
    )
    division = predefined_split(found.matches, held_out.matches, config.task)
    return DividedPairs(found, held_out, division)

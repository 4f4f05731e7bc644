"""Which pairs a run learns from and which it is checked with; for runs and for their preflight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.pairing.dataset_descriptor import DatasetDescriptor
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.data.pairs import FoundPairs, find_pairs
from trainer.data.split import DataSplit, group_split, predefined_split


@dataclass(frozen=True)
class DividedPairs:
    """All pairs of the data, those of the validation folder, and the division of both."""

    found: FoundPairs
    held_out: FoundPairs
    split: DataSplit


def divide_pairs(
    data: Path | Sequence[Path],
    config: TrainConfig,
    *,
    share: float,
    validation: Path | None = None,
    swapped: bool = False,
    dataset: DatasetDescriptor | None = None,
    split: str = "",
    validation_dataset: DatasetDescriptor | None = None,
    validation_split: str = "",
) -> DividedPairs:
    """Find and divide the pairs of a run; the arguments are those of the ``RunPlan``.

    Raises:
        InputError: a path does not exist, or no pair was found.
    """
    found = find_pairs(
        data,
        config.task,
        config.exclude,
        swapped,
        config.slice_distance,
        dataset=dataset,
        split=split,
        aligns=config.align != "none",
    )
    if validation is None:
        division = group_split(found.matches, share, config.task)
        return DividedPairs(found, FoundPairs((), (), ()), division)
    held_out = find_pairs(
        validation,
        config.task,
        config.exclude,
        swapped,
        config.slice_distance,
        dataset=validation_dataset,
        split=validation_split,
        aligns=config.align != "none",
    )
    division = predefined_split(found.matches, held_out.matches, config.task)
    return DividedPairs(found, held_out, division)


def divide_plan(config: TrainConfig, plan: RunPlan) -> DividedPairs:
    """The pairs of a run as its plan divides them; errors as in :func:`divide_pairs`."""
    return divide_pairs(
        plan.sources,
        config,
        share=plan.share,
        validation=plan.validation,
        swapped=plan.swapped,
        dataset=plan.dataset,
        split=plan.split,
        validation_dataset=plan.validation_dataset,
        validation_split=plan.validation_split,
    )

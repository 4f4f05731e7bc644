"""The images of a run in memory: pairing, train/validation split, reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

from core.errors import InputError, Message
from core.pairing.plan import Match
from core.progress import Progress
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.data.division import divide_pairs
from trainer.data.memory_check import check_memory
from trainer.data.pairs import fingerprint
from trainer.data.sampler import PairSet, read_pairs


@dataclass(frozen=True)
class Dataset:
    """Images in memory, with fingerprints of the training and of the validation files.

    Attributes:
        matches: the files of the training pairs, also of those that could not be used.
    """

    pairs: PairSet
    validation: PairSet | None
    sha256: str
    validation_sha256: str
    notes: tuple[str, ...]
    _: KW_ONLY
    matches: tuple[Match, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Files and pairs that could not be used, one sentence each."""
        return self.pairs.problems + (self.validation.problems if self.validation else ())


def read_dataset(
    config: TrainConfig, plan: RunPlan, progress: Progress, device: str = "cpu", batch: int = 1
) -> Dataset:
    """Pair, split and read the images of a run.

    Args:
        device: device of the training steps.
        batch: smallest number of crops per step.

    Raises:
        DeviceMemoryError: the images, or a step in addition to them, do not fit into memory.
        InputError: no pair can be used. Cancelled: raised by ``progress``.
    """
    divided = divide_pairs(plan, config)
    found, held_out, division = divided.found, divided.held_out, divided.split
    train = division.train
    notes = (*found.notes, division.note) if division.note else found.notes
    held = _subsample(division.validation, config.validate_pairs)
    check_memory(config, (*train, *held), device, batch)
    pairs = read_pairs(
        train, config.colour, progress, config.truth, task=config.task, windows=config.windows,
        align=config.align_choice,
    )  # fmt: skip
    pairs = replace(pairs, problems=(*found.problems, *held_out.problems, *pairs.problems))
    validation = _read_held_out(held, config, progress) if held else None
    notes += pairs.notes + (validation.notes if validation is not None else ())
    return Dataset(
        pairs,
        validation,
        fingerprint(train, config.truth),
        fingerprint(held, False) if held else "",
        notes,
        matches=tuple(train),
    )


@dataclass(frozen=True)
class HeldOut:
    """The validation pairs of a run: their files, images, and fingerprint as in :class:`Dataset`.

    ``train_sha256``: fingerprint of the training files, whose images were not read.
    """

    matches: tuple[Match, ...]
    pairs: PairSet
    sha256: str
    train_sha256: str


def read_held_out(config: TrainConfig, plan: RunPlan, progress: Progress) -> HeldOut:
    """The validation pairs of :func:`read_dataset` without its training images.

    Raises:
        InputError: there are none, or no pair can be used. Cancelled: raised by ``progress``.
    """
    division = divide_pairs(plan, config).split
    held = _subsample(division.validation, config.validate_pairs)
    if not held:
        raise InputError(
            ", ".join(str(path) for path in plan.sources[:3]),
            Message("no pair is held back to score on"),
            Message("Give a folder of validation pairs, or more pairs."),
        )
    return HeldOut(
        held,
        _read_held_out(held, config, progress),
        fingerprint(held, False),
        fingerprint(division.train, config.truth),
    )


def _read_held_out(held: Sequence[Match], config: TrainConfig, progress: Progress) -> PairSet:
    return read_pairs(
        held, config.colour, progress,
        task=config.task, windows=config.windows, align=config.align_choice,
    )  # fmt: skip


def _subsample(matches: Sequence[Match], most: int) -> tuple[Match, ...]:
    """At most ``most`` matches, evenly spaced; all of them if ``most`` is 0."""
    count = len(matches)
    if not most or count <= most:
        return tuple(matches)
    return tuple(matches[(2 * place + 1) * count // (2 * most)] for place in range(most))

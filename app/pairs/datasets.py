"""Which data set a folder holds: recognised by itself, or chosen; the same on every page. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from core.errors import FusionError, InputError, Message
from core.packs.paths import user_dataset_folder
from core.pairing.dataset_descriptor import DatasetDescriptor, descriptors, get_descriptor
from core.pairing.datasets import dataset_pairs, find_dataset
from core.progress import NullProgress, Progress

AUTOMATIC, PLAIN = "", "-"
"""Names of the choice to recognise a data set, and of that to pair by names alone."""
ALL = "all"
"""Name of the split that is all of a data set."""


@dataclass(frozen=True)
class DatasetChoice:
    """What was chosen.

    Attributes:
        name: :data:`AUTOMATIC`, :data:`PLAIN`, or the name of a data set.
        split: a part of the data set; "" for its usual one.
        descriptor: how it was laid out in a run that is shown again; it and ``split`` are used as
            they are, whatever is called ``name`` by now.
    """

    name: str = AUTOMATIC
    split: str = ""
    _: KW_ONLY
    descriptor: DatasetDescriptor | None = None

    @classmethod
    def of_run(cls, descriptor: DatasetDescriptor | None, split: str) -> DatasetChoice:
        """The choice that gives a run's own layout again; None is a plain folder."""
        if descriptor is None:
            return cls(PLAIN)
        return cls(descriptor.name, split, descriptor=descriptor)


@dataclass(frozen=True)
class FoundDataset:
    """What a folder holds.

    Attributes:
        descriptor: how it is laid out; None to pair by names.
        split: the part that is used; "" for its usual one.
        pairs: number of pairs laid out so.
        error: why the chosen data set does not fit the folder.
    """

    descriptor: DatasetDescriptor | None = None
    split: str = ""
    _: KW_ONLY
    pairs: int = 0
    error: FusionError | None = None


def known_datasets(progress: Progress) -> tuple[DatasetDescriptor, ...]:
    """All data sets known by name.

    Raises:
        InputError: one of the user's descriptors is invalid.
    """
    return descriptors([user_dataset_folder()])


def resolve(
    folder: Path, choice: DatasetChoice, usual: str = ""
) -> tuple[DatasetDescriptor | None, str]:
    """The data set and the part of it that ``choice`` means for ``folder``.

    A data set that was recognised by itself is used whole where its usual part has no pairs.

    Args:
        usual: the part that is used unless one is chosen, where the data set has it.

    Raises:
        InputError: the data set is unknown, or one of the user's descriptors is invalid.
    """
    if choice.descriptor is not None:
        return choice.descriptor, choice.split
    if choice.name == PLAIN:
        return None, ""
    if choice.name != AUTOMATIC:
        descriptor = get_descriptor(choice.name, [user_dataset_folder()])
        return descriptor, choice.split or usual_split(descriptor, usual)
    found = find_dataset(folder, descriptors([user_dataset_folder()]))
    if found is None:
        return None, ""
    split = choice.split if choice.split in (*found.splits, ALL) else usual_split(found, usual)
    try:
        dataset_pairs(found, folder, split)
    except InputError:
        split = ALL
    return found, split


def usual_split(descriptor: DatasetDescriptor, usual: str = "") -> str:
    """The part that is used unless another is chosen; "" for the descriptor's own default."""
    return usual if usual in descriptor.splits or (usual == ALL and descriptor.splits) else ""


def validation_layout(
    folder: Path, choice: DatasetChoice, training: DatasetDescriptor | None, task: str
) -> tuple[DatasetDescriptor | None, str]:
    """How the folder of the validation pairs of a training is laid out, and the part to use.

    As the training data where that fits, with the part meant for validation, else that for tests,
    else all; recognised by itself where the training data was to be; else paired by names.

    Args:
        choice: that for the training data. training: what it gave.
        task: what is trained; a data set of another task is not recognised.

    Raises:
        InputError: one of the user's descriptors is invalid.
    """
    if choice.name == PLAIN and training is None:
        return None, ""
    known = [] if training is None else [training]
    if choice.name == AUTOMATIC and choice.descriptor is None:
        found = find_dataset(folder, descriptors([user_dataset_folder()]))
        known += [found] if found is not None and found.task == task else []
    for descriptor in known:
        for split in _validation_splits(descriptor):
            with suppress(InputError):
                dataset_pairs(descriptor, folder, split)
                return descriptor, split
    return None, ""


def _validation_splits(descriptor: DatasetDescriptor) -> list[str]:
    if not descriptor.splits:
        return [""]
    return [*(name for name in ("val", "test") if name in descriptor.splits), ALL]


def no_folder(folder: Path) -> InputError:
    """The error of a folder that is not there."""
    return InputError(str(folder), Message("there is no such folder"), Message("Check the name."))


def inspect_folder(
    folder: Path, choice: DatasetChoice, usual: str = "", progress: Progress | None = None
) -> FoundDataset:
    """What ``folder`` holds for ``choice``, with the number of its pairs; see :func:`resolve`."""
    descriptor: DatasetDescriptor | None = None
    split = choice.split
    if not folder.is_dir():
        return FoundDataset(error=no_folder(folder))
    try:
        descriptor, split = resolve(folder, choice, usual)
        (progress or NullProgress()).check()
        if descriptor is None:
            return FoundDataset()
        found = dataset_pairs(descriptor, folder, split)
    except FusionError as error:
        return FoundDataset(descriptor, split, error=error)
    return FoundDataset(descriptor, split, pairs=len(found.matches))


def inspect_paths(
    paths: Sequence[Path], choice: DatasetChoice, usual: str = "", progress: Progress | None = None
) -> FoundDataset:
    """As :func:`inspect_folder`, of what is one folder, or with an error of what is not."""
    if len(paths) == 1 and paths[0].is_dir():
        return inspect_folder(paths[0], choice, usual, progress)
    if choice.name in (AUTOMATIC, PLAIN):
        return FoundDataset()
    error = FusionError(
        choice.name,
        Message("a data set is one folder"),
        Message("Clear the list and add that folder alone, or choose “Plain folder”."),
    )
    return FoundDataset(error=error)

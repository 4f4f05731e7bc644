"""Data sets on the command line: ``--dataset``, and ``unifusion datasets``."""

from __future__ import annotations

from app.cli.console import say
from core.errors import InputError
from core.packs.paths import user_dataset_folder
from core.pairing.dataset_descriptor import DatasetDescriptor, descriptors, get_descriptor
from core.pairing.datasets import layout_in_words


def chosen_dataset(name: str, split: str = "") -> DatasetDescriptor | None:
    """The descriptor of that name, or in the TOML file of that name; None for "".

    Raises:
        InputError: it is unknown or invalid, it has no such split, or a split without a data set.
    """
    if not name:
        if split:
            raise InputError(f"--split {split}", "it is of a data set", "Add --dataset NAME.")
        return None
    descriptor = get_descriptor(name, [user_dataset_folder()])
    descriptor.folders_of(split)
    return descriptor


def list_datasets() -> None:
    """Print name, task, title, reference, splits and layouts of every known data set.

    Raises:
        InputError: one of the user's descriptors is invalid.
    """
    for item in descriptors([user_dataset_folder()]):
        splits = f"  splits: {', '.join(item.splits)}" if item.splits else ""
        say(f"{item.task:5} {item.name:13} {item.title}{splits}  {item.reference}".rstrip())
        for layout in item.layouts:
            say(f"{'':19} {layout_in_words(layout)}")
    say(f"Your own descriptors go into {user_dataset_folder()}")

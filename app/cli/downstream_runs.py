"""What the commands of ``unifusion downstream`` share: labels, methods, runs and tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, TypeVar

from app.cli.console import TerminalProgress, note, say
from app.cli.dataset_option import chosen_dataset
from app.cli.downstream_options import DownstreamOptions
from core.errors import InputError
from core.pairing.dataset_descriptor import DatasetDescriptor, LabelFiles
from core.pairing.datasets import dataset_pairs, label_folder
from trainer.downstream.fine_tuning import FineTuningStep

Ended = TypeVar("Ended")
Plan = TypeVar("Plan")
Table = Mapping[str, Mapping[str, float]]
"""Scores by method and column; NaN where one is undefined."""


@dataclass(frozen=True)
class ChosenLabels:
    """Where labels are, what their classes are called, and of which images; None for all."""

    folder: Path
    names: tuple[str, ...]
    stems: frozenset[str] | None = None


def chosen_labels(
    options: DownstreamOptions,
    labels: Path | None,
    known: DatasetDescriptor | None,
    of_known: LabelFiles | None,
) -> ChosenLabels:
    """The labels that ``labels`` and the names in ``options`` say, or those of a data set.

    Args:
        known: the data set of ``options``. of_known: its labels for the task.

    Raises:
        InputError: one of them is missing, or the data set is not in the folder.
    """
    if known is None:
        return _given_labels(labels, options.names)
    return _dataset_labels(known, of_known, options.data, options.split)


def _given_labels(labels: Path | None, names: str) -> ChosenLabels:
    classes = tuple(name.strip() for name in names.split(",") if name.strip())
    if labels is None or not classes:
        raise InputError(
            "The labels", "where they are, or their classes, are not given",
            "Give --labels and --names, or --dataset and --data.",
        )  # fmt: skip
    return ChosenLabels(labels, classes)


def _dataset_labels(
    descriptor: DatasetDescriptor, labels: LabelFiles | None, data: Path | None, split: str
) -> ChosenLabels:
    if labels is None:
        raise InputError(
            f"--dataset {descriptor.name}",
            "it has no labels for this",
            "Give --labels and --names.",
        )
    if data is None:
        raise InputError(
            f"--dataset {descriptor.name}", "its folder is not given", "Add --data FOLDER."
        )
    folder = label_folder(descriptor, labels, data, split)
    pairs = dataset_pairs(descriptor, data, split).matches
    return ChosenLabels(folder, tuple(labels.classes), frozenset(pair.a.stem for pair in pairs))


def labelled_dataset(options: DownstreamOptions) -> DatasetDescriptor | None:
    """The data set of ``--dataset``; None without one.

    Raises:
        InputError: it is unknown, or ``--data`` is given without it.
    """
    descriptor = chosen_dataset(options.dataset, options.split)
    if descriptor is None and options.data is not None:
        raise InputError(f"--data {options.data}", "it is of a data set", "Add --dataset NAME.")
    return descriptor


def plan_of(
    kind: Callable[..., Plan],
    options: DownstreamOptions,
    labels: ChosenLabels,
    method: str,
    folder: Path,
    **own: object,
) -> Plan:
    """The plan for the images of ``method`` in ``folder``; ``own``: what the kind has beside."""
    return kind(
        folder,
        labels.folder,
        labels.names,
        checkpoint=_state_of(options.state, method),
        weights=options.weights,
        stems=labels.stems,
        steps=options.steps,
        seed=options.seed,
        width=options.width,
        **own,
    )


def method_folders(methods: Sequence[str]) -> dict[str, Path]:
    """The folders of ``NAME=FOLDER``, by name.

    Raises:
        InputError: one is no such text or folder, or a name occurs twice.
    """
    found: dict[str, Path] = {}
    for text in methods:
        name, equals, folder = text.partition("=")
        if not equals or not name or not Path(folder).is_dir() or "/" in name:
            raise InputError(
                f"--method {text}", "it is no NAME=FOLDER of a folder that exists", "Check it."
            )
        if name in found:
            raise InputError(f"--method {text}", "the name was given twice", "Choose another.")
        found[name] = Path(folder)
    return found


def _state_of(folder: Path | None, method: str) -> Path | None:
    """The file of the state of a method in ``folder``, which is made; None without one."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{method}.pt"


def run_to_end(name: str, steps: int, run: Any, events: type[Ended]) -> Ended:
    """Show the steps of ``run``, a function of a progress; returns what it ends with."""
    with TerminalProgress() as progress:
        stream: Iterator[FineTuningStep | Ended] = run(progress)
        for event in stream:
            progress.clear()
            if isinstance(event, events):
                return event
            if isinstance(event, FineTuningStep) and event.step % 50 == 0:
                note(f"{name}: step {event.step} of {steps}, loss {event.loss:.3f}")
    raise AssertionError("a run ends with its scores")


def show_table(table: Table, columns: Sequence[str]) -> None:
    """Print the ``columns`` of the scores of every method."""
    width = max(len("method"), *(len(name) for name in table))
    widths = [max(len(column), 6) for column in columns]
    titles = (f"{column:>{size}}" for column, size in zip(columns, widths, strict=True))
    say(f"{'method':{width}}  {'  '.join(titles)}")
    for name, scores in table.items():
        cells = ("–" if isnan(scores[column]) else f"{scores[column]:.4f}" for column in columns)
        shown = (f"{cell:>{size}}" for cell, size in zip(cells, widths, strict=True))
        say(f"{name:{width}}  {'  '.join(shown)}")


def check_table(path: Path | None, labels: Path, read: Iterable[Path | None]) -> None:
    """Refuse to write the scores over labels, pictures or other files in ``read``.

    Raises:
        OutputError: as in :func:`core.evaluation.outputs.check_outputs`.
    """
    from core.evaluation.outputs import check_outputs

    if path is not None:
        given = [file for file in read if file is not None]
        check_outputs([path], (), [labels, *labels.rglob("*"), *given])


def write_table(path: Path, table: Table) -> None:
    """Write all scores as CSV, which ``unifusion evaluate --downstream`` reads.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io.atomic import atomic_write

    columns = list(dict.fromkeys(column for scores in table.values() for column in scores))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("method", *columns))
    for name, scores in table.items():
        cells = (scores.get(column, float("nan")) for column in columns)
        writer.writerow((name, *("" if isnan(cell) else cell for cell in cells)))
    atomic_write(path, text.getvalue().encode())

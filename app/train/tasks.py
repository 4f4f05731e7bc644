"""The work of the Train workspace before and during a run, as functions for worker threads.

The trainer, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage

from app.pairs.datasets import FoundDataset, inspect_paths, validation_layout
from app.pairs.thumbnails import draw_waiting
from app.train.images import as_image
from app.train.state import DataChoice
from app.train.view_models import (
    Capabilities,
    Cost,
    DataReport,
    PreflightRow,
    Sample,
    SplitGroup,
    Subset,
    TrainSettings,
)
from app.workers.training import one_core_left
from core.progress import Progress
from core.tasks import get_task

if TYPE_CHECKING:
    from core.pairing.plan import Match
    from trainer.config.run_plan import RunPairs, RunPlan
    from trainer.data.split import DataSplit
    from trainer.events import PreviewImages
    from trainer.run.control import RunControl

_SAMPLES, _SAMPLE_SIDE = 4, 192


# --- before a run ------------------------------------------------------------------------------


def survey_data(choice: DataChoice, settings: TrainSettings, progress: Progress) -> DataReport:
    """Check every pair and split them into training and validation.

    Raises:
        InputError: a path does not exist, or contains no usable pair.
        FusionError: the chosen data set does not fit the data.
    """
    from core.alignment.aligning import check_choice
    from trainer.config.config import train_adapter
    from trainer.data.preflight import run_preflight

    config = train_adapter.validate_python({**settings, "task": choice.task})
    check_choice(config.align_choice)
    laid_out = inspect_paths(choice.paths, choice.dataset, "train", progress)
    if laid_out.error is not None:
        raise laid_out.error
    judged = _validation_layout(choice, laid_out)
    pairs = _chosen_pairs(choice, laid_out, judged)
    found = run_preflight(pairs, config, progress)
    shifted = {bad.name: bad.reason for bad in found.misaligned}
    parts: tuple[tuple[Subset, Any], ...] = (
        ("train", found.split.train),
        ("validation", found.split.validation),
    )
    rows = [
        PreflightRow(match.name, part, _belongs(found.split, match), shifted.get(match.name, ""))
        for part, matches in parts
        for match in matches
    ]
    rows += [
        PreflightRow(bad.name, "problem", "", bad.reason)
        for bad in found.unreadable + found.mismatched
    ]
    rows += [PreflightRow(file.path.name, "problem", "", file.reason) for file in found.unpaired]
    sides = tuple(SplitGroup(g.name, g.train, g.validation) for g in found.split.sides())
    split = found.split
    return DataReport(
        tuple(rows),
        split.groups,
        by=split.by,
        notes=found.warnings,
        survey=found,
        sides=sides,
        suggested=found.suggested_task,
        medical=get_task(choice.task).medical,
        samples=tuple((m.name, *m.middle) for m in _spread(split.train, _SAMPLES)),
        dataset=laid_out,
        validation_dataset=judged,
    )


def _chosen_pairs(choice: DataChoice, laid_out: FoundDataset, judged: FoundDataset) -> RunPairs:
    """The pairs that were chosen, in folders of the layouts that were found."""
    from trainer.config.run_plan import RunPairs

    return RunPairs(
        choice.paths[0] if len(choice.paths) == 1 else choice.paths,
        validation=choice.validation,
        share=0.0 if choice.validation else choice.share,
        swapped=choice.swapped,
        dataset=laid_out.descriptor,
        split=laid_out.split,
        validation_dataset=judged.descriptor,
        validation_split=judged.split,
    )


def _validation_layout(choice: DataChoice, laid_out: FoundDataset) -> FoundDataset:
    """How the folder of validation pairs is laid out; by names without one."""
    if choice.validation is None:
        return FoundDataset()
    kept = choice.validation_dataset
    if kept is not None:
        return FoundDataset(kept.descriptor, kept.split)
    return FoundDataset(
        *validation_layout(choice.validation, choice.dataset, laid_out.descriptor, choice.task)
    )


def _spread(matches: Sequence[Match], most: int) -> Sequence[Match]:
    """At most ``most`` of the matches, evenly spaced."""
    count = min(most, len(matches))
    return [matches[(2 * k + 1) * len(matches) // (2 * count)] for k in range(count)]


def draw_samples(report: DataReport, progress: Progress) -> tuple[Sample, ...]:
    """Some of the pairs as small images."""
    waiting = deque((a, b) for _, a, b in report.samples)
    drawn = {key: (a, b) for key, a, b in draw_waiting(waiting, _SAMPLE_SIDE, progress)}
    return tuple(Sample(name, *drawn[a, b]) for name, a, b in report.samples)


def _belongs(split: DataSplit, match: Match) -> str:
    """The patient or group of a pair, else its folder; groups by order have no label."""
    label = split.labels.get(match, "") if split.by != "order" else ""
    return label or match.folder.as_posix().strip(".")


def estimate_cost(settings: TrainSettings, report: DataReport, progress: Progress) -> Cost:
    """Estimate the cost of a run by timing a few steps.

    Raises:
        FusionError: training with these settings is impossible; the message says why.
    """
    from trainer.config.config import train_adapter
    from trainer.run.estimate import estimate

    config = train_adapter.validate_python(settings)
    with one_core_left():
        found = estimate(config, report.survey, config.device, progress)
    return Cost(
        found.seconds_per_step,
        found.seconds_total,
        peak_bytes=found.peak_bytes,
        free_bytes=found.free_bytes,
        device=found.device,
        reason=found.device_reason,
        precision=found.precision,
        precision_reason=found.precision_reason,
    )


@dataclass(frozen=True)
class LoadedSettings:
    """Settings of a file. ``network``: whether the file itself defines the network."""

    settings: TrainSettings
    network: bool


def read_settings(path: Path, progress: Progress) -> LoadedSettings:
    """Read settings from a TOML or JSON file, as the command line does.

    Raises:
        InputError: the file cannot be read, or a value is invalid.
    """
    from trainer.config.form import values_of
    from trainer.config.settings_file import load_settings

    config, given = load_settings(path)
    return LoadedSettings(values_of(config), "network" in given)


def write_settings(settings: TrainSettings, path: Path, progress: Progress) -> Path:
    """Write settings as TOML or JSON, by the suffix.

    Raises:
        InputError: the suffix is unknown. OutputError: the file cannot be written.
    """
    from trainer.config.settings_file import save_settings

    save_settings(settings, path)
    return path


def write_text(text: str, path: Path, progress: Progress) -> None:
    """Write a text file, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    from core.io import atomic_write

    atomic_write(path, text.encode())


# --- a run -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class TrainingRequest:
    """A run to start or resume."""

    settings: TrainSettings
    plan: RunPlan


@dataclass(frozen=True, eq=False)
class ValidationPreview:
    """Validation metrics, and images A, B, currently and initially fused."""

    step: int
    scores: Mapping[str, float]
    score: float
    best: bool
    images: tuple[QImage, ...]


def new_plan(
    capabilities: Capabilities,
    choice: DataChoice,
    name: str,
    about: str,
    tensorboard: bool,
    *,
    report: DataReport | None = None,
) -> RunPlan:
    """Paths of a new run; its pack gets an unused name derived from ``name``.

    Args:
        report: survey of the data, which says how it is laid out; None to pair by names.
    """
    from trainer.config.run_plan import RunPlan

    laid_out = report.dataset if report is not None else FoundDataset()
    judged = report.validation_dataset if report is not None else FoundDataset()
    return RunPlan.of(
        _chosen_pairs(choice, laid_out, judged),
        capabilities.runs / f"{capabilities.next_name(name)}.safetensors",
        title=name.strip(),
        data_used=(about.strip(),) if about.strip() else (),
        tensorboard=tensorboard,
    )


def train_steps(order: TrainingRequest, control: RunControl, progress: Progress) -> Iterator[Any]:
    """Yield the trainer's events; validation images are converted on this thread."""
    from trainer.config.config import train_adapter
    from trainer.events import Validated
    from trainer.run.loop import train

    config = train_adapter.validate_python(order.settings)
    with one_core_left():
        for event in train(config, order.plan, progress, control):
            if isinstance(event, Validated):
                images = preview_images(event.strip)
                yield ValidationPreview(
                    event.step, dict(event.scores), event.score, event.best, images
                )
            else:
                yield event


def preview_images(strip: PreviewImages) -> tuple[QImage, ...]:
    """A, B, currently and initially fused, for the window."""
    return tuple(as_image(p) for p in (strip.a, strip.b, strip.now, strip.start))

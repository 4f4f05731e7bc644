"""The work of the Train workspace: functions that are run on worker threads.

The trainer, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage

from app.pairs.datasets import FoundDataset, inspect_paths
from app.pairs.thumbnails import draw_waiting
from app.train.images import as_image
from app.train.state import DataChoice, PackComparison
from app.train.view_models import (
    Capabilities,
    Cost,
    DataReport,
    OpenRun,
    PreflightRow,
    Sample,
    ScoreRow,
    SplitGroup,
    Subset,
    TrainSettings,
)
from app.workers.training import import_optimisers, leave_a_core
from core.progress import Progress
from core.tasks import get_task
from core.windows import Window

if TYPE_CHECKING:
    from core.pairing.plan import Match
    from trainer.config.run_plan import RunPlan
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
    from trainer.config.config import train_adapter
    from trainer.data.preflight import run_preflight

    config = train_adapter.validate_python({**settings, "task": choice.task})
    laid_out = inspect_paths(choice.paths, choice.dataset, "train", progress)
    if laid_out.error is not None:
        raise laid_out.error
    found = run_preflight(
        choice.paths,
        config,
        progress,
        share=choice.share,
        validation=choice.validation,
        swapped=choice.swapped,
        dataset=laid_out.descriptor,
        split=laid_out.split,
    )
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

    leave_a_core()
    config = train_adapter.validate_python(settings)
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
    control: RunControl


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
    laid_out: FoundDataset | None = None,
) -> RunPlan:
    """Paths of a new run; its pack gets an unused name derived from ``name``."""
    from trainer.config.run_plan import RunPlan

    data = choice.paths[0] if len(choice.paths) == 1 else choice.paths
    return RunPlan(
        data,
        capabilities.runs / f"{capabilities.next_name(name)}.safetensors",
        choice.validation,
        title=name.strip(),
        data_used=(about.strip(),) if about.strip() else (),
        share=0.0 if choice.validation else choice.share,
        swapped=choice.swapped,
        tensorboard=tensorboard,
        dataset=laid_out.descriptor if laid_out is not None else None,
        split=laid_out.split if laid_out is not None else "",
    )


def train_steps(order: TrainingRequest, progress: Progress) -> Iterator[Any]:
    """Yield the trainer's events; validation images are converted on this thread."""
    from trainer.config.config import train_adapter
    from trainer.events import Validated
    from trainer.run.loop import train

    import_optimisers()
    leave_a_core()
    config = train_adapter.validate_python(order.settings)
    for event in train(config, order.plan, progress, order.control):
        if isinstance(event, Validated):
            images = _preview_images(event.strip)
            yield ValidationPreview(event.step, dict(event.scores), event.score, event.best, images)
        else:
            yield event


def _preview_images(strip: PreviewImages) -> tuple[QImage, ...]:
    return tuple(as_image(p) for p in (strip.a, strip.b, strip.now, strip.start))


# --- runs that were left ------------------------------------------------------------------------


def open_runs(folder: Path, progress: Progress) -> tuple[OpenRun, ...]:
    """Unfinished runs, latest first; damaged ones come last."""
    from trainer.config.config import train_adapter
    from trainer.config.form import values_of
    from trainer.run_folder.registry import scan_runs

    runs, damaged = scan_runs(folder)
    left = (
        OpenRun(
            run.plan.title or run.name,
            run.task,
            run.step,
            run.steps,
            _timestamp(run.when),
            settings=train_adapter.dump_python(run.config, mode="json"),
            shown=values_of(run.config),
            handle=run,
        )
        for run in runs
        if run.resumable and not run.running
    )
    return (*left, *(OpenRun(run.name, damage=run.why, handle=run) for run in damaged))


def _timestamp(when: datetime) -> float:
    return when.timestamp()


def discard_run(run: OpenRun, progress: Progress) -> None:
    """Delete a run's folder.

    Raises:
        FusionError: the run is active in another process, or cannot be deleted.
    """
    from trainer.run_folder.registry import discard

    discard(run.handle)


@dataclass(frozen=True, eq=False)
class UnfinishedRun:
    """What is shown of an unfinished run when it is resumed.

    Attributes:
        curves: recorded curves, or None. step, images: last validation images and their step.
    """

    curves: Any
    step: int = 0
    images: tuple[QImage, ...] = ()


def read_unfinished_run(plan: RunPlan, progress: Progress) -> UnfinishedRun:
    """Recorded curves and validation images of a run; unreadable parts are left out."""
    from core.errors import InputError
    from trainer.run_folder.preview import read_strip
    from trainer.run_folder.registry import read_curves

    curves: Any = None
    with suppress(InputError):
        curves = read_curves(plan.log)
    kept = read_strip(plan.strip)
    return (
        UnfinishedRun(curves, kept[0], _preview_images(kept[1]))
        if kept is not None
        else UnfinishedRun(curves)
    )


def package_run(folder: Path, progress: Progress) -> Any:
    """Write the pack of a failed run from its best saved state.

    Raises:
        FusionError: there is no usable state.
    """
    from trainer.run.export import package

    return package(folder)


# --- comparison and default ---------------------------------------------------------------------


def compare_packs(
    parent: Path | None, child: Path, settings: TrainSettings, plan: RunPlan, progress: Progress
) -> PackComparison:
    """Compare a run's pack with its parent on the validation pairs.

    Without a parent, the task's classical method is used instead.

    Raises:
        FusionError: a pack or pair is invalid.
    """
    from trainer.data.pair_reader import SLICE_DISTANCE
    from trainer.data.pairs import find_pairs
    from trainer.data.split import group_split
    from trainer.run.compare import compare

    leave_a_core()
    task, exclude = settings["task"], tuple(settings.get("exclude") or ())
    distance = float(settings.get("slice_distance", SLICE_DISTANCE))
    if plan.validation is not None:
        pairs = find_pairs(plan.validation, task, exclude, plan.swapped, distance=distance).matches
    else:
        every = find_pairs(
            plan.data,
            task,
            exclude,
            plan.swapped,
            distance,
            dataset=plan.dataset,
            split=plan.split,
        ).matches
        pairs = group_split(every, plan.share, task).validation
    before = parent or get_task(task).default_baseline
    windows = _by_hand(settings, "window_a"), _by_hand(settings, "window_b")
    found = compare(before, child, pairs, progress, windows=windows)
    lines = tuple(ScoreRow(f.name, f.title, f.parent, f.child, f.better) for f in found.scores)
    strips = tuple(
        tuple(as_image(p) for p in (strip.a, strip.b, strip.parent, strip.child))
        for strip in found.strips
    )
    return PackComparison(lines, strips, found.pairs, found.wins)


def _by_hand(settings: TrainSettings, name: str) -> Window | None:
    ends = settings.get(name)
    return None if ends is None else (ends[0], ends[1])


def make_default(task: str, name: str, progress: Progress) -> None:
    """Make a pack the default of its task.

    Raises:
        FusionError: the choice cannot be stored.
    """
    from core.packs.user_packs import set_default

    set_default(task, name)

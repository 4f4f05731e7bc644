"""The work behind the Train workspace, as plain functions of a progress, for worker threads.

The trainer, and with it torch, is imported here and only when first needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from app.habits.quiet_import import gently
from app.training.state import Compared, DataChoice
from app.training.values import (
    Cost,
    DataReport,
    FigureLine,
    OpenRun,
    PackChoice,
    PairRow,
    Part,
    PresetChoice,
    Room,
    Settings,
)
from core.progress import Progress
from core.tasks import get_task
from core.types import FloatArray

if TYPE_CHECKING:
    from trainer.plan import RunPlan
    from trainer.steering import Steering

_SHOWN_SIDE = 512
"""Pictures of the strip are shown small; larger ones are halved until they are about this size."""


# --- before a run ------------------------------------------------------------------------------


def open_room(progress: Progress) -> Room:
    """Presets, settings and packs there are, and a little of the charts' library."""
    return gently(_open_room, "torch")()


def _open_room() -> Room:
    import pyqtgraph  # noqa: F401  (the charts need it; its import takes a third of a second)

    from core.models.catalogue import Catalogue, user_pack_folder
    from core.models.config import CONFIGS, network_adapter
    from core.models.user_packs import next_name
    from trainer.fields import FIELDS, validate, values_of
    from trainer.presets import PRESETS, Preset

    entries = {entry.path: entry for entry in Catalogue().scan()[0]}

    def settings_of(preset: Preset, task: str, parent: Path | None) -> Settings:
        manifest = entries[parent].manifest if parent in entries else None
        config = preset.build(task, manifest)
        return values_of(replace(config, init=str(parent) if parent else ""))

    def maker(preset: Preset) -> PresetChoice:
        return PresetChoice(
            preset.name,
            preset.title,
            preset.description,
            lambda task, parent: settings_of(preset, task, parent),
        )

    def plain(network: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = network_adapter.dump_python(network, mode="json")
        return found

    packs = tuple(
        PackChoice(m.name, m.title, m.task, path, entry.embedded, plain(m.network))
        for path, entry in entries.items()
        for m in (entry.manifest,)
    )
    return Room(
        tuple(maker(preset) for preset in PRESETS),
        FIELDS,
        packs,
        {name: plain(make()) for name, make in CONFIGS.items()},
        validate,
        next_name,
        user_pack_folder(),
    )


def survey_data(choice: DataChoice, settings: Settings, progress: Progress) -> DataReport:
    """Look at every pair.

    Raises:
        InputError: a path does not exist, or nothing in it can be used.
    """
    from trainer.config import train_adapter
    from trainer.survey import survey

    config = train_adapter.validate_python({**settings, "task": choice.task})
    found = survey(choice.paths, config, progress, choice.share, choice.validation, choice.swapped)
    shifted = {bad.name: bad.reason for bad in found.misaligned}
    parts: tuple[tuple[Part, Any], ...] = (
        ("train", found.split.train),
        ("validation", found.split.validation),
    )
    rows = [
        PairRow(match.name, part, match.folder.as_posix().strip("."), shifted.get(match.name, ""))
        for part, matches in parts
        for match in matches
    ]
    rows += [
        PairRow(bad.name, "problem", "", bad.reason) for bad in found.unreadable + found.mismatched
    ]
    for line in found.unpaired:
        name, _, reason = line.partition(": ")
        rows.append(PairRow(name, "problem", "", reason))
    return DataReport(tuple(rows), found.split.groups, found.split.by, found.warnings, found)


def estimate_cost(settings: Settings, report: DataReport, progress: Progress) -> Cost:
    """Time a few real steps.

    Raises:
        FusionError: the settings cannot be trained with; the message says why.
    """
    from trainer.config import train_adapter
    from trainer.estimate import estimate

    _leave_a_core()
    config = train_adapter.validate_python(settings)
    found = estimate(config, report.survey, "auto", progress)
    return Cost(
        found.seconds_per_step,
        found.seconds_total,
        found.peak_bytes,
        found.free_bytes,
        found.device,
        found.device_reason,
    )


def read_settings(path: Path, progress: Progress) -> Settings:
    """Settings of a TOML or JSON file, as the command line takes them.

    Raises:
        InputError: it cannot be read, or a value cannot be used.
    """
    from trainer.config import load_config
    from trainer.fields import values_of

    return values_of(load_config(path))


def write_settings(settings: Settings, path: Path, progress: Progress) -> Path:
    """Write settings as TOML or JSON, by the suffix.

    Raises:
        OutputError: it cannot be written.
    """
    from app.training.files import as_json, as_toml
    from core.io import atomic_write

    text = as_json(settings) if path.suffix.lower() == ".json" else as_toml(settings)
    atomic_write(path, text.encode())
    return path


def write_text(text: str, path: Path, progress: Progress) -> None:
    """Write a text file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io import atomic_write

    atomic_write(path, text.encode())


def write_picture(image: QImage, path: Path, progress: Progress) -> None:
    """Write a picture as PNG, whole or not at all; OutputError as above."""
    from core.io import atomic_write

    content = QBuffer()
    content.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(content, "PNG")  # type: ignore[call-overload]
    atomic_write(path, bytes(content.data().data()))


# --- a run -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Order:
    """A run to begin or to go on with."""

    settings: Settings
    plan: RunPlan
    steering: Steering


@dataclass(frozen=True, eq=False)
class Judged:
    """Validation figures with the strip as pictures: A, B, fused now, fused at the start."""

    step: int
    figures: Mapping[str, float]
    score: float
    best: bool
    images: tuple[QImage, ...]


def new_plan(room: Room, choice: DataChoice, name: str, about: str, tensorboard: bool) -> RunPlan:
    """Where a new run reads and writes; its pack gets a free name made of ``name``."""
    from trainer.plan import RunPlan

    data = choice.paths[0] if len(choice.paths) == 1 else choice.paths
    return RunPlan(
        data,
        room.runs / f"{room.next_name(name)}.safetensors",
        choice.validation,
        title=name.strip(),
        data_used=(about.strip(),) if about.strip() else (),
        share=0.0 if choice.validation else choice.share,
        swapped=choice.swapped,
        tensorboard=tensorboard,
    )


def train_steps(order: Order, progress: Progress) -> Iterator[Any]:
    """Yield the trainer's events, validation strips turned into pictures on this thread."""
    from trainer.config import train_adapter
    from trainer.events import Validated
    from trainer.loop import train

    _leave_a_core()
    config = train_adapter.validate_python(order.settings)
    for event in train(config, order.plan, progress, order.steering):
        if isinstance(event, Validated):
            strip = event.strip
            images = tuple(as_image(p) for p in (strip.a, strip.b, strip.now, strip.start))
            yield Judged(event.step, dict(event.figures), event.score, event.best, images)
        else:
            yield event


def _leave_a_core() -> None:
    """The window and a fusion beside the training get a core of their own."""
    import torch

    able = getattr(os, "sched_getaffinity", None)
    cores = len(able(0)) if able is not None else os.cpu_count() or 1
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))


def as_image(pixels: FloatArray) -> QImage:
    """H×W×(1 or 3) float in [0, 1] as a picture that owns its memory, made small enough to show."""
    each = max(1, max(pixels.shape[:2]) // _SHOWN_SIDE)
    if each > 1:
        high, wide = (side // each * each for side in pixels.shape[:2])
        blocks = pixels[:high, :wide].reshape(high // each, each, wide // each, each, -1)
        pixels = blocks.mean(axis=(1, 3))
    codes = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
    codes = np.ascontiguousarray(np.broadcast_to(codes, (*codes.shape[:2], 3)))
    height, width = codes.shape[:2]
    return QImage(codes.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


# --- runs that were left ------------------------------------------------------------------------


def open_runs(folder: Path, progress: Progress) -> tuple[OpenRun, ...]:
    """Runs that were left before their end and can go on, the latest first."""
    from trainer.config import train_adapter
    from trainer.runs import unfinished

    return tuple(
        OpenRun(
            run.plan.title or run.name,
            run.task,
            run.step,
            run.steps,
            _timestamp(run.when),
            train_adapter.dump_python(run.config, mode="json"),
            run,
        )
        for run in unfinished(folder)
        if run.resumable and not run.running
    )


def _timestamp(when: datetime) -> float:
    return when.timestamp()


def discard_run(run: OpenRun, progress: Progress) -> None:
    """Delete a run's folder.

    Raises:
        FusionError: it goes on elsewhere, or cannot be deleted.
    """
    from trainer.runs import discard

    discard(run.handle)


def old_curves(plan: RunPlan, progress: Progress) -> Any:
    """The curves of a run so far, or None where it has none yet."""
    from core.errors import InputError
    from trainer.runs import read_curves

    try:
        return read_curves(plan.log)
    except InputError:
        return None


def package_run(folder: Path, progress: Progress) -> Any:
    """Make the pack of a run that ended badly, from the best state it kept.

    Raises:
        FusionError: there is no good state.
    """
    from trainer.keeping import package

    return package(folder)


# --- keeping ------------------------------------------------------------------------------------


def compare_packs(
    parent: Path | None, child: Path, settings: Settings, plan: RunPlan, progress: Progress
) -> Compared:
    """Fuse the pairs a run was judged by with its pack and with the parent.

    Without a parent the task's classical method takes its place.

    Raises:
        FusionError: a pack or pair cannot be used.
    """
    from trainer.compare import compare
    from trainer.sources import find_pairs
    from trainer.split import divide

    _leave_a_core()
    task, exclude = settings["task"], tuple(settings.get("exclude") or ())
    if plan.validation is not None:
        pairs = find_pairs(plan.validation, task, exclude, plan.swapped).matches
    else:
        every = find_pairs(plan.data, task, exclude, plan.swapped).matches
        pairs = divide(every, plan.share).validation
    before = parent or get_task(task).default_baseline
    found = compare(before, child, pairs, progress)
    lines = tuple(FigureLine(f.name, f.title, f.parent, f.child, f.better) for f in found.figures)
    strips = tuple(
        tuple(as_image(p) for p in (strip.a, strip.b, strip.parent, strip.child))
        for strip in found.strips
    )
    return Compared(lines, strips, found.pairs, found.wins)


def make_default(task: str, name: str, progress: Progress) -> None:
    """Let a pack be what Fuse takes when nothing else is chosen.

    Raises:
        FusionError: it cannot be kept.
    """
    from core.models.user_packs import set_default

    set_default(task, name)

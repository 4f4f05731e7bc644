"""Runs that were left: listed, read to be resumed, packaged or discarded, on worker threads.

The trainer, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QImage

from app.train.tasks import preview_images
from app.train.view_models import OpenRun
from core.progress import Progress

if TYPE_CHECKING:
    from trainer.config.run_plan import RunPlan


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
        UnfinishedRun(curves, kept[0], preview_images(kept[1]))
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

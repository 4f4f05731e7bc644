"""The fusion tasks, one file each."""

from __future__ import annotations

from core.errors import InputError, Message
from core.tasks.ivif import IVIF
from core.tasks.mef import MEF
from core.tasks.mff import MFF
from core.tasks.mif import MIF
from core.tasks.spec import (
    ChromaSource,
    ColourMode,
    ColourPolicy,
    LossWeights,
    SsimWeighting,
    Target,
    TaskSpec,
    Weight,
)

__all__ = [
    "TASKS",
    "ChromaSource",
    "ColourMode",
    "ColourPolicy",
    "LossWeights",
    "SsimWeighting",
    "Target",
    "TaskSpec",
    "Weight",
    "add_task",
    "get_task",
    "has_exposure_series",
]

TASKS: dict[str, TaskSpec] = {}
"""All tasks by name, in the order of lists; the first one is the default."""


def add_task(task: TaskSpec) -> None:
    """Register ``task``.

    Raises:
        ValueError: a task of that name exists already.
    """
    if task.name in TASKS:
        raise ValueError(f"two tasks are called {task.name!r}")
    TASKS[task.name] = task


for _task in (MIF, IVIF, MEF, MFF):
    add_task(_task)


def get_task(name: str) -> TaskSpec:
    """The task called ``name``.

    Raises:
        InputError: there is none; the message lists the available ones.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise InputError(
            Message("Unknown task “{0}”", name),
            remedy=Message("Choose one of: {0}.", ", ".join(TASKS)),
        ) from None


def has_exposure_series(name: str | None) -> bool:
    """Whether exposure values in file names identify the sources of the task ``name``."""
    return name in TASKS and TASKS[name].exposure_series

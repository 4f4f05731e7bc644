"""What is asked of the compute process, and which functions may be asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

ALLOWED = (
    "app.compute.probe",
    "app.batch.tasks",
    "app.engine",
    "app.evaluate.ablation_tasks",
    "app.evaluate.tasks",
    "app.fuse.tasks",
    "app.fuse.measuring",
    "app.fuse.source_tasks",
    "app.fuse.study_tasks",
    "app.fuse.volume_tasks",
    "app.packs.tasks",
    "app.pairs.cluster_tasks",
    "app.pairs.thumbnail_tasks",
    "app.regions.file_tasks",
    "app.regions.tasks",
    "app.registration.tasks",
    "app.train.capabilities",
    "app.train.comparison",
    "app.train.tasks",
    "app.train.unfinished_runs",
)
"""Modules whose functions may be called; each imports torch inside its functions only."""

CONTROLS = (
    "app.batch.control:BatchControl",
    "app.compute.probe:ProbeControl",
    "trainer.run.control:RunControl",
)
"""Classes of what a job is controlled by while it runs."""


@dataclass(frozen=True)
class Call:
    """A function by its name, and its arguments without the progress.

    Attributes:
        function: ``module:name``; the module is one of :data:`ALLOWED`.
        control: class of the control that the function takes as its last argument before the
            progress, as ``module:name``; "" for none.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    _: KW_ONLY
    control: str = ""


@dataclass(frozen=True)
class Request:
    """A method of a job's control to be called."""

    method: str
    arguments: tuple[Any, ...] = ()


def named(function: Callable[..., Any]) -> str:
    """The name of a module-level function or class of an allowed module.

    Raises:
        ValueError: it is something else.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    if function.__module__ not in ALLOWED or "." in function.__qualname__:
        raise ValueError(f"{name} may not be called in the compute process")
    return name


def found(name: str) -> Callable[..., Any]:
    """The inverse of :func:`named`.

    Raises:
        ValueError: its module is not allowed, or has no such function.
    """
    module, _, function = name.partition(":")
    if module not in ALLOWED:
        raise ValueError(f"{name} may not be called in the compute process")
    made: Any = getattr(importlib.import_module(module), function, None)
    if not callable(made) or getattr(made, "__module__", "") != module:
        raise ValueError(f"there is no {name}")
    return made  # type: ignore[no-any-return]


def found_control(name: str) -> Callable[[], Any]:
    """The class of a control.

    Raises:
        ValueError: it is not one of :data:`CONTROLS`.
    """
    if name not in CONTROLS:
        raise ValueError(f"{name} controls no job")
    module, _, kind = name.partition(":")
    made: Callable[[], Any] = getattr(importlib.import_module(module), kind)
    return made

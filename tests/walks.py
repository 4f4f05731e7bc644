"""The code in ``docs/extending``, run as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import ModuleType

from core import metrics, tasks
from core.io import READERS
from core.io.readers.registry import Reader
from core.messages import Message
from core.metrics import METRICS
from core.pairing import exposures, known_folders, source_words
from core.tasks import TASKS

_DOCS = Path(__file__).resolve().parent.parent / "docs" / "extending"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_numbers = count()


def blocks(page: str) -> list[str]:
    """The Python blocks of ``docs/extending/PAGE.md``."""
    return _BLOCK.findall((_DOCS / f"{page}.md").read_text("utf-8"))


def module(code: str, names: Mapping[str, object] | None = None) -> ModuleType:
    """A module made of ``code``, which sees ``names`` as well."""
    made = ModuleType(f"walk_{next(_numbers)}")
    vars(made).update(names or {})
    sys.modules[made.__name__] = made  # dataclasses and pydantic look annotations up there
    exec(compile(code, made.__name__, "exec"), vars(made))
    return made


def functions_of(code: str) -> list[Callable[..., None]]:
    """The test functions in ``code``."""
    found = vars(module(code)).items()
    return [value for name, value in found if name.startswith("test_")]


def _forget_names() -> None:
    for where in (source_words, known_folders, exposures):
        for value in vars(where).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@contextmanager
def added_task() -> Iterator[tasks.TaskSpec]:
    """The task of ``task.md``, registered for a while."""
    task = module(blocks("task")[0]).PIF
    tasks.add_task(task)
    _forget_names()
    try:
        yield task
    finally:
        del TASKS[task.name]
        _forget_names()


@contextmanager
def added_reader() -> Iterator[Reader]:
    """The reader of ``reader.md``, registered for a while."""
    reader: Reader = module(blocks("reader")[0]).FARBFELD
    READERS.add(reader)
    try:
        yield reader
    finally:
        READERS.remove(reader.name)


@contextmanager
def added_metric() -> Iterator[metrics.Metric]:
    """The metric of ``metric.md``, registered for a while."""
    function, entry, _ = blocks("metric")
    names = {
        "contrast": module(function),
        "Metric": metrics.Metric,
        "Message": Message,
        "inf": float("inf"),
    }
    metric: metrics.Metric = eval(entry, dict(names))
    metrics.add_metric(metric)
    try:
        yield metric
    finally:
        del METRICS[metric.name]

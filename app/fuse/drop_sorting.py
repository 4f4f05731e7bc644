"""What to do with dropped or chosen files: files or folders, which is A, and for which task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.pairing.source_words import in_order, suggest_task, suggest_task_of
from core.tasks import TASKS, TaskSpec


@dataclass(frozen=True)
class DroppedPaths:
    """Dropped paths, separated into files and folders."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> DroppedPaths:
        """Separate ``paths``, without duplicates."""
        unique = tuple(dict.fromkeys(paths))
        folders = tuple(path for path in unique if path.is_dir())
        return cls(tuple(path for path in unique if path not in folders), folders)


def ordered(first: Path, second: Path, task: TaskSpec) -> tuple[Path, Path]:
    """The two files as (A, B), as pairing would order them; else in the order given."""
    return in_order(first, second, task.name)


def guess_task(a: Path | None, b: Path | None) -> str:
    """The task that the file names suggest; the first task if they suggest none or several."""
    found = ""
    if a is not None and b is not None:
        found = suggest_task(a, b)
    elif (path := a or b) is not None:
        found = suggest_task_of(path)
    return found or next(iter(TASKS))

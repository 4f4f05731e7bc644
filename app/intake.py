"""What a drop or a file dialog handed over, and which of two files is A."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.tasks import TASKS, TaskSpec


@dataclass(frozen=True)
class Intake:
    """Dropped things, sorted by what they are."""

    files: tuple[Path, ...]
    folders: tuple[Path, ...]

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Intake:
        """Sort ``paths``; the same path twice counts once."""
        unique = tuple(dict.fromkeys(paths))
        folders = tuple(path for path in unique if path.is_dir())
        return cls(tuple(path for path in unique if path not in folders), folders)


def _words(path: Path) -> set[str]:
    """Lower-case words of the file name and of its folder's."""
    return set(re.findall(r"[a-z]+\d?|\d+", f"{path.parent.name} {path.stem}".lower()))


def _looks_like(path: Path, hints: tuple[str, ...], letter: str) -> bool:
    words = _words(path)
    plain = {re.sub(r"\d$", "", word) for word in words}
    return bool((words | plain) & {*hints, letter})


def ordered(first: Path, second: Path, task: TaskSpec) -> tuple[Path, Path]:
    """The two files as (A, B): by hints in their names, else as they came."""

    def fits(a: Path, b: Path) -> int:
        return _looks_like(a, task.hints_a, "a") + _looks_like(b, task.hints_b, "b")

    swapped = fits(second, first) > fits(first, second)
    return (second, first) if swapped else (first, second)


def guess_task(a: Path | None, b: Path | None) -> str:
    """The task whose hints fit both names best; the first task where none does."""
    best, best_score = next(iter(TASKS)), 0
    for task in TASKS.values():
        score = sum(
            any(hint in _words(path) for hint in hints)
            for path, hints in ((a, task.hints_a), (b, task.hints_b))
            if path is not None
        )
        if score > best_score:
            best, best_score = task.name, score
    return best

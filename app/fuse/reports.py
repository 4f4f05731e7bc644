"""What the Fuse workspace tells a person: errors with a remedy, questions, and work in progress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.errors import FusionError

Remedy = Literal[
    "",
    "resample",
    "open",
    "retry",
    "tiles",
    "cpu",
    "save",
    "reload",
    "export",
    "damaged",
    "gap",
    "uneven",
    "patients",
]
Answer = Literal[
    "reload",
    "switch_task",
    "keep_task",
    "register",
    "align",
    "undo_alignment",
    "undo_rig",
]


@dataclass(frozen=True)
class Problem:
    """An error to show, the action offered for it, and the file it is about (or None)."""

    error: FusionError
    remedy: Remedy = ""
    path: Path | None = None


@dataclass(frozen=True)
class Offer:
    """A question to the person: a sentence, and the possible answers with their labels."""

    text: str
    answers: tuple[tuple[Answer, str], ...]


@dataclass(frozen=True)
class Activity:
    """Work in progress, as shown in the status bar."""

    stage: str
    done: float = 0.0
    total: float = 0.0
    fusing: bool = False
    cancelling: bool = False

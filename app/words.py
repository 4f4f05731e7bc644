"""Words of the engine, which knows no translation system, in the person's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from core.tasks import TASKS

STAGES = (
    "loading the model",
    "preparing",
    "encoding",
    "fusing",
    "reconstructing",
    "colour",
    "done",
)
"""What the engine reports while it works."""


def spoken(text: str) -> str:
    """A name, stage or explanation of the engine in the person's language, if it is known."""
    return QCoreApplication.translate("core", text) if text else ""


def engine_texts() -> set[str]:
    """All texts of the engine that are shown by name, for the translators."""
    from core.baselines import BASELINES
    from core.metrics import METRICS

    tasks = (
        text
        for task in TASKS.values()
        for text in (task.title, task.description, task.label_a, task.label_b)
    )
    metrics = (text for one in METRICS.values() for text in (one.title, one.explanation))
    methods = (baseline.title for baseline in BASELINES.values())
    return {*tasks, *metrics, *methods, *STAGES}

"""Texts for people in the engine and the trainer, found in their sources and their data."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import core
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


_PLACES = {"report": 2}
"""Calls with one argument a person may read, and its place: stages."""


def engine_texts() -> set[str]:
    """All texts of the engine that are shown by name, for the translators."""
    from core.baselines import BASELINES
    from core.metrics import METRICS
    from core.packs.registry import Catalogue
    from resources import PACKS

    tasks = (
        text
        for task in TASKS.values()
        for text in (task.title, task.description, task.label_a, task.label_b)
    )
    metrics = (text for one in METRICS.values() for text in (one.title, one.explanation))
    methods = (baseline.title for baseline in BASELINES.values())
    packs = (entry.manifest.title for entry in Catalogue([PACKS]).scan()[0])
    return {*tasks, *metrics, *methods, *packs, *STAGES, *trainer_texts(), *error_texts()}


def trainer_texts() -> set[str]:
    """What the trainer says of its settings and of the ways to begin."""
    from trainer.config.form import FIELDS
    from trainer.config.presets import PRESETS

    fields = (
        text for field in FIELDS for text in (field.title, field.help, field.unit, field.group)
    )
    # Names such as bf16 or dinov3 are the same everywhere; words are not.
    choices = (choice for field in FIELDS for choice in field.choices if choice.isalpha())
    presets = (text for preset in PRESETS for text in (preset.title, preset.description))
    return {text for text in (*fields, *choices, *presets) if _is_words(text)}


def error_texts() -> set[str]:
    """Every literal text of errors, stages and reasons, found in the source that says it."""
    root = Path(core.__file__).parent.parent
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for package in ("core", "trainer", "app")
        for path in sorted((root / package).rglob("*.py"))
        if path.parent.name != "cli" and path.stem != "display_server"  # which speak English
    ]
    speakers = speakers_in(trees)
    found = {text for tree in trees for text in _Source(tree, speakers).texts()}
    return {text for text in found if _is_words(text)}


def speakers_in(trees: Sequence[ast.Module]) -> frozenset[str]:
    """Calls whose literal texts a person may read: ``Said``, and every error for people."""
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    errors = {"FusionError"}
    while more := {name for name, its in bases.items() if its & errors} - errors:
        errors |= more
    return frozenset(errors | {"Message"})


def _is_words(text: str) -> bool:
    return any(sign.isalpha() for sign in text)


class _Source:
    """One module, and what its names and functions may stand for."""

    def __init__(self, tree: ast.Module, speakers: frozenset[str]) -> None:
        self._tree, self._speakers = tree, speakers
        self._known: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._known.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.FunctionDef):
                returns = (one.value for one in ast.walk(node) if isinstance(one, ast.Return))
                self._known.setdefault(node.name, []).extend(value for value in returns if value)

    def texts(self) -> Iterator[str]:
        """Literal texts that reach a person."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                for given in self._told(node):
                    yield from self._read(given, frozenset())

    def _read(self, value: ast.expr, seen: frozenset[str]) -> Iterator[str]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.IfExp):
            yield from self._read(value.body, seen)
            yield from self._read(value.orelse, seen)
        elif isinstance(value, ast.BoolOp):
            for part in value.values:
                yield from self._read(part, seen)
        name = _called(value) if isinstance(value, ast.Call) else getattr(value, "id", "")
        if name not in seen:
            for known in self._known.get(name, ()):
                yield from self._read(known, seen | {name})

    def _told(self, node: ast.Call) -> list[ast.expr]:
        """Arguments of a call that a person may read."""
        name = _called(node)
        if name in self._speakers:
            said = node.args[:1] if name == "Message" else node.args
            return [*said, *(word.value for word in node.keywords)]
        place = _PLACES.get(name)
        return node.args[place : place + 1] if place is not None else []


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""

"""Choices for an evaluation, as plain values that are saved between sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from app.pairs.datasets import AUTOMATIC, DatasetChoice
from core.evaluation.groups import BY_PREFIX
from core.evaluation.result import MethodKind
from core.metrics import MAIN_METRICS, METRICS
from core.progress import Progress
from core.tasks import TASKS

_FILE, _VERSION = "evaluation.json", 1
_FOLDERS = ("folder", "collection")
_KINDS: tuple[str, ...] = get_args(MethodKind)


@dataclass(frozen=True)
class ChosenMethod:
    """A method to evaluate.

    Attributes:
        kind: how its fused images come about.
        value: name of a pack or classical method, a folder, or a command line.
        name: name in tables; "" for its own.
    """

    kind: MethodKind
    value: str
    name: str = ""

    @property
    def title(self) -> str:
        """What lists call it."""
        own = Path(self.value).name if self.kind in _FOLDERS else self.value
        return self.name or own or self.value


@dataclass(frozen=True)
class EvaluationChoices:
    """What is to be evaluated.

    Attributes:
        task: decides which source is A, and which packs there are.
        sources: a folder of pairs or of a finished batch, as typed; "" while none is chosen.
        methods: in the order in which they are listed.
        metrics: names of metrics.
        dataset: how ``sources`` is laid out.
        group_by: as in :func:`core.evaluation.groups.with_groups`.
        quoted: file of means that were measured elsewhere; "" for none.
        downstream: files of scores of other tasks.
        scheduler, certificates: other computers that score, as in
            :class:`core.cluster.choice.ClusterChoice`; "" for this computer alone.
    """

    task: str
    sources: str = ""
    methods: tuple[ChosenMethod, ...] = ()
    _: KW_ONLY
    metrics: tuple[str, ...] = MAIN_METRICS
    dataset: DatasetChoice = field(default_factory=DatasetChoice)
    group_by: str = ""
    quoted: str = ""
    downstream: tuple[str, ...] = ()
    scheduler: str = ""
    certificates: str = ""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files and folders that were chosen."""
        chosen = [Path(method.value) for method in self.methods if method.kind in _FOLDERS]
        chosen += [] if self.folder is None else [self.folder]
        groups = "" if self.group_by == BY_PREFIX else self.group_by
        return (*chosen, *(Path(one) for one in (groups, self.quoted, *self.downstream) if one))

    @property
    def folder(self) -> Path | None:
        """The folder of the sources, if one is chosen."""
        return Path(self.sources).expanduser() if self.sources.strip() else None

    @property
    def is_complete(self) -> bool:
        """Whether it can be evaluated: a folder of sources, a method and a metric are chosen."""
        return self.folder is not None and bool(self.methods) and bool(self.metrics)

    def with_task(self, task: str) -> EvaluationChoices:
        """With another task, and so without the packs, which belong to a task."""
        if task == self.task:
            return self
        left = tuple(one for one in self.methods if one.kind != "pack")
        return replace(self, task=task, methods=left)

    def with_method(self, method: ChosenMethod) -> EvaluationChoices:
        """With another method; nothing changes if it is there already."""
        if method in self.methods:
            return self
        return replace(self, methods=(*self.methods, method))

    def without_methods(self, places: set[int]) -> EvaluationChoices:
        """Without the methods at ``places``."""
        left = tuple(m for place, m in enumerate(self.methods) if place not in places)
        return replace(self, methods=left)

    def with_metric(self, name: str, *, chosen: bool) -> EvaluationChoices:
        """With or without a metric; the main ones come first, in their own order."""
        names = {*self.metrics, name} if chosen else {*self.metrics} - {name}
        return replace(self, metrics=_in_order(names))

    def as_json(self) -> dict[str, Any]:
        """The choices as JSON values."""
        return {"version": _VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EvaluationChoices:
        """The choices in ``data``; methods and metrics that are not known are left out.

        Raises:
            KeyError, TypeError, ValueError: ``data`` holds no choices.
        """
        if data["version"] != _VERSION or data["task"] not in TASKS:
            raise ValueError("another version wrote it")
        methods = tuple(
            ChosenMethod(one["kind"], str(one["value"]), str(one.get("name", "")))
            for one in data["methods"]
            if one["kind"] in _KINDS
        )
        metrics = _in_order(set(data["metrics"]))
        dataset = data.get("dataset", {})
        return cls(
            data["task"],
            str(data["sources"]),
            methods,
            metrics=metrics or MAIN_METRICS,
            dataset=DatasetChoice(
                str(dataset.get("name", AUTOMATIC)), str(dataset.get("split", ""))
            ),
            group_by=str(data.get("group_by", "")),
            quoted=str(data.get("quoted", "")),
            downstream=tuple(map(str, data.get("downstream", ()))),
            scheduler=str(data.get("scheduler", "")),
            certificates=str(data.get("certificates", "")),
        )


def _in_order(names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*MAIN_METRICS, *METRICS)) if name in names)


def save_choices(folder: Path, choices: EvaluationChoices, progress: Progress) -> None:
    """Write ``choices`` to the settings folder, atomically.

    Raises:
        OutputError: they cannot be written.
    """
    from core.io.atomic import atomic_write

    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / _FILE, json.dumps(choices.as_json()).encode())


def load_choices(folder: Path, progress: Progress) -> EvaluationChoices | None:
    """The choices in the settings folder; None if none can be read."""
    try:
        return EvaluationChoices.from_json(json.loads((folder / _FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None

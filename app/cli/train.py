"""``unifusion train``: the bilevel run, on a terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from app.cli.console import TerminalProgress, note, say
from core.errors import InputError
from core.models.catalogue import Catalogue
from core.models.config import CONFIGS
from trainer import recipes
from trainer.config import TrainConfig, load_config
from trainer.events import Finished, Saved, Started, Stepped, TrainEvent, Validated
from trainer.loop import RunPlan, train


@dataclass(frozen=True)
class TrainOptions:
    """The command's options, as typed."""

    data: Path
    out: Path
    task: str | None = None
    config: Path | None = None
    network: str | None = None
    steps: int | None = None
    batch: int | None = None
    seed: int | None = None
    init: str | None = None
    val: Path | None = None
    title: str = ""
    licence: str = ""
    data_used: tuple[str, ...] = ()
    device: str = "auto"
    backbone: Path | None = None


def run_training(options: TrainOptions) -> None:
    """Train and print events; every event also goes to ``log.jsonl`` beside the checkpoint.

    Raises:
        FusionError: settings, data or disk; what was trained so far is kept.
    """
    config = configure(options)
    plan = RunPlan(
        options.data,
        options.out,
        options.val,
        options.device,
        options.title,
        options.licence,
        options.data_used,
    )
    log = plan.run_folder / "log.jsonl"
    with TerminalProgress() as progress:
        for event in train(config, plan, progress):
            progress.clear()
            _show(event, config.steps)
            _record(event, log)


def configure(options: TrainOptions) -> TrainConfig:
    """The run's configuration: file or recipe first, then what was given on the command line.

    Raises:
        InputError: no task, an unknown network, or a value out of range.
    """
    changes: dict[str, object] = {
        key: value
        for key in ("task", "steps", "batch", "seed")
        if (value := getattr(options, key)) is not None
    }
    if options.network is not None:
        if options.network not in CONFIGS:
            raise InputError(
                f"Unknown network “{options.network}”",
                remedy=f"Choose one of: {', '.join(CONFIGS)}.",
            )
        changes["network"] = CONFIGS[options.network]()
    if options.backbone is not None:
        changes["backbone"] = str(options.backbone)
    base = _base(options)
    if base is None and "task" not in changes:
        raise InputError("No task", "neither --task nor --config was given", "Add --task mif.")
    try:
        build = partial(TrainConfig) if base is None else partial(replace, base)
        config = build(**changes)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise InputError(f"Training settings, {where}", first["msg"]) from error
    init = options.init if options.init is not None else config.init
    return replace(config, init=_pack_path(init, config.task))


def _base(options: TrainOptions) -> TrainConfig | None:
    if options.config is None:
        return None
    path = options.config
    if not path.exists() and path.suffix == "" and (known := recipes.path_of(str(path))):
        path = known
    return load_config(path)


def _pack_path(name: str, task: str) -> str:
    """A pack's file, given its path or its name; any task's pack may be a parent."""
    if not name or Path(name).is_file():
        return name
    for entry in Catalogue().scan()[0]:
        if entry.manifest.name == name:
            return str(entry.path)
    return str(Catalogue().find(name, task).path)


def _show(event: TrainEvent, steps: int) -> None:
    match event:
        case Started():
            for problem in event.problems:
                note(problem)
            verb = "resuming at" if event.step else "starting at"
            say(f"{event.pairs} pairs, {verb} step {event.step} of {steps} on {event.device}")
        case Stepped():
            terms = "  ".join(f"{name} {value:.3f}" for name, value in event.losses.items())
            left = (steps - event.step) * event.seconds_per_step / 60
            pace = f"{event.seconds_per_step:.2f} s a step, {left:.0f} min left"
            say(f"{event.step:6d}  {terms}  {pace}")
        case Validated():
            figures = "  ".join(f"{name} {value:.4f}" for name, value in event.figures.items())
            say(f"{event.step:6d}  validation  {figures}")
        case Finished():
            say(f"{event.pack}: done after {event.step} steps")
        case Saved():
            pass


def _record(event: TrainEvent, log: Path) -> None:
    entry: dict[str, object] | None = None
    if isinstance(event, Stepped):
        entry = {"step": event.step, **{k: round(v, 5) for k, v in event.losses.items()}}
    elif isinstance(event, Validated):
        entry = {"step": event.step, "validation": dict(event.figures)}
    if entry is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")

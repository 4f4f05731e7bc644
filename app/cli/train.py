"""``unifusion train``: bilevel training on a terminal."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from app.cli.console import TerminalProgress, note, say
from app.cli.dataset_option import chosen_dataset
from app.pairs.datasets import PLAIN, DatasetChoice, usual_split, validation_layout
from core.alignment.aligning import check_choice
from core.alignment.choice import AlignChoice
from core.errors import InputError
from core.models.config import CONFIGS
from core.packs.format import read_manifest
from core.packs.registry import Catalogue
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.tasks import get_task
from core.windows import Window
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.presets import preset
from trainer.config.settings_file import load_settings
from trainer.config.validation_messages import first_message
from trainer.events import Finished, Reduced, Started, Stepped, TrainEvent, Validated
from trainer.run.control import RunControl
from trainer.run.launcher import process_group
from trainer.run.loop import RunPlan, train
from trainer.run.warm_start import with_network_of_parent


@dataclass(frozen=True)
class TrainOptions:
    """Options of the command."""

    data: tuple[Path, ...]
    out: Path
    _: KW_ONLY
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
    preset: str | None = None
    share: float = 0.2
    keep: str = "best"
    swap_sides: bool = False
    smaller_batch: bool = False
    tensorboard: bool = False
    devices: int = 1
    nodes: int = 1
    window_a: Window | None = None
    window_b: Window | None = None
    dataset: str = ""
    split: str = ""
    align: AlignChoice = field(default_factory=AlignChoice)


def run_training(options: TrainOptions) -> None:
    """Train and print events; the run writes its log beside the checkpoint.

    Raises:
        FusionError: invalid settings or data, or a full disk; the last checkpoint is kept.
    """
    config, plan = configure(options), planned(options)
    check_choice(config.align_choice)
    control = RunControl(answers=False)
    if options.smaller_batch:
        control.allow_smaller_batch()
    with (
        process_group(config, plan, options.devices, options.nodes) as world,
        TerminalProgress() as progress,
    ):
        for event in train(config, plan, progress, control, world):
            if isinstance(event, Reduced):
                control.allow_smaller_batch()  # repeated if that is still too many
            if world.is_leader:
                progress.clear()
                _show(event, config.steps)


def planned(options: TrainOptions) -> RunPlan:
    """Paths of the run.

    Raises:
        InputError: an option is out of range.
    """
    if not 0 <= options.share < 1:
        raise InputError(
            f"--share {options.share:g}",
            "it must be at least 0 and less than 1",
            "Give the share of pairs kept for validation, such as --share 0.1.",
        )
    if options.keep not in ("best", "last"):
        raise InputError(f"--keep {options.keep}", remedy="Choose best or last.")
    dataset = chosen_dataset(options.dataset, options.split)
    split = options.split
    if dataset is not None and not split:
        split = usual_split(dataset, "train")
    task = dataset.task if dataset is not None else ""
    of_validation: tuple[DatasetDescriptor | None, str] = (None, "")
    if options.val is not None:
        of_validation = validation_layout(options.val, DatasetChoice(PLAIN), dataset, task)
    return RunPlan(
        options.data,
        options.out,
        validation=options.val,
        device=options.device,
        title=options.title,
        licence=options.licence,
        data_used=options.data_used,
        share=0.0 if options.val else options.share,
        swapped=options.swap_sides,
        keep="best" if options.keep == "best" else "last",
        tensorboard=options.tensorboard,
        dataset=dataset,
        split=split,
        validation_dataset=of_validation[0],
        validation_split=of_validation[1],
    )


def configure(options: TrainOptions) -> TrainConfig:
    """The run's configuration: a file or preset, overridden by command line options.

    Raises:
        InputError: the task is missing, the network unknown, or a value out of range.
    """
    changes: dict[str, object] = {
        key: value
        for key in ("task", "steps", "batch", "seed", "window_a", "window_b")
        if (value := getattr(options, key)) is not None
    }
    if options.network is not None:
        if options.network not in CONFIGS:
            raise InputError(
                f"Unknown network “{options.network}”",
                remedy=f"Choose one of: {', '.join(CONFIGS)}.",
            )
        changes["network"] = CONFIGS[options.network]()
    if options.align.way != "none":
        align = options.align
        changes |= {"align": align.text(), "align_onto": align.onto, "align_crop": align.crop}
    if options.backbone is not None:
        changes["backbone"] = str(options.backbone)
    base, given = _base(options)
    init = options.init if options.init is not None else (base.init if base else "")
    if options.preset is not None:
        base, init = _from_preset(options)
    if base is None and "task" not in changes:
        raise InputError("No task", "neither --task nor --config was given", "Add --task mif.")
    try:
        build = partial(TrainConfig) if base is None else partial(replace, base)
        config = build(**changes)
    except ValidationError as error:
        where, why = first_message(error)
        raise InputError(
            f"Training settings, {where}" if where else "Training settings",
            why,
            "Correct it; “unifusion train --help” names all options.",
        ) from error
    config = replace(config, init=_pack_path(init, config.task))
    # A network in the file takes precedence: its head may differ from the pack's.
    own = "network" in given and options.network is None
    return config if own else with_network_of_parent(config, options.network or "")


def _base(options: TrainOptions) -> tuple[TrainConfig | None, frozenset[str]]:
    """Settings of the file, and the names it contains; empty without a file."""
    if options.config is None:
        return None, frozenset()
    path = options.config
    if not path.exists() and path.suffix == "" and (known := recipes.path_of(str(path))):
        path = known
    return load_settings(path)


def _from_preset(options: TrainOptions) -> tuple[TrainConfig, str]:
    """Settings of a preset, with network and objectives of the initial pack."""
    if options.config is not None or options.task is None:
        raise InputError(
            f"Preset “{options.preset}”",
            "it needs --task and goes without --config",
            "Add --task mif, or leave out one of the two.",
        )
    chosen = preset(options.preset or "")
    get_task(options.task)
    init = _pack_path(options.init or "", options.task)
    parent = read_manifest(Path(init)) if init else None
    return chosen.build(options.task, parent), init


def _pack_path(name: str, task: str) -> str:
    """The file of a pack, given its path or name; it may be of any task."""
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
            for remark in event.notes:
                note(remark)
            judged = f", {event.validation} to judge by" if event.validation else ""
            where = f"on {event.device}: {event.device_reason}"
            say(f"{event.pairs} pairs{judged}, {verb} step {event.step} of {steps} {where}")
            say(f"computing in {event.precision}: {event.precision_reason}")
        case Stepped():
            terms = "  ".join(f"{name} {value:.3f}" for name, value in event.losses.items())
            left = (steps - event.step) * event.seconds_per_step / 60
            pace = f"{event.seconds_per_step:.2f} s a step, {left:.0f} min left"
            say(f"{event.step:6d}  {terms}  {pace}")
        case Validated():
            scores = "  ".join(f"{name} {value:.4f}" for name, value in event.scores.items())
            best = "  best" if event.best and event.step else ""
            say(f"{event.step:6d}  validation  {scores}  score {event.score:.4f}{best}")
        case Finished():
            _show_end(event)
        case Reduced():
            note(f"the memory ran out: going on at step {event.step} with {event.batch} crops")
        case _:
            pass


def _show_end(event: Finished) -> None:
    kept = ""
    if event.kept == "best" and not event.best_step:
        kept = ", kept the start: no trained state scored higher"
    elif event.kept == "best" and event.best_step != event.step:
        kept = f", kept the best state (step {event.best_step})"
    compared = f"step {event.since}" if event.since else "start"
    score = f", score {event.score:.3f} ({compared} 1)" if event.score else ""
    say(f"{event.pack}: done after {event.step} steps{kept}{score}")
    if 0 < event.score < 1:
        other = f"the state of {compared}" if event.since else "the start"
        note(f"by its scores {other} was better than this pack")

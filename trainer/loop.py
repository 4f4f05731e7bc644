"""A training run from first picture to finished pack, as a generator of events."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch

from core import __version__
from core.device import choose_device, is_out_of_memory
from core.errors import DeviceMemoryError, FusionError, InputError, OutputError, PackError
from core.io.atomic import output_error
from core.models.fusion import Fusion
from core.models.network import UniFusionNet
from core.models.pack import (
    SUFFIX,
    Manifest,
    TrainingRecord,
    attach_backbone,
    load_own_state,
    read_pack,
    write_pack,
)
from core.progress import NullProgress, Progress
from trainer.bilevel import BilevelStep
from trainer.checkpoint import FILE_NAME, RunState, load_checkpoint, save_checkpoint
from trainer.config import TrainConfig, train_adapter
from trainer.data import CropSampler, PairSet, load_pairs
from trainer.events import Finished, Saved, Started, Stepped, TrainEvent, Validated
from trainer.validation import validate


class Diverged(FusionError):
    """A loss or weight became NaN or infinite; the last checkpoint before it is kept."""


@dataclass(frozen=True)
class RunPlan:
    """Where a run reads and writes.

    Attributes:
        data: folder with ``a/`` and ``b/``. validation: another such folder, or None.
        out: the pack to write. device: see :func:`core.device.choose_device`.
        title, licence, data_used: for the manifest of the pack.
    """

    data: Path
    out: Path
    validation: Path | None = None
    device: str = "auto"
    title: str = ""
    licence: str = ""
    data_used: tuple[str, ...] = ()

    @property
    def run_folder(self) -> Path:
        """Checkpoints and the log live here, beside the pack."""
        return self.out.with_name(f"{self.out.stem}.run")

    @property
    def checkpoint(self) -> Path:
        """The run's only checkpoint; replaced atomically."""
        return self.run_folder / FILE_NAME


@dataclass
class _Run:
    """What one session of a run holds in its hands."""

    config: TrainConfig
    plan: RunPlan
    step: BilevelStep
    device: str
    pairs: PairSet
    validation: PairSet | None
    state: RunState
    progress: Progress
    figures: dict[str, float] = field(default_factory=dict)


def train(
    config: TrainConfig, plan: RunPlan, progress: Progress | None = None
) -> Iterator[TrainEvent]:
    """Train, yielding events; goes on from the plan's checkpoint if there is one.

    On the CPU a run that was stopped, at whatever moment, and resumed ends in the very bits of one
    that was not. Closing the generator, or a ``Cancelled`` from ``progress``, writes a checkpoint.

    Raises:
        InputError: data, settings or checkpoint cannot be used. OutputError: cannot write.
        Diverged: a loss stopped being a number. DeviceMemoryError: the batch does not fit.
        Cancelled: the caller said stop.
    """
    run = _prepare(config, plan, progress or NullProgress())
    problems = run.pairs.problems + (run.validation.problems if run.validation else ())
    yield Started(run.state.step, config.steps, len(run.pairs.pairs), problems, run.device)
    try:
        yield from _steps(run)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceMemoryError(
            f"Training with {config.batch} crops of {config.crop}×{config.crop} does not fit "
            f"{run.device}",
            "the memory ran out",
            "Use a smaller batch or crop; the last checkpoint is kept.",
        ) from error
    yield _export(run)


def _prepare(config: TrainConfig, plan: RunPlan, progress: Progress) -> _Run:
    _check_output(config, plan)
    device = choose_device(plan.device).name
    pairs = load_pairs(plan.data, config.colour, config.exclude, progress, config.truth)
    validation = None
    if plan.validation is not None:
        validation = load_pairs(plan.validation, config.colour, config.exclude, progress)
    torch.manual_seed(config.seed)
    network = UniFusionNet(config.network)
    backbone = Path(config.backbone) if config.backbone else None
    # Without its backbone's file a pack could never be opened again: refused before training.
    digest = attach_backbone(network, "", backbone, "The network to train")
    resuming = plan.checkpoint.is_file()
    # The parent may have been replaced or deleted since: a resumed run does not look at it.
    parent = _start_from(network, config, backbone) if config.init and not resuming else ""
    step = BilevelStep(network.to(device), config)
    state = RunState(backbone_sha256=digest, parent=parent)
    if resuming:
        state = load_checkpoint(plan.checkpoint, config, step)
        if state.backbone_sha256 != digest:
            raise InputError(
                str(plan.checkpoint),
                "this run was started with another DINOv3 file",
                "Resume with that file, or give another output.",
            )
    return _Run(config, plan, step, device, pairs, validation, state, progress)


def _check_output(config: TrainConfig, plan: RunPlan) -> None:
    """Refuse, before hours of work, an output that could not be written or is an input."""
    if plan.out.suffix != SUFFIX:
        raise InputError(str(plan.out), f"a pack's name ends in {SUFFIX}")
    for source in (config.init, config.backbone):
        if source and plan.out.resolve() == Path(source).resolve():
            raise InputError(
                str(plan.out), "it is an input of this run", "Give the new pack another name."
            )
    _make_folder(plan.run_folder)
    if plan.out.is_dir() or not os.access(plan.run_folder, os.W_OK):
        raise OutputError(
            f"Cannot write {plan.out}", "there is a folder in its way, or no permission"
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error


def _start_from(network: UniFusionNet, config: TrainConfig, backbone: Path | None) -> str:
    """Copy a parent pack's weights; its tensors must fit the configured network.

    The output head may decide otherwise than the parent's (``blend``, ``decision``): those share
    their tensors.
    """
    path = Path(config.init)
    parent, manifest = read_pack(path, backbone)
    try:
        load_own_state(network, parent.own_state(), str(path))
    except PackError as error:
        raise InputError(
            str(path),
            "it is of another network than the one to train",
            "Start from a pack of the same network, or from scratch.",
        ) from error
    return f"{manifest.name} {manifest.weights_sha256[:12]}"


def _steps(run: _Run) -> Iterator[TrainEvent]:
    config = run.config
    sampler = CropSampler(
        run.pairs.pairs,
        config.batch,
        config.crop,
        config.seed,
        swap=config.swap,
        refocus=config.refocus,
        jitter=config.jitter,
    )
    sums: dict[str, float] = {}
    counted, since = 0, time.perf_counter()
    saved_at, whole = run.state.step, True
    try:
        while run.state.step < config.steps:
            run.progress.check()
            began = time.perf_counter()
            batch = sampler(run.state.step).to(run.device)
            whole = False
            losses = run.step(batch, run.state.step)
            _insist_finite(losses, run.state.step)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            spent = time.perf_counter() - began
            run.state = replace(
                run.state, step=run.state.step + 1, seconds=run.state.seconds + spent
            )
            whole = True
            if _due(run.state.step, config.log_every, config.steps):
                pace = (time.perf_counter() - since) / counted
                means = {name: value / counted for name, value in sums.items()}
                rates = config.learning_rates(run.state.step - 1)
                yield Stepped(run.state.step, means, *rates, pace)
                sums, counted, since = {}, 0, time.perf_counter()
            if _due(run.state.step, config.checkpoint_every, config.steps):
                yield _save(run)
                saved_at = run.state.step
            if run.validation and _due(run.state.step, config.validate_every, config.steps):
                yield _validated(run)
                since = time.perf_counter()
    except Diverged:
        raise
    except BaseException:
        # Cancelled, closed, interrupted, out of memory: the steps done so far are kept, unless
        # a step was torn in the middle; then the last checkpoint is the truth.
        if whole and run.state.step > saved_at and not _ruined(run):
            _save(run)
        raise


def _due(step: int, every: int, last: int) -> bool:
    return bool(every) and (step % every == 0 or step == last)


def _insist_finite(losses: dict[str, float], step: int) -> None:
    bad = [name for name, value in losses.items() if not math.isfinite(value)]
    if bad:
        raise Diverged(
            f"Training diverged at step {step}",
            f"loss “{bad[0]}” is no longer a number",
            "Lower the learning rates and start again; the last checkpoint is kept.",
        )


def _ruined(run: _Run) -> str:
    """The first weight that is no number, or "".

    Weights can be ruined by the very step whose losses, taken before it, were still good.
    """
    weights = run.step.network.own_state().items()
    return next((name for name, w in weights if not bool(torch.isfinite(w).all())), "")


def _insist_sound(run: _Run) -> None:
    name = _ruined(run)
    if name:
        raise Diverged(
            f"Training diverged at step {run.state.step}",
            f"weight “{name}” is no longer a number",
            "Lower the learning rates and start again; the last checkpoint is kept.",
        )


def _save(run: _Run) -> Saved:
    _insist_sound(run)
    _make_folder(run.plan.run_folder)
    save_checkpoint(run.plan.checkpoint, run.config, run.step, run.state)
    return Saved(run.state.step, run.plan.checkpoint)


@contextmanager
def _averaged(step: BilevelStep) -> Iterator[UniFusionNet]:
    """The network as it will be shipped: θ replaced by its average, in eval mode."""
    live = step.network.fusion
    step.network.fusion = cast(Fusion, step.ema.module)
    step.network.eval()
    try:
        yield step.network
    finally:
        step.network.fusion = live
        step.network.train()


def _validated(run: _Run) -> Validated:
    if run.validation is None:
        raise ValueError("no validation pairs")
    with _averaged(run.step) as network:
        figures, strip = validate(network, run.validation.pairs, run.device, run.progress)
    run.figures = figures
    return Validated(run.state.step, figures, strip)


def _export(run: _Run) -> Finished:
    config, plan = run.config, run.plan
    _insist_sound(run)
    if run.validation is not None and not run.figures:
        _validated(run)
    record = TrainingRecord(
        config=_shareable(config),
        steps=run.state.step,
        pairs=len(run.pairs.pairs),
        seconds=round(run.state.seconds, 1),
        figures=run.figures,
        software={
            "unifusion": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        parent=run.state.parent,
    )
    manifest = Manifest(
        name=plan.out.stem,
        title=plan.title or plan.out.stem,
        task=config.task,
        network=config.network,
        colour=config.colour,
        training=record,
        licence=plan.licence,
        data=plan.data_used,
        backbone_sha256=run.state.backbone_sha256,
    )
    _make_folder(plan.out.parent)
    with _averaged(run.step) as network:
        write_pack(plan.out, network, manifest)
    return Finished(run.state.step, plan.out, run.figures)


def _shareable(config: TrainConfig) -> dict[str, object]:
    """The configuration as plain data, without paths of this machine."""
    plain: dict[str, object] = train_adapter.dump_python(config, mode="json")
    plain["init"] = Path(config.init).name
    plain["backbone"] = Path(config.backbone).name
    return plain

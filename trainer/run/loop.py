"""A training run, from reading the images to the finished pack, as a generator of events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import torch

from core.device import is_out_of_memory
from core.errors import Cancelled, DeviceMemoryError, FusionError, InputError, Message, OutputError
from core.io.atomic import output_error
from core.packs.format import SUFFIX
from core.progress import NullProgress, Progress
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.events import (
    MemoryRanOut,
    Paused,
    RatesChanged,
    Reduced,
    Resumed,
    Started,
    TrainEvent,
)
from trainer.optimization.distributed import DistributedContext, NextAction
from trainer.run.control import RunControl
from trainer.run.export import finish
from trainer.run.network import Diverged
from trainer.run.trainer import Trainer, open_trainer
from trainer.run_folder.lock import locked
from trainer.run_folder.registry import RunStatus, remove_leftovers, write_record
from trainer.run_folder.tensorboard import TensorBoardLog

__all__ = ["Diverged", "RunPlan", "train"]


def train(
    config: TrainConfig,
    plan: RunPlan,
    progress: Progress | None = None,
    control: RunControl | None = None,
    world: DistributedContext | None = None,
) -> Iterator[TrainEvent]:
    """Train and yield events; resumes from the checkpoint of the plan if there is one.

    On the CPU a run that was stopped at any moment and resumed yields bit-identical weights and the
    same curves as an uninterrupted run. Closing the generator, or ``Cancelled`` from ``progress``,
    writes a checkpoint but no pack; ``control.stop()`` ends the run with a pack.

    Args:
        control: requests of the user.
        world: process group of a distributed run.

    Raises:
        InputError: data, settings or checkpoint cannot be used. OutputError: cannot write.
        Diverged: a loss is not finite. DeviceMemoryError: the batch does not fit.
        Cancelled: the run was cancelled.
    """
    world = world or DistributedContext()
    if world.is_leader:
        _check_output(config, plan)
    world.check_divisible(config.batch)
    board = TensorBoardLog(plan) if plan.tensorboard and world.is_leader else None
    with locked(plan.run_folder) if world.is_leader else nullcontext():
        if world.is_leader:
            remove_leftovers(plan)
        run = open_trainer(
            config, plan, progress or NullProgress(), control or RunControl(answers=False), world
        )
        with _record_status(run), board or nullcontext():
            started = _started(run)
            if world.is_leader:
                run.log.add(started)
            yield started
            for event in _events(run):
                if world.is_leader:
                    run.log.add(event)
                if board is not None:
                    board.add(event)
                yield event
            if world.is_leader:
                yield finish(run)


def _started(run: Trainer) -> Started:
    dataset = run.dataset
    return Started(
        run.state.step,
        run.config.steps,
        pairs=len(dataset.pairs.pairs),
        problems=dataset.problems,
        device=run.device.name,
        device_reason=run.device.reason,
        precision=run.precision.name,
        precision_reason=run.precision.reason,
        validation=len(dataset.validation.pairs) if dataset.validation else 0,
        notes=(*dataset.notes, *_ignored_settings(run.config)),
        batch=run.batch,
    )


def _ignored_settings(config: TrainConfig) -> Iterator[Message]:
    """Remarks about settings that have no effect."""
    if config.backbone and config.network.backbone.kind != "dinov3":
        yield Message("The DINOv3 file is not used: the network of this run needs none.")
    if not config.network.learns_fusion:
        yield Message(
            "The fused image of this network is chosen by rule: training changes its "
            "reconstructions alone."
        )


def _check_output(config: TrainConfig, plan: RunPlan) -> None:
    """Refuse an output that cannot be written or is also an input, before hours of work."""
    if plan.out.suffix != SUFFIX:
        raise InputError(
            str(plan.out),
            Message("a pack's name ends in {0}", SUFFIX),
            Message("Name it NAME{0}.", SUFFIX),
        )
    for source in (config.init, config.backbone):
        if source and plan.out.resolve() == Path(source).resolve():
            raise InputError(
                str(plan.out),
                Message("it is an input of this run"),
                Message("Give the new pack another name."),
            )
    try:
        plan.run_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(plan.run_folder, error) from error
    if plan.out.is_dir() or not os.access(plan.run_folder, os.W_OK):
        raise OutputError(
            Message("Cannot write {0}", plan.out),
            Message("there is a folder in its way, or no permission"),
            Message("Choose another name or folder for the pack, or change the permissions."),
        )


@contextmanager
def _record_status(run: Trainer) -> Iterator[None]:
    """Record in ``run.json`` that the run is in progress, and how it ended."""

    def note(state: RunStatus, why: str = "") -> None:
        if run.world.is_leader:
            write_record(replace(run.record(), state=state, why=why))

    note("running")
    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, Cancelled | GeneratorExit | KeyboardInterrupt)
        why = error.message if isinstance(error, FusionError) else type(error).__name__
        with suppress(OutputError):  # the original error is more informative
            note("stopped" if stopped else "failed", "" if stopped else why)
        raise


def _events(run: Trainer) -> Iterator[TrainEvent]:
    """The events between the first and the last one."""
    try:
        yield from _validate_if_due(run, resumed=True)
        yield from _steps(run)
        yield from _save_and_validate_last(run)
    except (Diverged, OutputError):
        raise  # the files on disk remain as they are
    except BaseException:
        # Cancelled, closed, interrupted or out of memory: completed steps are saved, unless a step
        # was interrupted midway; then the last checkpoint remains.
        if run.world.is_leader and not run.is_partial_step and run.state.step > run.saved_at >= -1:
            _save_complete_steps(run)
        raise


def _save_complete_steps(run: Trainer) -> None:
    if run.state.step > 0 and not run.first_nonfinite():
        run.save()


def _validate_if_due(run: Trainer, resumed: bool = False) -> Iterator[TrainEvent]:
    """Validate before the first step, after a due step, or when a killed run had not done so.

    A resumed run whose validation pairs changed is judged at once, for scores to compare with.
    """
    config, step = run.config, run.state.step
    if run.dataset.validation is None or not run.world.is_leader:
        return
    is_first = step == 0 or (resumed and run.start is None)
    due = is_first or _due(step, config.validate_every, config.steps)
    if due and not (resumed and step in run.log.validated):
        yield run.validate()


def _steps(run: Trainer) -> Iterator[TrainEvent]:
    config = run.config
    while run.state.step < config.steps:
        if run.world.is_leader and run.control.paused:
            yield from _pause(run)
        action = run.world.agree_on(_requested_action(run), run.device.name)
        if action == NextAction.ABORT:
            raise Cancelled
        if action == NextAction.FINISH:
            return
        try:
            run.advance()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = error.with_traceback(None)  # its frames would hold the memory
        else:
            yield from _after_step(run)
            continue
        yield from _with_smaller_batch(run, failure)


def _requested_action(run: Trainer) -> NextAction:
    try:
        run.progress.check()
    except Cancelled:
        return NextAction.ABORT
    return (
        NextAction.FINISH if run.world.is_leader and run.control.stopping else NextAction.CONTINUE
    )


def _after_step(run: Trainer) -> Iterator[TrainEvent]:
    config, step = run.config, run.state.step
    if _due(step, config.log_every, config.steps):
        yield run.stepped()
    if run.world.is_leader and _due(step, config.checkpoint_every, config.steps):
        yield run.save()
    yield from _validate_if_due(run)


def _due(step: int, every: int, last: int) -> bool:
    return bool(every) and (step % every == 0 or step == last)


def _pause(run: Trainer) -> Iterator[TrainEvent]:
    """Save, then wait for a request; changes of the learning rates are applied meanwhile."""
    yield run.save()
    write_record(replace(run.record(), state="paused"))
    yield Paused(run.state.step)
    control = run.control
    while control.paused and not control.stopping:
        run.progress.check()
        rates = control.take_rates()
        if rates is not None:
            run.change_rates(*rates)
            yield RatesChanged(run.state.step, *rates)
            yield run.save()
        control.wait_for_change(lambda: control.has_rates or control.stopping or not control.paused)
    rates = control.take_rates()  # requested just before resuming
    if rates is not None:
        run.change_rates(*rates)
        yield RatesChanged(run.state.step, *rates)
    if not control.stopping:
        write_record(run.record())
        yield Resumed(run.state.step)


def _with_smaller_batch(run: Trainer, error: BaseException) -> Iterator[TrainEvent]:
    """Return to the last saved state and ask whether to continue with half the batch.

    Raises:
        DeviceMemoryError: the batch cannot be halved, or nobody can answer, or the answer is stop.
    """
    failed, smaller = run.batch, run.batch // 2
    refused = DeviceMemoryError(
        Message.plural(
            "Training with {0} crop of {1}×{1} does not fit {2}",
            "Training with {0} crops of {1}×{1} does not fit {2}",
            failed,
            run.config.crop,
            run.device.name,
        ),
        Message("the memory ran out"),
        Message("Use a smaller batch or crop; the last checkpoint is kept."),
    )
    if smaller < 1 or run.world.size > 1:
        raise refused from error
    if run.device.name.startswith("cuda"):
        torch.cuda.empty_cache()
    run.reload()
    run.log.truncate(run.state.step)
    yield MemoryRanOut(run.state.step, failed, smaller)
    control = run.control
    while not control.take_smaller():
        if control.stopping and run.state.step:
            return
        if control.stopping or not control.answers:
            raise refused from error
        run.progress.check()
        control.wait_for_change(lambda: control.smaller_allowed or control.stopping)
    run.state = replace(run.state, batch=smaller)
    yield Reduced(run.state.step, smaller)


def _save_and_validate_last(run: Trainer) -> Iterator[TrainEvent]:
    """Save and validate the final state, where this has not been done."""
    if not run.world.is_leader:
        return
    if run.state.step == 0:
        raise Cancelled  # stopped before the first step: there is nothing to keep
    if run.control.stopping and run.state.step > run.saved_at:
        yield run.save()
    if run.dataset.validation is not None and run.state.step not in run.log.validated:
        yield run.validate()

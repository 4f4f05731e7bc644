"""A training run from first image to finished pack, as a generator of events."""

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
from trainer.optimization.distributed import DistributedContext, Wish
from trainer.run.control import RunControl
from trainer.run.export import finish
from trainer.run.network import Diverged
from trainer.run.trainer import Trainer, open_trainer
from trainer.run_folder.lock import locked
from trainer.run_folder.registry import RunStatus, remove_leftovers, write_record
from trainer.run_folder.tensorboard import Board

__all__ = ["Diverged", "RunPlan", "train"]


def train(
    config: TrainConfig,
    plan: RunPlan,
    progress: Progress | None = None,
    control: RunControl | None = None,
    world: DistributedContext | None = None,
) -> Iterator[TrainEvent]:
    """Train, yielding events; goes on from the plan's checkpoint if there is one.

    On the CPU a run that was stopped, at whatever moment, and resumed ends in the very bits of one
    that was not, with the very curves. Closing the generator, or a ``Cancelled`` from ``progress``,
    writes a checkpoint and no pack; ``steering.stop()`` ends with a pack.

    Args:
        steering: wishes of the person watching. world: processes that train together.

    Raises:
        InputError: data, settings or checkpoint cannot be used. OutputError: cannot write.
        Diverged: a loss stopped being a number. DeviceMemoryError: the batch does not fit.
        Cancelled: the caller said stop.
    """
    world = world or DistributedContext()
    if world.leads:
        _check_output(config, plan)
    world.check_divisible(config.batch)
    board = Board(plan) if plan.tensorboard and world.leads else None
    with locked(plan.run_folder) if world.leads else nullcontext():
        if world.leads:
            remove_leftovers(plan)
        run = open_trainer(
            config, plan, progress or NullProgress(), control or RunControl(answers=False), world
        )
        with _recorded(run), board or nullcontext():
            yield _started(run)
            for event in _course(run):
                if world.leads:
                    run.log.add(event)
                if board is not None:
                    board.add(event)
                yield event
            if world.leads:
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
        validation=len(dataset.validation.pairs) if dataset.validation else 0,
        notes=(*dataset.notes, *_unused(run.config)),
        batch=run.batch,
    )


def _unused(config: TrainConfig) -> Iterator[Message]:
    """What was given, and is of no effect."""
    if config.backbone and config.network.backbone.kind != "dinov3":
        yield Message("The DINOv3 file is not used: the network of this run needs none.")


def _check_output(config: TrainConfig, plan: RunPlan) -> None:
    """Refuse, before hours of work, an output that could not be written or is an input."""
    if plan.out.suffix != SUFFIX:
        raise InputError(str(plan.out), Message("a pack's name ends in {0}", SUFFIX))
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
        )


@contextmanager
def _recorded(run: Trainer) -> Iterator[None]:
    """Keep ``run.json`` true: what the run is doing, and how it ended."""

    def note(state: RunStatus, why: str = "") -> None:
        if run.world.leads:
            write_record(replace(run.record(), state=state, why=why))

    note("running")
    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, Cancelled | GeneratorExit | KeyboardInterrupt)
        why = error.message if isinstance(error, FusionError) else type(error).__name__
        with suppress(OutputError):  # the error on its way says more
            note("stopped" if stopped else "failed", "" if stopped else why)
        raise


def _course(run: Trainer) -> Iterator[TrainEvent]:
    """Everything between the first event and the last."""
    try:
        yield from _judged_if_due(run, resumed=True)
        yield from _steps(run)
        yield from _last_words(run)
    except (Diverged, OutputError):
        raise  # what is on disk is the truth
    except BaseException:
        # Cancelled, closed, interrupted, out of memory: the steps done so far are kept, unless
        # a step was torn in the middle; then the last checkpoint is the truth.
        if run.world.leads and not run.torn and run.state.step > run.saved_at >= -1:
            _keep_whole(run)
        raise


def _keep_whole(run: Trainer) -> None:
    if run.state.step > 0 and not run.ruined():
        run.save()


def _judged_if_due(run: Trainer, resumed: bool = False) -> Iterator[TrainEvent]:
    """Figures of the start, of a due step, or of one that was killed before they were taken."""
    config, step = run.config, run.state.step
    if run.dataset.validation is None or not run.world.leads:
        return
    due = step == 0 or _due(step, config.validate_every, config.steps)
    if due and not (resumed and step in run.log.validated):
        yield run.judge()


def _steps(run: Trainer) -> Iterator[TrainEvent]:
    config = run.config
    while run.state.step < config.steps:
        if run.world.leads and run.control.paused:
            yield from _pause(run)
        wish = run.world.agree_on(_wish(run), run.device.name)
        if wish == Wish.LEAVE:
            raise Cancelled
        if wish == Wish.FINISH:
            return
        try:
            run.advance()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = error.with_traceback(None)  # whose frames would hold the memory
        else:
            yield from _after_step(run)
            continue
        yield from _with_smaller_batch(run, failure)


def _wish(run: Trainer) -> Wish:
    try:
        run.progress.check()
    except Cancelled:
        return Wish.LEAVE
    return Wish.FINISH if run.world.leads and run.control.stopping else Wish.TRAIN


def _after_step(run: Trainer) -> Iterator[TrainEvent]:
    config, step = run.config, run.state.step
    if _due(step, config.log_every, config.steps):
        yield run.stepped()
    if run.world.leads and _due(step, config.checkpoint_every, config.steps):
        yield run.save()
    yield from _judged_if_due(run)


def _due(step: int, every: int, last: int) -> bool:
    return bool(every) and (step % every == 0 or step == last)


def _pause(run: Trainer) -> Iterator[TrainEvent]:
    """Save, and wait for a wish; other learning rates are taken meanwhile."""
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
        control.wait_for_news(lambda: control.has_rates or control.stopping or not control.paused)
    rates = control.take_rates()  # asked for in the very moment before going on
    if rates is not None:
        run.change_rates(*rates)
        yield RatesChanged(run.state.step, *rates)
    if not control.stopping:
        write_record(run.record())
        yield Resumed(run.state.step)


def _with_smaller_batch(run: Trainer, error: BaseException) -> Iterator[TrainEvent]:
    """Go back to the last good state and ask whether half the batch will do.

    Raises:
        DeviceMemoryError: half a batch is nothing, nobody answers, or the answer is to stop.
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
    run.log.cut(run.state.step)
    yield MemoryRanOut(run.state.step, failed, smaller)
    control = run.control
    while not control.take_smaller():
        if control.stopping and run.state.step:
            return
        if control.stopping or not control.answers:
            raise refused from error
        run.progress.check()
        control.wait_for_news(lambda: control.smaller_allowed or control.stopping)
    run.state = replace(run.state, batch=smaller)
    yield Reduced(run.state.step, smaller)


def _last_words(run: Trainer) -> Iterator[TrainEvent]:
    """Save and judge the state the run ends with, where that was not done."""
    if not run.world.leads:
        return
    if run.state.step == 0:
        raise Cancelled  # stopped before the first step: there is nothing to keep
    if run.control.stopping and run.state.step > run.saved_at:
        yield run.save()
    if run.dataset.validation is not None and run.state.step not in run.log.validated:
        yield run.judge()

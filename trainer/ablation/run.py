"""Runs an ablation: trains every variant with every seed, and scores the packs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan

from core.device import choose_device
from core.errors import Cancelled, InputError, Message
from core.io.atomic import output_error
from core.packs.format import read_pack
from core.progress import NullProgress, Progress
from trainer.ablation.plan import AblationPlan, PlannedRun
from trainer.ablation.results import RunResult, read_result, write_result
from trainer.data.dataset import HeldOut, read_held_out
from trainer.events import Finished, TrainEvent
from trainer.optimization.precision import FixedPrecision, choose_precision
from trainer.run.control import RunControl
from trainer.run.loop import train
from trainer.run.network import backbone_of
from trainer.run.validation import validate
from trainer.run_folder.checkpoint import saved_precision
from trainer.run_folder.lock import locked

METRICS = ("MI", "VIF", "Qabf", "Qy", "CC", "SSIM")
"""Metrics of every run, in the order of the table."""


@dataclass(frozen=True)
class RunAdvanced:
    """An event of the training of one run, ``index`` of ``total`` from 0."""

    run: PlannedRun
    index: int
    total: int
    event: TrainEvent


@dataclass(frozen=True)
class RunDone:
    """A run is done; ``earlier``: it was done before."""

    run: PlannedRun
    index: int
    total: int
    result: RunResult
    earlier: bool = False


AblationEvent = RunAdvanced | RunDone


def run_ablation(
    plan: AblationPlan, progress: Progress | None = None, control: RunControl | None = None
) -> Iterator[AblationEvent]:
    """Train and score every run, and yield events; finished runs are read, not repeated.

    An interrupted run resumes from its checkpoint, as in :func:`trainer.run.loop.train`.

    Args:
        control: pauses and resumes the run in progress. ``stop`` ends the ablation as
            ``Cancelled`` does: a run of fewer steps is not a result.

    Raises:
        InputError: no seeds, data that cannot be used, or an output folder that holds results of
            other settings or data. OutputError: cannot write. Cancelled: stopped.
        FusionError: as :func:`trainer.run.loop.train`.
    """
    progress = progress or NullProgress()
    if plan.seeds < 1:
        raise InputError(
            Message("Seeds"), Message("there must be at least one"), Message("Three are usual.")
        )
    runs = _with_one_precision(plan).runs()
    held = read_held_out(runs[0].config, runs[0].plan, progress)
    _make_folder(plan)
    with locked(plan.out):
        earlier = [_earlier_result(run, held) for run in runs]  # before hours of work
        for index, (run, result) in enumerate(zip(runs, earlier, strict=True)):
            if result is not None:
                yield RunDone(run, index, len(runs), result, earlier=True)
                continue
            for event in _trained(run, progress, control):
                yield RunAdvanced(run, index, len(runs), event)
            result = _scored(run, held, progress)
            write_result(run.result, result)
            _remove_checkpoints(run)
            yield RunDone(run, index, len(runs), result)


def finished_results(plan: AblationPlan) -> tuple[RunResult, ...]:
    """The results that the output folder holds already, in the order of the runs."""
    results = (read_result(run.result) for run in plan.runs())
    return tuple(result for result in results if result is not None)


def _with_one_precision(plan: AblationPlan) -> AblationPlan:
    """``plan`` with a fixed number format: its runs are to differ in their variant only.

    Where runs were done or begun before, theirs; the machine may be another one by now.
    """
    base = plan.base
    if base.precision != "auto":
        return plan
    device = choose_device(plan.runs()[0].plan.device_of(base)).name
    chosen = choose_precision("auto", device, _precision_of_earlier(plan))
    return replace(plan, base=replace(base, precision=chosen.name))


def _precision_of_earlier(plan: AblationPlan) -> FixedPrecision | None:
    for run in plan.runs():
        result = read_result(run.result)
        if result is not None and result.config.precision != "auto":
            return result.config.precision
        if saved := saved_precision(run.plan.checkpoint):
            return saved
    return None


def _make_folder(plan: AblationPlan) -> None:
    try:
        plan.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(plan.out, error) from error


def _earlier_result(run: PlannedRun, held: HeldOut) -> RunResult | None:
    """The result of a run that is done.

    Raises:
        InputError: it has other settings or data than those planned now.
    """
    result = read_result(run.result)
    if result is None:
        return None
    fingerprints = (result.data_sha256, result.validation_sha256)
    if result.config != run.config or fingerprints != (held.train_sha256, held.sha256):
        raise InputError(
            str(run.result),
            Message("it is the result of other settings or other pictures"),
            Message("Give another output folder, or the settings of before."),
        )
    return result


def _trained(
    run: PlannedRun, progress: Progress, control: RunControl | None
) -> Iterator[TrainEvent]:
    for event in train(run.config, run.plan, progress, control):
        yield event
        if isinstance(event, Finished) and event.step < run.config.steps:
            raise Cancelled


def _scored(run: PlannedRun, held: HeldOut, progress: Progress) -> RunResult:
    config = run.config
    network, manifest = read_pack(run.plan.out, backbone_of(config))
    device = choose_device(run.plan.device_of(config)).name
    pairs = held.pairs.pairs
    scores = validate(network.to(device), pairs, device, progress, METRICS)
    record = manifest.training
    return RunResult(
        run.variant,
        config,
        scores=_by_name([pair.name for pair in pairs], scores.rows),
        steps=record.steps,
        seconds=record.seconds,
        pairs=record.pairs,
        device=device,
        data_sha256=held.train_sha256,
        validation_sha256=held.sha256,
        software=record.software,
    )


def _by_name(names: Sequence[str], rows: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Defined scores of ``rows`` by name; pairs of one name in several folders are numbered."""
    named: dict[str, dict[str, float]] = {}
    for name, row in zip(names, rows, strict=True):
        same = sum(other.partition(" #")[0] == name for other in named)
        defined = {metric: value for metric, value in row.items() if not isnan(value)}
        named[f"{name} #{same + 1}" if same else name] = defined
    return named


def _remove_checkpoints(run: PlannedRun) -> None:
    """Delete what only an unfinished run needs; the pack, the model card and the log stay."""
    for path in (run.plan.checkpoint, run.plan.previous, run.plan.best):
        path.unlink(missing_ok=True)

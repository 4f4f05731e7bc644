"""One session of a run: its state, and the operations step, checkpoint and validation."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from typing import get_args

import torch

from core.device import choose_device
from core.errors import InputError, Message, OutputError, PackError
from core.io.atomic import atomic_write
from core.packs.external_backbone import check_backbone_of
from core.packs.format import PackManifest, read_manifest, write_pack
from core.progress import Progress
from core.types import DeviceChoice
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.data.dataset import Dataset, read_dataset
from trainer.data.pairs import fingerprint
from trainer.data.sampler import CropSampler
from trainer.events import PreviewImages, Saved, Stepped, Validated
from trainer.optimization.bilevel import BilevelStep
from trainer.optimization.distributed import DistributedContext
from trainer.optimization.precision import FixedPrecision, PrecisionChoice, choose_precision
from trainer.run.control import RunControl
from trainer.run.manifest import pack_manifest
from trainer.run.memory_usage import used_bytes
from trainer.run.network import _TO_TRAIN, Diverged, averaged, backbone_of, new_network
from trainer.run.same_run import check_same_start, same_command
from trainer.run.score import score
from trainer.run.validation import ValidationResult, validate
from trainer.run_folder.checkpoint import (
    CheckpointDamaged,
    RunState,
    load_checkpoint,
    save_checkpoint,
    saved_precision,
)
from trainer.run_folder.history import RunLog
from trainer.run_folder.initial_scores import InitialScores, read_start, write_start
from trainer.run_folder.preview import write_strip
from trainer.run_folder.registry import RunRecord, write_record


@dataclass
class Trainer:
    """One session of a run.

    Attributes:
        config: its precision is a fixed one, as in ``precision``.
        start: validation results before the first step, None until they are known.
        best: highest score so far, −∞ before the first validation.
        saved_at: step of the last checkpoint, −1 before the first one.
        is_partial_step: a step has begun and has not been completed.
        elapsed, timed: seconds of training in this session since the last :class:`Stepped`, and the
            steps they are of (the losses of a resumed run count more: those before it stopped).
        scores: of the present state, None if it has not been validated.
    """

    config: TrainConfig
    plan: RunPlan
    _: KW_ONLY
    device: DeviceChoice
    precision: PrecisionChoice
    world: DistributedContext
    progress: Progress
    control: RunControl
    log: RunLog
    dataset: Dataset
    step: BilevelStep
    state: RunState
    start: InitialScores | None = None
    best: float = -math.inf
    saved_at: int = -1
    is_partial_step: bool = False
    elapsed: float = 0.0
    timed: int = 0
    scores: dict[str, float] | None = None

    @property
    def batch(self) -> int:
        """Current number of crops per step."""
        return self.state.batch or self.config.batch

    def reload(self) -> None:
        """Restore the last checkpoint, or the initial state if there is none."""
        resuming = self.plan.checkpoint.is_file()
        network, digest, parent = new_network(self.config, resuming)
        self.step = BilevelStep(network.to(self.device.name), self.config, self.world)
        self.state = RunState(
            backbone_sha256=digest, parent=parent, data_sha256=self.dataset.sha256
        )
        if resuming:
            self.state, _ = _load_matching_checkpoint(self.plan, self.config, self.step, self.state)
        self.step.factors = (self.state.factor_lower, self.state.factor_upper)
        self.saved_at, self.is_partial_step = self.state.step if resuming else -1, False
        self.elapsed, self.timed, self.scores = 0.0, 0, None

    def advance(self) -> None:
        """Run one bilevel step.

        Raises:
            Diverged: a loss is not finite.
        """
        config, number = self.config, self.state.step
        began = time.perf_counter()
        sampler = CropSampler.of(self.dataset.pairs.pairs, config, self.batch)
        batch = sampler(number, self.world.part(self.batch)).to(self.device.name)
        self.is_partial_step = True
        losses = self.step(batch, number)
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if bad:
            raise self._diverged(Message("loss “{0}”", bad[0]))
        sums = self.state.sums
        spent = time.perf_counter() - began
        self.elapsed += spent
        self.timed += 1
        self.state = replace(
            self.state,
            step=number + 1,
            seconds=self.state.seconds + spent,
            sums={name: sums.get(name, 0.0) + value for name, value in losses.items()},
            counted=self.state.counted + 1,
        )
        self.is_partial_step, self.scores = False, None

    def stepped(self) -> Stepped:
        """Mean losses since the last such event."""
        state = self.state
        means = {name: value / state.counted for name, value in state.sums.items()}
        lower, upper = self.step.rates(state.step - 1)
        pace = self.elapsed / self.timed if self.timed else state.seconds / state.step
        self.state = replace(state, sums={}, counted=0)
        self.elapsed, self.timed = 0.0, 0
        return Stepped(
            state.step,
            means,
            lr_lower=lower,
            lr_upper=upper,
            seconds_per_step=pace,
            memory=used_bytes(self.device.name),
        )

    def change_rates(self, lower: float, upper: float) -> None:
        """Set the learning rates of the next step; the schedule continues from there."""
        planned_lower, planned_upper = self.config.learning_rates(self.state.step)
        self.step.factors = (lower / planned_lower, upper / planned_upper)
        self.state = replace(
            self.state, factor_lower=self.step.factors[0], factor_upper=self.step.factors[1]
        )

    def first_nonfinite(self) -> str:
        """The name of the first weight that is not finite, or "".

        Losses are computed before the update, so that they may be finite although a weight is not.
        """
        weights = self.step.network.own_state().items()
        return next((name for name, w in weights if not bool(torch.isfinite(w).all())), "")

    def check_finite(self) -> None:
        """Raise Diverged if a weight is not finite."""
        name = self.first_nonfinite()
        if name:
            raise self._diverged(Message("weight “{0}”", name))

    def _diverged(self, what: Message) -> Diverged:
        kept = Message("no state had been saved yet")
        if self.plan.checkpoint.is_file():
            kept = Message("the last good state, of step {0}, is kept", max(self.saved_at, 0))
        return Diverged(
            Message("Training diverged at step {0}", self.state.step),
            Message("{0} is no longer a number", what),
            Message("Lower the learning rates and start again; {0}.", kept),
        )

    def save(self) -> Saved:
        """Write a checkpoint and update the record.

        Raises:
            Diverged: a weight is not finite. OutputError: cannot write; the older checkpoint stays.
        """
        self.check_finite()
        plan = self.plan
        save_checkpoint(plan.checkpoint, self.config, self.step, self.state, plan.previous)
        self.saved_at = self.state.step
        write_record(self.record())
        return Saved(self.state.step, plan.checkpoint)

    def record(self) -> RunRecord:
        """The present contents of ``run.json``."""
        result = self.dataset.validation
        return RunRecord(
            self.config,
            self.plan,
            step=max(self.saved_at, 0),
            seconds=self.state.seconds,
            pairs=len(self.dataset.pairs.pairs),
            validation=len(result.pairs) if result else 0,
        )

    def manifest(self, scores: dict[str, float]) -> PackManifest:
        """The manifest of a pack of the present state."""
        pairs = len(self.dataset.pairs.pairs)
        return pack_manifest(self.config, self.plan, self.state, pairs=pairs, scores=scores)

    def validate(self) -> Validated:
        """Validate the averaged network, and keep it if its score is the highest so far.

        Raises:
            Diverged: a weight is not finite. OutputError: the best state cannot be written.
        """
        if self.dataset.validation is None:
            raise ValueError("no validation pairs")
        self.check_finite()
        with averaged(self.step) as network:
            pairs = self.dataset.validation.pairs
            result = validate(network, pairs, self.device.name, self.progress)
            if self.start is None:
                self.start = InitialScores(result.scores, result.fused, self.state.step)
                write_start(self.plan.start, self.start, self.dataset.validation_sha256)
            reached = score(result.scores, self.start.scores)
            # The initial state is a candidate too: a run that only gets worse keeps it.
            best = reached > self.best
            if best:
                write_pack(self.plan.best, network, self.manifest(result.scores))
                self.best = reached
        self.scores = result.scores
        strip = self._strip(result)
        with suppress(OutputError):  # display only; a full disk fails elsewhere
            write_strip(self.plan.strip, strip, self.state.step)
        return Validated(
            self.state.step, result.scores, strip, reached, best, since=self.start.step
        )

    def _strip(self, result: ValidationResult) -> PreviewImages:
        before = self.start.fused if self.start is not None else result.fused
        if before.shape != result.fused.shape:
            before = result.fused
        return PreviewImages(result.a, result.b, result.fused, before)


def open_trainer(
    config: TrainConfig,
    plan: RunPlan,
    progress: Progress,
    control: RunControl,
    world: DistributedContext,
) -> Trainer:
    """Read the images, build the network and restore the checkpoint if there is one.

    Raises:
        InputError: data, settings or checkpoint cannot be used, or do not match the run.
    """
    device = choose_device(world.device or plan.device_of(config))
    with same_command(config, plan, world, device.name) as shared:
        run = _prepared(config, plan, progress, control, world=world, device=device)
        if shared is not None:
            pictures = fingerprint(run.dataset.matches, config.truth, copies=True)
            found = (str(run.saved_at), run.state.parent, run.state.backbone_sha256, pictures)
            check_same_start(world, device.name, shared, found)
    if world.is_leader:
        _restore_run_folder(run, resuming=run.saved_at >= 0)
    return run


def _prepared(
    config: TrainConfig,
    plan: RunPlan,
    progress: Progress,
    control: RunControl,
    *,
    world: DistributedContext,
    device: DeviceChoice,
) -> Trainer:
    """The session before the first step; changes no file."""
    resuming = plan.checkpoint.is_file()
    precision = _precision_of(config, plan, device.name, world)
    config = replace(config, precision=precision.name)
    # Checked before the images are read, which may take minutes.
    check_backbone_of(config.network, backbone_of(config), _TO_TRAIN)
    # Where the batch may be reduced when memory runs out, memory for one crop suffices.
    batch = 1 if resuming or control.smaller_allowed else config.batch // world.size
    dataset = read_dataset(config, plan, progress, device.name, batch)
    network, digest, parent = new_network(config, resuming)
    step = BilevelStep(network.to(device.name), config, world)
    state = RunState(backbone_sha256=digest, parent=parent, data_sha256=dataset.sha256)
    if resuming:
        state, note = _load_matching_checkpoint(plan, config, step, state)
        dataset = replace(dataset, notes=(*dataset.notes, *note))
        _check_reduced(plan, config, state, world)
        step.factors = (state.factor_lower, state.factor_upper)
    control.alternating = config.bilevel and config.network.reconstruction
    run = Trainer(
        config,
        plan,
        device=device,
        precision=precision,
        world=world,
        progress=progress,
        control=control,
        log=RunLog(plan.log),
        dataset=dataset,
        step=step,
        state=state,
    )
    run.saved_at = state.step if resuming else -1
    return run


def _check_reduced(
    plan: RunPlan, config: TrainConfig, state: RunState, world: DistributedContext
) -> None:
    """Refuse to divide a batch that was reduced among processes that it is too small for.

    Raises:
        InputError: it is not divisible by their number.
    """
    batch = state.batch or config.batch
    if batch % world.size:
        raise InputError(
            str(plan.checkpoint),
            Message(
                "memory ran out before, so that it goes on with batch {0}, which cannot be divided "
                "among {1} processes",
                batch,
                world.size,
            ),
            Message("Resume with {0} processes or fewer that divide it, for instance one.", batch),
        )


def _precision_of(
    config: TrainConfig, plan: RunPlan, device: str, world: DistributedContext
) -> PrecisionChoice:
    """The number format of the run: of its checkpoint if it has one, the same on all processes."""
    saved = saved_precision(plan.checkpoint) or saved_precision(plan.previous)
    if not plan.checkpoint.is_file():
        saved = None  # a new run; what an earlier one left is deleted
    if config.precision != "auto" or world.size == 1:
        return choose_precision(config.precision, device, saved)
    # Another process might measure otherwise, and would average gradients of other numbers.
    own = choose_precision(config.precision, device, saved) if world.is_leader else None
    formats = get_args(FixedPrecision)
    agreed = formats[world.of_leader(formats.index(own.name) if own else 0, device)]
    return own or PrecisionChoice(agreed, Message("the first process chose it"))


def _restore_run_folder(run: Trainer, resuming: bool) -> None:
    """Adapt log, initial scores and best state to the resumed step, or delete them at the start."""
    run.log.truncate(run.state.step if resuming else -1)
    if not resuming:
        run.plan.previous.unlink(missing_ok=True)
        run.plan.best.unlink(missing_ok=True)
        run.plan.start.unlink(missing_ok=True)
        run.plan.strip.unlink(missing_ok=True)
        return
    run.start = read_start(run.plan.start, run.dataset.validation_sha256)
    if run.start is None:
        # What was judged before is of other pairs: no score to compare with, no state to keep.
        run.plan.best.unlink(missing_ok=True)
        if run.log.validated and run.dataset.validation is not None:
            other = Message(
                "The pairs to judge by are not those of before: scores are compared with step {0} "
                "from here on.",
                run.state.step,
            )
            run.dataset = replace(run.dataset, notes=(*run.dataset.notes, other))
        run.log.validated.clear()
        return
    try:
        run.best = score(read_manifest(run.plan.best).training.scores, run.start.scores)
    except PackError:
        run.plan.best.unlink(missing_ok=True)


def load_newest(
    plan: RunPlan, config: TrainConfig, step: BilevelStep
) -> tuple[RunState, tuple[str, ...]]:
    """The state of the newest readable checkpoint, and a remark if it is not the newest.

    Raises:
        InputError: as :func:`trainer.run_folder.checkpoint.load_checkpoint`, for the newest one.
    """
    try:
        return load_checkpoint(plan.checkpoint, config, step), ()
    except CheckpointDamaged:
        if not plan.previous.is_file():
            raise
        with suppress(CheckpointDamaged):
            state = load_checkpoint(plan.previous, config, step)
            return state, (
                Message(
                    "The newest checkpoint is damaged; the run goes on from the one before, step "
                    "{0}.",
                    state.step,
                ),
            )
        raise


def check_same_backbone(plan: RunPlan, state: RunState, digest: str) -> None:
    """Refuse weights that were trained with another DINOv3 file than the one of ``digest``.

    Raises:
        InputError: the file that the run names was replaced.
    """
    if state.backbone_sha256 != digest:
        raise InputError(
            str(plan.checkpoint),
            Message("this run was started with another DINOv3 file"),
            Message("Put that file back where it was, or start a new run with another output."),
        )


def _load_matching_checkpoint(
    plan: RunPlan, config: TrainConfig, step: BilevelStep, fresh: RunState
) -> tuple[RunState, tuple[str, ...]]:
    """The state of the checkpoint, which must belong to the same run with the same images."""
    state, note = load_newest(plan, config, step)
    if note and step.world.is_leader:
        # Otherwise the damaged file would become the previous checkpoint at the next save.
        atomic_write(plan.checkpoint, plan.previous.read_bytes())
    check_same_backbone(plan, state, fresh.backbone_sha256)
    # Another node may have copies of the pictures, whose times differ: see check_same_start.
    known = state.data_sha256 if step.world.is_leader else ""
    if known and fresh.data_sha256 and known != fresh.data_sha256:
        raise InputError(
            str(plan.checkpoint),
            Message("the pictures are not those this run was started with"),
            Message(
                "Bring them back as they were, or start a new run that begins with the pack of "
                "this one."
            ),
        )
    return replace(state, data_sha256=fresh.data_sha256 or state.data_sha256), note

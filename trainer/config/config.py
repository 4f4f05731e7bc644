"""Everything a training run depends on, in one frozen, serialisable dataclass."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Annotated, Literal, Self

from annotated_types import Interval, MultipleOf
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic.dataclasses import dataclass

from core.errors import InputError, Message
from core.models.config import NetworkConfig, compact_config
from core.setting import Misfit, Setting
from core.tasks import TASKS, ColourPolicy, LossWeights, Weight, get_task
from core.windows import Window, Windows, check_window

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, revalidate_instances="always")


def _two_numbers(value: object) -> object:
    """A window by hand, or None; ValueError where it is anything else."""
    if value is None:
        return None
    ends = value if isinstance(value, (list, tuple)) else ()
    numbers = [end for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool)]
    try:
        if len(numbers) == len(ends) == 2:
            window = float(numbers[0]), float(numbers[1])
            check_window(window)
            return window
    except (OverflowError, InputError):
        pass
    raise ValueError(Message("must be two numbers, the lower one first"))


ManualWindow = Annotated[Window | None, BeforeValidator(_two_numbers)]
"""Values of a source that are black and white; None takes what its images give."""


@dataclass(frozen=True, config=_STRICT)
class TrainConfig:
    """One training run. Words for people, units and limits stand on the fields.

    Attributes:
        task: name of a task; decides default losses, and colour policy for one-channel networks.
        network: the network to train.
        steps: bilevel steps. batch: crops per step. crop: side of the square crops, multiple of 16.
        lr_lower, lr_upper: initial learning rates η_L > η_U of eq. 5 (Adam).
        lr_final: factor both rates have decayed to (exponentially) at the last step.
        ema: α of eq. 6, on θ. 0 switches the average off.
        bilevel: False trains φ and θ by one optimiser on the weighted sum (ablation).
        losses: None takes the task's own.
        edge: weight of the Xydeas–Petrović edge-preservation term (0 is the paper).
        artefact: weight of the term against edges neither source has (0 is the paper).
        information: weight of the visual-information term (0 is the paper).
        consistency: weight of the term that surroundings change nothing (0 is the paper).
        truth: where ``gt/NAME`` exists, the fused image is compared with it alone.
        swap: sources change places at random (for tasks whose sources have no fixed roles).
        refocus: share of the crops with truth whose views are made from it by simulated defocus.
        jitter: largest change of each source's gamma and gain, as a natural logarithm.
        clip: largest gradient norm of either level; larger ones are scaled down.
        precision: ``bf16`` runs the networks under autocast; losses stay in fp32.
        seed: of everything random.
        exclude: file-name patterns of pairs to leave out, e.g. ``llvip_*``.
        window_a, window_b: values of A and of B, in their own numbers, that are black and white in
            every pair; None takes what each image gives.
        log_every, validate_every, checkpoint_every: in steps; 0 switches off.
        validate_pairs: most pairs to validate on, spread evenly over all; 0 takes all.
        init: pack to start from ("" is from scratch); only its name is recorded.
        backbone: file with the DINOv3 weights, which a ``dinov3`` network needs; "" takes the
            fetched ones.
        device: where to train, see :func:`core.device.choose_device`; the run's plan comes first.
    """

    task: str
    _: KW_ONLY
    network: NetworkConfig = Field(default_factory=compact_config)
    steps: Annotated[
        int,
        Interval(ge=1, le=10_000_000),
        Setting(
            Message("Steps"),
            Message("One step improves reconstruction once and fusion once."),
            Message("steps"),
            Message("Length"),
            100,
        ),
    ] = 10_000
    batch: Annotated[
        int,
        Interval(ge=1, le=4096),
        Setting(
            Message("Crops per step"),
            Message("More is steadier and takes more memory."),
            Message("crops"),
            Message("Length"),
            1,
        ),
    ] = 16
    crop: Annotated[
        int,
        Interval(ge=32, le=4096),
        MultipleOf(16),
        Setting(
            Message("Crop size"),
            Message("Side of the square crops; a multiple of 16."),
            Message("px"),
            Message("Length"),
            16,
        ),
    ] = 128
    seed: Annotated[
        int,
        Interval(ge=0, le=2**63 - 1),
        Setting(
            Message("Seed"),
            Message("The same seed and pictures give the same pack."),
            "",
            Message("Length"),
            1,
        ),
    ] = 0
    device: Annotated[
        str,
        Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$"),
        Setting(
            Message("Device"),
            Message("Where to train: auto, cpu, cuda or cuda:N."),
            "",
            Message("Length"),
        ),
    ] = "auto"
    precision: Annotated[
        Literal["fp32", "bf16"],
        Setting(
            Message("Precision"),
            Message("bf16 is mixed precision: faster on recent devices, losses stay exact."),
            "",
            Message("Length"),
        ),
    ] = "fp32"
    lr_lower: Annotated[
        float,
        Interval(gt=0, le=1),
        Setting(
            Message("Rate, lower level"),
            Message("How fast reconstruction learns. Larger than the upper rate."),
            Message("per step"),
            Message("Learning"),
            1e-4,
        ),
    ] = 4e-4
    lr_upper: Annotated[
        float,
        Interval(gt=0, le=1),
        Setting(
            Message("Rate, upper level"),
            Message("How fast fusion learns."),
            Message("per step"),
            Message("Learning"),
            1e-4,
        ),
    ] = 2e-4
    lr_final: Annotated[
        float,
        Interval(gt=0, le=1),
        Setting(
            Message("Decay"),
            Message("What is left of both rates at the last step; they fall exponentially."),
            Message("of the start"),
            Message("Learning"),
            0.05,
        ),
    ] = 0.1
    ema: Annotated[
        float,
        Interval(ge=0, lt=1),
        Setting(
            Message("Averaging"),
            Message(
                "How much of the averaged fusion weights each step keeps; 0 switches averaging off."
            ),
            "",
            Message("Learning"),
            0.001,
        ),
    ] = 0.999
    clip: Annotated[
        float,
        Interval(gt=0, le=1e9),
        Setting(
            Message("Largest gradient"),
            Message("Gradients with a larger norm are scaled down."),
            "",
            Message("Learning"),
            1,
        ),
    ] = 5.0
    losses: LossWeights | None = None
    edge: Annotated[
        Weight,
        Setting(
            Message("Edge preservation"),
            Message("Keeps strength and direction of edges. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    artefact: Annotated[
        Weight,
        Setting(
            Message("Artefacts"),
            Message("Against edges neither source has. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    information: Annotated[
        Weight,
        Setting(
            Message("Visual information"),
            Message("Keeps what an eye can make out of the sources. 0 is the paper."),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    consistency: Annotated[
        Weight,
        Setting(
            Message("Same in any surroundings"),
            Message(
                "Keeps what lies around a place from changing it; a step takes longer. 0 is the "
                "paper."
            ),
            "",
            Message("Objectives"),
            5,
        ),
    ] = 0.0
    truth: Annotated[
        bool,
        Setting(
            Message("Compare with truth"),
            Message("Where a folder gt/ holds the wanted picture, compare with it alone."),
            "",
            Message("Objectives"),
        ),
    ] = False
    exclude: Annotated[
        tuple[str, ...],
        Setting(
            Message("Leave out"),
            Message("Name patterns of pairs to leave out, such as llvip_*."),
            "",
            Message("Pictures"),
        ),
    ] = ()
    window_a: Annotated[
        ManualWindow,
        Setting(
            Message("Window of A"),
            Message(
                "Values of A that are black and white, in its own numbers, such as 29300 30900. "
                "Empty takes what each picture gives."
            ),
            "",
            Message("Pictures"),
        ),
    ] = None
    window_b: Annotated[
        ManualWindow,
        Setting(
            Message("Window of B"),
            Message(
                "Values of B that are black and white, in its own numbers. Empty takes what each "
                "picture gives."
            ),
            "",
            Message("Pictures"),
        ),
    ] = None
    swap: Annotated[
        bool,
        Setting(
            Message("Exchange sources"),
            Message("At random; for sources without fixed roles."),
            "",
            Message("Pictures"),
        ),
    ] = False
    jitter: Annotated[
        float,
        Interval(ge=0, le=2),
        Setting(
            Message("Vary brightness"),
            Message("Largest change of each source's gamma and gain."),
            Message("natural log"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    refocus: Annotated[
        float,
        Interval(ge=0, le=1),
        Setting(
            Message("Simulated defocus"),
            Message("Share of the crops with truth that are blurred anew."),
            Message("share"),
            Message("Pictures"),
            0.1,
        ),
    ] = 0.0
    bilevel: Annotated[
        bool,
        Setting(
            Message("Two levels"),
            Message("Off: one optimiser on the sum of all objectives."),
            "",
            Message("Ablations"),
        ),
    ] = True
    backbone: Annotated[
        str,
        Setting(
            Message("DINOv3 file"),
            Message("Weights of DINOv3 ViT-S/16, needed by that backbone."),
            "",
            Message("Network"),
            file=True,
        ),
    ] = ""
    init: Annotated[
        str,
        Setting(
            Message("Start from"),
            Message("Pack to start from; empty is from scratch."),
            "",
            Message("Network"),
            file=True,
        ),
    ] = ""
    log_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Curve points every"),
            Message("0 draws no curves."),
            Message("steps"),
            Message("Watching"),
            5,
        ),
    ] = 20
    validate_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Judge every"),
            Message("0 never judges."),
            Message("steps"),
            Message("Watching"),
            50,
        ),
    ] = 500
    validate_pairs: Annotated[
        int,
        Interval(ge=0, le=1_000_000),
        Setting(
            Message("Pairs to judge by"),
            Message("At most, spread over all; 0 takes all."),
            Message("pairs"),
            Message("Watching"),
            4,
        ),
    ] = 0
    checkpoint_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Save every"),
            Message("0 saves on pause and close only."),
            Message("steps"),
            Message("Watching"),
            50,
        ),
    ] = 200

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.task not in TASKS:
            raise Misfit(
                "task",
                Message("unknown task {0!r}; choose one of {1}", self.task, ", ".join(TASKS)),
            )
        if self.bilevel and self.lr_lower <= self.lr_upper:
            raise Misfit(
                "lr_lower",
                Message("the lower level must learn faster than the upper one (η_L > η_U)"),
            )
        return self

    @property
    def colour(self) -> ColourPolicy:
        """The task's policy; a network of three channels fuses RGB instead."""
        policy = get_task(self.task).colour
        return policy if self.network.in_channels == 1 else ColourPolicy("rgb", policy.chroma)

    @property
    def loss_weights(self) -> LossWeights:
        """The run's own weights, or its task's."""
        return self.losses or get_task(self.task).losses

    @property
    def windows(self) -> Windows:
        """Those chosen by hand, of A and of B."""
        return self.window_a, self.window_b

    def learning_rates(self, step: int) -> tuple[float, float]:
        """(η_L, η_U) at ``step`` (0-based): exponential decay to ``lr_final`` at the last step."""
        factor = self.lr_final ** (step / max(1, self.steps - 1))
        return self.lr_lower * factor, self.lr_upper * factor


train_adapter = TypeAdapter(TrainConfig)
"""Validates and serialises :class:`TrainConfig`."""

"""Settings of the optimisation: number and size of steps, learning rates, precision, device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval, MultipleOf
from pydantic import Field

from core.errors import Message
from core.setting import Setting


@dataclass(frozen=True, kw_only=True)
class OptimizationSettings:
    """How the networks φ and θ are optimised.

    Attributes:
        steps: number of bilevel steps.
        batch: crops per step.
        crop: side of the square crops in pixels, a multiple of 16.
        seed: seed of every random number.
        device: where to train, see :func:`core.device.choose_device`; the device of the run's plan
            takes precedence.
        precision: ``bf16`` runs the networks under autocast; losses are computed in fp32. ``auto``
            becomes one of both when the run starts, see
            :func:`trainer.optimization.precision.choose_precision`.
        lr_lower, lr_upper: initial learning rates η_L > η_U of eq. 5 (Adam).
        lr_final: factor by which both rates have decayed, exponentially, at the last step.
        ema: decay α of the moving average of θ (eq. 6); 0 disables it.
        clip: largest gradient norm of either level; larger gradients are scaled down to it.
        bilevel: False trains φ and θ with one optimiser on the weighted sum of all losses
            (ablation).
    """

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
        Literal["auto", "fp32", "bf16"],
        Setting(
            Message("Precision"),
            Message(
                "auto takes what is faster on this machine. bf16 is mixed precision: faster on "
                "recent devices, losses stay exact."
            ),
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
    bilevel: Annotated[
        bool,
        Setting(
            Message("Two levels"),
            Message("Off: one optimiser on the sum of all objectives."),
            "",
            Message("Ablations"),
        ),
    ] = True

    def learning_rates(self, step: int) -> tuple[float, float]:
        """(η_L, η_U) at ``step`` (0-based): exponential decay to ``lr_final`` at the last step."""
        factor = self.lr_final ** (step / max(1, self.steps - 1))
        return self.lr_lower * factor, self.lr_upper * factor

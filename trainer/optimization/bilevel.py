"""One step of the bilevel optimisation (paper eq. 4–6)."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.backbone import PATCH
from core.models.network import Features, UniFusionNet
from trainer.config.config import TrainConfig
from trainer.data.sampler import Batch
from trainer.optimization.distributed import DistributedContext
from trainer.optimization.losses import floor_loss, fusion_terms, reconstruction_loss
from trainer.optimization.precision import autocast

_MAX_MARGIN_PATCHES = 3
"""Largest margin of mirrored surroundings on either side, in patches."""


def consistency_margins(config: TrainConfig, side: int, step: int) -> tuple[int, int]:
    """Margins (left/right, top/bottom) in pixels of the wider crops of the consistency term.

    Whole patches, not both zero, drawn anew in every step.

    Args:
        side: of the crops, in pixels.
    """
    chance = random.Random(f"{config.seed}:{step}:margins")
    most = min(_MAX_MARGIN_PATCHES, side // PATCH - 1)
    columns = chance.randint(0, most)
    return PATCH * columns, PATCH * chance.randint(0 if columns else 1, most)


class Ema:
    """Exponential moving average θ_EMA(t+1) = α θ_EMA(t) + (1−α) θ(t+1) (eq. 6); copies buffers.

    α is warmed up as min(α, (1+t)/(10+t)), so that the random initial weights do not dominate the
    average of a short run.
    """

    def __init__(self, module: nn.Module, alpha: float) -> None:
        self.alpha = alpha
        self.module = deepcopy(module).requires_grad_(False)

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Update the average with the weights after ``step`` (0-based)."""
        alpha = min(self.alpha, (1 + step) / (10 + step))
        live = dict(module.named_parameters())
        for name, average in self.module.named_parameters():
            average.lerp_(live[name], 1 - alpha)
        buffers = dict(module.named_buffers())
        for name, buffer in self.module.named_buffers():
            buffer.copy_(buffers[name])


class BilevelStep:
    """Alternating first-order optimisation of the two levels.

    Lower level: φ(t+1) = φ(t) − η_L ∇L_rec(φ(t)). Upper level: θ(t+1) = θ(t) − η_U ∇L_fuse(θ(t);
    φ(t+1)), on features computed *after* the lower step and detached from φ. If ``config.bilevel``
    is False, φ and θ minimise the weighted sum of all losses together (ablation "w/o bilevel"). The
    same applies to networks without reconstruction: they have no lower objective, and φ would keep
    its initial values. Gradients are averaged over all processes of ``world``. ``factors`` multiply
    the scheduled rates (η_L, η_U).
    """

    def __init__(
        self, network: UniFusionNet, config: TrainConfig, world: DistributedContext | None = None
    ) -> None:
        self.network = network
        self.config = config
        self.world = world or DistributedContext()
        self.factors = (1.0, 1.0)
        self._alternate = config.bilevel and network.config.reconstruction
        self.phi = [parameter for _, parameter in network.phi()]
        self.theta = [parameter for _, parameter in network.theta()]
        self.lower = torch.optim.Adam(self.phi, lr=config.lr_lower)
        # A head that fuses by rule has no parameters, and Adam takes an empty group only as such.
        self.upper = torch.optim.Adam([{"params": self.theta}], lr=config.lr_upper)
        self.ema = Ema(network.fusion, config.ema)

    def __call__(self, batch: Batch, step: int) -> dict[str, float]:
        """Run ``step`` on a batch.

        Returns:
            all weighted loss terms by name, and their sums ``lower`` and ``upper``. The values are
            those before the parameter update.
        """
        rate_lower, rate_upper = self.rates(step)
        _set_rate(self.lower, rate_lower)
        _set_rate(self.upper, rate_upper)
        terms = self._bilevel(batch, step) if self._alternate else self._joint(batch, step)
        self.ema.update(self.network.fusion, step)
        return self.world.average(terms, batch.a.device.type)

    def rates(self, step: int) -> tuple[float, float]:
        """(η_L, η_U) of ``step``: the schedule multiplied by ``factors``."""
        lower, upper = self.config.learning_rates(step)
        return lower * self.factors[0], upper * self.factors[1]

    def _bilevel(self, batch: Batch, step: int) -> dict[str, float]:
        a, b = batch.a, batch.b
        with self._autocast(a):
            # A frozen backbone gives both levels the same: it runs once for them.
            tokens = self.network.frozen_tokens(a, b)
        lower = self._lower_loss(a, b, tokens)
        if lower is not None:
            self._update(self.lower, self.phi, lower)
        with torch.no_grad(), self._autocast(a):
            features = self.network.encode(a, b, tokens=tokens)
        with self._autocast(a):
            fused, retained = self._fuse(features, a, b)
        terms = self._terms(fused, batch) | retained | self._consistency(fused, batch, step)
        upper = torch.stack(list(terms.values())).sum()
        if self.theta:
            self._update(self.upper, self.theta, upper)
        return _report(terms, lower, upper)

    def _joint(self, batch: Batch, step: int) -> dict[str, float]:
        a, b = batch.a, batch.b
        with self._autocast(a):
            features = self.network.encode(a, b)
            reconstructions = self.network.reconstruct(features)
            fused, retained = self._fuse(features, a, b)
        terms = self._terms(fused, batch) | retained | self._consistency(fused, batch, step)
        upper = torch.stack(list(terms.values())).sum()
        lower = self._weighted(reconstructions, a, b)
        total = upper if lower is None else upper + lower
        self.lower.zero_grad()
        self.upper.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self.world.average_gradients(self.phi + self.theta)
        nn.utils.clip_grad_norm_(self.phi + self.theta, self.config.clip)
        self.lower.step()
        self.upper.step()
        return _report(terms, lower, upper)

    def _fuse(self, features: Features, a: Tensor, b: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The fused images, and the weighted loss of the sources rebuilt from the fused features.

        The reconstruction branches read these in place of the source's own (paper §4.1).
        """
        weight = self.config.self_reconstruction
        if not weight:
            return self.network.fuse(features, a, b), {}
        joined = self.network.join(features)
        rebuilt = self.network.reconstruct(Features(joined, joined))
        assert rebuilt is not None  # the settings are checked for it
        lost = reconstruction_loss((rebuilt[0].float(), rebuilt[1].float()), a, b)
        return self.network.draw(joined, a, b), {"self_reconstruction": weight * lost}

    def _terms(self, fused: Tensor, batch: Batch) -> dict[str, Tensor]:
        terms = fusion_terms(
            fused.float(),
            batch.wanted_a,
            batch.wanted_b,
            self.config.loss_weights,
            self.config.edge,
            artefact=self.config.artefact,
            information=self.config.information,
            mutual=self.config.mutual,
            daylight=self.config.daylight,
        )
        if self.config.floor:
            lost = floor_loss(fused.float(), batch.wanted_a, batch.functional)
            terms["floor"] = self.config.floor * lost
        return terms

    def _consistency(self, fused: Tensor, batch: Batch, step: int) -> dict[str, Tensor]:
        """Weighted difference between ``fused`` and the fusion of crops in mirrored surroundings.

        Attention statistics are computed over all pixels of the input. Without this term the
        network may learn to use them as a descriptor of the scene, and the fusion of a region then
        changes with its surroundings.
        """
        if not self.config.consistency:
            return {}
        columns, rows = consistency_margins(self.config, batch.a.shape[-1], step)
        around = (columns, columns, rows, rows)
        a, b = (F.pad(crop, around, mode="reflect") for crop in (batch.a, batch.b))
        with self._autocast(a):
            # As for all upper-level losses, φ receives no gradient where the levels alternate.
            with torch.set_grad_enabled(not self._alternate):
                features = self.network.encode(a, b)
            wider = self.network.fuse(features, a, b)
        inner = F.pad(wider, [-margin for margin in around])
        return {"consistency": self.config.consistency * F.l1_loss(inner.float(), fused.float())}

    def _lower_loss(self, a: Tensor, b: Tensor, tokens: list[Tensor] | None) -> Tensor | None:
        if not self.network.config.reconstruction:
            return None
        with self._autocast(a):
            features = self.network.encode(a, b, tokens=tokens)
            reconstructions = self.network.reconstruct(features)
        return self._weighted(reconstructions, a, b)

    def _weighted(
        self, reconstructions: tuple[Tensor, Tensor] | None, a: Tensor, b: Tensor
    ) -> Tensor | None:
        if reconstructions is None:
            return None
        rec_a, rec_b = (r.float() for r in reconstructions)
        return self.config.loss_weights.reconstruction * reconstruction_loss((rec_a, rec_b), a, b)

    def _update(
        self, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Tensor
    ) -> None:
        optimiser.zero_grad()
        # The upper loss may run through the reconstruction branches, which it is not to move.
        loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
        self.world.average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, self.config.clip)
        optimiser.step()

    def _autocast(self, like: Tensor) -> AbstractContextManager[None]:
        return autocast(like, self.config.precision)


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def _report(terms: dict[str, Tensor], lower: Tensor | None, upper: Tensor) -> dict[str, float]:
    values = {name: float(term.detach()) for name, term in terms.items()}
    values["upper"] = float(upper.detach())
    if lower is not None:
        values["lower"] = float(lower.detach())
    return values

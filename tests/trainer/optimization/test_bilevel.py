"""One step of eq. 4–6, taken apart: who moves when, by which gradient, on which features."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from core.models.config import BackboneConfig
from core.models.network import Features, UniFusionNet
from core.packs.format import tensors_sha256
from core.tasks import LossWeights
from tests.tiny import TINY_ENCODER, TINY_VIT, tiny_compact, tiny_network, tiny_paper
from trainer.config.config import TrainConfig
from trainer.data.sampler import Batch
from trainer.optimization.bilevel import BilevelStep, Ema
from trainer.optimization.losses import fusion_terms, reconstruction_loss
from trainer.run_folder.checkpoint import RunState, load_checkpoint, save_checkpoint


def _batch(seed: int = 0, channels: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand(2, 2, channels, 32, 32, generator=generator)
    return a, b


def _config(network: UniFusionNet, **changes: Any) -> TrainConfig:
    base = TrainConfig("mif", network=network.config, steps=10, lr_lower=4e-3, lr_upper=2e-3)
    return replace(base, **changes)


def _values(parameters: Any) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in parameters}


def _same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


@dataclass
class _Between:
    """What the world looks like when the fusion network is first asked."""

    phi: dict[str, Tensor]
    theta: dict[str, Tensor]
    features: tuple[Tensor, Tensor]
    cut_off: bool


def _spy(network: UniFusionNet) -> list[_Between]:
    seen: list[_Between] = []

    def look(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        z_x, z_y = inputs[:2]
        cut = not (z_x.requires_grad or z_y.requires_grad)
        seen.append(_Between(_values(network.phi()), _values(network.theta()), (z_x, z_y), cut))

    network.fusion.register_forward_pre_hook(look)
    return seen


def test_phi_moves_in_the_lower_step_alone_and_theta_in_the_upper_alone() -> None:
    network = tiny_network().train()
    step, seen = BilevelStep(network, _config(network)), _spy(network)
    phi, theta = _values(network.phi()), _values(network.theta())
    step(Batch.of(*_batch()), 0)
    (between,) = seen
    assert _same(between.theta, theta)
    assert not any(torch.equal(between.phi[name], phi[name]) for name in phi)
    assert _same(between.phi, _values(network.phi()))
    moved = _values(network.theta())
    assert not any(torch.equal(moved[name], theta[name]) for name in theta)


@pytest.mark.parametrize("kind", ["compact", "paper"])
def test_the_upper_step_sees_the_features_after_the_lower_step(kind: str) -> None:
    network = tiny_network(tiny_compact() if kind == "compact" else tiny_paper()).train()
    a, b = _batch(channels=network.config.in_channels)
    with torch.no_grad():
        before = network.encode(a, b)
    step, seen = BilevelStep(network, _config(network)), _spy(network)
    step(Batch.of(a, b), 0)
    with torch.no_grad():
        after = network.encode(a, b)  # φ has not moved since
    (between,) = seen
    assert between.cut_off
    assert all(torch.equal(x, y) for x, y in zip(between.features, after, strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(between.features, before, strict=True))


def test_no_gradient_of_the_fusion_objective_reaches_phi() -> None:
    """φ's gradients after the step are those of L_rec at φ(t), and of nothing else."""
    network = tiny_network().train()
    config = _config(network, clip=1e9)
    twin = deepcopy(network)
    a, b = _batch()
    rec = twin.reconstruct(twin.encode(a, b))
    assert rec is not None
    (config.loss_weights.reconstruction * reconstruction_loss(rec, a, b)).backward()
    BilevelStep(network, config)(Batch.of(a, b), 0)
    wanted = dict(twin.phi())
    for name, parameter in network.phi():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, wanted[name].grad)


def _by_hand(network: UniFusionNet, config: TrainConfig, batches: list[Any]) -> None:
    """Eq. 5 written out with two plain Adams."""
    phi, theta = [p for _, p in network.phi()], [p for _, p in network.theta()]
    lower = torch.optim.Adam(phi)
    upper = torch.optim.Adam(theta)
    for index, (a, b) in enumerate(batches):
        lower.param_groups[0]["lr"], upper.param_groups[0]["lr"] = config.learning_rates(index)
        rec = network.reconstruct(network.encode(a, b))
        assert rec is not None
        loss = config.loss_weights.reconstruction * reconstruction_loss(rec, a, b)
        for p, g in zip(phi, torch.autograd.grad(loss, phi), strict=True):
            p.grad = g
        nn.utils.clip_grad_norm_(phi, config.clip)
        lower.step()
        features = Features(*(f.detach() for f in network.encode(a, b)))
        fused = network.fuse(features, a, b)
        total = sum(fusion_terms(fused, a, b, config.loss_weights, config.edge).values())
        for p, g in zip(theta, torch.autograd.grad(cast(Tensor, total), theta), strict=True):
            p.grad = g
        nn.utils.clip_grad_norm_(theta, config.clip)
        upper.step()


def test_several_steps_are_those_of_equation_5_written_out() -> None:
    network = tiny_network().train()
    twin = deepcopy(network)
    config = _config(network, edge=5.0)
    batches = [_batch(seed) for seed in range(3)]
    step = BilevelStep(network, config)
    for index, (a, b) in enumerate(batches):
        step(Batch.of(a, b), index)
    _by_hand(twin, config, batches)
    own, other = network.own_state(), twin.own_state()
    for name in own:
        torch.testing.assert_close(own[name], other[name], rtol=1e-4, atol=1e-6, msg=name)


def test_joint_mode_is_one_descent_on_the_sum() -> None:
    network = tiny_network().train()
    config = _config(network, bilevel=False, clip=1e9)
    twin, alternating = deepcopy(network), deepcopy(network)
    a, b = _batch()
    features = twin.encode(a, b)
    rec = twin.reconstruct(features)
    assert rec is not None
    terms = fusion_terms(twin.fuse(features, a, b), a, b, config.loss_weights, 0.0)
    lower = config.loss_weights.reconstruction * reconstruction_loss(rec, a, b)
    (sum(terms.values()) + lower).backward()
    report = BilevelStep(network, config)(Batch.of(a, b), 0)
    wanted = dict(twin.named_parameters())
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name].grad, rtol=1e-4, atol=1e-6)
    assert report["lower"] == pytest.approx(lower.item(), rel=1e-5)
    assert report["upper"] == pytest.approx(sum(t.item() for t in terms.values()), rel=1e-5)
    BilevelStep(alternating, replace(config, bilevel=True))(Batch.of(a, b), 0)
    assert not _same(_values(network.phi()), _values(alternating.phi()))
    assert not _same(_values(network.theta()), _values(alternating.theta()))


def test_without_reconstruction_phi_learns_from_the_fusion_objective() -> None:
    network = tiny_network(tiny_compact(reconstruction=False)).train()
    phi = _values(network.phi())
    report = BilevelStep(network, _config(network))(Batch.of(*_batch()), 0)
    now = _values(network.phi())
    assert not any(torch.equal(now[name], phi[name]) for name in phi)
    assert "lower" not in report


def test_the_report_is_named_weighted_and_from_before_the_step() -> None:
    network = tiny_network().train()
    config = _config(network, edge=5.0)
    a, b = _batch()
    with torch.no_grad():
        rec = network.reconstruct(network.encode(a, b))
        assert rec is not None
        lower = config.loss_weights.reconstruction * reconstruction_loss(rec, a, b).item()
    report = BilevelStep(network, config)(Batch.of(a, b), 0)
    assert set(report) == {"intensity", "gradient", "ssim", "edge", "upper", "lower"}
    assert report["lower"] == pytest.approx(lower, rel=1e-5)
    parts = sum(report[name] for name in ("intensity", "gradient", "ssim", "edge"))
    assert report["upper"] == pytest.approx(parts, rel=1e-5)


def test_large_gradients_are_clipped_on_each_level() -> None:
    network = tiny_network().train()
    step = BilevelStep(network, _config(network, clip=1e-3))
    step(Batch.of(*_batch()), 0)
    for parameters in (step.phi, step.theta):
        norm = torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm()
        assert norm.item() == pytest.approx(1e-3, rel=1e-2)


def test_each_level_gets_its_own_decayed_rate() -> None:
    network = tiny_network().train()
    config = _config(network)
    step = BilevelStep(network, config)
    step(Batch.of(*_batch()), 9)
    rates = step.lower.param_groups[0]["lr"], step.upper.param_groups[0]["lr"]
    assert rates == config.learning_rates(9)
    assert rates[0] == pytest.approx(4e-4)


@pytest.mark.parametrize("bilevel", [True, False])
def test_bf16_keeps_weights_and_losses_in_fp32(bilevel: bool) -> None:
    network = tiny_network().train()
    report = BilevelStep(network, _config(network, precision="bf16", bilevel=bilevel))(
        Batch.of(*_batch()), 0
    )
    assert all(torch.isfinite(torch.tensor(v)) for v in report.values())
    assert all(p.dtype == torch.float32 for p in network.parameters())
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in network.parameters())


@pytest.mark.parametrize(
    ("backbone", "consistency", "calls"),
    [(TINY_VIT, 0.0, 1), (TINY_VIT, 5.0, 2), (TINY_ENCODER, 0.0, 2), (TINY_ENCODER, 5.0, 3)],
)
def test_a_frozen_backbone_runs_once_for_both_levels(
    backbone: BackboneConfig, consistency: float, calls: int
) -> None:
    """Mirrored surroundings are other pictures; a trained encoder changes between the levels."""
    network = tiny_network(tiny_compact(backbone=backbone)).train()
    step = BilevelStep(network, _config(network, consistency=consistency))
    counted = _counting(network)
    step(Batch.of(*_batch()), 0)
    assert len(counted) == calls


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("consistency", [0.0, 5.0])
def test_shared_tokens_give_the_bits_of_computing_them_twice(
    monkeypatch: pytest.MonkeyPatch, precision: str, consistency: float
) -> None:
    hashes, calls = [], []
    for shared in (True, False):
        network = tiny_network(tiny_compact(backbone=TINY_VIT)).train()
        if not shared:
            monkeypatch.setattr(network, "frozen_tokens", lambda x, y: None)
        counted = _counting(network)
        step = BilevelStep(network, _config(network, precision=precision, consistency=consistency))
        for index in range(3):
            step(Batch.of(*_batch(index)), index)
        hashes.append(tensors_sha256(network.own_state() | step.ema.module.state_dict()))
        calls.append(len(counted))
    assert hashes[0] == hashes[1]
    assert calls[1] - calls[0] == 3


def _counting(network: UniFusionNet) -> list[torch.Size]:
    """Shapes of what the backbone is shown from now on."""
    seen: list[torch.Size] = []
    tokens = network.backbone.tokens

    def counted(images: Tensor) -> list[Tensor]:
        seen.append(images.shape)
        return tokens(images)

    network.backbone.tokens = counted  # type: ignore[method-assign]
    return seen


def test_the_same_steps_twice_are_bit_identical() -> None:
    hashes = []
    for _ in range(2):
        network = tiny_network().train()
        step = BilevelStep(network, _config(network))
        for index in range(3):
            step(Batch.of(*_batch(index)), index)
        hashes.append(tensors_sha256(network.own_state() | step.ema.module.state_dict()))
    assert hashes[0] == hashes[1]


class _Counter(nn.Module):
    """A weight, and a buffer that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0]))
        self.register_buffer("count", torch.tensor(0))


def test_the_average_by_hand_and_buffers_are_copied() -> None:
    module = _Counter()
    ema = Ema(module, alpha=0.25)
    values = [torch.tensor([3.0, 0.0]), torch.tensor([5.0, 4.0]), torch.tensor([-1.0, 2.0])]
    with torch.no_grad():
        for step, value in enumerate(values):
            module.weight.copy_(value)
            module.get_buffer("count").fill_(step + 1)
            ema.update(module, step)
    # α is min(0.25, 1/10), min(0.25, 2/11), min(0.25, 3/12): 0.1, 0.1818…, 0.25.
    expected = torch.tensor([1.0, -2.0])
    for alpha, value in zip((0.1, 2 / 11, 0.25), values, strict=True):
        expected = alpha * expected + (1 - alpha) * value
    torch.testing.assert_close(ema.module.get_parameter("weight").data, expected)
    assert ema.module.get_buffer("count").item() == 3
    assert not any(p.requires_grad for p in ema.module.parameters())
    assert ema.module.get_parameter("weight") is not module.weight


def test_alpha_zero_is_the_network_itself_and_alpha_is_reached() -> None:
    module = _Counter()
    with torch.no_grad():
        plain = Ema(module, alpha=0.0)
        slow = Ema(module, alpha=0.999)
        module.weight.copy_(torch.tensor([7.0, 7.0]))
        plain.update(module, 0)
        slow.update(module, 10**6)
    assert torch.equal(plain.module.get_parameter("weight"), module.weight)
    expected = 0.999 * torch.tensor([1.0, -2.0]) + 0.001 * 7
    torch.testing.assert_close(slow.module.get_parameter("weight").data, expected)


def test_the_average_follows_theta_after_the_upper_step() -> None:
    network = tiny_network().train()
    start = _values(network.theta())
    step = BilevelStep(network, _config(network, ema=0.5))
    step(Batch.of(*_batch()), 0)
    live = _values(network.theta())
    for name, average in step.ema.module.named_parameters():
        # Step 0: α = 1/10.
        wanted = 0.1 * start[f"fusion.{name}"] + 0.9 * live[f"fusion.{name}"]
        torch.testing.assert_close(average.data, wanted)


class _Theta(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.t = nn.Parameter(torch.tensor(0.1))


class _Toy(nn.Module):
    """φ = p, θ = t. Reconstruction is p itself, fused is 2p + max(t, 0), sources are a constant a.

    L_rec = |p − a| wants p = a. L_fuse = |2p + max(t, 0) − a| would have p = a/2, but φ is not its
    to move: the bilevel optimum is p = a, t ≤ 0, with L_fuse = a left over. One descent on a sum
    that weighs L_fuse more keeps 2p + max(t, 0) at a instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(reconstruction=True)
        self.p = nn.Parameter(torch.tensor(0.1))
        self.fusion = _Theta()

    def phi(self) -> list[tuple[str, nn.Parameter]]:
        return [("p", self.p)]

    def theta(self) -> list[tuple[str, nn.Parameter]]:
        return [("fusion.t", self.fusion.t)]

    def frozen_tokens(self, x: Tensor, y: Tensor) -> None:
        return None

    def encode(self, x: Tensor, y: Tensor, tokens: None = None) -> Features:
        return Features(self.p.expand_as(x), self.p.expand_as(y))

    def reconstruct(self, features: Features) -> tuple[Tensor, Tensor]:
        return features.x, features.y

    def fuse(self, features: Features, x: Tensor, y: Tensor) -> Tensor:
        return 2 * features.x + self.fusion.t.relu()


@pytest.mark.parametrize("bilevel", [True, False])
def test_alternation_finds_the_bilevel_optimum_where_the_sum_does_not(bilevel: bool) -> None:
    toy = _Toy()
    weights = LossWeights(
        5,
        0,
        ssim=0,
        reconstruction=1,
        intensity_target="max",
        ssim_weighting="equal",
        source="a toy",
    )
    config = TrainConfig(
        "mif",
        steps=100,
        lr_lower=0.02,
        lr_upper=0.01,
        lr_final=0.02,
        losses=weights,
        bilevel=bilevel,
        ema=0.9,
    )
    step = BilevelStep(cast(UniFusionNet, toy), config)
    a = torch.full((1, 1, 12, 12), 0.4)
    report: dict[str, float] = {}
    for index in range(config.steps):
        report = step(Batch.of(a, a), index)
    p, t = toy.p.item(), toy.fusion.t.item()
    if bilevel:
        assert p == pytest.approx(0.4, abs=0.01)
        assert t < 0.01
        assert report["upper"] == pytest.approx(5 * 0.4, abs=0.1)
    else:
        assert p < 0.25
        assert 2 * p + max(t, 0) == pytest.approx(0.4, abs=0.05)
    assert step.ema.module.get_parameter("t").item() == pytest.approx(t, abs=0.02)


class _Quadratic(BilevelStep):
    """The same scheme over two quadratics of p (φ) and t (θ), with a = 0.4.

    L_rec = (p − a)². L_fuse = (2p + t − a)² + (t − 1)².
    """

    def _terms(self, fused: Tensor, batch: Batch) -> dict[str, Tensor]:
        t = cast(_Theta, self.network.fusion).t
        return {"near": (fused - batch.a).pow(2).mean(), "own": (t - 1).pow(2)}

    def _weighted(
        self, reconstructions: tuple[Tensor, Tensor] | None, a: Tensor, b: Tensor
    ) -> Tensor | None:
        assert reconstructions is not None
        return (reconstructions[0] - a).pow(2).mean()


class _LinearToy(_Toy):
    def fuse(self, features: Features, x: Tensor, y: Tensor) -> Tensor:
        return 2 * features.x + self.fusion.t


@pytest.mark.parametrize("bilevel", [True, False])
def test_on_quadratics_the_scheme_reaches_the_optimum_known_in_closed_form(bilevel: bool) -> None:
    toy = _LinearToy()
    config = TrainConfig(
        "mif", steps=400, lr_lower=0.05, lr_upper=0.04, lr_final=1e-3, bilevel=bilevel, clip=1e6
    )
    step = _Quadratic(cast(UniFusionNet, toy), config)
    a = torch.full((1, 1, 4, 4), 0.4)
    for index in range(config.steps):
        step(Batch.of(a, a), index)
    p, t = toy.p.item(), toy.fusion.t.item()
    # Bilevel: p* = a; then 2(a + t) + 2(t − 1) = 0, t* = (1 − a)/2.
    bilevel_optimum = (0.4, 0.3)
    # The sum: 10p + 4t = 6a and 4p + 4t = 2a + 2 (its two derivatives), so p = (4a − 2)/6.
    p_sum = (4 * 0.4 - 2) / 6
    joint_optimum = (p_sum, (0.8 + 2 - 4 * p_sum) / 4)
    wanted, other = (bilevel_optimum, joint_optimum)[:: 1 if bilevel else -1]
    assert (p, t) == pytest.approx(wanted, abs=2e-3)
    assert (p, t) != pytest.approx(other, abs=0.2)


def _change_by_surroundings(network: UniFusionNet, a: Tensor, b: Tensor, margin: int = 16) -> float:
    """Mean change of the fused crops when they are fused with mirrored surroundings."""
    around = [margin] * 4
    with torch.no_grad():
        alone = network.fuse(network.encode(a, b), a, b)
        wide_a, wide_b = (nn.functional.pad(crop, around, mode="reflect") for crop in (a, b))
        wider = network.fuse(network.encode(wide_a, wide_b), wide_a, wide_b)
    inner = wider[..., margin:-margin, margin:-margin]
    return float((inner - alone).abs().mean())


def test_consistency_is_the_change_by_mirrored_surroundings() -> None:
    """Crops of 32 pixels can be mirrored by one patch only, on at least one side."""
    network = tiny_network().train()
    a, b = _batch()
    config = _config(network, consistency=1.0, bilevel=False)
    told = BilevelStep(deepcopy(network), config)(Batch.of(a, b), 0)["consistency"]
    twice = BilevelStep(deepcopy(network), replace(config, consistency=2.0))(Batch.of(a, b), 0)
    assert twice["consistency"] == pytest.approx(2 * told)
    with torch.no_grad():
        alone = network.fuse(network.encode(a, b), a, b)
        changes = []
        for columns, rows in ((16, 16), (16, 0), (0, 16)):
            around = [columns, columns, rows, rows]
            wide = [nn.functional.pad(crop, around, mode="reflect") for crop in (a, b)]
            wider = network.fuse(network.encode(*wide), *wide)
            inner = wider[..., rows : rows + 32, columns : columns + 32]
            changes.append(float((inner - alone).abs().mean()))
    assert any(told == pytest.approx(change, rel=1e-4) for change in changes)
    assert told > 0


def test_consistency_moves_theta_alone_and_makes_fusion_depend_less_on_surroundings() -> None:
    plain, steady = tiny_network().train(), tiny_network().train()
    steady.load_state_dict(plain.state_dict())
    a, b = _batch(3)
    with_it = BilevelStep(steady, _config(steady, consistency=3000.0, steps=30))
    without = BilevelStep(plain, _config(plain, steps=30))
    for step in range(30):
        with_it(Batch.of(a, b), step)
        without(Batch.of(a, b), step)
    assert _same(_values(steady.phi()), _values(plain.phi()))
    assert _change_by_surroundings(steady, a, b) < 0.5 * _change_by_surroundings(plain, a, b)


def _lost_from_fused(network: UniFusionNet, a: Tensor, b: Tensor) -> float:
    """Mean L1 of both sources to what their branches make of the fused features."""
    with torch.no_grad():
        features = network.encode(a, b)
        z_x, z_y = features
        for ask_y, ask_x in zip(network.fusion.ask_y, network.fusion.ask_x, strict=True):
            z_x = ask_y(z_x, z_y)
            z_y = ask_x(z_y, z_x)
        merged = network.fusion.merge(torch.cat([z_x, z_y], dim=1))
        joined = network.fusion.refine(merged, merged)
        assert network.reconstruction_x is not None
        assert network.reconstruction_y is not None
        rebuilt = network.reconstruction_x(joined), network.reconstruction_y(joined)
    return float((rebuilt[0] - a).abs().mean() + (rebuilt[1] - b).abs().mean()) / 2


def test_sources_are_rebuilt_from_the_fused_features_by_their_own_branches() -> None:
    network = tiny_network().train()
    a, b = _batch()
    config = _config(network, self_reconstruction=3.0, bilevel=False)
    plain = BilevelStep(deepcopy(network), replace(config, self_reconstruction=0.0))(
        Batch.of(a, b), 0
    )
    told = BilevelStep(deepcopy(network), config)(Batch.of(a, b), 0)
    assert told["self_reconstruction"] == pytest.approx(
        3 * _lost_from_fused(network, a, b), rel=1e-4
    )
    assert told["upper"] == pytest.approx(plain["upper"] + told["self_reconstruction"], rel=1e-5)
    assert {name: told[name] for name in plain if name != "upper"} == pytest.approx(
        {name: plain[name] for name in plain if name != "upper"}, rel=1e-5
    )


def test_rebuilding_from_fused_features_moves_theta_alone_and_keeps_more_of_the_sources() -> None:
    plain, keeping = tiny_network().train(), tiny_network().train()
    keeping.load_state_dict(plain.state_dict())
    a, b = _batch(3)
    with_it = BilevelStep(keeping, _config(keeping, self_reconstruction=3000.0, steps=30))
    without = BilevelStep(plain, _config(plain, steps=30))
    for step in range(30):
        with_it(Batch.of(a, b), step)
        without(Batch.of(a, b), step)
    assert _same(_values(keeping.phi()), _values(plain.phi()))
    assert _lost_from_fused(keeping, a, b) < 0.8 * _lost_from_fused(plain, a, b)


def test_without_reconstruction_phi_learns_from_consistency_as_from_every_term() -> None:
    config = tiny_compact(reconstruction=False)
    a, b = _batch()
    trained = []
    for bilevel in (True, False):  # no lower level: either way all descends together
        network = tiny_network(config).train()
        step = BilevelStep(network, _config(network, consistency=5.0, bilevel=bilevel))
        step(Batch.of(a, b), 0)
        trained.append(_values(network.phi()))
    assert _same(*trained)


@pytest.mark.parametrize("bilevel", [True, False])
def test_where_the_fusion_is_a_rule_the_reconstruction_alone_is_trained(
    bilevel: bool, tmp_path: Path
) -> None:
    network = tiny_network(tiny_compact(head="focus")).train()
    config = _config(network, bilevel=bilevel)
    step = BilevelStep(network, config)
    a, b = _batch()
    before, fused = _values(network.phi()), network.fuse(network.encode(a, b), a, b)
    losses = [step(Batch.of(a, b), number)["lower"] for number in range(4)]
    assert losses[-1] < losses[0]
    after = _values(network.phi())
    assert not any(torch.equal(after[n], before[n]) for n in before if "reconstruction" in n)
    assert torch.equal(network.fuse(network.encode(a, b), a, b), fused)
    save_checkpoint(tmp_path / "c.safetensors", config, step, RunState(step=4))
    other = BilevelStep(tiny_network(network.config, seed=1).train(), config)
    assert load_checkpoint(tmp_path / "c.safetensors", config, other).step == 4
    assert other(Batch.of(a, b), 4) == step(Batch.of(a, b), 4)

"""The variants of an ablation: changes of one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal

from core.errors import InputError, Message
from core.models.config import NetworkConfig, compact_config
from core.tasks import get_task
from trainer.config.config import TrainConfig
from trainer.config.objective_settings import FURTHER_TERMS

Component = Literal["adapter", "backbone", "reconstruction", "bilevel"]
COMPONENTS: tuple[Component, ...] = ("adapter", "backbone", "reconstruction", "bilevel")

FULL = "full"


@dataclass(frozen=True)
class Variant:
    """One change of the configuration.

    Attributes:
        name: short name in file names and on the command line.
        title: name in tables.
        change: the configuration of the variant, made from the full one.
        main: whether it belongs to Table 2 of the paper.
    """

    name: str
    title: str
    _: KW_ONLY
    change: Callable[[TrainConfig], TrainConfig]
    main: bool = False


def _network(**switches: object) -> Callable[[TrainConfig], TrainConfig]:
    def change(config: TrainConfig) -> TrainConfig:
        changed: NetworkConfig = replace(config.network, **switches)  # type: ignore[arg-type]
        return replace(config, network=changed)

    return change


def _settings(**values: object) -> Callable[[TrainConfig], TrainConfig]:
    return lambda config: replace(config, **values)  # type: ignore[arg-type]


def _without_backbone(config: TrainConfig) -> TrainConfig:
    """The trained encoder in place of DINOv3, as in the paper; no tokens in place of an encoder."""
    network = config.network
    if network.backbone.kind == "dinov3":
        weaker = compact_config().backbone
    else:
        weaker = replace(network.backbone, kind="none")
    return replace(config, network=replace(network, backbone=weaker), backbone="")


def _release_losses(config: TrainConfig) -> TrainConfig:
    """The losses of the paper's release only."""
    none: dict[str, Any] = dict.fromkeys(FURTHER_TERMS, 0.0)
    return replace(config, losses=get_task(config.task).losses, **none)


def _without_reconstruction(config: TrainConfig) -> TrainConfig:
    network = replace(config.network, reconstruction=False)
    return replace(config, network=network, self_reconstruction=0.0)


_ALL = (
    Variant(FULL, Message("full"), change=lambda config: config, main=True),
    Variant("no-adapter", Message("w/o adapter"), change=_network(adapter=False), main=True),
    Variant("no-dinov3", Message("w/o DINOv3"), change=_without_backbone, main=True),
    Variant(
        "no-reconstruction",
        Message("w/o reconstruction"),
        change=_without_reconstruction,
        main=True,
    ),
    Variant("no-bilevel", Message("w/o bilevel"), change=_settings(bilevel=False), main=True),
    Variant("direct-head", Message("direct head"), change=_network(head="direct")),
    Variant("release-losses", Message("losses of the release"), change=_release_losses),
    Variant("no-edge", Message("w/o edge term"), change=_settings(edge=0.0)),
    Variant("no-artefact", Message("w/o artefact term"), change=_settings(artefact=0.0)),
    Variant("no-information", Message("w/o information term"), change=_settings(information=0.0)),
    Variant("no-mutual", Message("w/o mutual information"), change=_settings(mutual=0.0)),
    Variant("no-floor", Message("w/o floor of uptake"), change=_settings(floor=0.0)),
    Variant("no-daylight", Message("w/o daylight term"), change=_settings(daylight=0.0)),
    Variant(
        "no-self-reconstruction",
        Message("w/o sources from the fused"),
        change=_settings(self_reconstruction=0.0),
    ),
    Variant("no-consistency", Message("w/o consistency term"), change=_settings(consistency=0.0)),
    Variant(
        "no-augmentation",
        Message("w/o augmentation"),
        change=_settings(swap=False, jitter=0.0, tone=0.0, uptake=0.0, noise=0.0),
    ),
    Variant("no-truth", Message("w/o truth"), change=_settings(truth=False, refocus=0.0)),
)
VARIANTS = {variant.name: variant for variant in _ALL}
MAIN = tuple(variant.name for variant in _ALL if variant.main)
"""The variants of Table 2."""


def chosen_variants(names: str, base: TrainConfig) -> tuple[str, ...]:
    """Names of variants in the order of :data:`VARIANTS`, always with ``full``.

    Args:
        names: names separated by commas; "" for those of Table 2, ``all`` for every variant that
            changes ``base``.

    Raises:
        InputError: a name is unknown, or its variant is the full configuration itself.
    """
    if names.strip() == "all":
        return tuple(v.name for v in _ALL if v.name == FULL or v.change(base) != base)
    wanted = {part.strip() for part in names.split(",") if part.strip()} or set(MAIN)
    for name in sorted(wanted):
        if name not in VARIANTS:
            raise InputError(
                Message("Unknown variant “{0}”", name),
                remedy=Message("Choose from: {0}.", ", ".join(VARIANTS)),
            )
        if name != FULL and VARIANTS[name].change(base) == base:
            raise InputError(
                Message("Variant “{0}”", name),
                Message("the settings of this task do not use what it leaves out"),
                Message("Leave it out."),
            )
    return tuple(name for name in VARIANTS if name in wanted or name == FULL)


def components(config: TrainConfig) -> dict[Component, bool]:
    """Which components of Table 2 a configuration has.

    A configuration without reconstruction has no lower level, whatever ``bilevel`` says.
    """
    network = config.network
    return {
        "adapter": network.adapter,
        "backbone": network.backbone.kind != "none",
        "reconstruction": network.reconstruction,
        "bilevel": config.bilevel and network.reconstruction,
    }

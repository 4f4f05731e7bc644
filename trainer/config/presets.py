"""Three presets, for users who do not want to choose every setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from core.errors import InputError, Message
from trainer.config import recipes
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.objective_settings import FURTHER_TERMS
from trainer.config.settings_file import load_config

if TYPE_CHECKING:  # reading a pack requires torch; naming its manifest does not
    from core.packs.format import PackManifest

_INHERITED = (
    "losses",
    *FURTHER_TERMS,
    "truth",
    "swap",
    "jitter",
    "refocus",
    "tone",
    "uptake",
    "functional",
    "noise",
)
"""Settings that a child inherits from its parent: the objectives, not the schedule."""


@dataclass(frozen=True)
class Preset:
    """A named starting point for the settings.

    Attributes:
        name: name on the command line.
        title, description: texts for the user.
        build: function of ``(task, parent)`` that returns the settings; ``parent`` is the manifest
            of the pack to start from, or None to train from scratch. The caller sets ``init``.
    """

    name: str
    title: str
    description: str
    build: Callable[[str, PackManifest | None], TrainConfig]


def _quick(task: str, parent: PackManifest | None) -> TrainConfig:
    return replace(
        _with_inherited_objectives(task, parent),
        steps=100,
        batch=4,
        lr_lower=4e-4,
        lr_upper=2e-4,
        lr_final=0.1,
        ema=0.98,
        precision="auto",
        log_every=2,
        validate_every=25,
        validate_pairs=4,
        checkpoint_every=25,
    )


def _fine(task: str, parent: PackManifest | None) -> TrainConfig:
    return replace(
        _with_inherited_objectives(task, parent),
        steps=1500,
        batch=8,
        lr_lower=4e-4,
        lr_upper=3e-4,
        lr_final=0.02,
        ema=0.99,
        precision="auto",
        log_every=5,
        validate_every=100,
        validate_pairs=12,
        checkpoint_every=50,
    )


def _paper(task: str, parent: PackManifest | None) -> TrainConfig:
    config = TrainConfig(
        task, steps=10_000, batch=16, crop=128, lr_lower=4e-4, lr_upper=2e-4, ema=0.999
    )
    config = replace(config, log_every=10, validate_every=500, validate_pairs=16)
    return config if parent is None else replace(config, network=parent.network)


PRESETS = (
    Preset(
        "quick",
        Message("Quick look"),
        Message("Minutes. Shows whether the data is fit and where training is heading."),
        _quick,
    ),
    Preset(
        "fine",
        Message("Fine-tune"),
        Message("Up to an hour on a CPU. Teaches a trained network the look of your pictures."),
        _fine,
    ),
    Preset(
        "paper",
        Message("Paper"),
        Message(
            "Hours to days. 10,000 iterations, batch 16, crops of 128, rate 2e-4 with exponential "
            "decay, averaged weights; the losses of the paper alone."
        ),
        _paper,
    ),
)


def preset(name: str) -> Preset:
    """The preset called ``name``.

    Raises:
        InputError: there is no such preset.
    """
    for known in PRESETS:
        if known.name == name:
            return known
    raise InputError(
        Message("Unknown preset “{0}”", name),
        remedy=Message("Choose one of: {0}.", ", ".join(known.name for known in PRESETS)),
    )


def _with_inherited_objectives(task: str, parent: PackManifest | None) -> TrainConfig:
    """Settings with the objectives of the parent, or of the recipe of the task's embedded pack."""
    path = recipes.path_of(task)
    recipe = load_config(path) if path is not None else TrainConfig(task)
    base = TrainConfig(task, network=(parent or recipe).network)
    if parent is not None and parent.task == task:
        return _merge_objectives(base, parent.training.config)
    values = {name: getattr(recipe, name) for name in _INHERITED}
    if not base.network.rebuilds_from_fused:  # the parent's, where the recipe's does
        values["self_reconstruction"] = 0.0
    return replace(base, **values)


def _merge_objectives(base: TrainConfig, theirs: dict[str, Any]) -> TrainConfig:
    """``base`` with the objectives recorded in a pack, or ``base`` if they are not valid."""
    plain = train_adapter.dump_python(base, mode="json")
    known = {name: theirs[name] for name in _INHERITED if name in theirs}
    try:
        return train_adapter.validate_python(plain | known)
    except ValidationError:
        return base  # written by another release, with other names

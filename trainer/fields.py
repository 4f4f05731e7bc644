"""Every setting of a run as a form shows it: words, unit, range, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from pydantic import ValidationError

from trainer.config import TrainConfig, train_adapter
from trainer.faults import in_words

Kind = Literal["int", "float", "bool", "choice", "text", "file"]


@dataclass(frozen=True)
class Field:
    """One setting.

    Attributes:
        name: dotted, as in a settings file: ``losses.intensity``.
        title, help: for people. unit: of the value, or "".
        kind: what sort of control. ``text`` of ``exclude`` is a list, split at commas.
        minimum, maximum: of numbers, None when open. step: of a spin box, 0 to leave it.
        choices: values of a ``choice``. group: heading to stand under.
    """

    name: str
    title: str
    help: str
    unit: str = ""
    kind: Kind = "float"
    minimum: float | None = None
    maximum: float | None = None
    step: float = 0.0
    choices: tuple[str, ...] = ()
    group: str = ""


def _weight(name: str, title: str, help_: str) -> Field:
    return Field(name, title, help_, minimum=0, maximum=1000, step=5, group="Objectives")


_LENGTH = (
    Field(
        "steps", "Steps", "One step improves reconstruction once and fusion once.",
        "steps", "int", 1, 1_000_000, 100,
    ),
    Field("batch", "Crops per step", "More is steadier and takes more memory.", "crops", "int", 1,
          1024, 1),
    Field("crop", "Crop size", "Side of the square crops; a multiple of 16.", "px", "int", 32, 1024,
          16),
    Field("seed", "Seed", "The same seed and pictures give the same pack.", "", "int", 0, 2**63 - 1,
          1),
    Field("device", "Device", "Where to train: auto, cpu, cuda or cuda:N.", "", "text"),
    Field("precision", "Precision", "bf16 is mixed precision: faster on recent devices, losses "
          "stay exact.", "", "choice", choices=("fp32", "bf16")),
)  # fmt: skip

_RATES = (
    Field("lr_lower", "Rate, lower level", "How fast reconstruction learns. Larger than the upper "
          "rate.", "per step", minimum=1e-7, maximum=1.0, step=1e-4),
    Field("lr_upper", "Rate, upper level", "How fast fusion learns.", "per step", minimum=1e-7,
          maximum=1.0, step=1e-4),
    Field("lr_final", "Decay", "What is left of both rates at the last step; they fall "
          "exponentially.", "of the start", minimum=1e-6, maximum=1, step=0.05),
    Field("ema", "Averaging", "How much of the averaged fusion weights each step keeps; 0 switches "
          "averaging off.", "", minimum=0, maximum=0.99999, step=0.001),
    Field("clip", "Largest gradient", "Gradients with a larger norm are scaled down.", "",
          minimum=1e-6, maximum=1e9, step=1),
)  # fmt: skip

_OBJECTIVES = (
    _weight("losses.intensity", "Intensity", "Draws brightness to the target below."),
    _weight("losses.gradient", "Gradient", "Keeps the steeper edge of the two sources."),
    _weight("losses.ssim", "Structure", "Keeps the result similar to both sources (SSIM)."),
    _weight("losses.reconstruction", "Reconstruction", "Objective of the lower level."),
    Field("losses.intensity_target", "Brightness target", "The larger or the mean of both sources, "
          "more of the brighter than of the darker one, or the locally sharper one.",
          "", "choice", choices=("max", "mean", "brighter", "sharper"),
          group="Objectives"),
    Field("losses.ssim_weighting", "Structure weighting", "By the strength of each source's "
          "edges, or equal.", "", "choice", choices=("gradient", "equal"), group="Objectives"),
    _weight("edge", "Edge preservation", "Keeps strength and direction of edges. 0 is the paper."),
    _weight("artefact", "Artefacts", "Against edges neither source has. 0 is the paper."),
    _weight("information", "Visual information", "Keeps what an eye can make out of the sources. "
            "0 is the paper."),
    _weight("consistency", "Same in any surroundings", "Keeps what lies around a place from "
            "changing it; a step takes longer. 0 is the paper."),
    Field("truth", "Compare with truth", "Where a folder gt/ holds the wanted picture, compare "
          "with it alone.", "", "bool", group="Objectives"),
)  # fmt: skip

_DATA = (
    Field("exclude", "Leave out", "Name patterns of pairs to leave out, such as llvip_*.", "",
          "text"),
    Field("swap", "Exchange sources", "At random; for sources without fixed roles.", "", "bool"),
    Field("jitter", "Vary brightness", "Largest change of each source's gamma and gain.",
          "natural log", minimum=0, maximum=2, step=0.1),
    Field("refocus", "Simulated defocus", "Share of the crops with truth that are blurred anew.",
          "share", minimum=0, maximum=1, step=0.1),
)  # fmt: skip

_ABLATIONS = (
    Field("bilevel", "Two levels", "Off: one optimiser on the sum of all objectives.", "", "bool"),
    Field("network.adapter", "Adapters", "Off: plain upsampling of the features.", "", "bool"),
    Field("network.reconstruction", "Reconstruction", "Off: fusion objective only, so one level.",
          "", "bool"),
    Field("network.backbone.kind", "Backbone", "DINOv3 as in the paper, from a file, or a small "
          "encoder trained along.", "", "choice", choices=("encoder", "dinov3")),
)  # fmt: skip

_NETWORK = (
    Field("network.in_channels", "Colour channels", "1 fuses brightness and carries colour past "
          "the network; 3 fuses RGB.", "", "choice", choices=("1", "3")),
    Field("network.channels", "Width", "Of the feature maps; a multiple of the heads.", "channels",
          "int", 1, 1024, 8),
    Field("network.stride", "Resolution of the heavy blocks", "1 is the paper; 4 is much faster.",
          "1/x", "choice", choices=("1", "2", "4")),
    Field("network.heads", "Attention heads", "Of the fusion blocks.", "", "int", 1, 64, 1),
    Field("network.expansion", "Feed-forward width", "Over the width of the maps.", "×", minimum=1,
          maximum=16, step=0.5),
    Field("network.fusion_blocks", "Fusion blocks", "Cross-attention blocks.", "", "int", 1, 64, 1),
    Field("network.reconstruction_blocks", "Reconstruction blocks", "In each branch.", "", "int", 1,
          64, 1),
    Field("network.learned_mixing", "Learned mixing", "Directions of cross-attention, such as "
          "ask_x.1, that mix channels by learned weights and not by statistics of the whole "
          "picture; empty is the paper.", "", "text"),
    Field("network.head", "Output", "Direct: a picture (paper). Blend: a map between the sources "
          "and a residual. Decision: the map may copy one source exactly. Layered: one map for "
          "details and a smooth one for the rest.", "", "choice",
          choices=("direct", "blend", "decision", "layered")),
    Field("network.head_channels", "Output width", "Of the full-resolution layers.", "channels",
          "int", 1, 1024, 4),
    Field("network.backbone.dim", "Token width", "A multiple of the backbone's heads.", "channels",
          "int", 16, 4096, 16),
    Field("network.backbone.depth", "Backbone blocks", "Transformer blocks.", "", "int", 4, 64, 1),
    Field("network.backbone.heads", "Backbone heads", "Attention heads.", "", "int", 1, 64, 1),
    Field("network.backbone.mlp_ratio", "Backbone feed-forward width", "Over the token width.", "×",
          minimum=0.5, maximum=16, step=0.5),
    Field("network.backbone.taps", "Taps", "Four rising block numbers from 0 whose maps are used.",
          "", "text"),
    Field("network.backbone.max_tokens", "Most tokens", "Larger pictures are shown smaller to the "
          "backbone; 0 is no limit.", "tokens", "int", 0, 1_000_000, 256),
    Field("backbone", "DINOv3 file", "Weights of DINOv3 ViT-S/16, needed by that backbone.", "",
          "file"),
    Field("init", "Start from", "Pack to start from; empty is from scratch.", "", "file"),
)  # fmt: skip

_PACE = (
    Field("log_every", "Curve points every", "0 draws no curves.", "steps", "int", 0, 1_000_000, 5),
    Field("validate_every", "Judge every", "0 never judges.", "steps", "int", 0, 1_000_000, 50),
    Field("validate_pairs", "Pairs to judge by", "At most, spread over all; 0 takes all.", "pairs",
          "int", 0, 100_000, 4),
    Field("checkpoint_every", "Save every", "0 saves on pause and close only.", "steps", "int", 0,
          1_000_000, 50),
)  # fmt: skip


def _grouped(group: str, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    return tuple(field if field.group else replace(field, group=group) for field in fields)


FIELDS: tuple[Field, ...] = (
    *_grouped("Length", _LENGTH),
    *_grouped("Learning", _RATES),
    *_OBJECTIVES,
    *_grouped("Pictures", _DATA),
    *_grouped("Ablations", _ABLATIONS),
    *_grouped("Network", _NETWORK),
    *_grouped("Watching", _PACE),
)
"""All settings but the task, which is chosen before; ``losses.source`` is only a remark."""


def values_of(config: TrainConfig) -> dict[str, Any]:
    """The settings as a form edits them: nested plain data, the task's own losses spelt out."""
    full = replace(config, losses=config.loss_weights)
    return cast(dict[str, Any], train_adapter.dump_python(full, mode="json"))


def validate(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with settings, by the dotted name of the field; {} when all is well.

    Args:
        values: nested as :func:`values_of` gives them.
    """
    try:
        train_adapter.validate_python(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for item in error.errors():
            name = _name(item["loc"], item["msg"])
            found.setdefault(name, in_words(item))
        return found
    return {}


_BY_WORDS = {
    "η_L > η_U": "lr_lower",
    "unknown task": "task",
    "learned_mixing ": "network.learned_mixing",
    "channels ": "network.channels",
    "RoPE": "network.backbone.dim",
    "dim ": "network.backbone.dim",
    "tap": "network.backbone.taps",
}
"""Where a message belongs that is about more than one field."""


def _name(where: tuple[int | str, ...], message: str) -> str:
    parts = [part for part in where if isinstance(part, str)]
    name = ".".join(parts)
    names = [field.name for field in FIELDS]
    if name in names:
        return name
    mentioned = next((known for known in names if "." in known and known in message), "")
    if mentioned:
        return mentioned
    for words, field in _BY_WORDS.items():
        if words in message:
            return field
    return name or "settings"

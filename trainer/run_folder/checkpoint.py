"""Checkpoints: the complete state of a run, so that it can be resumed exactly."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import KW_ONLY, asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from core.errors import InputError, Message
from core.io.atomic import atomic_write
from core.packs.format import tensors_sha256
from trainer.config.config import TrainConfig, train_adapter
from trainer.optimization.bilevel import BilevelStep
from trainer.optimization.precision import FixedPrecision

_KEY = "unifusion_checkpoint"


@dataclass(frozen=True)
class RunState:
    """The state of a run other than tensors.

    Attributes:
        step: steps done.
        seconds: training time so far, over all sessions.
        backbone_sha256: hash of the DINOv3 file of the run, "" for none.
        parent: name and hash of the pack the run started from, "" for none.
        factor_lower, factor_upper: factors by which the user changed the learning rates.
        batch: crops per step if it differs from the configuration, otherwise 0.
        data_sha256: fingerprint of the training images, "" if unknown.
        sums, counted: sums of the loss terms since the last point of the curves, and their number.
    """

    step: int = 0
    seconds: float = 0.0
    backbone_sha256: str = ""
    parent: str = ""
    _: KW_ONLY
    factor_lower: float = 1.0
    factor_upper: float = 1.0
    batch: int = 0
    data_sha256: str = ""
    sums: dict[str, float] = field(default_factory=dict)
    counted: int = 0


class CheckpointDamaged(InputError):
    """A checkpoint is truncated or corrupt, or the file is not a checkpoint."""


def save_checkpoint(
    path: Path,
    config: TrainConfig,
    step: BilevelStep,
    state: RunState,
    previous: Path | None = None,
) -> None:
    """Write network, EMA, both optimisers, RNG state and progress into one safetensors file.

    Args:
        previous: path at which the older checkpoint is kept.

    Raises:
        OutputError: the file cannot be written; an older checkpoint is not changed.
    """
    tensors = {f"network.{k}": v for k, v in step.network.own_state().items()}
    tensors |= {f"ema.{k}": v for k, v in step.ema.module.state_dict().items()}
    for level, optimiser in (("lower", step.lower), ("upper", step.upper)):
        for index, entries in optimiser.state_dict()["state"].items():
            tensors |= {f"{level}.{index}.{k}": torch.as_tensor(v) for k, v in entries.items()}
    tensors["rng.cpu"] = torch.get_rng_state()
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    header = {
        "config": _plain(config),
        "state": asdict(state),
        "sha256": tensors_sha256(tensors),
    }
    content = save(tensors, metadata={_KEY: json.dumps(header)})
    if previous is not None and path.is_file():
        _link_previous(path, previous)
    atomic_write(path, content)


def _link_previous(path: Path, previous: Path) -> None:
    """Hard-link the file at ``path`` to ``previous``; ``path`` exists at every moment."""
    link = path.with_name(f".{uuid.uuid4().hex}.part{path.suffix}")
    with contextlib.suppress(OSError):  # no hard links: then no previous one is kept
        try:
            os.link(path, link)
            link.replace(previous)
        finally:
            # Renaming a file onto another name of itself does nothing: the link is still there.
            link.unlink(missing_ok=True)


def load_checkpoint(path: Path, config: TrainConfig, step: BilevelStep) -> RunState:
    """Restore ``step`` to the state at which the checkpoint was written.

    Raises:
        CheckpointDamaged: it cannot be read. InputError: it belongs to another configuration.
    """
    header, tensors = _read(path)
    try:
        saved, wanted = _with_later_settings(header["config"]), _plain(config)
        if (saved["losses"] is None) != (wanted["losses"] is None):
            saved, wanted = _with_explicit_losses(saved), _with_explicit_losses(wanted)
        difference = _difference(saved, wanted)
        if difference:
            raise InputError(
                str(path),
                Message("this run was started with other settings ({0})", difference),
                Message("Resume with the same settings, or give another output."),
            )
        _restore(tensors, step)
        return RunState(**header["state"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
        # Written by another release of this program: names or shapes do not match.
        raise _unreadable(path, error) from error


def saved_precision(path: Path) -> FixedPrecision | None:
    """The number format with which the run of a checkpoint was started; None if unreadable."""
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            header = json.loads((stream.metadata() or {})[_KEY])
        found = _with_later_settings(header["config"])["precision"]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError):
        return None  # load_checkpoint says what is wrong
    return found if found in get_args(FixedPrecision) else None


def _restore(tensors: dict[str, Tensor], step: BilevelStep) -> None:
    saved = _with_prefix(tensors, "network")
    with torch.no_grad():
        for name, tensor in step.network.own_state().items():
            tensor.copy_(saved[name])
    step.ema.module.load_state_dict(_with_prefix(tensors, "ema"))
    for level, optimiser in (("lower", step.lower), ("upper", step.upper)):
        table = optimiser.state_dict()
        parameters = optimiser.param_groups[0]["params"]
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _with_prefix(tensors, level).items():
            index, _, key = name.partition(".")
            # Moments have the memory format of their parameter (channels last): another layout of
            # the same numbers could select other kernels, which round differently.
            alike = tensor.shape == parameters[int(index)].shape
            moment = torch.empty_like(parameters[int(index)]).copy_(tensor) if alike else tensor
            entries.setdefault(int(index), {})[key] = moment.detach()
        optimiser.load_state_dict({"state": entries, "param_groups": table["param_groups"]})
    torch.set_rng_state(tensors["rng.cpu"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            header = dict(json.loads((stream.metadata() or {})[_KEY]))
            tensors = {k: stream.get_tensor(k) for k in stream.keys()}  # noqa: SIM118
        digest = tensors_sha256(tensors)
        if header.get("sha256", digest) != digest:
            raise ValueError("its contents have changed since it was written")
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return header, tensors


def _unreadable(path: Path, error: Exception) -> CheckpointDamaged:
    return CheckpointDamaged(
        str(path),
        Message("the checkpoint cannot be read ({0})", error),
        Message("Delete it to start afresh."),
    )


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{prefix}.")}


_CHANGEABLE = {
    "log_every",
    "validate_every",
    "validate_pairs",
    "checkpoint_every",
    "init",
    "backbone",
    "device",
}


def settings_text(config: TrainConfig) -> str:
    """The settings that must not change within a run, as JSON with sorted keys."""
    kept = {key: value for key, value in _plain(config).items() if key not in _CHANGEABLE}
    return json.dumps(kept, sort_keys=True)


def _plain(config: TrainConfig) -> dict[str, Any]:
    return dict(train_adapter.dump_python(config, mode="json"))


def _with_later_settings(config: dict[str, Any]) -> dict[str, Any]:
    """With the defaults of settings that did not exist when ``config`` was written."""
    try:
        return _filled(config, _plain(train_adapter.validate_python(config)))
    except ValueError:
        return config


def _filled(config: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """``config`` with the entries of ``defaults`` it lacks, at every depth."""
    inner = {
        key: _filled(value, defaults[key])
        for key, value in config.items()
        if isinstance(value, dict) and isinstance(defaults.get(key), dict)
    }
    return {**defaults, **config, **inner}


def _with_explicit_losses(config: dict[str, Any]) -> dict[str, Any]:
    """With the default losses made explicit: a form always writes them, a file may omit them."""
    own = train_adapter.validate_python(config).loss_weights
    return {**config, "losses": {k: v for k, v in asdict(own).items() if k != "source"}}


def _difference(saved: dict[str, Any], wanted: dict[str, Any], within: str = "") -> str:
    """A description of the first relevant setting that differs; "" if there is none."""
    for key in sorted(saved.keys() | wanted.keys()):
        name, old, new = within + key, saved.get(key), wanted.get(key)
        if name in _CHANGEABLE or old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            return _difference(old, new, f"{name}.")
        return Message("{0} was {1}, now {2}", name, old, new)
    return ""

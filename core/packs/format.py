"""Model packs: one ``.safetensors`` file with a manifest in its header.

The formats, all of which can be read:

1. no seal.
2. ``sealed_sha256`` seals the manifest: it covers all entries that influence a result
   (:data:`_SEALED_ENTRIES`), as stored in the file.
3. the validation scores of the training record are named ``scores``; before, ``figures``.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import KW_ONLY, field, replace
from math import prod
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from core.errors import Message, PackError
from core.io.atomic import atomic_write
from core.models.backbone import Dinov3Backbone
from core.models.config import NetworkConfig
from core.models.network import UniFusionNet
from core.models.tensor_header import (
    StoredTensor,
    first_nonfinite,
    mismatch,
    read_header,
    stored_tensors,
)
from core.packs.external_backbone import attach_backbone, backbone_for
from core.tasks import TASKS, ColourPolicy

FORMAT_VERSION = 3
READABLE_VERSIONS = (1, 2, 3)
SUFFIX = ".safetensors"
_KEY = "unifusion"
_RECONSTRUCTION = ("reconstruction_x.", "reconstruction_y.")
_GET_ANOTHER = Message("Get the pack again, or choose another one.")
_SEALED_ENTRIES = ("task", "network", "colour", "backbone_sha256", "weights_sha256")
"""Entries of a manifest that influence the fused image."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"), kw_only=True)
class TrainingRecord:
    """How a pack was trained. Contains no file names or patient data.
    Attributes:
        config: the configuration of the run, as plain data.
        steps: bilevel steps done.
        pairs: number of training pairs.
        seconds: training time.
        scores: validation scores by name.
        software: versions of the software used for training.
        parent: name and weights hash of the pack it started from, "" for none.
    """

    config: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    pairs: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    software: dict[str, str] = field(default_factory=dict)
    parent: str = ""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class PackManifest:
    """The manifest of a pack.

    Attributes:
        name: unique short name.
        title: display name.
        task: a name in :data:`core.tasks.TASKS`.
        network: architecture.
        colour: colour policy of the training.
        training: see :class:`TrainingRecord`.
        licence: licence of the weights.
        data: training data, one line per data set.
        backbone_sha256: hash of the external backbone file ("" if the pack is complete, or if the
            backbone was random).
        weights_sha256: hash over all tensors (see :func:`tensors_sha256`).
        sealed_sha256: hash over the entries that influence a result; "" in packs of format 1.
        format_version: version of the format.
    """

    name: str
    title: str
    task: str
    network: NetworkConfig
    colour: ColourPolicy
    _: KW_ONLY
    training: TrainingRecord = TrainingRecord()
    licence: str = ""
    data: tuple[str, ...] = ()
    backbone_sha256: str = ""
    weights_sha256: str = ""
    sealed_sha256: str = ""
    format_version: int = FORMAT_VERSION


_manifest = TypeAdapter(PackManifest)


def tensors_sha256(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def manifest_seal(raw: dict[str, Any]) -> str:
    """SHA-256 over the entries of a manifest, as plain data, that influence a result.

    Computed over the stored entries instead of the parsed ones, so that settings added by later
    versions do not change it.
    """
    shaping = {key: raw.get(key) for key in _SEALED_ENTRIES}
    text = json.dumps(shaping, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(manifest: PackManifest) -> dict[str, Any]:
    """``manifest`` as plain data with its seal, in the current format."""
    raw: dict[str, Any] = _manifest.dump_python(manifest, mode="json")
    return raw | {"format_version": FORMAT_VERSION, "sealed_sha256": manifest_seal(raw)}


def write_pack(path: Path, network: UniFusionNet, manifest: PackManifest) -> PackManifest:
    """Write ``network`` as a pack, atomically.

    Returns:
        the manifest as written, including the hash of the weights and the seal.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.own_state().items()}
    raw = _plain(replace(manifest, weights_sha256=tensors_sha256(tensors)))
    atomic_write(path, save(tensors, metadata={_KEY: json.dumps(raw, sort_keys=True)}))
    return _manifest.validate_python(raw)


def manifest_text(manifest: PackManifest) -> dict[str, str]:
    """The metadata entry of a safetensors header that identifies a pack."""
    return {_KEY: json.dumps(_plain(manifest), sort_keys=True)}


def read_manifest(path: Path) -> PackManifest:
    """Read the manifest of a pack without its tensors.

    Raises:
        PackError: not a pack, or of an unknown version.
    """
    if not path.is_file():
        raise PackError(
            str(path),
            Message("there is no such pack"),
            Message("Check the path, or run “packs list”."),
        )
    try:
        header = read_header(path)
        text = header.get("__metadata__", {}).get(_KEY)
    except OSError as error:
        raise PackError(
            str(path), Message("it cannot be read ({0})", error.strerror), _GET_ANOTHER
        ) from error
    except (ValueError, AttributeError, struct.error, RecursionError) as error:
        raise PackError(str(path), Message("it is not a safetensors file"), _GET_ANOTHER) from error
    if not isinstance(text, str):
        raise PackError(
            str(path), Message("it is no UniFusion pack (no manifest inside)"), _GET_ANOTHER
        )
    return _parse(path, text)


def _parse(path: Path, text: str) -> PackManifest:
    try:
        raw = json.loads(text)
        version = raw.get("format_version") if isinstance(raw, dict) else None
        if version not in READABLE_VERSIONS or isinstance(version, bool):
            known = f"{READABLE_VERSIONS[0]} to {READABLE_VERSIONS[-1]}"
            raise PackError(
                str(path),
                Message("its format version is {0}, this program reads {1}", version, known),
                Message("Update UniFusion Studio, or get the pack in a matching version."),
            )
        manifest = _manifest.validate_python(_renamed_scores(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PackError(
            str(path),
            Message("its manifest is damaged ({0}: {1})", where, first["msg"]),
            _GET_ANOTHER,
        ) from error
    except (ValueError, RecursionError) as error:
        raise PackError(str(path), Message("its manifest is not JSON"), _GET_ANOTHER) from error
    if manifest.task not in TASKS:
        why = Message("its task “{0}” is unknown", manifest.task)
        raise PackError(str(path), why, _GET_ANOTHER)
    if (manifest.colour.mode == "rgb") != (manifest.network.in_channels == 3):
        raise PackError(
            str(path),
            Message(
                "its colour policy “{0}” does not fit a network of {1} channels",
                manifest.colour.mode,
                manifest.network.in_channels,
            ),
            _GET_ANOTHER,
        )
    _check_seal(path, raw, manifest)
    return manifest


def _renamed_scores(raw: dict[str, Any]) -> dict[str, Any]:
    """``raw`` with the validation scores under the key that format 3 gives them."""
    training = raw.get("training")
    if raw["format_version"] > 2 or not isinstance(training, dict) or "scores" in training:
        return raw
    scores = {"scores" if key == "figures" else key: value for key, value in training.items()}
    return raw | {"training": scores}


def _check_seal(path: Path, raw: dict[str, Any], manifest: PackManifest) -> None:
    """Require a valid seal from format 2 on, and none in format 1, which does not define one."""
    expected = manifest_seal(raw) if manifest.format_version > 1 else ""
    if manifest.sealed_sha256 != expected:
        raise PackError(
            str(path),
            Message(
                "its manifest was changed after the pack was made: pictures would not come out as "
                "the ones it was trained for"
            ),
            _GET_ANOTHER,
        )


def read_pack(path: Path, backbone: Path | None = None) -> tuple[UniFusionNet, PackManifest]:
    """Build the network of a pack and load its weights, with all checks.

    Args:
        path: the pack.
        backbone: file of the external DINOv3 weights, for packs that need one.

    Raises:
        PackError: damaged, of another program, wrong version or hash, missing or extra tensors, or
            made with a backbone that is not available.
        BackboneMissing: an external backbone is needed and was neither given nor downloaded.
    """
    manifest = read_manifest(path)
    check_tensors(path, manifest, str(path), backbone)
    tensors = read_weights(path, manifest, str(path))
    network = UniFusionNet(manifest.network)
    load_own_state(network, tensors, str(path))
    attach_backbone(network, manifest.backbone_sha256, backbone, str(path))
    return network.eval(), manifest


def check_tensors(
    path: Path,
    manifest: PackManifest,
    what: str,
    backbone: Path | None = None,
    *,
    whole: bool = True,
) -> None:
    """Compare the headers of the files with the network that ``manifest`` describes.

    The network is built on the meta device, so that a file cannot make this program allocate a
    network larger than the file itself.

    Args:
        what: name of the pack in errors.
        backbone: file of the external weights, as in :func:`read_pack`.
        whole: False skips the file of the external backbone.

    Raises:
        PackError: damaged, or a tensor is missing, unknown, or of another shape or type.
        BackboneMissing: see :func:`core.packs.external_backbone.attach_backbone`.
    """
    with torch.device("meta"):
        outline = UniFusionNet(manifest.network)
    wrong = mismatch(_tensors_in(path, what), outline.own_state())
    if wrong is not None:
        raise PackError(what, Message("its tensors do not fit: {0}", wrong), _GET_ANOTHER)
    if not whole or not isinstance(outline.backbone, Dinov3Backbone):
        return
    if not manifest.backbone_sha256:
        # Any DINOv3 file would load, but the results would be wrong.
        raise PackError(
            what,
            Message("it was trained on a random DINOv3 backbone that was not kept"),
            Message("Train it again with --backbone FILE."),
        )
    outline.backbone.check_file(backbone_for(backbone, what))


def _tensors_in(path: Path, what: str) -> dict[str, StoredTensor]:
    try:
        return stored_tensors(path)
    except OSError as error:
        raise PackError(
            what, Message("it cannot be read ({0})", error.strerror), _GET_ANOTHER
        ) from error
    except (ValueError, struct.error, RecursionError) as error:
        raise PackError(what, Message("the file is damaged ({0})", error), _GET_ANOTHER) from error


def fusing_weights(path: Path, network: NetworkConfig) -> int:
    """Number of weights in the pack at ``path`` that its fused image depends on.

    Not those that rebuild the sources, of which fusing uses none, nor a DINOv3 backbone, which is
    in a file of its own; 0 where the fused image is chosen by rule.

    Raises:
        PackError: it cannot be read.
    """
    tensors = _tensors_in(path, path.name)
    if not network.learns_fusion:
        return 0
    return sum(
        prod(tensor.shape)
        for name, tensor in tensors.items()
        if not name.startswith(_RECONSTRUCTION)
    )


def read_weights(path: Path, manifest: PackManifest, what: str) -> dict[str, Tensor]:
    """Read the tensors of a pack and check their hash against the manifest.

    Args:
        what: name of the pack in errors.

    Raises:
        PackError: damaged, the hash differs, or a value is NaN or infinite.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise PackError(what, Message("the file is damaged ({0})", error), _GET_ANOTHER) from error
    if tensors_sha256(tensors) != manifest.weights_sha256:
        raise PackError(
            what, Message("its weights are not those its manifest was written for"), _GET_ANOTHER
        )
    if name := first_nonfinite(tensors):
        raise PackError(
            what, Message("its weights hold NaN or infinite numbers (in {0})", name), _GET_ANOTHER
        )
    return tensors


def load_own_state(network: UniFusionNet, tensors: dict[str, Tensor], what: str) -> None:
    """Load all tensors of a pack into ``network``; names, shapes and types must match.

    Raises:
        PackError: a tensor is missing, unknown, or of another shape or type.
    """
    found = {name: StoredTensor(t.dtype, tuple(t.shape)) for name, t in tensors.items()}
    wrong = mismatch(found, network.own_state())
    if wrong is not None:
        raise PackError(what, Message("its tensors do not fit: {0}", wrong), _GET_ANOTHER)
    network.load_state_dict(tensors, strict=False)

"""What the engine offers for training, and the download of the DINOv3 weights.

The trainer, and with it torch, is imported inside the functions, on a worker thread.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.compute.remote import compute
from app.train.view_models import (
    BackboneOffer,
    Capabilities,
    DeviceOption,
    PackChoice,
    PresetChoice,
    TrainSettings,
)
from core.errors import FusionError
from core.progress import Progress
from core.tasks import TASKS


@dataclass(frozen=True, eq=False)
class OfferedTraining:
    """What is told by the packages that import torch.

    Attributes:
        presets: settings by preset, task and the parent's file (None: from scratch).
        taken: names of results that are in use.
    """

    presets: Mapping[tuple[str, str, Path | None], TrainSettings]
    packs: tuple[PackChoice, ...]
    networks: Mapping[str, Mapping[str, Any]]
    devices: tuple[DeviceOption, ...]
    backbone: BackboneOffer
    _: KW_ONLY
    taken: frozenset[str]


def read_capabilities(progress: Progress) -> Capabilities:
    """Available presets, settings, packs and devices; also imports the library of the charts."""
    import pyqtgraph  # noqa: F401  (the charts need it; its import takes a third of a second)

    from core.packs.paths import user_pack_folder
    from trainer.config.form import FIELDS, validate
    from trainer.config.presets import PRESETS

    offered: OfferedTraining = compute(offered_training)(progress)

    def build(name: str, task: str, parent: Path | None) -> TrainSettings:
        found = offered.presets.get((name, task, parent)) or offered.presets[name, task, None]
        return deepcopy({**found, "init": str(parent) if parent else ""})

    presets = (
        PresetChoice(one.name, one.title, one.description, partial(build, one.name))
        for one in PRESETS
    )
    return Capabilities(
        tuple(presets),
        FIELDS,
        packs=offered.packs,
        networks=offered.networks,
        check=validate,
        next_name=partial(_next_name, offered.taken),
        runs=user_pack_folder(),
        devices=offered.devices,
        backbone=offered.backbone,
        board=importlib.util.find_spec("tensorboard") is not None,
    )


def _next_name(taken: frozenset[str], base: str) -> str:
    from core.packs.naming import free_name
    from core.packs.paths import user_pack_folder

    files = {path.stem for path in user_pack_folder().glob("*.safetensors")}
    return free_name(base, taken | files)


def offered_training(progress: Progress) -> OfferedTraining:
    """Packs, devices and the settings of presets, which need torch to be read."""
    from core.models.config import CONFIGS, network_adapter
    from core.packs.registry import Catalogue
    from core.packs.user_packs import used_names
    from trainer.config.form import values_of
    from trainer.config.presets import PRESETS

    entries = {entry.path: entry for entry in Catalogue().scan()[0]}
    manifests: dict[Path | None, Any] = {None: None}
    manifests |= {path: entry.manifest for path, entry in entries.items()}

    def plain(network: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = network_adapter.dump_python(network, mode="json")
        return found

    packs = tuple(
        PackChoice(
            m.name,
            m.title,
            task=m.task,
            path=path,
            embedded=entry.embedded,
            network=plain(m.network),
        )
        for path, entry in entries.items()
        for m in (entry.manifest,)
    )
    return OfferedTraining(
        {
            (preset.name, task, parent): values_of(preset.build(task, manifest))
            for preset in PRESETS
            for task in TASKS
            for parent, manifest in manifests.items()
        },
        packs,
        {name: plain(make()) for name, make in CONFIGS.items()},
        _devices(),
        _offer(),
        taken=frozenset(used_names()),
    )


def _devices() -> tuple[DeviceOption, ...]:
    """The automatic choice, then all devices."""
    from core.device import choose_device, devices

    chosen = choose_device("auto")
    named = (DeviceOption(one.name, one.label, one.reason) for one in devices())
    return DeviceOption("auto", chosen.label, chosen.reason), *named


def _offer() -> BackboneOffer:
    from core.models.backbone import file_sha256
    from core.models.config import DINOV3_TIMM_NAME
    from core.packs import download
    from core.packs.paths import backbone_file, stored_backbone

    stored = stored_backbone()
    return BackboneOffer(
        DINOV3_TIMM_NAME,
        f"{urlsplit(download.address()).netloc}, {download.REPOSITORY}, {download.FILE}",
        page=download.page(),
        bytes=download.RELEASE.bytes,
        licence=download.LICENCE,
        licence_page=download.LICENCE_ADDRESS,
        terms=download.TERMS,
        file=backbone_file(),
        sha256=file_sha256(stored) if stored is not None else "",
    )


def fetch_backbone(progress: Progress) -> str:
    """Download the DINOv3 weights at the user's request; returns the file's SHA-256.

    Raises:
        FusionError: no connection, an HTTP error, an unexpected file, a full disk.
    """
    from core.packs.download import fetch_backbone

    return fetch_backbone(progress).sha256


def check_backbone(
    file: Path, network: Mapping[str, Any], progress: Progress
) -> FusionError | None:
    """Why a file of DINOv3 weights cannot be used in a network; None where it can."""
    from core.models.backbone import check_backbone_file
    from core.models.config import network_adapter

    try:
        check_backbone_file(file, network_adapter.validate_python(network).backbone)
    except FusionError as error:
        return error
    return None

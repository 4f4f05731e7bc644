"""What the engine offers for training, and the download of the DINOv3 weights.

The trainer, and with it torch, is imported inside the functions, on a worker thread.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.train.view_models import (
    BackboneOffer,
    Capabilities,
    DeviceOption,
    PackChoice,
    PresetChoice,
    TrainSettings,
)
from app.workers.background_import import import_in_background
from core.errors import FusionError
from core.progress import Progress


def read_capabilities(progress: Progress) -> Capabilities:
    """Available presets, settings, packs and devices; also imports the library of the charts."""
    return import_in_background(_read_capabilities, "torch")()


def _read_capabilities() -> Capabilities:
    import pyqtgraph  # noqa: F401  (the charts need it; its import takes a third of a second)

    from core.models.config import CONFIGS, network_adapter
    from core.packs.registry import Catalogue, user_pack_folder
    from core.packs.user_packs import next_name
    from trainer.config.form import FIELDS, validate, values_of
    from trainer.config.presets import PRESETS, Preset

    entries = {entry.path: entry for entry in Catalogue().scan()[0]}

    def settings_of(preset: Preset, task: str, parent: Path | None) -> TrainSettings:
        manifest = entries[parent].manifest if parent in entries else None
        config = preset.build(task, manifest)
        return values_of(replace(config, init=str(parent) if parent else ""))

    def maker(preset: Preset) -> PresetChoice:
        return PresetChoice(
            preset.name,
            preset.title,
            preset.description,
            lambda task, parent: settings_of(preset, task, parent),
        )

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
    return Capabilities(
        tuple(maker(preset) for preset in PRESETS),
        FIELDS,
        packs=packs,
        networks={name: plain(make()) for name, make in CONFIGS.items()},
        check=validate,
        next_name=next_name,
        runs=user_pack_folder(),
        devices=_devices(),
        backbone=_offer(),
        board=importlib.util.find_spec("tensorboard") is not None,
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

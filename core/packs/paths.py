"""Folders of the user's packs, data sets and downloaded weights. Does not import torch."""

from __future__ import annotations

from pathlib import Path

from core.data_folder import data_folder


def user_pack_folder() -> Path:
    """The folder of the user's packs."""
    return data_folder() / "packs"


def user_dataset_folder() -> Path:
    """The folder of the user's descriptors of data sets."""
    return data_folder() / "datasets"


def backbone_file() -> Path:
    """The path to which :func:`core.packs.download.fetch_backbone` writes DINOv3."""
    from core.models.config import DINOV3_TIMM_NAME  # slow; the pages need only the folders

    return data_folder() / "backbones" / f"{DINOV3_TIMM_NAME}.safetensors"


def stored_backbone() -> Path | None:
    """The downloaded DINOv3 file, the default backbone file; None if not downloaded."""
    path = backbone_file()
    return path if path.is_file() else None

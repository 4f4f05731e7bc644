"""Folders of the user's packs, data sets and downloaded weights. Does not import torch."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from core.models.config import DINOV3_TIMM_NAME


def data_folder() -> Path:
    """$UNIFUSION_HOME or the platform's data folder."""
    home = os.environ.get("UNIFUSION_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("unifusion", appauthor=False))


def user_pack_folder() -> Path:
    """The folder of the user's packs."""
    return data_folder() / "packs"


def user_dataset_folder() -> Path:
    """The folder of the user's descriptors of data sets."""
    return data_folder() / "datasets"


def backbone_file() -> Path:
    """The path to which :func:`core.packs.download.fetch_backbone` writes DINOv3."""
    return data_folder() / "backbones" / f"{DINOV3_TIMM_NAME}.safetensors"


def stored_backbone() -> Path | None:
    """The downloaded DINOv3 file, the default backbone file; None if not downloaded."""
    path = backbone_file()
    return path if path.is_file() else None

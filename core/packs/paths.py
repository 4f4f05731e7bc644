"""Where the person's own packs, and weights fetched for them, live. Light: torch is not touched."""

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
    """Where the user's packs live."""
    return data_folder() / "packs"


def backbone_file() -> Path:
    """Where :func:`core.packs.download.fetch_backbone` puts DINOv3."""
    return data_folder() / "backbones" / f"{DINOV3_TIMM_NAME}.safetensors"


def stored_backbone() -> Path | None:
    """The fetched DINOv3, which is used where no other file is given; None: not fetched."""
    path = backbone_file()
    return path if path.is_file() else None

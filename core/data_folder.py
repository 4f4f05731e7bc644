"""The folders of what the user keeps (packs, weights, data sets, rigs) and of settings."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """$UNIFUSION_HOME or the platform's data folder."""
    home = os.environ.get("UNIFUSION_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("unifusion", appauthor=False))


def settings_folder() -> Path:
    """$UNIFUSION_HOME or the platform's folder of settings. It may not exist yet."""
    home = os.environ.get("UNIFUSION_HOME")
    return Path(home) if home else Path(platformdirs.user_config_dir("unifusion", appauthor=False))

"""The folder of what the user keeps: packs, weights, data sets, rigs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """$UNIFUSION_HOME or the platform's data folder."""
    home = os.environ.get("UNIFUSION_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("unifusion", appauthor=False))

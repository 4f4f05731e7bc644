"""The folder in which the GUI stores settings, session and recent files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of settings and session: $UNIFUSION_HOME, or the platform's settings folder.

    It is not created here, but when something is stored.
    """
    chosen = os.environ.get("UNIFUSION_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("unifusion", False))

"""Where the window keeps what it remembers: one folder, the same for all its files."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of settings and session: $UNIFUSION_HOME, or the platform's own for settings.

    It is not created here: a program that remembers nothing leaves nothing behind.
    """
    chosen = os.environ.get("UNIFUSION_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_config_dir("unifusion", False))

"""The folder in which the GUI stores settings, session and recent files."""

from __future__ import annotations

from pathlib import Path

from core.data_folder import settings_folder


def home() -> Path:
    """The folder of settings and session: $UNIFUSION_HOME, or the platform's settings folder.

    It is not created here, but when something is stored.
    """
    return settings_folder()

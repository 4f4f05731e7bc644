"""A study opened in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.shell.main_window import MainWindow
from tests.app.acts import WAIT
from tests.app.fuse.volumes import settled, write_study


@pytest.fixture
def study(window: MainWindow, qtbot, tmp_path: Path) -> MainWindow:
    """The window with a PET and an MR opened from one folder."""
    window.files.take([write_study(tmp_path / "export")])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.problem is None
    return window

"""Progress on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from app.cli.console import TerminalProgress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_time_that_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 10 s a quarter is done, so 30 s are left; other work begins anew."""
    terminal, now = _Terminal(), [100.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("app.cli.console.time.monotonic", lambda: now[0])
    progress = TerminalProgress()

    def shown(done: float, after: float) -> str:
        now[0] += after
        progress.report(done, 100, "Slice")
        return terminal.getvalue().rsplit("\x1b[K", 1)[1]

    assert shown(0, 0) == "  0 % Slice"
    assert shown(1, 1) == "  1 % Slice"
    assert shown(25, 9) == " 25 % Slice, about 30 s left"
    assert shown(5, 1) == "  5 % Slice"
    assert shown(10, 60) == " 10 % Slice, about 9 min left"

"""Archives for these tests: settings of their own, and an empty Orthanc."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orthanc import Orthanc, start_orthanc


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))


@pytest.fixture
def empty_orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """A server that holds nothing."""
    server = start_orthanc(tmp_path / "orthanc")
    try:
        yield server
    finally:
        server.stop()

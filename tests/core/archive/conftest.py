"""Archives for these tests: a real Orthanc that holds the sample, and what is in the sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orthanc import Orthanc, start_orthanc

SAMPLES = Path(__file__).resolve().parents[3] / "resources" / "samples"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def sample_files() -> list[Path]:
    """Some slices of PET and MR of the synthetic head: 12 and 14."""
    pet, mr = (sorted((SAMPLES / name).glob("*.dcm")) for name in ("mif_a", "mif_b"))
    return pet[10:22] + mr[16:30]


@pytest.fixture(scope="session")
def orthanc(
    tmp_path_factory: pytest.TempPathFactory, sample_files: list[Path]
) -> Iterator[Orthanc]:
    """A server that holds the sample."""
    server = start_orthanc(tmp_path_factory.mktemp("orthanc"))
    try:
        server.put(sample_files)
        yield server
    finally:
        server.stop()


@pytest.fixture
def empty_orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """A server that holds nothing."""
    server = start_orthanc(tmp_path / "orthanc")
    try:
        yield server
    finally:
        server.stop()

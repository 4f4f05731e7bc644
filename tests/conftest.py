"""Shared fixtures. Real images live beside the repository and are never part of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.evaluation.cache import CACHE_VARIABLE

if TYPE_CHECKING:
    from tests.orthanc import Orthanc

_REPO = Path(__file__).resolve().parent.parent
_SLOW_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests have an hour, where they do not say otherwise."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_SECONDS))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Scores of tests are not kept in the cache of the user who runs them."""
    os.environ[CACHE_VARIABLE] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def sample_files() -> list[Path]:
    """Some slices of PET and MR of the synthetic head: 12 and 14."""
    samples = _REPO / "resources" / "samples"
    pet, mr = (sorted((samples / name).glob("*.dcm")) for name in ("mif_a", "mif_b"))
    return pet[10:22] + mr[16:30]


@pytest.fixture(scope="session")
def orthanc(
    tmp_path_factory: pytest.TempPathFactory, sample_files: list[Path]
) -> Iterator[Orthanc]:
    """An archive on the loopback address that holds these slices; skips where there is none."""
    from tests.orthanc import start_orthanc

    server = start_orthanc(tmp_path_factory.mktemp("orthanc"))
    try:
        server.put(sample_files)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pairs; skips, with the reason, where it is not at hand."""
    folder = Path(os.environ.get("UNIFUSION_TEST_DATA", _REPO.parent / "shared" / "data"))
    if not (folder / "val").is_dir():
        pytest.skip(f"real image pairs not found in {folder} (set UNIFUSION_TEST_DATA)")
    return folder

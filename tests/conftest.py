"""Shared fixtures. Real images live beside the repository and are never part of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Two workers of pytest have a core each. A network on as many threads as there are cores, beside
# another one, waits for its own threads: such tests take up to twice the processor time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from core.evaluation.cache import CACHE_VARIABLE

if TYPE_CHECKING:
    from tests.orthanc import Orthanc

_REPO = Path(__file__).resolve().parent.parent
_SLOW_SECONDS = 3600
_MEASURED = tuple(_REPO / "tests" / name for name in ("core", "trainer"))
"""Whose tests count for the coverage of the engine and the trainer."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--first-cases``."""
    parser.addoption(
        "--first-cases",
        action="store_true",
        help="of each test with parameters run the first case only",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow tests have an hour, where they do not say otherwise; cases are left out if asked."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_SECONDS))
    if config.getoption("--first-cases"):
        first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        kept = set(first.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Coverage is gathered in the engine's and the trainer's own tests only.

    What the window's tests run by the way is not checked there, and they are no slower so.
    """
    coverage = sys.modules.get("coverage")
    running = None if coverage is None else coverage.Coverage.current()
    if running is None or any(item.path.is_relative_to(folder) for folder in _MEASURED):
        return (yield)
    running.stop()
    try:
        return (yield)
    finally:
        running.start()


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

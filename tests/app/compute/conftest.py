"""The real compute process, which the other tests of the window do without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.compute import remote
from app.compute.process import ComputeProcess
from app.workers import Runner


@pytest.fixture
def process() -> Iterator[ComputeProcess]:
    """A compute process in which jobs run."""
    made = ComputeProcess(warm=False)
    made.start("en")
    remote.use(made)
    yield made
    remote.use(None)
    made.shutdown()


@pytest.fixture
def runner(qapp, process: ComputeProcess) -> Iterator[Runner]:
    """A worker of the window, whose jobs run in that process."""
    made = Runner("test")
    yield made
    made.shutdown()

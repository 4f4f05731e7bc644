"""What every way to fuse has around it: stages timed, memory named, origin and notes told.

Nothing here imports torch, so that a classical fusion does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from core import __version__
from core.device import is_out_of_memory, memory_error, synchronise
from core.errors import Said
from core.progress import Progress
from core.tasks import get_task
from core.types import DeviceChoice, FusionRequest, FusionResult, SourcePair


class Stopwatch:
    """Seconds per stage; reports each stage and lets the caller cancel between them."""

    def __init__(self, progress: Progress, device: DeviceChoice, stages: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._device, self._stages = progress, device, stages

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` if the caller said stop."""
        self._progress.check()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage under ``name``."""
        self.check()
        self._progress.report(len(self.seconds), self._stages, name)
        start = time.perf_counter()
        yield
        synchronise(self._device)
        self.seconds[name] = time.perf_counter() - start


@contextmanager
def memory_named(device: DeviceChoice, request: FusionRequest, *, tiled: bool) -> Iterator[None]:
    """Every way to run out of memory leaves as one error that names picture and device.

    Args:
        tiled: smaller pieces than now there are none.

    Raises:
        DeviceMemoryError: the memory ran out.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise memory_error(device, request.pair.a.size, tiled=tiled) from error
        raise


def finished(result: FusionResult, request: FusionRequest, progress: Progress) -> FusionResult:
    """The result as it leaves: with the task's name, the readers' notes and the request's id."""
    progress.report(1, 1, "done")
    return replace(
        result,
        task=get_task(request.task).name,
        notes=(*_pair_notes(request.pair), *result.notes),
        request_id=request.request_id,
    )


def _pair_notes(pair: SourcePair) -> tuple[str, ...]:
    """The readers' notes, each with its source; a note about both is said once, as it is."""
    both = [note for note in pair.a.notes if note in pair.b.notes]
    single = [
        Said("{0}: {1}", side, note)
        for side, image in (("A", pair.a), ("B", pair.b))
        for note in image.notes
        if note not in both
    ]
    return (*both, *single)


def provenance(request: FusionRequest, method: str, digest: str = "") -> dict[str, str]:
    """What made a result, for its file: no folder, and nothing that is not known.

    Args:
        digest: SHA-256 of the weights, where there are any.
    """
    entries = {
        "software": f"UniFusion Studio {__version__}",
        "task": request.task,
        "method": method,
        "weights_sha256": digest,
        "source_a": request.pair.a.name,
        "source_b": request.pair.b.name,
    }
    if get_task(request.task).medical:
        entries["notice"] = "Research use only – AI-generated image"
    return {key: value for key, value in entries.items() if value}

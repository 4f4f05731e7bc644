"""Common parts of all fusion paths: stage timing, memory errors, provenance and notes.

Does not import torch, so that classical fusion does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from core import __version__
from core.device import is_out_of_memory, memory_error, synchronise
from core.io.pair_notes import notes_of
from core.messages import Message
from core.progress import Progress
from core.tasks import get_task
from core.types import (
    BoolArray,
    DeviceChoice,
    FloatArray,
    FusionRequest,
    FusionResult,
    Image,
    PairTransform,
    notice_for,
)

_DEFAULT_WINDOWS = {8: (0.0, 255.0), 16: (0.0, 65535.0), 32: (0.0, 1.0)}
"""Default windows by bit depth of images that do not come from a file; they are not recorded."""


class StageTimer:
    """Seconds per stage; reports each stage and lets the caller cancel between stages."""

    def __init__(self, progress: Progress, device: DeviceChoice, stages: int) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._device, self._stages = progress, device, stages

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` if the caller cancelled."""
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
def named_memory_errors(
    device: DeviceChoice, request: FusionRequest, *, tiled: bool
) -> Iterator[None]:
    """Translate every kind of out-of-memory error into one that names image and device.

    Args:
        tiled: the image is already processed in the smallest tiles.

    Raises:
        DeviceMemoryError: the memory ran out.
    """
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise memory_error(device, request.pair.a.size, tiled=tiled) from error
        raise


def finalize_result(
    result: FusionResult, request: FusionRequest, progress: Progress
) -> FusionResult:
    """Complete a result with the title of the task, the notes of the readers and the request's id.

    Reconstructions are set to black where their source has no data.
    """
    progress.report(1, 1, Message("done"))
    pair = request.pair
    return replace(
        result,
        task=get_task(request.task).name,
        reconstruction_a=_masked(result.reconstruction_a, pair.a.mask),
        reconstruction_b=_masked(result.reconstruction_b, pair.b.mask),
        notes=(*notes_of(pair), *result.notes),
        request_id=request.request_id,
    )


def _masked(image: FloatArray | None, mask: BoolArray | None) -> FloatArray | None:
    if image is None or mask is None:
        return image
    return np.where(mask[..., np.newaxis], image, np.float32(0))


def _window_of(image: Image) -> str:
    """Window of a source with its unit; "" if it is the default of its file."""
    if image.window == (image.container or _DEFAULT_WINDOWS.get(image.bit_depth)):
        return ""
    low, high = image.window
    return f"{low:.9g} {high:.9g} {image.unit}".strip()


def _registration_of(by: PairTransform | None) -> str:
    """What was done to lay one source onto the other, with the rows of the matrix."""
    if by is None:
        return ""
    rows = "; ".join(" ".join(f"{value:.12g}" for value in row) for row in by.transform.matrix)
    words = (f"{by.moving} onto {by.fixed}", by.transform.kind, by.origin, by.verdict, rows)
    return ", ".join(word for word in words if word)


def provenance(request: FusionRequest, method: str, digest: str = "") -> dict[str, str]:
    """Provenance of a result for its metadata: no folder names, no unknown values.

    Args:
        digest: SHA-256 of the weights, if there are any.

    Returns:
        Texts by name; ``window_a`` and ``window_b`` ("29300 30900", with the unit) only where they
        are not the default windows of the file format; ``registration`` only where one source was
        moved.
    """
    entries = {
        "software": f"UniFusion Studio {__version__}",
        "task": request.task,
        "method": method,
        "weights_sha256": digest,
        "source_a": request.pair.a.name,
        "source_b": request.pair.b.name,
        "window_a": _window_of(request.pair.a),
        "window_b": _window_of(request.pair.b),
        "registration": _registration_of(request.pair.transform),
    }
    if get_task(request.task).medical:
        entries["notice"] = notice_for(by_network=bool(digest))
    return {key: value for key, value in entries.items() if value}

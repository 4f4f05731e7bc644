"""Fusing a pair by a classical method: no model, no torch, hence there at once."""

from __future__ import annotations

from core.baselines import BASELINES
from core.colour import merge, split
from core.errors import InputError, Said
from core.fusing import Stopwatch, finished, memory_named, provenance
from core.progress import NullProgress, Progress
from core.tasks import get_task
from core.types import DeviceChoice, FusionRequest, FusionResult


def fuse_classically(request: FusionRequest, progress: Progress | None = None) -> FusionResult:
    """Fuse one pair by the classical method the request names.

    Args:
        request: what to fuse; ``method`` is a key of :data:`core.baselines.BASELINES`.
        progress: told the stages; asked between them whether to stop.

    Raises:
        InputError: unknown task or method. DeviceMemoryError: the picture does not fit.
        Cancelled: the caller said stop.
    """
    progress = progress or NullProgress()
    colour = get_task(request.task).colour
    baseline = BASELINES.get(request.method)
    if baseline is None:
        raise InputError(
            Said("Unknown classical method “{0}”", request.method),
            remedy=Said("Choose one of {0}.", ", ".join(BASELINES)),
        )
    device = DeviceChoice("cpu", "CPU", Said("classical methods run on the CPU"))
    watch = Stopwatch(progress, device, 3)
    # Classical methods know no tiles.
    with memory_named(device, request, tiled=True):
        with watch.stage("preparing"):
            parts = split(request.pair, colour)
        with watch.stage("fusing"):
            fused = baseline.fuse(parts.a, parts.b)
        with watch.stage("colour"):
            merged = merge(fused, parts)
    notes: tuple[str, ...] = ()
    if request.reconstructions or request.features:
        notes = (Said("Classical methods have no reconstructions and no features."),)
    result = FusionResult(
        fused=merged,
        task=request.task,
        method=baseline.name,
        device=device,
        bit_depth=request.pair.bit_depth,
        timings=watch.seconds,
        notes=notes,
        provenance=provenance(request, baseline.name),
    )
    return finished(result, request, progress)

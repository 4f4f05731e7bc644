"""Fusion by a classical method: needs neither a model nor torch and is available immediately."""

from __future__ import annotations

from core.available_memory import available_bytes
from core.baselines import BASELINES, Baseline
from core.device import memory_error
from core.errors import InputError, Message
from core.fusion.color import merge, split
from core.fusion.instrumentation import StageTimer, finalize_result, named_memory_errors, provenance
from core.memory_model import classical_bytes
from core.progress import NullProgress, Progress
from core.tasks import ColourPolicy, get_task
from core.types import DeviceChoice, FusionRequest, FusionResult

_PIECES = (2**22, 2**20)
"""Pixels processed at a time by methods that support it; the second where memory is scarce."""


def fuse_classically(request: FusionRequest, progress: Progress | None = None) -> FusionResult:
    """Fuse one pair by the classical method that the request names.

    Args:
        request: ``method`` is a key of :data:`core.baselines.BASELINES`.
        progress: receives the stages, and may cancel between them.

    Raises:
        InputError: unknown task or method. DeviceMemoryError: the image does not fit.
        Cancelled: the caller cancelled.
    """
    progress = progress or NullProgress()
    colour = get_task(request.task).colour
    baseline = BASELINES.get(request.method)
    if baseline is None:
        raise InputError(
            Message("Unknown classical method “{0}”", request.method),
            remedy=Message("Choose one of {0}.", ", ".join(BASELINES)),
        )
    device = DeviceChoice("cpu", "CPU", Message("classical methods run on the CPU"))
    watch = StageTimer(progress, device, 3)
    piece = _piece(request, baseline, device)
    with named_memory_errors(device, request, tiled=True):
        with watch.stage(Message("preparing")):
            parts = split(request.pair, colour)
        with watch.stage(Message("fusing")):
            fused = baseline.fuse(parts.a, parts.b, piece)
        with watch.stage(Message("colour")):
            merged = merge(fused, parts)
    notes: tuple[str, ...] = ()
    if request.reconstructions or request.features:
        notes = (Message("Classical methods have no reconstructions and no features."),)
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
    return finalize_result(result, request, progress)


def least_bytes(baseline: Baseline, size: tuple[int, int], colour: ColourPolicy) -> int:
    """Bytes required for an image of ``size`` (width, height) in the smallest pieces."""
    piece = _pieces(baseline)[-1]
    return classical_bytes(baseline.name, *size, 1 if colour.mode == "luma" else 3, piece)


def _pieces(baseline: Baseline) -> tuple[int, ...]:
    return _PIECES if baseline.reach is not None else (0,)


def _piece(request: FusionRequest, baseline: Baseline, device: DeviceChoice) -> int:
    """Pixels to process at a time, as many as fit into memory.

    Raises:
        DeviceMemoryError: not even the smallest pieces fit.
    """
    size, free, colour = request.pair.a.size, available_bytes(), get_task(request.task).colour
    pieces = _pieces(baseline)
    for piece in pieces[-1:] if request.tiles else pieces:
        channels = 1 if colour.mode == "luma" else 3
        if free is None or classical_bytes(baseline.name, *size, channels, piece) <= free:
            return piece
    needed = least_bytes(baseline, size, colour)
    raise memory_error(device, size, tiled=True, needed=needed, free=free or 0)

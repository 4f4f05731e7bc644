"""Fusion by a classical method: needs neither a model nor torch and is available immediately."""

from __future__ import annotations

from pathlib import Path

from core.available_memory import available_bytes
from core.baselines import BASELINES, Baseline
from core.device import memory_error
from core.errors import InputError, Message
from core.fusion.color import merge, split
from core.fusion.instrumentation import StageTimer, finalize_result, named_memory_errors, provenance
from core.fusion.protocol import MethodInfo
from core.memory_model import FusionWorkload, classical_bytes, pair_bytes, reading_bytes
from core.progress import NullProgress, Progress
from core.tasks import ColourPolicy, get_task
from core.types import DeviceChoice, FusionRequest, FusionResult, ImageHeader

_DEVICE = DeviceChoice("cpu", "CPU", Message("classical methods run on the CPU"))
_PIECES = (2**22, 2**20)
"""Pixels processed at a time by methods that support it; the second where memory is scarce."""


class ClassicalEngine:
    """The classical methods alone, as an :class:`~core.fusion.protocol.Engine` without torch."""

    def __init__(self, backbone: Path | None = None) -> None:
        """``backbone``: a DINOv3 file that was given although nothing here needs one."""
        self._backbone = backbone

    @property
    def device_choice(self) -> DeviceChoice:
        """The CPU."""
        return _DEVICE

    def methods(self, task: str) -> tuple[MethodInfo, ...]:
        """The classical methods, the same for every task."""
        return classical_methods()

    def unused_backbone(self, task: str, method: str) -> Message | None:
        """See :meth:`core.fusion.protocol.CheckedEngine.unused_backbone`."""
        return None if self._backbone is None else unused_backbone(self._backbone, method)

    def check_memory(
        self,
        a: ImageHeader,
        b: ImageHeader,
        task: str,
        method: str,
        kept: FusionWorkload | None = None,
    ) -> None:
        """See :meth:`core.fusion.protocol.CheckedEngine.check_memory`; it knows no packs."""
        check_room(a, b, least_bytes(BASELINES[method], (a.width, a.height), get_task(task).colour))

    def fuse(
        self,
        request: FusionRequest,
        progress: Progress | None = None,
        *,
        beside_others: bool = False,
    ) -> FusionResult:
        """As :func:`fuse_classically`, on the calling thread."""
        return fuse_classically(request, progress)


def classical_methods() -> tuple[MethodInfo, ...]:
    """The classical methods, for lists and menus."""
    return tuple(MethodInfo(b.name, b.title, "baseline", b.reference) for b in BASELINES.values())


def unused_backbone(backbone: Path, method: str) -> Message:
    """The remark that the file ``backbone`` was given and ``method`` does not need it."""
    return Message("The DINOv3 file {0} is not used: {1} needs none", backbone.name, method)


def check_room(a: ImageHeader, b: ImageHeader, fusing: int, device: DeviceChoice = _DEVICE) -> None:
    """Check that a pair can be read, and fused with ``fusing`` more bytes.

    Raises:
        DeviceMemoryError: too little memory.
    """
    needed = max(reading_bytes(a, b), pair_bytes(a, b) + fusing)
    free = available_bytes(wanted=needed)
    if free is not None and needed > free:
        raise memory_error(device, (a.width, a.height), tiled=True, needed=needed, free=free)


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
    watch = StageTimer(progress, _DEVICE, 3)
    piece = _piece(request, baseline, _DEVICE)
    with named_memory_errors(_DEVICE, request, tiled=True):
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
        device=_DEVICE,
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
    size, colour = request.pair.a.size, get_task(request.task).colour
    pieces = _pieces(baseline)
    for piece in pieces[-1:] if request.tiles else pieces:
        channels = 1 if colour.mode == "luma" else 3
        wanted = classical_bytes(baseline.name, *size, channels, piece)
        free = available_bytes(wanted=wanted)
        if free is None or wanted <= free:
            return piece
    needed = least_bytes(baseline, size, colour)
    raise memory_error(device, size, tiled=True, needed=needed, free=free or 0)

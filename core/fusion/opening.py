"""Makes the engine that some methods need: without torch where all of them are classical."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from core.baselines import BASELINES
from core.fusion.classical_engine import ClassicalEngine
from core.fusion.protocol import CheckedEngine


def open_engine(
    methods: Collection[str], device: str = "auto", backbone: Path | None = None
) -> CheckedEngine:
    """An engine for ``methods``, which are names of packs or classical methods.

    Loading torch takes seconds; a classical method takes milliseconds and does not need it. A GPU
    that is asked for by name is checked for all the same, which takes torch.

    Args:
        device: as in :func:`core.device.choose_device`.
        backbone: DINOv3 file.

    Raises:
        DeviceUnavailable: the requested device does not exist on this machine.
    """
    anywhere = device.strip().lower() in ("", "auto", "cpu")
    if methods and anywhere and all(method in BASELINES for method in methods):
        return ClassicalEngine(backbone)
    from core.fusion.engine import FusionEngine

    return FusionEngine(device, backbone=backbone)

"""Which worker processes a computer gets: one for all of its cores, or one for each GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass

from core.cluster.client import SLOT
from core.cluster.errors import ClusterError
from core.messages import Message

DEVICE_VARIABLE = "UNIFUSION_WORKER_DEVICE"
SLOTS_VARIABLE = "UNIFUSION_WORKER_SLOTS"
MOST_SLOTS = 256


@dataclass(frozen=True)
class PlannedWorker:
    """A worker process.

    Attributes:
        device: as in :func:`core.device.choose_device`.
        slots: rows that it works on at once.
        visible: the CUDA device that it sees, by number; "" for all.
    """

    device: str
    slots: int
    visible: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the process."""
        own = {DEVICE_VARIABLE: self.device, SLOTS_VARIABLE: str(self.slots)}
        return own | ({"CUDA_VISIBLE_DEVICES": self.visible} if self.visible else {})

    @property
    def resources(self) -> dict[str, float]:
        """What it offers; each group of rows takes one slot."""
        return {SLOT: float(self.slots)}


def plan_workers(device: str, slots: int, *, cores: int, gpus: int) -> tuple[PlannedWorker, ...]:
    """The processes of one computer.

    A GPU works on one row at a time: two would share its memory and be no faster. On the CPU small
    rows are fused side by side, a core each, in one process that holds the weights once.

    Args:
        device: "auto", "cpu", "cuda" for all GPUs, "cuda:1" for one, or another device.
        slots: rows at once on the CPU; 0 for one on each core.
        cores: that may be used. gpus: how many CUDA devices there are.

    Raises:
        ClusterError: there is no such device, or the number is out of range.
    """
    if not 0 <= slots <= MOST_SLOTS:
        raise ClusterError(
            Message("{0} rows at once", slots),
            remedy=Message("Choose 1 to {0}, or 0 for one on each core.", MOST_SLOTS),
        )
    kind, _, index = device.strip().lower().partition(":")
    if kind in ("", "auto"):
        kind = "cuda" if gpus else "cpu"
    if kind == "cuda":
        chosen = range(gpus) if not index else [int(index)] if index.isdecimal() else []
        if not chosen or max(chosen) >= gpus:
            raise ClusterError(
                Message("The device {0}", device),
                Message("this computer has {0} CUDA devices", gpus),
                Message("Choose another one, or “cpu”."),
            )
        return tuple(PlannedWorker("cuda", 1, str(one)) for one in chosen)
    if kind == "cpu":
        return (PlannedWorker("cpu", slots or cores),)
    return (PlannedWorker(device, 1),)


def worker_slots() -> int:
    """Rows that this worker process works on at once."""
    return int(os.environ.get(SLOTS_VARIABLE, "1"))

"""How much memory is used and free, of the process and of a device."""

from __future__ import annotations

from core import memory


def used_bytes(device: str) -> int:
    """Bytes in use: by torch on a GPU, resident in the process on a CPU; 0 when unknown."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.memory_reserved(device))
    held = memory.process_memory()
    return held.used if held is not None else 0


def peak_bytes(device: str) -> int:
    """The most bytes in use so far; 0 when the system does not tell."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_reserved(device))
    return memory.peak_bytes() or 0


def free_bytes(device: str) -> int:
    """Bytes that could be had; 0 when the system does not tell."""
    return memory.available_bytes(device) or 0

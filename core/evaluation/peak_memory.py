"""Peak memory of a piece of work: in this process, on a GPU, and of a program that was started."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class PeakMeter:
    """Measures by how much the peak of the resident memory rises in a ``with`` block.

    Linux only: elsewhere, a peak cannot be reset, and :attr:`rise` stays None.
    """

    rise: int | None = None
    """Bytes, once the block has ended."""
    device_peak: int | None = None
    """Bytes of tensors on the GPU at most, once the block has ended; None without one."""

    def __init__(self, device: str = "cpu") -> None:
        """``device``: where the work is done, as torch names it."""
        self._device = device

    def __enter__(self) -> PeakMeter:
        self._before: int | None = None
        with contextlib.suppress(OSError):
            _RESET.write_text("5", encoding="ascii")  # sets the peak to what is in use now
            self._before = _status(_STATUS, "VmRSS")
        if self._on_gpu:
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            peak = _status(_STATUS, "VmHWM")
            if self._before is not None and peak is not None:
                self.rise = max(peak - self._before, 0)
        if self._on_gpu:
            import torch

            self.device_peak = int(torch.cuda.max_memory_allocated(self._device))

    @property
    def _on_gpu(self) -> bool:
        return self._device.startswith("cuda")


class ProgramMeter:
    """Peak memory of a program and of what it starts, sampled while it runs.

    The exit status of a process does not serve: on Linux the peak in it includes that of the
    process that started it.
    """

    def __init__(self, pid: int) -> None:
        self.peak: int | None = None
        """Bytes so far; None before the first sample that found the program."""
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(pid)

    def sample(self) -> None:
        """Look at the memory now: the sum of all, or the peak of one where the system keeps it."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.Error, OSError):
            family = [self._process, *self._process.children(recursive=True)]
            sizes = [_sizes(process) for process in family]
            now = sum(size for size, _ in sizes)
            most = max(now, *(peak for _, peak in sizes))
            if most > 0:
                self.peak = max(self.peak or 0, most)


def _sizes(process: psutil.Process) -> tuple[int, int]:
    """Resident memory of a process now, and its peak if the system tells it; 0 once it ended."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0, 0
    peak: int | None = getattr(memory, "peak_wset", None)  # Windows
    if peak is None:
        with contextlib.suppress(OSError, ValueError):
            peak = _status(Path(f"/proc/{process.pid}/status"), "VmHWM")
    return int(memory.rss), int(peak or memory.rss)


def _status(path: Path, entry: str) -> int | None:
    """An entry of the status of a process, in bytes."""
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{entry}:"):
            return int(line.split()[1]) * 1024
    return None

"""Peak memory of one piece of work in this process."""

from __future__ import annotations

import contextlib
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class PeakMeter:
    """Measures by how much the peak of the resident memory rises in a ``with`` block.

    Linux only: elsewhere, a peak cannot be reset, and :attr:`rise` stays None.
    """

    rise: int | None = None
    """Bytes, once the block has ended."""

    def __enter__(self) -> PeakMeter:
        self._before: int | None = None
        with contextlib.suppress(OSError):
            _RESET.write_text("5", encoding="ascii")  # sets the peak to what is in use now
            self._before = _status("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            peak = _status("VmHWM")
            if self._before is not None and peak is not None:
                self.rise = max(peak - self._before, 0)


def _status(entry: str) -> int | None:
    """An entry of the status of this process, in bytes."""
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{entry}:"):
            return int(line.split()[1]) * 1024
    return None

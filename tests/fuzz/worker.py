"""Reads files named on standard input and tells what became of each: one line of JSON a file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.io import read_image
from core.io.readers import isolated


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Megabytes held at most: by this process since :func:`_forget_peak`, by its decoders ever."""
    processes = ("self", *(str(child.process.pid) for child in isolated._pool._idle))
    return max(map(_held, processes))


def _held(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    held = (int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
    return next(held, 0)


def _read(path: str) -> dict[str, object]:
    try:
        image = read_image(path)
    except InputError as error:
        return {"outcome": "refused", "why": str(error.why)[:200]}
    except BaseException as error:  # this is what is looked for
        return {"outcome": "escaped", "why": f"{type(error).__name__}: {error}"[:200]}
    if not np.isfinite(image.data).all():
        return {"outcome": "escaped", "why": "numbers that are none"}
    digest = hashlib.sha256(np.ascontiguousarray(image.data)).hexdigest()
    return {"outcome": "read", "digest": digest, "notes": [str(note) for note in image.notes]}


def main() -> None:
    """Until there are no more names."""
    for line in sys.stdin:
        _forget_peak()
        begun = time.perf_counter()
        told = _read(json.loads(line))
        told |= {"seconds": time.perf_counter() - begun, "megabytes": _peak()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A folder with everything that can be wrong with one, and what must be said of each file."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

GOOD = ("p000", "p001", "p002")
FAULTS = {
    "empty": "the file is empty",
    "cut": "damaged or incomplete",
    "text": "text.png",
    "size": "differ in size",
    "gone": "no such file",
    "locked": "may not be read",
}
"""Pairs that must fail, each with words its reason must hold."""
UNPAIRED = {
    "alone.png": "no file of that name",
    "twice.png": "several files have its name",
    "twice.bmp": "several files have its name",
}
"""Files that must be listed as in no pair; of ``twice.png`` there are two."""


def _png(seed: int, size: tuple[int, int] = (12, 16)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


def make_junk(root: Path) -> dict[str, str]:
    """Three good pairs among junk in ``root``/a and b; the :data:`FAULTS` that can be made here."""
    a, b = root / "a", root / "b"
    a.mkdir(parents=True)
    b.mkdir()
    for seed, name in enumerate(GOOD):
        (a / f"{name}.png").write_bytes(_png(2 * seed))
        (b / f"{name}.png").write_bytes(_png(2 * seed + 1))
    good = _png(99)
    for name in (*FAULTS, "twice", "alone"):
        (a / f"{name}.png").write_bytes(good)
    (b / "empty.png").write_bytes(b"")
    (b / "cut.png").write_bytes(good[: len(good) // 2])
    (b / "text.png").write_bytes(b"I am not a picture, only called one.\n")
    (b / "size.png").write_bytes(_png(7, (5, 7)))
    (b / "gone.png").symlink_to(b / "nowhere.png")
    (b / "twice.png").write_bytes(good)
    (b / "twice.bmp").write_bytes(good)
    (b / "locked.png").write_bytes(good)
    (b / "locked.png").chmod(0)
    (root / "notes.doc").write_bytes(b"\0\1")
    faults = dict(FAULTS)
    if os.access(b / "locked.png", os.R_OK):  # whoever may read everything
        faults.pop("locked")
        (a / "locked.png").unlink()
        (b / "locked.png").unlink()
    return faults

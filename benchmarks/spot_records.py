"""What was measured of planted spots, one line of JSON for each pair; a run goes on where it was.

Part of :mod:`benchmarks.planted_spots`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.spot_planting import FusedImage, Known, Planted

Key = tuple[str, str]
"""Part, and the pair."""


class Records:
    """A file of lines; the first one says how spots were planted, and by what was fused."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        """
        Raises:
            SystemExit: the file is of other settings.
        """
        self._path = path
        self._head = json.dumps(settings, sort_keys=True)
        if not path.exists():
            path.write_text(self._head + "\n")
        elif self._lines()[0] != self._head:
            raise SystemExit(f"{path} was measured with other settings or packs; delete it first")

    def known(self) -> dict[Key, tuple[FusedImage, ...]]:
        """All pairs that are in the file; a line that was cut off by a crash is not."""
        found: dict[Key, tuple[FusedImage, ...]] = {}
        for line in self._lines()[1:]:
            try:
                images = tuple(_images(json.loads(line)))
            except json.JSONDecodeError:
                continue
            found[images[0].part, images[0].pair] = images
        return found

    def add(self, images: tuple[FusedImage, ...]) -> None:
        """Append one pair."""
        whole = self._path.read_bytes().endswith(b"\n")
        with self._path.open("a") as stream:
            stream.write(("" if whole else "\n") + json.dumps([asdict(one) for one in images]))
            stream.write("\n")

    def _lines(self) -> list[str]:
        return self._path.read_text().splitlines()


def _images(read: list[dict[str, Any]]) -> Iterator[FusedImage]:
    for one in read:
        known = tuple(Known(**(each | {"spot": Planted(**each["spot"])})) for each in one["known"])
        a, b = (tuple((spot[0], spot[1], spot[2]) for spot in one[side]) for side in "ab")
        yield FusedImage(**(one | {"known": known, "a": a, "b": b}))

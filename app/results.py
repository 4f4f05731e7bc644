"""Results of pairs seen before, kept within a bound of memory. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.display import FeatureView
from app.render import Picture
from core.features import PcaBasis
from core.said import Said
from core.types import FusionResult, Image, SourcePair

Stamp = tuple[tuple[str, int, int], ...]
"""Path, time of change and size of each file: another stamp is another picture."""

ONE_CAMERA = ("one camera", 0, 0)
"""In a stamp: read for a task that compares brightness, so that both have one black and white."""

LIMIT_BYTES = 1 << 30
"""What results of pairs off screen may hold together."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A source picture and what the screen shows of it."""

    image: Image
    picture: Picture


@dataclass(frozen=True, eq=False)
class Sources:
    """The two sources; one may still be missing. Both present means both have one size."""

    a: Loaded | None = None
    b: Loaded | None = None
    pair: SourcePair | None = None
    sample: bool = False
    stamp: Stamp | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader had to do to the files."""
        sides = (("A", self.a), ("B", self.b))
        return tuple(
            Said("{0}: {1}", letter, note)
            for letter, side in sides
            if side is not None
            for note in side.image.notes
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fusion on screen: the result, the pair it came from, and its pictures by pane.

    ``recon_psnr`` is how well each reconstruction gives its source back, in dB, where it is known.
    """

    result: FusionResult
    pair: SourcePair
    method_title: str
    is_model: bool
    is_preview: bool
    seconds: float
    pictures: Mapping[str, Picture]
    basis: PcaBasis | None = None
    requested_method: str = ""
    feature_view: FeatureView = field(default_factory=FeatureView)
    recon_psnr: tuple[float | None, float | None] = (None, None)

    @property
    def key(self) -> str:
        """Tells results of one pair apart: task, method, and the weights' hash."""
        digest = self.result.provenance.get("weights_sha256", "")[:12]
        return "|".join((self.result.task, self.result.method, digest))

    @property
    def nbytes(self) -> int:
        """Memory of its arrays and pictures; the sources are not counted."""
        result = self.result
        arrays = (
            result.fused,
            result.reconstruction_a,
            result.reconstruction_b,
            result.features_a,
            result.features_b,
        )
        return sum(array.nbytes for array in arrays if array is not None) + sum(
            shown.nbytes for shown in self.pictures.values()
        )


@dataclass(frozen=True)
class Kept:
    """What is kept of a pair: its sources and its results, and which was on show."""

    sources: Sources
    results: tuple[Outcome, ...]
    selected: str = ""

    @property
    def nbytes(self) -> int:
        """Memory of all of it."""
        sides = (self.sources.a, self.sources.b)
        held = sum(s.image.data.nbytes + s.picture.nbytes for s in sides if s is not None)
        return held + sum(outcome.nbytes for outcome in self.results)


class ResultStore:
    """The pairs used last, as many as fit; the newest always stays."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[Stamp, Kept] = OrderedDict()

    def put(self, kept: Kept) -> None:
        """Remember a pair as the newest; older ones go while the bound is exceeded."""
        stamp = kept.sources.stamp
        if stamp is None:
            return
        self._kept[stamp] = kept
        self._kept.move_to_end(stamp)
        while len(self._kept) > 1 and self.nbytes > self.limit:
            self._kept.popitem(last=False)

    def get(self, stamp: Stamp | None) -> Kept | None:
        """What is kept of a pair."""
        return self._kept.get(stamp) if stamp is not None else None

    def sources(self) -> dict[Stamp, Sources]:
        """The sources in memory, for a reader that would otherwise read them again."""
        return {stamp: kept.sources for stamp, kept in self._kept.items()}

    @property
    def nbytes(self) -> int:
        """Memory of everything kept."""
        return sum(kept.nbytes for kept in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)


def with_result(results: Iterable[Outcome], outcome: Outcome) -> tuple[Outcome, ...]:
    """Results with one more; it takes the place of one by the same task and method.

    A preview that gives way to the final result stays as a classical result to compare with.
    """
    found = [replace(old, is_preview=False) if old.is_preview else old for old in results]
    keys = [old.key for old in found]
    if outcome.key in keys:
        found[keys.index(outcome.key)] = outcome
    else:
        found.append(outcome)
    return tuple(found)


def stamp_of(*paths: Path) -> Stamp:
    """The stamp of files.

    Raises:
        OSError: one cannot be looked at.
    """
    stats: list[Any] = [path.stat() for path in paths]
    return tuple(
        (str(path), int(stat.st_mtime_ns), int(stat.st_size))
        for path, stat in zip(paths, stats, strict=True)
    )

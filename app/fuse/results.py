"""Results of pairs seen before, kept within a bound of memory. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.viewer.display_state import FeatureView
from app.viewer.pyramid import RenderedImage
from core.errors import FusionError
from core.fusion.feature_maps import PcaBasis
from core.messages import Message
from core.types import FusionResult, Image, SourcePair
from core.windows import Window, Windows

SourceStamp = tuple[tuple[str, int, int], ...]
"""Path, time of change and size of each file: another stamp is another image."""

ONE_CAMERA = ("one camera", 0, 0)
"""In a stamp: read for a task that compares brightness, so that both have one black and white."""

RESAMPLED: dict[str, tuple[str, int, int]] = {"a": ("resampled a", 0, 0), "b": ("resampled", 0, 0)}
"""In a stamp: this side was resampled onto the other."""

AS_DAMAGED = ("as damaged", 0, 0)
"""In a stamp: what can be decoded of damaged files was asked for."""

LIMIT_BYTES = 1 << 30
"""What results of pairs off screen may hold together."""


@dataclass(frozen=True, eq=False)
class LoadedSource:
    """A source image and what the screen shows of it."""

    image: Image
    rendered: RenderedImage


@dataclass(frozen=True, eq=False)
class Sources:
    """The two sources; one may still be missing. Both present means both have one size.

    Attributes:
        a, b: the images on screen.
        pair: both of them.
        sample: True for a sample that comes with the program.
        stamp: of the files of the pair.
        asked: the files that are selected and not on screen: still being read, or not to be shown.
        trouble: why they are not shown; None while they are being read.
    """

    a: LoadedSource | None = None
    b: LoadedSource | None = None
    pair: SourcePair | None = None
    sample: bool = False
    stamp: SourceStamp | None = None
    _: KW_ONLY
    asked: tuple[Path | None, Path | None] = (None, None)
    trouble: FusionError | None = None

    @property
    def is_empty(self) -> bool:
        """True when nothing is on screen and nothing was asked for."""
        return self.a is None and self.b is None and self.asked == (None, None)

    @property
    def is_awaited(self) -> bool:
        """True while what was asked for is being read."""
        return self.asked != (None, None) and self.trouble is None

    @property
    def paths(self) -> tuple[Path | None, Path | None]:
        """The files selected, whether they are on screen or not; of a computed image, None."""
        shown = [side.image.origin if side is not None else None for side in (self.a, self.b)]
        return self.asked[0] or shown[0], self.asked[1] or shown[1]

    @property
    def key(self) -> tuple[Path, Path] | None:
        """The two files selected, whether they are on screen or not; None unless both are files."""
        if self.stamp is not None:
            return Path(self.stamp[0][0]), Path(self.stamp[1][0])
        a, b = self.paths
        return (a, b) if a is not None and b is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader had to do to the files."""
        sides = (("A", self.a), ("B", self.b))
        return tuple(
            Message("{0}: {1}", letter, note)
            for letter, side in sides
            if side is not None
            for note in side.image.notes
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fusion on screen: the result, the pair it came from, and its images by pane.

    ``pair`` has the windows the files came with, ``windows`` those it was fused in (None for both
    files' own). ``recon_psnr`` is how well each reconstruction gives its source back, in dB, where
    it is known.
    """

    result: FusionResult
    pair: SourcePair
    method_title: str
    _: KW_ONLY
    is_model: bool
    is_preview: bool
    seconds: float
    images: Mapping[str, RenderedImage]
    basis: PcaBasis | None = None
    requested_method: str = ""
    feature_view: FeatureView = field(default_factory=FeatureView)
    recon_psnr: tuple[float | None, float | None] = (None, None)
    windows: tuple[Window, Window] | None = None

    @property
    def is_stored(self) -> bool:
        """True for an image read from its file: where and how long it was made is not known."""
        return not self.result.device.name

    @property
    def fused_windows(self) -> tuple[Window, Window]:
        """The windows the sources were fused in."""
        return self.windows or (self.pair.a.window, self.pair.b.window)

    @property
    def seen(self) -> SourcePair:
        """The sources as they were fused: each in the window it was seen in."""
        return as_seen(self.pair, self.fused_windows)

    @property
    def key(self) -> str:
        """Tells results of one pair apart: task, method, and the weights' hash."""
        digest = self.result.provenance.get("weights_sha256", "")[:12]
        return "|".join((self.result.task, self.result.method, digest))

    @property
    def nbytes(self) -> int:
        """Memory of its arrays and images; the sources are not counted."""
        arrays = (*self.result.images.values(), *self.result.features.values())
        images = self.images.values()
        return sum(one.nbytes for one in arrays) + sum(shown.nbytes for shown in images)


@dataclass(frozen=True)
class StoredResults:
    """What is kept of a pair: sources, results and windows, and which result was on show."""

    sources: Sources
    results: tuple[Outcome, ...]
    selected: str = ""
    windows: Windows = (None, None)

    @property
    def nbytes(self) -> int:
        """Memory of all of it."""
        sides = (self.sources.a, self.sources.b)
        held = sum(s.image.data.nbytes + s.rendered.nbytes for s in sides if s is not None)
        return held + sum(outcome.nbytes for outcome in self.results)


class ResultStore:
    """The pairs used last, as many as fit; the newest always stays."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[SourceStamp, StoredResults] = OrderedDict()

    def put(self, kept: StoredResults) -> None:
        """Remember a pair as the newest; older ones go while the bound is exceeded."""
        stamp = kept.sources.stamp
        if stamp is None:
            return
        self._kept[stamp] = kept
        self._kept.move_to_end(stamp)
        while len(self._kept) > 1 and self.nbytes > self.limit:
            self._kept.popitem(last=False)

    def get(self, stamp: SourceStamp | None) -> StoredResults | None:
        """What is kept of a pair."""
        return self._kept.get(stamp) if stamp is not None else None

    def sources(self) -> dict[SourceStamp, Sources]:
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


def as_seen(pair: SourcePair, windows: Windows) -> SourcePair:
    """The pair with the windows it is seen in, which fusing maps to 0…1; the same pair where
    these are its own.

    Raises:
        InputError: a window lies outside the values of its image, which would be all of one grey.
    """
    from core.io import with_window  # brings the codecs along: for worker threads

    a, b = (
        with_window(image, window) for image, window in zip((pair.a, pair.b), windows, strict=True)
    )
    return pair if a is pair.a and b is pair.b else SourcePair(a, b)


def swapped_stamp(stamp: SourceStamp | None) -> SourceStamp | None:
    """The stamp of a pair with A and B exchanged: its files first, then what was done to them."""
    if stamp is None:
        return None
    turned = {RESAMPLED["a"]: RESAMPLED["b"], RESAMPLED["b"]: RESAMPLED["a"]}
    return (stamp[1], stamp[0], *(turned.get(entry, entry) for entry in stamp[2:]))


def resampled_side(stamp: SourceStamp | None) -> str:
    """The side that was resampled onto the other: “a”, “b”, or "" for none."""
    return next((side for side, mark in RESAMPLED.items() if mark in (stamp or ())), "")


def stamp_of(*paths: Path) -> SourceStamp:
    """The stamp of files.

    Raises:
        OSError: one cannot be looked at.
    """
    stats: list[Any] = [path.stat() for path in paths]
    return tuple(
        (str(path), int(stat.st_mtime_ns), int(stat.st_size))
        for path, stat in zip(paths, stats, strict=True)
    )

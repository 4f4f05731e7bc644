"""Sources, results, and a store of results with limited memory. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.fuse.slice_view import SliceView
from app.viewer.colormaps import palette_named
from app.viewer.display_state import FeatureView
from app.viewer.pyramid import RenderedImage
from core.errors import FusionError
from core.fusion.feature_maps import PcaBasis
from core.messages import Message
from core.types import FusionResult, Image, PairTransform, SourcePair
from core.windows import Window, Windows

SourceStamp = tuple[tuple[str, int, int], ...]
"""Path, modification time in ns and size of each file, then marks of how they were read.

Different stamps mean different images.
"""

Palettes = tuple[str, str]
"""Names of the palettes of A and B."""

ONE_CAMERA = ("one camera", 0, 0)
"""Mark in a stamp: both images share black and white, as the task compares brightness."""

RESAMPLED: dict[str, tuple[str, int, int]] = {"a": ("resampled a", 0, 0), "b": ("resampled", 0, 0)}
"""Mark in a stamp: this side was resampled onto the other."""

_MOVED = "moved "
"""Start of the mark in a stamp of a pair with a transform."""

AS_DAMAGED = ("as damaged", 0, 0)
"""Mark in a stamp: damaged files were read as far as they can be decoded."""

LIMIT_BYTES = 1 << 30
"""Memory that the results of all stored pairs may take together."""


@dataclass(frozen=True, eq=False)
class LoadedSource:
    """A source image and its pyramid for display."""

    image: Image
    rendered: RenderedImage


@dataclass(frozen=True, eq=False)
class Sources:
    """The two sources; one may still be missing. If both are present they have the same size.

    Attributes:
        a, b: the images on screen.
        pair: both of them.
        sample: True for a sample that comes with the program.
        stamp: of the files of the pair.
        requested: the selected files that are not on screen: being read, or not to be shown.
        error: why they are not shown; None while they are being read.
        names: what the requested ones are called, where not by their file names.
        slice: which slice of which volumes they are; None for images.
        transform: by which one image is resampled onto the other; also while they are being read.
    """

    a: LoadedSource | None = None
    b: LoadedSource | None = None
    pair: SourcePair | None = None
    sample: bool = False
    stamp: SourceStamp | None = None
    _: KW_ONLY
    requested: tuple[Path | None, Path | None] = (None, None)
    error: FusionError | None = None
    names: tuple[str, str] = ("", "")
    slice: SliceView | None = None
    transform: PairTransform | None = None

    def requested_name(self, side: int) -> str:
        """What a requested source is called; "" where none is requested."""
        path = self.requested[side]
        return "" if path is None else self.names[side] or path.name

    @property
    def is_empty(self) -> bool:
        """True when nothing is on screen and no files are selected."""
        return self.a is None and self.b is None and self.requested == (None, None)

    @property
    def is_loading(self) -> bool:
        """True while the selected files are being read."""
        return self.requested != (None, None) and self.error is None

    @property
    def paths(self) -> tuple[Path | None, Path | None]:
        """The selected files, whether they are on screen or not; None for a computed image.

        Of a volume it is the first file of the series.
        """
        if self.slice is not None:
            return self.slice.volumes.key
        shown = [side.image.origin if side is not None else None for side in (self.a, self.b)]
        return self.requested[0] or shown[0], self.requested[1] or shown[1]

    @property
    def key(self) -> tuple[Path, Path] | None:
        """The two selected files, whether they are on screen or not; None unless both are files."""
        if self.stamp is not None:
            return Path(self.stamp[0][0]), Path(self.stamp[1][0])
        a, b = self.paths
        return (a, b) if a is not None and b is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the reader on the files; of slices those on their whole volumes."""
        both: tuple[str, ...] = ()
        if self.slice is not None:
            sides = list(self.slice.volumes.notes)
            if self.slice.volumes.are_of_two_patients:
                both = (Message("A and B are of two different patients."),)
        else:
            sides = [side.image.notes if side is not None else () for side in (self.a, self.b)]
        return both + tuple(
            Message("{0}: {1}", letter, note)
            for letter, notes in zip("AB", sides, strict=True)
            for note in notes
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fusion result with the pair it was made from and its images by pane.

    Attributes:
        pair: the sources with the windows of their files.
        windows: the windows they were fused in; None for those of ``pair``.
        palettes: names of the palettes they were fused in; None for images, which have none.
        titles: what A and B are called; None for what they are in the task.
        recon_psnr: PSNR of each reconstruction against its source, in dB; None where unknown.
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
    palettes: Palettes | None = None
    titles: tuple[str, str] | None = None

    @property
    def is_stored(self) -> bool:
        """True for a result read from a file, whose device and duration are unknown."""
        return not self.result.device.name

    @property
    def fused_windows(self) -> tuple[Window, Window]:
        """The windows the sources were fused in."""
        return self.windows or (self.pair.a.window, self.pair.b.window)

    @property
    def windowed_pair(self) -> SourcePair:
        """The sources in the windows they were fused in."""
        return with_windows(self.pair, self.fused_windows, self.palettes)

    @property
    def aspect(self) -> float:
        """Height of a pixel divided by its width, as it is displayed: 1 unless it is a slice."""
        spacing = self.pair.b.spacing
        return 1.0 if self.palettes is None or spacing is None else spacing[0] / spacing[1]

    @property
    def key(self) -> str:
        """Identifies a result of a pair: task, method, and hash of the weights."""
        digest = self.result.provenance.get("weights_sha256", "")[:12]
        return "|".join((self.result.task, self.result.method, digest))

    @property
    def nbytes(self) -> int:
        """Memory of its arrays and images, without the sources."""
        arrays = (*self.result.images.values(), *self.result.features.values())
        images = self.images.values()
        return sum(one.nbytes for one in arrays) + sum(shown.nbytes for shown in images)


@dataclass(frozen=True)
class PairResults:
    """Sources, results and windows of a pair, and the key of the result that was on screen."""

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
    """The most recently used pairs within a memory limit; the newest one always stays."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[SourceStamp, PairResults] = OrderedDict()

    def put(self, kept: PairResults) -> None:
        """Store a pair as the newest one, and drop the oldest while the limit is exceeded."""
        stamp = kept.sources.stamp
        if stamp is None:
            return
        self._kept[stamp] = kept
        self._kept.move_to_end(stamp)
        while len(self._kept) > 1 and self.nbytes > self.limit:
            self._kept.popitem(last=False)

    def get(self, stamp: SourceStamp | None) -> PairResults | None:
        """What is stored of a pair."""
        return self._kept.get(stamp) if stamp is not None else None

    def sources(self) -> dict[SourceStamp, Sources]:
        """The sources in memory, for a reader that would otherwise read them again."""
        return {stamp: kept.sources for stamp, kept in self._kept.items()}

    @property
    def nbytes(self) -> int:
        """Memory of all stored pairs."""
        return sum(kept.nbytes for kept in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)


def with_result(results: Iterable[Outcome], outcome: Outcome) -> tuple[Outcome, ...]:
    """Results with one more, which replaces one with the same key.

    A preview becomes an ordinary classical result.
    """
    found = [replace(old, is_preview=False) if old.is_preview else old for old in results]
    keys = [old.key for old in found]
    if outcome.key in keys:
        found[keys.index(outcome.key)] = outcome
    else:
        found.append(outcome)
    return tuple(found)


def with_windows(
    pair: SourcePair, windows: Windows, palettes: Palettes | None = None
) -> SourcePair:
    """The pair with other windows, which fusion maps to [0, 1]; the same pair if none differs.

    Args:
        palettes: for slices of volumes, the names of the palettes they are fused in. Their window
            is that of the whole volume, of which a slice may hold no value.

    Raises:
        InputError: a window lies outside the values of its image.
    """
    if palettes is not None:
        a, b = (
            replace(image, window=window or image.window, palette=palette_named(palette))
            for image, window, palette in zip((pair.a, pair.b), windows, palettes, strict=True)
        )
        return replace(pair, a=a, b=b)
    from core.io import with_window  # imports the codecs: for worker threads only

    a, b = (
        with_window(image, window) for image, window in zip((pair.a, pair.b), windows, strict=True)
    )
    return pair if a is pair.a and b is pair.b else replace(pair, a=a, b=b)


def swapped_stamp(stamp: SourceStamp | None) -> SourceStamp | None:
    """The stamp of a pair with A and B exchanged."""
    if stamp is None:
        return None
    turned = {RESAMPLED["a"]: RESAMPLED["b"], RESAMPLED["b"]: RESAMPLED["a"]}
    for mark in stamp[2:]:
        if mark[0].startswith(_MOVED):
            moved = {"a": "b", "b": "a"}[mark[0][len(_MOVED)]]
            turned[mark] = (_MOVED + moved + mark[0][len(_MOVED) + 1 :], *mark[1:])
    return (stamp[1], stamp[0], *(turned.get(entry, entry) for entry in stamp[2:]))


def transform_mark(by: PairTransform) -> tuple[str, int, int]:
    """Mark in a stamp: one side was moved onto the other by this transform."""
    rows = " ".join(repr(value) for row in by.transform.matrix for value in row)
    return f"{_MOVED}{by.moving} {by.verdict or ''} {rows}", int(by.crop), 0


def resampled_side(stamp: SourceStamp | None) -> str:
    """The side that was resampled onto the other: “a”, “b”, or "" for none."""
    return next((side for side, mark in RESAMPLED.items() if mark in (stamp or ())), "")


def stamp_of(*paths: Path) -> SourceStamp:
    """The stamp of files.

    Raises:
        OSError: the status of one cannot be read.
    """
    stats: list[Any] = [path.stat() for path in paths]
    return tuple(
        (str(path), int(stat.st_mtime_ns), int(stat.st_size))
        for path, stat in zip(paths, stats, strict=True)
    )

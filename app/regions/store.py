"""The regions of all pairs that were on screen; the session has hashes of what they lie on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.fuse.results import Sources
from app.preferences.session_file import StudyRegions
from core.regions import Annotation, ThresholdRegion
from core.salted import key

MOST_STUDIES = 100
"""Those of the pairs drawn on last are kept."""


@dataclass(frozen=True)
class StudyId:
    """What regions lie on.

    Attributes:
        parts: identify it: keys of series, or paths of pictures.
        sources: the same of A and of B alone.
        can_be_swapped: places stay the same once A and B are exchanged.
    """

    parts: tuple[str, ...] = ()
    sources: tuple[str, str] = field(default=("", ""), compare=False)
    can_be_swapped: bool = field(default=False, compare=False)

    @property
    def key(self) -> str:
        """A salted hash, for files."""
        return key(*self.parts)

    def is_swap_of(self, other: StudyId) -> bool:
        """Whether it is the other with A and B exchanged, and places are the same."""
        both = self.can_be_swapped and other.can_be_swapped
        return both and self.sources == other.sources[::-1]


NOTHING = StudyId()


def study_id(sources: Sources) -> StudyId:
    """Identifies the pair on screen; :data:`NOTHING` while there is none.

    Of pictures it is another one once another source is moved, or the pair is cropped: the pixels
    are others then.
    """
    if sources.pair is None:
        return NOTHING
    as_files = sources.transform is None
    if sources.slice is not None:
        a, b = sources.slice.volumes.series
        one, other = (volume.frame_of_reference for volume in sources.slice.volumes.native)
        can_be_swapped = as_files and one == other != ""
        return StudyId(("series", a.key, b.key), (a.key, b.key), can_be_swapped)
    moving = "" if sources.transform is None else sources.transform.moving
    first, second = (str(path or "") for path in sources.paths)
    width, height = sources.pair.a.size
    parts = ("pictures", first, second, moving, str(width), str(height))
    return StudyId(parts, (first, second), as_files and first != second)


def swapped(regions: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """The same for the pair with A and B exchanged."""
    return tuple(
        replace(one, side="b" if one.side == "a" else "a")
        if isinstance(one, ThresholdRegion)
        else one
        for one in regions
    )


class RegionStore:
    """The regions of the pairs of this run, and of an earlier session until a pair is opened."""

    def __init__(self) -> None:
        self._kept: dict[StudyId, tuple[Annotation, ...]] = {}
        self._earlier: dict[str, tuple[Annotation, ...]] = {}

    def take(self, kept: Iterable[StudyRegions]) -> None:
        """Add those of an earlier session; of pairs of this run nothing changes."""
        self._earlier.update((one.study, one.regions) for one in kept)

    def find(self, study: StudyId, frame_of_reference: str) -> tuple[Annotation, ...]:
        """The regions of a pair, in the millimetres of its frame of reference."""
        found = self._kept.get(study)
        if found is None:  # no hash, and so no salt, as long as there is nothing to find
            found = self._earlier.get(study.key, ()) if self._earlier else ()
        return tuple(_in_frame(one, frame_of_reference) for one in found)

    def keep(self, study: StudyId, regions: tuple[Annotation, ...]) -> None:
        """Set the regions of a pair."""
        if study != NOTHING:
            self._kept.pop(study, None)
            self._kept[study] = tuple(_in_frame(one, "") for one in regions)

    @property
    def kept(self) -> tuple[StudyRegions, ...]:
        """All of them, for the session; of the pairs drawn on last."""
        ours = {study.key: regions for study, regions in self._kept.items()}
        earlier = {name: one for name, one in self._earlier.items() if name not in ours}
        rows = [StudyRegions(name, one) for name, one in {**earlier, **ours}.items() if one]
        return tuple(rows[-MOST_STUDIES:])


def _in_frame(region: Annotation, frame_of_reference: str) -> Annotation:
    if isinstance(region, ThresholdRegion):
        sphere = replace(region.sphere, frame_of_reference=frame_of_reference)
        return replace(region, sphere=sphere)
    return replace(region, frame_of_reference=frame_of_reference)

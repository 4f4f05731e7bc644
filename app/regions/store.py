"""The regions of all pairs that were on screen, by salted hashes of what they were drawn on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
        key: identifies it without a name.
        sources: the same of A and of B alone.
        can_be_swapped: places stay the same once A and B are exchanged.
    """

    key: str
    sources: tuple[str, str] = ("", "")
    can_be_swapped: bool = False

    def is_swap_of(self, other: StudyId) -> bool:
        """Whether it is the other with A and B exchanged, and places are the same."""
        both = self.can_be_swapped and other.can_be_swapped
        return both and self.sources == other.sources[::-1]


NOTHING = StudyId("")


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
        return StudyId(key("series", a.key, b.key), (a.key, b.key), can_be_swapped)
    moving = "" if sources.transform is None else sources.transform.moving
    first, second = (key(str(path or "")) for path in sources.paths)
    width, height = sources.pair.a.size
    whole = key("pictures", first, second, moving, str(width), str(height))
    return StudyId(whole, (first, second), as_files and first != second)


def swapped(regions: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """The same for the pair with A and B exchanged."""
    return tuple(
        replace(one, side="b" if one.side == "a" else "a")
        if isinstance(one, ThresholdRegion)
        else one
        for one in regions
    )


class RegionStore:
    """Regions by the key of a :class:`StudyId`."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Annotation, ...]] = {}

    def take(self, kept: Iterable[StudyRegions]) -> None:
        """Add those of an earlier session; of pairs that are known already nothing changes."""
        old = {one.study: one.regions for one in kept if one.study not in self._kept}
        self._kept = {**old, **self._kept}

    def find(self, study: str, frame_of_reference: str) -> tuple[Annotation, ...]:
        """The regions of a pair, in the millimetres of its frame of reference."""
        return tuple(_in_frame(one, frame_of_reference) for one in self._kept.get(study, ()))

    def keep(self, study: str, regions: tuple[Annotation, ...]) -> None:
        """Set the regions of a pair."""
        self._kept.pop(study, None)
        if study and regions:
            self._kept[study] = tuple(_in_frame(one, "") for one in regions)
        for oldest in list(self._kept)[:-MOST_STUDIES]:
            del self._kept[oldest]

    @property
    def kept(self) -> tuple[StudyRegions, ...]:
        """All of them, for the session."""
        return tuple(StudyRegions(study, regions) for study, regions in self._kept.items())


def _in_frame(region: Annotation, frame_of_reference: str) -> Annotation:
    if isinstance(region, ThresholdRegion):
        sphere = replace(region.sphere, frame_of_reference=frame_of_reference)
        return replace(region, sphere=sphere)
    return replace(region, frame_of_reference=frame_of_reference)

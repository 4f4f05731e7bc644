"""What belongs together inside one DICOM series.

A series UID is not enough: echoes, b-values, magnitude and phase, orientations, sizes, units and
times share one. What differs in kind becomes a series of its own; what differs in time alone
becomes frames of one series. A difference counts only where it explains why several slices lie at
the same place: it must leave each part with one whole set of places.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.errors import Message
from core.io.readers.dicom.geometry import SAME_PLACE
from core.io.readers.dicom.headers import Frame
from core.io.readers.dicom.tags import ImageTags, number

_OF_ONE_IMAGE = ("InstanceNumber", "Units", "RescaleSlope", "RescaleIntercept")
_SAME_DIRECTION = 1e-3


@dataclass(frozen=True, eq=False)
class Part:
    """Images that make one volume, or one at several times.

    Attributes:
        times: the images of each volume; more than one at a place only where nothing tells them
            apart.
        words: what tells it from the other parts of its series.
        notes: what was left out or had to be guessed.
    """

    times: tuple[tuple[Frame, ...], ...]
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All images."""
        return tuple(frame for time in self.times for frame in time)


_APART = Message(
    "Its images differ in size, unit, colour or frame of reference; those of each are listed apart."
)


def parts_of(frames: Sequence[Frame]) -> list[Part]:
    """The parts of one series, each image in exactly one of them but for copies."""
    frames, notes = _without_copies(frames)
    found: list[Part] = []
    by_kind = _grouped(frames, _outer_kind)
    for group in by_kind.values():
        oriented = _by_orientation(group)
        for same in oriented:
            words: tuple[str, ...] = ()
            told = notes
            if len(by_kind) > 1:
                words = (*words, _outer_words(same[0], by_kind))
                told = (*told, _APART)
            if len(oriented) > 1:
                words = (*words, _plane_word(same[0]))
                told = (
                    *told,
                    Message.plural(
                        "Its slices have {0} orientation.",
                        "Its slices have {0} orientations; those of each are listed apart.",
                        len(oriented),
                    ),
                )
            found += _in_time(same, tuple(word for word in words if word), told)
    return found


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], tuple[str, ...]]:
    """Each image once: folders often hold the same file under two names.

    Some programs give all images one UID, or images the UID of what they were calculated from:
    those that lie elsewhere, count differently or have other values are others.
    """
    once: dict[Hashable, Frame] = {}
    for frame in frames:
        uid = frame.tags.text("SOPInstanceUID") or str(frame.path)
        place = None if frame.position is None else tuple(frame.position)
        tags = (frame.tags.text(keyword) for keyword in _OF_ONE_IMAGE)
        once.setdefault((uid, frame.index, place, frame.size, *tags), frame)
    copies = len(frames) - len(once)
    if not copies:
        return list(frames), ()
    note = Message.plural(
        "{0} image is there twice; one copy was left out.",
        "{0} images are there more than once; their copies were left out.",
        copies,
    )
    return list(once.values()), (note,)


def _outer_kind(frame: Frame) -> Hashable:
    spacing = frame.spacing and tuple(round(value, 4) for value in frame.spacing)
    return (
        *(frame.size, spacing, frame.placed, number(frame.tags, "SamplesPerPixel") or 1),
        frame.tags.text("Units"),
        frame.tags.text("FrameOfReferenceUID"),
    )


def _outer_words(frame: Frame, kinds: Iterable[Hashable]) -> str:
    others = list(kinds)
    sizes = {kind[0] for kind in others}  # type: ignore[index]
    if len(sizes) > 1:
        rows, columns = frame.size
        return f"{columns}×{rows}"
    return frame.tags.text("Units")


def _grouped(
    frames: Iterable[Frame], value: Callable[[Frame], Hashable]
) -> dict[Hashable, list[Frame]]:
    groups: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[value(frame)].append(frame)
    return groups


def _by_orientation(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            first = group[0].orientation
            if frame.orientation is None or first is None:
                same = frame.orientation is first is None
            else:
                same = float(np.abs(frame.orientation - first).max()) <= _SAME_DIRECTION
            if same:
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _plane_word(frame: Frame) -> Message | str:
    if frame.orientation is None:
        return ""
    normal = np.abs(np.cross(*frame.orientation))
    words = (Message("sagittal"), Message("coronal"), Message("axial"))
    return words[int(normal.argmax())]


@dataclass(frozen=True)
class _Difference:
    """Something that images of one place may differ in.

    Attributes:
        value: what they may differ in, comparable within a series.
        word: how it is said; None for times, which become frames.
    """

    value: Callable[[ImageTags], Hashable]
    word: Callable[[ImageTags], str] | None = None


def _rounded(*keywords: str) -> Callable[[ImageTags], Hashable]:
    def value(tags: ImageTags) -> Hashable:
        for keyword in keywords:
            found = tags.numbers(keyword)
            if found:
                return tuple(round(one, 6) for one in found)
        return ()

    return value


def _image_type(tags: ImageTags) -> Hashable:
    kind = tags.text("FrameType") or tags.text("ImageType")
    return tuple(kind.split("\\")[2:])


def _image_type_word(tags: ImageTags) -> str:
    words = tags.text("FrameType") or tags.text("ImageType")
    return " ".join(word for word in words.split("\\")[2:] if word and word != "NONE").lower()


def _is_attenuation_corrected(tags: ImageTags) -> bool:
    return "ATTN" in tags.text("CorrectedImage").upper().split("\\")


def _attenuation_word(tags: ImageTags) -> str:
    if _is_attenuation_corrected(tags):
        return Message("attenuation corrected")
    return Message("not attenuation corrected")


_KINDS = (
    _Difference(
        lambda tags: tags.text("ComplexImageComponent"),
        lambda tags: tags.text("ComplexImageComponent").lower(),
    ),
    _Difference(_image_type, _image_type_word),
    _Difference(
        _rounded("EffectiveEchoTime", "EchoTime", "EchoNumbers"),
        lambda tags: Message(
            "echo {0:g} ms", number(tags, "EffectiveEchoTime") or number(tags, "EchoTime") or 0
        ),
    ),
    _Difference(
        _rounded("InversionTime"),
        lambda tags: Message("inversion {0:g} ms", number(tags, "InversionTime") or 0),
    ),
    _Difference(
        _rounded("DiffusionBValue"),
        lambda tags: f"b {number(tags, 'DiffusionBValue') or 0:g}",
    ),
    _Difference(_is_attenuation_corrected, _attenuation_word),
)
_TIMES = (
    _Difference(_rounded("TemporalPositionIndex", "TemporalPositionIdentifier")),
    _Difference(_rounded("FrameReferenceTime")),
    _Difference(_rounded("NominalCardiacTriggerDelayTime", "TriggerTime")),
    _Difference(_rounded("DiffusionGradientOrientation")),
    _Difference(_rounded("AcquisitionNumber")),
    _Difference(lambda tags: tags.text("AcquisitionDateTime")),
    _Difference(lambda tags: tags.text("AcquisitionTime")),
    _Difference(lambda tags: tags.text("ContentTime")),
)


class _Stretch:
    """Images of one orientation, and at which of its places each of them lies."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = sorted(frames, key=lambda frame: frame.depth)
        self.place: dict[Frame, int] = {}
        place, before = -1, -np.inf
        for frame in self.frames:
            if frame.depth - before >= SAME_PLACE:
                place, before = place + 1, frame.depth
            self.place[frame] = place
        self.count = place + 1

    def most(self, frames: Iterable[Frame]) -> int:
        """Of ``frames``, how many lie at the same place at most."""
        return max(Counter(self.place[frame] for frame in frames).values())

    def covers(self, frames: Sequence[Frame]) -> bool:
        """Whether ``frames`` are at every place."""
        return len({self.place[frame] for frame in frames}) == self.count

    def is_whole(self, frames: Sequence[Frame]) -> bool:
        """Whether ``frames`` are at every place once."""
        return len(frames) == self.count and self.covers(frames)


def _in_time(frames: list[Frame], words: tuple[str, ...], notes: tuple[str, ...]) -> list[Part]:
    if not frames[0].placed:
        return [Part((tuple(frames),), words, notes)]
    stretch = _Stretch(frames)
    kinds: list[tuple[tuple[str, ...], list[Frame]]] = [(words, stretch.frames)]
    for difference in _KINDS:
        kinds = [
            ((*known, *((word,) if word else ())), part)
            for known, whole in kinds
            for word, part in _divided(stretch, whole, difference)
        ]
    return [_timed(stretch, part, Part(((),), known, notes)) for known, part in kinds]


def _divided(
    stretch: _Stretch, frames: list[Frame], difference: _Difference
) -> list[tuple[str, list[Frame]]]:
    """``frames`` by a difference of kind where that explains repeated places; else as they are."""
    groups = list(_grouped(frames, lambda frame: difference.value(frame.tags)).values())
    if not 1 < len(groups) <= stretch.most(frames) or not all(map(stretch.covers, groups)):
        return [("", frames)]
    assert difference.word is not None
    return [(difference.word(group[0].tags), group) for group in groups]


def _timed(stretch: _Stretch, frames: list[Frame], part: Part) -> Part:
    """``part`` with its images as volumes at one or several times."""
    most = stretch.most(frames)
    if most == 1:
        return replace(part, times=(tuple(frames),))
    for difference in _TIMES:
        groups: dict[Any, list[Frame]] = defaultdict(list)
        for frame in frames:
            groups[difference.value(frame.tags)].append(frame)
        ordered = [groups[value] for value in sorted(groups)]
        whole = tuple(tuple(group) for group in ordered if stretch.is_whole(group))
        if len(groups) == most == len(whole):
            return replace(part, times=whole)
        if len(groups) == most == len(whole) + 1:
            note = Message("One of its times is incomplete and was left out.")
            return replace(part, times=whole, notes=(*part.notes, note))
    return _by_number(stretch, frames, part)


def _by_number(stretch: _Stretch, frames: list[Frame], part: Part) -> Part:
    """Times told apart by instance number alone, if every place is there equally often."""
    number_of = {frame: number(frame.tags, "InstanceNumber") for frame in frames}
    at: dict[int, list[Frame]] = defaultdict(list)
    for frame in frames:
        at[stretch.place[frame]].append(frame)
    numbers = {(number_of[frame], frame.index) for frame in frames}
    if (
        len({len(same) for same in at.values()}) > 1
        or None in number_of.values()
        or len(numbers) < len(frames)
    ):
        return replace(part, times=(tuple(frames),))
    for same in at.values():
        same.sort(key=lambda frame: (number_of[frame] or 0, frame.index))
    times = tuple(zip(*at.values(), strict=True))
    note = Message("Nothing but their numbers tells its times apart; they are in that order.")
    return replace(part, times=times, notes=(*part.notes, note))

"""Series of names of one scene: exposure brackets, and cameras that distinguish the images of one
shutter release by a letter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.messages import Message
from core.pairing.exposures import Bracket, Exposure, find_brackets
from core.pairing.source_words import normal, source_of
from core.tasks import TASKS, has_exposure_series

_CAMERA = re.compile(r"(?P<shot>.*\d)[_-](?P<lens>[TWVZ])", re.IGNORECASE)
_LENSES = ("W", "V", "Z")
"""Wide, visible and zoom: partners of the thermal image, in order of preference."""


@dataclass
class Series:
    """Series found among names, with indices of the names.

    Attributes:
        pairs: (A, B, word of A, word of B, remainder of the name).
        left: names of a series that are in no pair, with the reason.
        ambiguous: names that may be a series, with the reason.
        notes: remarks about the whole.
    """

    pairs: list[tuple[int, int, str, str, str]] = field(default_factory=list)
    left: dict[int, str] = field(default_factory=dict)
    ambiguous: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def resolved(self) -> set[int]:
        """Indices of names that need no further matching."""
        paired = {index for pair in self.pairs for index in pair[:2]}
        return paired | self.left.keys() | self.ambiguous.keys()


def find_series(
    names: Sequence[str],
    task: str | None,
    sides: Sequence[str] | None,
    among: Collection[int],
    late: bool = False,
) -> Series:
    """Pairs within series of ``names``: the least and the most exposed name of a bracket.

    Args:
        task: for tasks with exposures, numbers without a unit (``0.004``) count as exposures.
        sides: "a" or "b" per name if two folders are paired: only across them.
        among: indices of the names to consider.
        late: source words were tried before. Otherwise names with a source word of ``task`` are
            left to them (``ir_-2EV`` may be the partner of ``vis_-2EV``).
    """
    series = Series()
    places = sorted(among)
    for bracket in find_brackets([names[index] for index in places]):
        order = [places[index] for index in bracket.order]
        if not late and _left_to_words(bracket.readings[0], task):
            continue
        _add_bracket(series, bracket, order=order, names=names, task=task, sides=sides)
    if sides is None:
        settled = series.resolved
        _add_shots(series, names, [i for i in places if i not in settled])
    return series


def _left_to_words(reading: Exposure, task: str | None) -> bool:
    """Whether source words take precedence over this exposure: ``roof_-5_ir``.

    For tasks that fuse exposures, not for those marked EV.
    """
    if has_exposure_series(task) and reading.kind == "ev":
        return False
    others = (name for name in TASKS if not has_exposure_series(name))
    return any(source_of(reading.shared, other) for other in others)


def _add_bracket(
    series: Series,
    bracket: Bracket,
    *,
    order: list[int],
    names: Sequence[str],
    task: str | None,
    sides: Sequence[str] | None,
) -> None:
    low, high = bracket.readings[0], bracket.readings[-1]
    if sides is not None and len({sides[index] for index in order}) == 1:
        return  # one of two folders: its partner may be in the other
    certain = bracket.certain or (low.kind == "number" and has_exposure_series(task))
    twice = low.value == bracket.readings[1].value or high.value == bracket.readings[-2].value
    if not certain or twice or (sides is not None and sides[order[0]] == sides[order[-1]]):
        listed = ", ".join(names[index] for index in order[:4])
        text: str = (
            Message("these may be exposures of one scene or not: {0}", listed)
            if not certain
            else Message("these are exposures of one scene, but not of two sources: {0}", listed)
        )
        series.ambiguous |= dict.fromkeys(order, text)
        return
    series.pairs.append((order[0], order[-1], low.written, high.written, _shared(low, high)))
    for index, reading in zip(order[1:-1], bracket.readings[1:-1], strict=True):
        series.left[index] = Message(
            "a middle exposure ({0}): the least ({1}) and the most exposed ({2}) are paired",
            *(r.written for r in (reading, low, high)),
        )
    if len(order) > 2:
        series.notes.append(
            Message(
                "Of more than two exposures of a scene, the least and the most exposed are paired."
            )
        )


def _shared(low: Exposure, high: Exposure) -> str:
    return low.shared or high.shared


def _add_shots(series: Series, names: Sequence[str], places: Sequence[int]) -> None:
    """Pair ``DJI_0001_T`` with ``_W``, otherwise ``_V``, otherwise ``_Z`` of the same shot."""
    shots: dict[str, dict[str, int]] = defaultdict(dict)
    for index in places:
        if found := _CAMERA.fullmatch(normal(names[index])):
            shots[found["shot"].casefold()].setdefault(found["lens"].upper(), index)
    for lenses in shots.values():
        others = [lens for lens in _LENSES if lens in lenses]
        if "T" not in lenses or not others:
            continue
        thermal, visible = lenses["T"], lenses[others[0]]
        shot = normal(names[thermal])[:-2]
        series.pairs.append((thermal, visible, names[thermal][-1], names[visible][-1], shot))
        for lens in others[1:]:
            series.left[lenses[lens]] = Message(
                "the thermal picture is paired with “{0}”, of another lens", names[visible]
            )

"""Which pairs are trained on and which are judged by: slices of one patient stay together."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import groupby
from typing import Literal

from core.messages import Message
from core.pairing.patients import patient_as_written, patient_of
from core.pairing.plan import Match
from core.tasks import TASKS

By = Literal["patient", "folder", "name", "order", "given"]
"""What kept pairs together.

``order``: neighbours in order of name. ``given``: a validation folder of its own.
"""

_ENOUGH = 5
"""Name prefixes that make groups; with fewer they are rather kinds of images than patients."""

_BLOCKS = 20
_TOO_FEW = Message(
    "All pairs are too few: nothing is held back to judge by. Give a validation folder."
)
_NOTHING_HELD = {
    "patient": Message(
        "All pairs are of one patient: nothing is held back to judge by. Give a validation folder."
    ),
    "folder": Message(
        "All pairs are in one folder: nothing is held back to judge by. Give a validation folder."
    ),
}
_ONE_GROUP = Message(
    "All pairs are of one group: nothing is held back to judge by. Give a validation folder."
)
_NEIGHBOURS = Message("Names do not tell patients apart: neighbours by name were kept together.")
_NEIGHBOURS_OF_SCENES = Message(
    "Names do not tell scenes apart: neighbours by name were kept together."
)
_MODALITIES = {word for task in TASKS.values() for word in (*task.hints_a, *task.hints_b)}


@dataclass(frozen=True)
class Group:
    """A patient, folder or other group, and how many of its pairs are on either side.

    ``name`` may be a patient's: for the screen only.
    """

    name: str
    train: int
    validation: int


@dataclass(frozen=True)
class DataSplit:
    """Pairs to train on and pairs to judge by.

    Attributes:
        train, validation: the pairs, in order.
        groups: how many groups were kept together. by: what made them.
        note: what a person should know about it, or "".
        labels: the group of each pair; {} where the two sides came from elsewhere.
    """

    train: tuple[Match, ...]
    validation: tuple[Match, ...]
    groups: int
    by: By
    note: str = ""
    _: KW_ONLY
    labels: Mapping[Match, str] = field(default_factory=dict, repr=False)

    def sides(self) -> tuple[Group, ...]:
        """Every group with its share of both sides, those to judge by first."""
        sides: dict[str, tuple[list[Match], list[Match]]] = {}
        for place, part in enumerate((self.train, self.validation)):
            for match in part:
                if match in self.labels:
                    sides.setdefault(self.labels[match], ([], []))[place].append(match)
        found = (
            Group(label, len(train), len(validation))
            for label, (train, validation) in sides.items()
        )
        return tuple(sorted(found, key=lambda group: (not group.validation, group.name)))


def given(train: Sequence[Match], validation: Sequence[Match], task: str = "") -> DataSplit:
    """The division of a run with a validation folder of its own; told if a patient is in both.

    ``task``: whether groups are called patients; "" calls them so.
    """
    own = divide(train, 0)
    by, groups = _groups((*train, *validation))
    labels = _labels(by, groups) if by == "patient" else {}
    split = DataSplit(tuple(train), tuple(validation), own.groups, "given", "", labels=labels)
    both = sum(bool(group.train and group.validation) for group in split.sides())
    if not both:
        return split
    note = (
        Message.plural(
            "{0} patient is on both sides: the figures will look better than they are. Take these "
            "pictures out of one of the two folders.",
            "{0} patients are on both sides: the figures will look better than they are. Take "
            "their pictures out of one of the two folders.",
            both,
        )
        if _has_patients(task)
        else Message.plural(
            "{0} group is on both sides: the figures will look better than they are. Take these "
            "pictures out of one of the two folders.",
            "{0} groups are on both sides: the figures will look better than they are. Take "
            "their pictures out of one of the two folders.",
            both,
        )
    )
    return replace(split, note=note)


def _has_patients(task: str) -> bool:
    """Whether what is kept together may be called a patient: of roads that would be odd."""
    return not task or TASKS[task].medical


def divide(matches: Sequence[Match], share: float, task: str = "") -> DataSplit:
    """Hold back about ``share`` of the pairs, whole groups only.

    Groups are patients where folders or names tell them (``patient07/…``, ``sub-07_…``), else
    folders, else what names share before their last number, else runs of neighbours by name. The
    same pairs are divided alike everywhere and at any time. At least one group is trained on.
    ``task``: whether groups are called patients; "" calls them so.
    """
    by, groups = _groups(matches)
    chosen: set[str] = set()
    if share > 0 and len(groups) > 1:
        wanted = share * len(matches)
        chosen = _spread(groups, wanted) if by == "order" else _chosen(groups, wanted)
    train = tuple(m for name, members in groups.items() if name not in chosen for m in members)
    validation = tuple(m for name, members in groups.items() if name in chosen for m in members)
    note: str = ""
    if share > 0 and not validation:
        note = _NOTHING_HELD.get(by, _TOO_FEW)
        note = note if by != "patient" or _has_patients(task) else _ONE_GROUP
    elif by == "order" and share > 0:
        note = _NEIGHBOURS if _has_patients(task) else _NEIGHBOURS_OF_SCENES
    sides = _ordered(train, matches), _ordered(validation, matches)
    return DataSplit(*sides, len(groups), by, note, labels=_labels(by, groups))


def _labels(by: str, groups: Mapping[str, Sequence[Match]]) -> dict[Match, str]:
    """What to call the group of each pair."""
    return {
        match: _called(by, name, members) for name, members in groups.items() for match in members
    }


def _called(by: str, name: str, members: Sequence[Match]) -> str:
    """A patient as the first folder or name writes it; neighbours by the first and last name."""
    if by == "patient":
        parts = (*members[0].folder.parts, members[0].name)
        return next((as_written for p in parts if (as_written := patient_as_written(p))), name)
    if by == "order" and len(members) > 1:
        return f"{members[0].name} – {members[-1].name}"
    return members[0].name if by == "order" else name


def _ordered(part: Sequence[Match], matches: Sequence[Match]) -> tuple[Match, ...]:
    inside = {id(match) for match in part}
    return tuple(match for match in matches if id(match) in inside)


def _groups(matches: Sequence[Match]) -> tuple[By, dict[str, list[Match]]]:
    for by, label in (("patient", _patient), ("folder", _folder), ("name", _prefix)):
        groups = _grouped(matches, label)
        if groups is not None and _useful(by, groups):
            return by, groups  # type: ignore[return-value]
    return "order", _blocks(matches)


def _useful(by: str, groups: dict[str, list[Match]]) -> bool:
    if by == "patient":
        return True
    if by == "folder":
        return len(groups) > 1
    largest = max(len(members) for members in groups.values())
    total = sum(len(members) for members in groups.values())
    return len(groups) >= _ENOUGH and largest <= total / 2


def _grouped(
    matches: Sequence[Match], label: Callable[[Match], str]
) -> dict[str, list[Match]] | None:
    """Pairs by label, or None when one has none."""
    groups: dict[str, list[Match]] = {}
    for match in matches:
        name = label(match)
        if not name:
            return None
        groups.setdefault(name, []).append(match)
    return groups or None


def _patient(match: Match) -> str:
    for part in (*match.folder.parts, match.name):
        person = patient_of(part)
        if person:
            return person
    return ""


def _folder(match: Match) -> str:
    return match.folder.parts[0] if match.folder.parts else ""


def _prefix(match: Match) -> str:
    """The name up to its last number: ``scene12_003`` is of ``scene12``; "" says nothing."""
    prefix = re.sub(r"[\W_]*\d+\D*$", "", match.name).casefold()
    return "" if prefix in _MODALITIES else prefix


def _blocks(matches: Sequence[Match]) -> dict[str, list[Match]]:
    """Runs of neighbours, never across two kinds of names."""
    size = max(1, -(-len(matches) // _BLOCKS))
    blocks: dict[str, list[Match]] = {}
    numbered: Counter[str] = Counter()
    for kind, run in groupby(matches, key=lambda m: re.sub(r"[\W_]*\d+\D*$", "", m.name)):
        members = list(run)
        for first in range(0, len(members), size):
            numbered[kind] += 1
            blocks[f"{kind}#{numbered[kind]}"] = members[first : first + size]
    return blocks


def _spread(groups: dict[str, list[Match]], wanted: float) -> set[str]:
    """Runs at even distances, so that all kinds of images are among them."""
    names = list(groups)
    total = sum(len(members) for members in groups.values())
    count = min(len(names) - 1, max(1, round(len(names) * wanted / total)))
    return {names[(2 * place + 1) * len(names) // (2 * count)] for place in range(count)}


def _chosen(groups: dict[str, list[Match]], wanted: float) -> set[str]:
    """Groups to hold back, by a hash of their names, as near to ``wanted`` pairs as they come."""
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen: set[str] = set()
    held = 0
    for name in order:
        size = len(groups[name])
        if len(chosen) + 1 < len(groups) and held + size / 2 <= wanted:
            chosen.add(name)
            held += size
    if not chosen:
        smallest = min(order, key=lambda name: len(groups[name]))
        chosen.add(smallest)
    return chosen

"""Splits pairs into training and validation; slices of one patient stay on one side."""

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
from core.pairing.study_pairs import SeriesPair
from core.tasks import TASKS
from trainer.data.pair_reader import content_key

GroupingKey = Literal["patient", "folder", "name", "order", "given"]
"""Criterion that keeps pairs together.

``order``: neighbours in the order of names. ``given``: a separate validation folder.
"""

_MIN_PREFIXES = 5
"""Fewest name prefixes that count as groups; fewer are likely modalities, not patients."""

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
    """A patient, folder or other group, and the number of its pairs on each side of the split.

    ``name`` may contain the name of a patient: display it only, never store it.
    """

    name: str
    train: int
    validation: int


@dataclass(frozen=True)
class DataSplit:
    """Pairs for training and pairs for validation.

    Attributes:
        train, validation: the pairs, in order.
        groups: number of groups that were kept together.
        by: criterion that defines the groups.
        note: remark for the user, or "".
        labels: the group of each pair; {} if the two sides come from different folders.
    """

    train: tuple[Match, ...]
    validation: tuple[Match, ...]
    groups: int
    by: GroupingKey
    note: str = ""
    _: KW_ONLY
    labels: Mapping[Match, str] = field(default_factory=dict, repr=False)

    def sides(self) -> tuple[Group, ...]:
        """All groups with their counts on both sides, those with validation pairs first."""
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


def predefined_split(
    train: Sequence[Match], validation: Sequence[Match], task: str = ""
) -> DataSplit:
    """The split of a run with a separate validation folder; notes patients that are on both sides.

    ``task`` determines whether groups are called patients; "" calls them so.
    """
    own = group_split(train, 0)
    by, groups = _groups((*train, *validation))
    labels = _labels(by, groups) if by == "patient" else {}
    split = DataSplit(tuple(train), tuple(validation), own.groups, "given", "", labels=labels)
    both = sum(bool(group.train and group.validation) for group in split.sides())
    if not both:
        return split
    note = (
        Message.plural(
            "{0} patient is on both sides: the scores will look better than they are. Take these "
            "pictures out of one of the two folders.",
            "{0} patients are on both sides: the scores will look better than they are. Take "
            "their pictures out of one of the two folders.",
            both,
        )
        if _has_patients(task)
        else Message.plural(
            "{0} group is on both sides: the scores will look better than they are. Take these "
            "pictures out of one of the two folders.",
            "{0} groups are on both sides: the scores will look better than they are. Take "
            "their pictures out of one of the two folders.",
            both,
        )
    )
    return replace(split, note=note)


def _has_patients(task: str) -> bool:
    """Whether the groups of a task may be called patients."""
    return not task or TASKS[task].medical


def group_split(matches: Sequence[Match], share: float, task: str = "") -> DataSplit:
    """Hold out about the fraction ``share`` of the pairs for validation, in whole groups.

    Groups are patients where folders or names identify them (``patient07/…``, ``sub-07_…``),
    otherwise folders, otherwise the part of the name before its last number, otherwise runs of
    neighbours by name. The split is deterministic and independent of the location of the data. At
    least one group is used for training. ``task`` determines whether groups are called patients;
    "" calls them so.
    """
    by, groups = _groups(matches)
    chosen: set[str] = set()
    if share > 0 and len(groups) > 1:
        wanted = share * len(matches)
        chosen = (
            _evenly_spaced(groups, wanted) if by == "order" else _groups_by_hash(groups, wanted)
        )
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
    """The label of the group of each pair."""
    return {
        match: _group_label(by, name, members)
        for name, members in groups.items()
        for match in members
    }


def _group_label(by: str, name: str, members: Sequence[Match]) -> str:
    """A patient as spelt in the first folder or name; neighbours by the first and last name."""
    if any(match.study is not None for match in members):
        return next(m.folder.name or m.name for m in members if m.study is not None)
    name = name.removeprefix("pictures ").removeprefix("named ")
    if by == "patient":
        parts = (*members[0].folder.parts, members[0].name)
        return next((as_written for p in parts if (as_written := patient_as_written(p))), name)
    if by == "order" and len(members) > 1:
        return f"{members[0].name} – {members[-1].name}"
    return members[0].name if by == "order" else name


def _ordered(part: Sequence[Match], matches: Sequence[Match]) -> tuple[Match, ...]:
    inside = {id(match) for match in part}
    return tuple(match for match in matches if id(match) in inside)


def _groups(matches: Sequence[Match]) -> tuple[GroupingKey, dict[str, list[Match]]]:
    if any(match.study is not None for match in matches):
        return "patient", _patients_of_volumes(matches)
    return _groups_of_pictures(matches)


def _patients_of_volumes(matches: Sequence[Match]) -> dict[str, list[Match]]:
    """Groups of volumes by the patient in their headers, and of the pictures among them.

    Folders and names that name a patient (``sub-07/dicom``, ``sub-07/png``) join groups, so that
    nobody is on both sides as pictures and as volumes.
    """
    pictures = [match for match in matches if match.study is None]
    _, groups = _groups_of_pictures(pictures) if pictures else ("", {})
    own = {m: f"pictures {name}" for name, members in groups.items() for m in members}
    own |= {m: _header_patient(m.study) for m in matches if m.study is not None}
    top = _common_folder(matches)
    joined: dict[str, str] = {}

    def root(name: str) -> str:
        while name in joined:
            name = joined[name]
        return name

    for match in matches:
        parts = match.a.parent.absolute().parts[top:]
        persons = {person for part in parts if (person := patient_of(part))}
        if match.study is None and (person := _patient(match)):
            persons.add(person)
        for person in persons:
            one, other = root(own[match]), root(f"named {person}")
            if one != other:
                joined[one] = other
    found: dict[str, list[Match]] = {}
    for match in matches:
        found.setdefault(root(own[match]), []).append(match)
    # Keys of patients are other ones on every computer; the split is not to depend on that.
    steady: dict[str, list[Match]] = {}
    for name, members in found.items():
        steady.setdefault(_steady_name(name, members), []).extend(members)
    return steady


def _common_folder(matches: Sequence[Match]) -> int:
    """How many parts the folders of all files have in common."""
    parts = [match.a.parent.absolute().parts for match in matches]
    return next(
        (place for place, names in enumerate(zip(*parts, strict=False)) if len({*names}) > 1),
        min(map(len, parts)),
    )


def _steady_name(name: str, members: Sequence[Match]) -> str:
    keys = {match.study: content_key(match.study) for match in members if match.study is not None}
    return f"volumes {min(keys.values())}" if keys else name


def _header_patient(study: SeriesPair) -> str:
    """The patient by the headers of two series; without one, what their files or folder name."""
    if patient := study.b.patient or study.a.patient:
        return f"patient {patient}"
    file = study.b.files[0]
    return f"named {person}" if (person := patient_of(file.name)) else f"in {file.parent}"


def _groups_of_pictures(
    matches: Sequence[Match],
) -> tuple[GroupingKey, dict[str, list[Match]]]:
    for by, label in (("patient", _patient), ("folder", _folder), ("name", _prefix)):
        groups = _grouped(matches, label)
        if groups is not None and _is_useful(by, groups):
            return by, groups  # type: ignore[return-value]
    return "order", _runs_of_neighbours(matches)


def _is_useful(by: str, groups: dict[str, list[Match]]) -> bool:
    if by == "patient":
        return True
    if by == "folder":
        return len(groups) > 1
    largest = max(len(members) for members in groups.values())
    total = sum(len(members) for members in groups.values())
    return len(groups) >= _MIN_PREFIXES and largest <= total / 2


def _grouped(
    matches: Sequence[Match], label: Callable[[Match], str]
) -> dict[str, list[Match]] | None:
    """Pairs by label, or None if a pair has no label."""
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
    """The name up to its last number, so ``scene12_003`` gives ``scene12``; "" if there is none."""
    prefix = re.sub(r"[\W_]*\d+\D*$", "", match.name).casefold()
    return "" if prefix in _MODALITIES else prefix


def _runs_of_neighbours(matches: Sequence[Match]) -> dict[str, list[Match]]:
    """Runs of neighbouring names that do not span different name patterns."""
    size = max(1, -(-len(matches) // _BLOCKS))
    blocks: dict[str, list[Match]] = {}
    numbered: Counter[str] = Counter()
    for kind, run in groupby(matches, key=lambda m: re.sub(r"[\W_]*\d+\D*$", "", m.name)):
        members = list(run)
        for first in range(0, len(members), size):
            numbered[kind] += 1
            blocks[f"{kind}#{numbered[kind]}"] = members[first : first + size]
    return blocks


def _evenly_spaced(groups: dict[str, list[Match]], wanted: float) -> set[str]:
    """Runs at equal distances, so that every kind of image is represented."""
    names = list(groups)
    total = sum(len(members) for members in groups.values())
    count = min(len(names) - 1, max(1, round(len(names) * wanted / total)))
    return {names[(2 * place + 1) * len(names) // (2 * count)] for place in range(count)}


def _groups_by_hash(groups: dict[str, list[Match]], wanted: float) -> set[str]:
    """Groups to hold out, selected by a hash of their names, with about ``wanted`` pairs in all."""
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

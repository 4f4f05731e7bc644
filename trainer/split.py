"""Which pairs are trained on and which are judged by: slices of one patient stay together."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from core.io.persons import person_of
from core.io.plan import Match
from core.tasks import TASKS

By = Literal["patient", "folder", "name", "order", "given"]
"""What kept pairs together.

``order``: neighbours in order of name. ``given``: a validation folder of its own.
"""

_ENOUGH = 5
"""Name prefixes that make groups; with fewer they are rather kinds of pictures than patients."""

_BLOCKS = 20
_MODALITIES = {word for task in TASKS.values() for word in (*task.hints_a, *task.hints_b)}


@dataclass(frozen=True)
class Split:
    """Pairs to train on and pairs to judge by.

    Attributes:
        train, validation: the pairs, in order.
        groups: how many groups were kept together. by: what made them.
        note: what a person should know about it, or "".
    """

    train: tuple[Match, ...]
    validation: tuple[Match, ...]
    groups: int
    by: By
    note: str = ""


def divide(matches: Sequence[Match], share: float) -> Split:
    """Hold back about ``share`` of the pairs, whole groups only.

    Groups are patients where folders or names tell them (``patient07/…``, ``sub-07_…``), else
    folders, else what names share before their last number, else runs of neighbours by name. The
    same pairs are divided alike everywhere and at any time. At least one group is trained on.
    """
    by, groups = _groups(matches)
    chosen: set[str] = set()
    if share > 0 and len(groups) > 1:
        wanted = share * len(matches)
        chosen = _spread(groups, wanted) if by == "order" else _chosen(groups, wanted)
    train = tuple(m for name, members in groups.items() if name not in chosen for m in members)
    validation = tuple(m for name, members in groups.items() if name in chosen for m in members)
    note = ""
    if share > 0 and not validation:
        kind = {"patient": "of one patient", "folder": "in one folder"}.get(by, "too few")
        note = f"All pairs are {kind}: nothing is held back to judge by. Give a validation folder."
    elif by == "order" and share > 0:
        note = "Names do not tell patients apart: neighbours by name were kept together."
    return Split(_ordered(train, matches), _ordered(validation, matches), len(groups), by, note)


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
        person = person_of(part)
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
    """Runs at even distances, so that all kinds of pictures are among them."""
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

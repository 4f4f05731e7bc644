"""Changes to a table of pairs that a person makes by hand. Pure functions; plans are values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.pairing.plan import Match, PairingPlan

PairKey = tuple[Path, Path]
BY_HAND = "paired by hand"
"""The reason :meth:`core.pairing.plan.PairingPlan.pair_by_hand` gives."""


def key_of(match: Match) -> PairKey:
    """What tells pairs apart."""
    return match.a, match.b


def carry_over(old: PairingPlan | None, new: PairingPlan) -> PairingPlan:
    """``new`` with what was swapped, left out or paired by hand in ``old``."""
    if old is None:
        return new
    there = {path for m in new.matches for path in key_of(m)}
    loose = {item.path for item in new.leftovers}
    for match in old.matches:
        known = {key_of(m) for m in new.matches}
        if (
            match.reason == BY_HAND
            and key_of(match) not in known
            and ({match.a, *match.a.parents} & loose or match.a in there)
        ):
            new = new.pair_by_hand(match.a, match.b)
    before = {key_of(match): match for match in old.matches}
    return replace(new, matches=tuple(_as_before(match, before) for match in new.matches))


def _as_before(match: Match, before: dict[PairKey, Match]) -> Match:
    same = before.get((match.a, match.b))
    if same is not None:
        return replace(match, excluded=same.excluded)
    turned = before.get((match.b, match.a))
    if turned is not None:
        return replace(match, a=turned.a, b=turned.b, sure=True, excluded=turned.excluded)
    return match


def moved(plan: PairingPlan, rows: Collection[int], to: int) -> PairingPlan:
    """The same with ``rows`` (places in ``matches``) together before what stood at place ``to``."""
    rows = frozenset(rows)
    chosen = [m for place, m in enumerate(plan.matches) if place in rows]
    before = [m for place, m in enumerate(plan.matches[:to]) if place not in rows]
    after = [m for place, m in enumerate(plan.matches[to:], to) if place not in rows]
    return replace(plan, matches=(*before, *chosen, *after))


def files_of(plan: PairingPlan, rows: Collection[int]) -> tuple[Path, Path] | None:
    """The two files that are paired when these rows are joined, or None.

    Two files without partner; or a pair and such a file, which becomes its B. A line that stands
    for a whole folder is joined with nothing.
    """
    if len(rows) != 2:
        return None
    first, second = sorted(rows)
    count = len(plan.matches)
    if second < count or second >= count + len(plan.leftovers):
        return None
    loose = [plan.leftovers[row - count] for row in (first, second) if row >= count]
    if any(item.count > 1 for item in loose):
        return None
    other = loose[-1].path
    one = plan.matches[first].a if first < count else loose[0].path
    return None if one == other else (one, other)

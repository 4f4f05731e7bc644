"""Manual changes to a table of pairs, as pure functions of immutable plans."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.pairing.plan import Match, PairingPlan

PairKey = tuple[Path, Path]


def key_of(match: Match) -> PairKey:
    """The key that identifies a pair."""
    return match.a, match.b


def carry_over(old: PairingPlan | None, new: PairingPlan) -> PairingPlan:
    """``new`` with the manual changes of ``old``: swapped, excluded and paired by hand."""
    if old is None:
        return new
    there = {path for m in new.matches for path in key_of(m)}
    loose = {item.path for item in new.leftovers}
    for match in old.matches:
        known = {key_of(m) for m in new.matches}
        if (
            match.is_by_hand
            and key_of(match) not in known
            and ({match.a, *match.a.parents} & loose or match.a in there)
        ):
            new = _with_pair(new, match, old)
    before = {key_of(match): match for match in old.matches}
    return replace(new, matches=tuple(_with_edits(match, before) for match in new.matches))


def _with_pair(plan: PairingPlan, match: Match, old: PairingPlan) -> PairingPlan:
    """``plan`` with a pair made by hand; beside another one of its A where ``old`` has both."""
    before = {key_of(one) for one in old.matches}
    row = next(
        (row for row, m in enumerate(plan.matches) if m.a == match.a and key_of(m) in before), None
    )
    b = next((one for one in plan.series if one.files[0] == match.b), None)
    if row is not None and b is not None and plan.matches[row].study is not None:
        with suppress(ValueError):  # the same two, exchanged
            return plan.add_series(row, b)
    return plan.pair_by_hand(match.a, match.b)


def _with_edits(match: Match, before: dict[PairKey, Match]) -> Match:
    same = before.get((match.a, match.b))
    if same is not None:
        return replace(match, excluded=same.excluded)
    turned = before.get((match.b, match.a))
    if turned is not None:
        return replace(match.swapped(), excluded=turned.excluded)
    return match


def moved(plan: PairingPlan, rows: Collection[int], to: int) -> PairingPlan:
    """The plan with ``rows`` (indices into ``matches``) moved in front of index ``to``."""
    rows = frozenset(rows)
    chosen = [m for place, m in enumerate(plan.matches) if place in rows]
    before = [m for place, m in enumerate(plan.matches[:to]) if place not in rows]
    after = [m for place, m in enumerate(plan.matches[to:], to) if place not in rows]
    return replace(plan, matches=(*before, *chosen, *after))


def files_of(plan: PairingPlan, rows: Collection[int]) -> tuple[Path, Path] | None:
    """The two files that are paired when these rows are joined, or None.

    The rows are two unpaired files, or a pair and an unpaired file, which becomes its B. A row
    that represents a whole folder cannot be joined.
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

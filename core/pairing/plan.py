"""A table of pairs as values: what belongs together and why, what is left over and why."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Literal

from core.messages import Message

Trouble = Literal["unmatched", "ambiguous", "unreadable"]


@dataclass(frozen=True, slots=True)
class Match:
    """Two files of one scene.

    Attributes:
        name: what the two names share, without suffix; never empty.
        a, b: the sources.
        reason: why they belong together, in words.
        folder: where they lie below the folder that was given, without the part that tells A from
            B; empty path for the top. Results keep this tree.
        sure: whether the names say which of the two is A.
        excluded: left out by the user.
    """

    name: str
    a: Path
    b: Path
    reason: str
    folder: Path = Path()
    _: KW_ONLY
    sure: bool = True
    excluded: bool = False


@dataclass(frozen=True)
class Leftover:
    """A file or folder that is in no pair.

    ``unmatched``: no partner. ``ambiguous``: more than one fits. ``unreadable``: it cannot be
    looked into.

    Attributes:
        path: the file, or the folder when all of its images are left over for one reason.
        count: how many images it stands for.
    """

    path: Path
    reason: str
    trouble: Trouble = "unmatched"
    count: int = 1


@dataclass(frozen=True)
class PairingPlan:
    """What was found. Changing it gives a new plan; the files are never touched.

    Attributes:
        matches: pairs in order of folder and name.
        leftovers: files in no pair, each with its reason.
        notes: what a person should know about the whole, one sentence each.
        suggested_task: name of the one task that the words of names and folders speak of; "" when
            they speak of none, or of several.
    """

    matches: tuple[Match, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    notes: tuple[str, ...] = ()
    suggested_task: str = ""

    @property
    def active(self) -> tuple[Match, ...]:
        """Pairs that are not excluded."""
        return tuple(match for match in self.matches if not match.excluded)

    @property
    def loose(self) -> int:
        """How many images are in no pair."""
        return sum(item.count for item in self.leftovers)

    @property
    def unmatched(self) -> tuple[Leftover, ...]:
        """Files without a partner."""
        return tuple(item for item in self.leftovers if item.trouble == "unmatched")

    @property
    def ambiguous(self) -> tuple[Leftover, ...]:
        """Files with more than one possible partner."""
        return tuple(item for item in self.leftovers if item.trouble == "ambiguous")

    def swap(self, rows: Collection[int] | None = None) -> PairingPlan:
        """A and B exchanged in ``rows`` (places in ``matches``); in all of them when None.

        Raises:
            IndexError: there is no such row.
        """
        return self._changed(rows, lambda m: _like(m, m.b, m.a, sure=True, excluded=m.excluded))

    def exclude(self, rows: Collection[int] | None = None) -> PairingPlan:
        """The same with ``rows`` left out; IndexError as above."""
        return self._changed(rows, lambda m: _like(m, m.a, m.b, sure=m.sure, excluded=True))

    def include(self, rows: Collection[int] | None = None) -> PairingPlan:
        """The same with ``rows`` taken in again; IndexError as above."""
        return self._changed(rows, lambda m: _like(m, m.a, m.b, sure=m.sure, excluded=False))

    def pair_by_hand(self, a: Path, b: Path) -> PairingPlan:
        """The same with ``a`` and ``b`` as a pair; pairs that held either are taken apart.

        Raises:
            ValueError: ``a`` and ``b`` are one file.
        """
        if a == b:
            raise ValueError("a pair needs two files")
        broken = [m for m in self.matches if {m.a, m.b} & {a, b}]
        kept = [m for m in self.matches if m not in broken]
        freed = {path for m in broken for path in (m.a, m.b)} - {a, b}
        folder = broken[0].folder if broken else Path()
        place = self.matches.index(broken[0]) if broken else len(kept)
        kept.insert(place, Match(a.stem, a, b, Message("paired by hand"), folder))
        loose = [item for item in self.leftovers if item.path not in (a, b)]
        why = Message("its pair was taken apart by hand")
        loose += [Leftover(path, why) for path in sorted(freed)]
        return replace(self, matches=tuple(kept), leftovers=tuple(loose))

    def _changed(
        self, rows: Collection[int] | None, change: Callable[[Match], Match]
    ) -> PairingPlan:
        chosen = range(len(self.matches)) if rows is None else frozenset(rows)
        for row in chosen:
            if not 0 <= row < len(self.matches):
                raise IndexError(f"there is no row {row}")
        return replace(
            self,
            matches=tuple(
                change(match) if row in chosen else match for row, match in enumerate(self.matches)
            ),
        )


def _like(match: Match, a: Path, b: Path, *, sure: bool, excluded: bool) -> Match:
    """``match`` with other values; several times as quick as ``replace`` on thousands of them."""
    return Match(match.name, a, b, match.reason, match.folder, sure=sure, excluded=excluded)

"""Collects pairs, leftovers and notes during pairing, and makes the plan from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.messages import Message
from core.pairing.folder_tree import Places, natural
from core.pairing.plan import Leftover, Match, PairingPlan, Trouble
from core.pairing.source_words import suggest_task, which_source


class Collected:
    """Pairs with their strengths, leftovers by path, and notes without duplicates.

    Args:
        task: task whose source words take precedence in deciding which file is A.
        places: resolves links; shared by all collectors of the same paths.
    """

    def __init__(self, task: str | None, places: Places) -> None:
        self._task = task
        self._places = places
        self.matches: list[tuple[Match, float]] = []
        self.leftovers: dict[Path, Leftover] = {}
        self.notes: dict[str, None] = {}

    def pair(self, match: Match, strength: float) -> None:
        """Add a pair, ordered by its names where they identify A; ignores a file with itself."""
        if self._places.real(match.a) == self._places.real(match.b):
            text = Message("A and B would be one and the same file")
            for path in (match.a, match.b):
                self.add_leftover(path, text, "ambiguous")
            return
        source = which_source(match.a, match.b, self._task, habit=False)
        if source == "b":
            match = replace(match, a=match.b, b=match.a)
        self.matches.append((replace(match, sure=True) if source else match, strength))

    def add_leftover(
        self, path: Path, reason: str, trouble: Trouble = "unmatched", count: int = 1
    ) -> None:
        """Add a file or folder that is in no pair, see :class:`Leftover`."""
        self.leftovers[path] = Leftover(path, reason, trouble, count)

    def note(self, *texts: str) -> None:
        """Add notes about the data as a whole."""
        self.notes |= dict.fromkeys(texts)

    def merge(self, other: Collected) -> None:
        """Merge the contents of another collector."""
        self.matches += other.matches
        self.leftovers |= other.leftovers
        self.notes |= other.notes

    def plan(self) -> PairingPlan:
        """The sorted contents as a plan."""
        matches = sorted((match for match, _ in self.matches), key=_match_order)
        leftovers = sorted(self.leftovers.values(), key=lambda item: natural(str(item.path)))
        notes = [*self.notes]
        if any(not match.sure for match in matches):
            notes.append(
                Message("Names do not say which source is A everywhere; look, and swap if needed.")
            )
        return PairingPlan(tuple(matches), tuple(leftovers), tuple(notes), _suggested(matches))


def _suggested(matches: Sequence[Match]) -> str:
    tasks = {suggest_task(match.a, match.b) for match in matches} - {""}
    return tasks.pop() if len(tasks) == 1 else ""


def _match_order(match: Match) -> tuple[list[tuple[int, int, str]], ...]:
    return natural(str(match.folder)), natural(match.name), natural(str(match.a))

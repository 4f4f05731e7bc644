"""Fuzzy search by some of the letters, fast enough for thousands of texts."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable

_START, _ROW, _LETTER = 8, 5, 1


def score(wanted: str, text: str) -> int | None:
    """Score of ``text`` for the letters of ``wanted`` in their order; None if one is missing.

    Letters at the start of words and consecutive letters count most; of equal matches the shorter
    text is better.
    """
    query = [letter for letter in wanted.casefold() if not letter.isspace()]
    target = text.casefold()
    if not query:
        return 0
    best: dict[int, int] = {}
    # best[i]: score of the letters so far with the last one at i.
    for number, letter in enumerate(query):
        found: dict[int, int] = {}
        for index, other in enumerate(target):
            if other != letter:
                continue
            gain = _gain(target, index)
            if number == 0:
                found[index] = gain
                continue
            before = [s + _ROW * (at == index - 1) for at, s in best.items() if at < index]
            if before:
                found[index] = max(before) + gain
        best = found
    return max(best.values()) * 100 - len(target) if best else None


def _gain(target: str, index: int) -> int:
    return _START if index == 0 or not target[index - 1].isalnum() else _LETTER


def ranked(wanted: str, texts: Iterable[str]) -> list[int]:
    """Indices of the matching texts, best first; for an empty query all, in their order."""
    scored = [(score(wanted, text), index) for index, text in enumerate(texts)]
    fitting = [(-points, index) for points, index in scored if points is not None]
    if not wanted.strip():
        return [index for _points, index in fitting]
    return [index for _points, index in sorted(fitting)]


def _holds(text: str, letters: str) -> bool:
    """True when ``text`` contains the letters in this order."""
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return False
    return True


class Texts:
    """Texts for incremental search while the user types."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._folded = [text.casefold() for text in texts]

    def best(self, wanted: str, most: int) -> tuple[list[int], int]:
        """Indices of the (at most ``most``) best matches, and the number of all matches.

        Of thousands of matches only the most promising are scored: those with consecutive letters,
        preferably at the start of a word, and shorter ones first.
        """
        query = "".join(wanted.casefold().split())
        if not query:
            return list(range(min(most, len(self._folded)))), len(self._folded)
        fitting = [index for index, text in enumerate(self._folded) if _holds(text, query)]
        if len(fitting) > most:
            likely = re.compile(rf"(?<![^\W_]){re.escape(query)}").search

            def cost(index: int) -> tuple[bool, bool, int]:
                text = self._folded[index]
                in_a_row = query in text
                return not in_a_row, not (in_a_row and likely(text)), len(text)

            judged = heapq.nsmallest(most, fitting, key=cost)
        else:
            judged = fitting
        judged.sort()
        order = [judged[k] for k in ranked(query, (self._folded[index] for index in judged))]
        typed = wanted.casefold().strip()
        # Exact substrings take precedence.
        order.sort(key=lambda index: typed not in self._folded[index])
        return order, len(fitting)

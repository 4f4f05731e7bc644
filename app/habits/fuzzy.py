"""Finding a command by a few of its letters."""

from __future__ import annotations

from collections.abc import Iterable

_START, _ROW, _LETTER = 8, 5, 1


def score(wanted: str, text: str) -> int | None:
    """How well the letters of ``wanted`` fit ``text`` in their order; None when they do not.

    Letters at the start of words and letters in a row count most; of two texts that fit alike the
    shorter one is better.
    """
    query = [letter for letter in wanted.casefold() if not letter.isspace()]
    target = text.casefold()
    if not query:
        return 0
    best: dict[int, int] = {}
    # best[i]: the score of the letters so far when the last of them is at i.
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
    """Indices of the texts that fit, the best first; without a query all, as they are."""
    scored = [(score(wanted, text), index) for index, text in enumerate(texts)]
    fitting = [(-points, index) for points, index in scored if points is not None]
    if not wanted.strip():
        return [index for _points, index in fitting]
    return [index for _points, index in sorted(fitting)]

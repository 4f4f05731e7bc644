"""Names with one word removed: names with equal remainders differ in that word only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

from core.pairing.exposures import exposure_of
from core.pairing.patients import patient_of
from core.pairing.source_words import COARSE, FINE, glued_words, is_source_word


@dataclass(frozen=True)
class NameGap:
    """A name with one word removed.

    Attributes:
        key: the remainder; names with equal keys differ in the word only.
        value: the word in folded case; "" if none was removed.
        written: the word as written.
        shared: the remainder as a name for the pair.
        person: patient named in the whole name, "" for none.
        exposure: exposure in the whole name, None for none.
    """

    key: tuple[str, str]
    value: str
    written: str
    shared: str
    person: str
    _: KW_ONLY
    exposure: float | None = None


def name_gaps(name: str) -> Iterator[NameGap]:
    """All ways to remove one word from ``name``, and the name itself."""
    found = exposure_of(name)
    person, exposure = patient_of(name), found.value if found else None
    parts = COARSE.findall(name)
    yield NameGap((name.casefold(), "-"), "", "", name, person, exposure=exposure)
    start = 0
    for place, part in enumerate(parts):
        if part[0].isalnum():
            before, after = name[:start], name[start + len(part) :]
            yield _gap(before, part, after, person, exposure)
            pieces = FINE.findall(part)
            whole = is_source_word(part.casefold())  # "t1" is not a "t" with a number
            if len(pieces) > 1 and "".join(pieces) == part and not whole:
                offset = 0
                for piece in pieces:
                    end = offset + len(piece)
                    yield _gap(before + part[:offset], piece, part[end:] + after, person, exposure)
                    offset = end
            for head, word, tail in glued_words(part):
                yield _gap(before + head + "\0", word, tail + after, person, exposure)
            if len(parts) > 2 and place in (0, len(parts) - 1):
                rest = _signed(parts[1], parts[2:]) if place == 0 else "".join(parts[:-2])
                key = rest.casefold(), "-"
                yield NameGap(key, part.casefold(), part, rest, person, exposure=exposure)
        start += len(part)


def _signed(gap: str, parts: Sequence[str]) -> str:
    """``parts`` joined, with the sign at the end of the ``gap`` before them if there is one."""
    sign = gap[-1] if gap[-1] == "+" or (gap[-1] == "-" and len(gap) > 1) else ""
    return (sign if parts[0][0].isdecimal() else "") + "".join(parts)


def _gap(before: str, word: str, after: str, person: str, exposure: float | None) -> NameGap:
    head, tail = (text.replace("\0", "").strip(" _-.") for text in (before, after))
    shared = f"{head}_{tail}" if head and tail else head or tail
    key = before.casefold(), after.casefold() + "|"
    return NameGap(key, word.casefold(), word, shared, person, exposure=exposure)

"""Exposures in names: ``room_-2EV``, ``room_EV+1.3``, ``img(-2)``, ``hall_n2``, ``lake_1_250s``.

A sign before a number counts only if the other names of the scene agree. Ambiguous numbers (``ev1``
of an event, a bare ``0.004``) are distinguished from certain ones. This module processes text only
and opens no files.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Literal

ExposureKind = Literal["ev", "time", "sign", "letter", "number"]
KINDS: tuple[ExposureKind, ...] = ("ev", "time", "sign", "letter", "number")
"""Notations of an exposure, the most certain one first."""

_NUMBER = r"\d+(?:[.,]\d+)?"
_SIGN = r"[+-]|(?:minus|plus)[ _]?|(?<![a-z])[nmp]"
_EV_AFTER = re.compile(
    rf"(?P<sign>{_SIGN})?(?<![\d.,])(?P<number>{_NUMBER}|(?<=[+-])\d+_\d)(?(sign)[ _]?| ?)"
    r"(?:ev|stops?)(?![a-z])"
)
_EV_BEFORE = re.compile(rf"(?<![a-z])ev[ _=]?(?P<sign>{_SIGN})?(?P<number>{_NUMBER})(?!\d)")
_TIME = re.compile(
    rf"(?<![a-z\d.,])(?:(?P<over>\d+)[_/-])?(?P<number>{_NUMBER}) ?"
    r"(?P<unit>s|sec|[mu\u00b5\u03bc]s)(?![a-z])"
)
_SIGNED = re.compile(rf"(?P<sign>[+-])?(?<![\d.,])(?P<number>{_NUMBER})(?![\d]|[.,]\d|[^\W\d_])")
_LETTERED = re.compile(
    rf"(?<![a-z\d])(?P<sign>minus|plus|[nmp])?[ _]?(?P<number>{_NUMBER})(?![a-z\d])"
)
_DECIMAL = re.compile(r"(?<![\d.,])(?P<number>\d+[.,]\d+)(?!\d|[.,]\d)")
_FRACTION = re.compile(r"(?<![a-z\d.,])(?P<over>1)[_/-](?P<number>\d{2,4})(?![a-z\d.,])")
_SHUTTERS = frozenset(
    (8, 10, 13, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 160, 200, 250, 320, 400, 500, 640, 800,
     1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6400, 8000)
)  # fmt: skip
"""Denominators of shutter times that cameras write."""
_LONGEST, _BULB = 30, 900
"""Seconds: longest automatic exposure of cameras, and longest plausible bulb exposure."""
_UNITS = {"ms": 1e3, "us": 1e6, "\u00b5s": 1e6, "\u03bcs": 1e6}
"""Number of units per second."""
_PARTS = re.compile("(\\d*)([\u00bc-\u00be\u2153-\u215e])")
"""Fractions written as a single character (⅓, ¾, …)."""
_MINUS = dict.fromkeys(map(ord, "\u2212\u2013\u2010\u2011\ufe63\uff0d"), "-") | dict.fromkeys(
    map(ord, "\uff0b\u00b1"), "+"
)
"""Characters that look like minus and plus."""


@dataclass(frozen=True)
class Exposure:
    """One interpretation of a name.

    Attributes:
        kind: notation.
        scene: the name before and after the exposure; equal within a bracket.
        value: larger is more exposed: EV, or seconds.
        written: the exposure as written in the name.
        sign: ``"+"``, ``"-"`` or ``""``.
        glued: the sign follows a letter or digit, where it may be a hyphen.
        sure: False if only the neighbouring names show whether it is an exposure.
    """

    kind: ExposureKind
    scene: tuple[str, str]
    _: KW_ONLY
    value: float
    written: str
    sign: str = ""
    glued: bool = False
    sure: bool = True

    @property
    def shared(self) -> str:
        """The name without the exposure; may be ""."""
        before, after = self.scene
        head = before.rstrip(" _-.([{=").lstrip(" _-.")
        tail = after.lstrip(" _-.)]}").rstrip(" _-.")
        return f"{head}_{tail}" if head and tail else head or tail


@dataclass(frozen=True)
class Bracket:
    """Names of one scene that differ in the exposure only.

    Attributes:
        order: indices of the names, the least exposed first.
        readings: their exposures, in that order.
        certain: whether they certainly are exposures in this order.
    """

    order: tuple[int, ...]
    readings: tuple[Exposure, ...]
    certain: bool


def _float(text: str) -> float:
    return float(text.replace(",", ".").replace("_", "."))


def _sign_of(text: str | None) -> str:
    return "" if not text else "+" if text.strip(" _") in ("+", "p", "plus") else "-"


def _reading(kind: ExposureKind, name: str, found: re.Match[str], sure: bool = True) -> Exposure:
    """The exposure matched by ``found`` in ``name``; the rest of the name keeps its case."""
    start, end = found.span()
    groups = found.groupdict()
    sign = _sign_of(groups.get("sign"))
    value = _float(groups["number"])
    if groups.get("over"):
        value = float(groups["over"]) / value if value else 0.0
    value /= _UNITS.get(groups.get("unit") or "", 1)
    glued = sign == "-" and groups["sign"] == "-" and start > 0 and name[start - 1].isalnum()
    written = name[start:end].strip(" _")
    scene = name[:start], name[end:]
    return Exposure(
        kind,
        scene,
        value=-value if sign == "-" else value,
        written=written,
        sign=sign,
        glued=glued,
        sure=sure,
    )


def _ev(name: str, low: str) -> Iterator[Exposure]:
    if "ev" in low or "stop" in low:
        for found in _EV_AFTER.finditer(low):
            yield _reading("ev", name, found)
        for found in _EV_BEFORE.finditer(low):
            told = bool(found["sign"]) or not found["number"].isdigit()
            yield _reading("ev", name, found, told)


def _time(name: str, low: str, numbered: frozenset[str] = frozenset()) -> Iterator[Exposure]:
    """``1_250s`` is 1/250 s, but with the prefix in ``numbered`` it is 250 s of scene 1."""
    for found in _TIME.finditer(low):
        scene_number = found["over"] not in (None, "1")
        if found["over"] and (scene_number or name[: found.start()].casefold() in numbered):
            found = _TIME.search(low, found.start("number")) or found
        reading = _reading("time", name, found)
        if reading.value <= _BULB:  # “1990s” are years
            yield reading


def _sign(name: str, low: str) -> Iterator[Exposure]:
    for found in _SIGNED.finditer(low):
        yield _reading("sign", name, found, found["sign"] is not None)


def _letter(name: str, low: str) -> Iterator[Exposure]:
    for found in _LETTERED.finditer(low):
        if found["sign"] or not _float(found["number"]):
            yield _reading("letter", name, found, sure=False)


def _number(name: str, low: str) -> Iterator[Exposure]:
    for found in _DECIMAL.finditer(low):
        yield _reading("number", name, found, sure=False)
    for found in _FRACTION.finditer(low):
        if int(found["number"]) in _SHUTTERS:
            yield _reading("number", name, found, sure=False)


_READERS: dict[ExposureKind, Callable[[str, str], Iterator[Exposure]]] = {
    "ev": _ev,
    "sign": _sign,
    "letter": _letter,
    "number": _number,
}


@lru_cache(maxsize=65536)  # every name is compared with many others
def _readings(
    name: str, kind: ExposureKind, numbered: frozenset[str] = frozenset()
) -> tuple[Exposure, ...]:
    """All interpretations of ``name`` (with normalised letters and signs) in notation ``kind``.

    ``numbered``: see :func:`_numbered`.
    """
    low = name.lower()
    if len(low) != len(name):  # letters whose lower-case form is longer would shift the offsets
        name = low
    return tuple(_time(name, low, numbered) if kind == "time" else _READERS[kind](name, low))


def _spelled(name: str) -> str:
    return _PARTS.sub(_as_decimal, unicodedata.normalize("NFC", name).translate(_MINUS))


def _as_decimal(found: re.Match[str]) -> str:
    value = int(found[1] or 0) + unicodedata.numeric(found[2])
    return f"{value:.3f}".rstrip("0")


def exposure_of(name: str) -> Exposure | None:
    """The exposure that ``name`` certainly contains (``room_-2EV``), or None."""
    name = _spelled(name)
    for kind in ("ev", "time"):
        sure = [reading for reading in _readings(name, kind) if reading.sure]
        if sure:
            return sure[-1]
    return None


def _is_bracket(kind: ExposureKind, members: Sequence[Exposure]) -> bool:
    """Whether names that differ in one number differ in an exposure."""
    signs = {m.sign for m in members}
    if len({m.value for m in members}) < 2:
        return False
    if kind == "ev":
        return any(m.sure or not m.value for m in members)
    if kind == "sign":
        return "+" in signs or any(m.sign and not m.glued for m in members)
    if kind == "letter":
        return {"+", "-"} <= signs and bool(members[0].shared)
    if kind == "number":
        return all("." in m.written or "," in m.written for m in members) == any(
            m.written.startswith("0") for m in members
        )
    return True


def _is_certain(kind: ExposureKind, members: Sequence[Exposure]) -> bool:
    if kind == "number" or len({m.value for m in members}) < len(members):
        return False
    if kind == "time":  # 1_10s, 1_30s may be 10 s and 30 s of scene 1; 250 s is implausible
        fractions = all(re.match(r"1[_/-]", m.written) for m in members)
        return not fractions or members[0].value < 1 / _LONGEST
    hyphens = all(m.glued for m in members)
    return not (hyphens and any(not m.value for m in members))


def find_brackets(names: Sequence[str]) -> list[Bracket]:
    """Brackets: names of one scene in several exposures. A name is in one bracket at most."""
    left = dict(enumerate(map(_spelled, names)))
    found: list[Bracket] = []
    for kind in KINDS:
        groups: dict[tuple[str, str], dict[int, Exposure]] = defaultdict(dict)
        numbered = _numbered(left.values()) if kind == "time" else frozenset()
        for index, name in left.items():
            for reading in _readings(name, kind, numbered):
                before, after = (part.casefold() for part in reading.scene)
                groups[before, after].setdefault(index, reading)
        for group in sorted(groups.values(), key=len, reverse=True):
            members = {i: reading for i, reading in group.items() if i in left}
            if len(members) > 1 and _is_bracket(kind, list(members.values())):
                order = tuple(sorted(members, key=lambda i: (members[i].value, names[i])))
                readings = tuple(members[i] for i in order)
                found.append(Bracket(order, readings, _is_certain(kind, readings)))
                for index in order:
                    del left[index]
    return found


def _numbered(names: Iterable[str]) -> frozenset[str]:
    """Prefixes of ``2_30s`` in names: there the number before the seconds belongs to the scene."""
    return frozenset(
        name[: found.start()].casefold()
        for name in names
        for found in _TIME.finditer(name.lower())
        if found["over"] not in (None, "1")
    )


@lru_cache(maxsize=65536)
def compare_exposures(one: str, other: str, sure: bool = True) -> int:
    """-1 if ``one`` is less exposed than ``other``, 1 if more, 0 if they differ otherwise.

    Args:
        sure: also return 0 for ambiguous numbers (``0.004`` without a unit).
    """
    for bracket in find_brackets((one, other)):
        if bracket.certain or (not sure and bracket.readings[0].kind == "number"):
            return -1 if bracket.order == (0, 1) else 1
    return 0

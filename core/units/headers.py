"""Single values out of DICOM headers that may be incomplete, damaged or at odds with each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from core.messages import Message


@dataclass(frozen=True)
class HeaderValue:
    """One tag and the value that was used. Never a name, a number or a date of a patient.

    Attributes:
        tag: keyword and number, as :func:`tag_label` writes them.
        value: as shown; of a date with a time, the time of day alone.
    """

    tag: str
    value: str


@dataclass(frozen=True)
class HeaderProblem:
    """Why a header does not give what was asked of it.

    Attributes:
        tag: the tag that is to blame, as :func:`tag_label` writes it.
        kind: missing (absent, empty, or zero where zero means unknown), contradicts (implausible,
            at odds with another tag or from slice to slice, unreadable), or unsuitable (right, but
            nothing that can be calculated with).
        message: one sentence without a full stop that names the tag.
    """

    tag: str
    kind: Literal["missing", "contradicts", "unsuitable"]
    message: Message


def tag_label(keyword: str) -> str:
    """“RadionuclideTotalDose (0018,1074)”."""
    number = tag_for_keyword(keyword)
    if number is None:
        raise ValueError(f"{keyword} is no DICOM keyword")
    return f"{keyword} {_number(number)}"


def private_label(creator: str, group: int, element: int) -> str:
    """“Philips PET Private Group (7053,1000)”."""
    return f"{creator} {_number((group << 16) | 0x1000 | element)}"


def _number(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def texts(header: Dataset, keyword: str) -> list[str]:
    """All values of one tag as text without blanks around; none when it is absent or empty.

    A value that cannot be decoded is the text “?”, which is neither a number nor a time.
    """
    if keyword not in header:
        return []
    try:
        value = header[keyword].value
        values = [value] if isinstance(value, (str, bytes)) or not _many(value) else list(value)
        found = [_text(one) for one in values if one is not None]
    except Exception:  # whatever a damaged element makes the decoder raise
        return ["?"]
    return [one for one in found if one]


def text(header: Dataset, keyword: str) -> str:
    """The value of one tag as text; "" when it is absent or empty."""
    return "\\".join(texts(header, keyword))


def _many(value: object) -> bool:
    return isinstance(value, Sequence) or (hasattr(value, "__iter__") and hasattr(value, "__len__"))


def _text(value: object) -> str:
    plain = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return plain.strip(" \0")


def number_of(plain: str) -> float:
    """The number that a text is; NaN for one that is none, or not finite."""
    try:
        value = float(plain)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def items(header: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; none when it is absent or damaged."""
    if keyword not in header:
        return []
    try:
        return [item for item in header[keyword].value if isinstance(item, Dataset)]
    except Exception:  # whatever a damaged element makes the decoder raise
        return []


def private_text(header: Dataset, group: int, creator: str, element: int) -> str:
    """The value of a private tag as text; "" when it, or its creator, is absent."""
    try:
        value = header.private_block(group, creator)[element].value
    except KeyError:
        return ""
    except Exception:  # whatever a damaged element makes the decoder raise
        return "?"
    return "" if value is None else _text(value)


class SeriesHeaders:
    """The headers of one series, what was used of them and what was wrong with them."""

    def __init__(self, headers: Sequence[Dataset]) -> None:
        """``headers`` has one data set for each slice, at least one."""
        if not headers:
            raise ValueError("a series without headers")
        self.headers = tuple(headers)
        self.used: list[HeaderValue] = []
        self.problems: list[HeaderProblem] = []
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.headers)

    def use(self, tag: str, value: str) -> None:
        """Note that a value was used, once."""
        shown = HeaderValue(tag, value)
        if shown not in self.used:
            self.used.append(shown)

    def missing(self, tag: str, zero: bool = False) -> None:
        """A tag that is needed is absent or empty, or zero, which stands for unknown."""
        why = (
            Message("{0} is 0, so it is not known", tag) if zero else Message("{0} is missing", tag)
        )
        self._add(HeaderProblem(tag, "missing", why))

    def contradicts(self, tag: str, why: Message) -> None:
        """A tag is implausible, unreadable or at odds with others."""
        self._add(HeaderProblem(tag, "contradicts", why))

    def differs(self, tag: str) -> None:
        """A tag that all slices should share is not the same in all of them."""
        self.contradicts(tag, Message("{0} differs from slice to slice", tag))

    def unsuitable(self, tag: str, why: Message) -> None:
        """A tag says that this series is nothing to calculate with."""
        self._add(HeaderProblem(tag, "unsuitable", why))

    def _add(self, problem: HeaderProblem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def common(
        self, keyword: str, of: Sequence[Dataset] | None = None, *, needed: bool = True
    ) -> str:
        """The value that all slices share; "", and a problem, where it is missing or differs.

        Args:
            keyword: of the tag.
            of: where to look instead of the slices themselves, such as an item of each.
            needed: False where it is no problem that the tag is missing.
        """
        tag = tag_label(keyword)
        found = {text(header, keyword) for header in (self.headers if of is None else of)}
        if len(found) > 1:
            self.differs(tag)
            return ""
        (value,) = found
        if needed and not value:
            self.missing(tag)
        return value

    def positive(self, keyword: str, of: Sequence[Dataset] | None = None) -> float | None:
        """The number above zero that all slices share; None, and a problem, where there is none.

        Zero counts as missing: it is what scanners write when nobody typed a value.
        """
        plain = self.common(keyword, of)
        if not plain:
            return None
        tag, value = tag_label(keyword), number_of(plain)
        if value == 0:
            self.missing(tag, zero=True)
            return None
        if math.isnan(value) or value < 0:
            self.contradicts(tag, Message("{0} is not a number above zero", tag))
            return None
        return value

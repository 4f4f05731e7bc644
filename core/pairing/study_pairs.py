"""Which series of a patient are fused: PET, SPECT and CT with MR, by their headers alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace

from core.errors import Message, MissingSlices, UnevenSlices
from core.geometry.grids import VoxelGrid, coverage
from core.types import Modality, SeriesHeader, SourceSide

_PARTNERS: dict[Modality, tuple[Modality, ...]] = {
    "PT": ("MR", "CT"),
    "NM": ("MR", "CT"),
    "CT": ("MR",),
}
"""Of which modality B may be for each A, in order of preference."""


def could_be_source(series: SeriesHeader) -> bool:
    """Whether a person may choose a series of slices as A or B of a study."""
    acceptable = series.problem is None or isinstance(series.problem, (MissingSlices, UnevenSlices))
    return acceptable and series.affine is not None and series.samples == 1


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])", re.IGNORECASE)


BY_HAND = Message("paired by hand")
"""The reason of a pair that a person put together."""

_OVERVIEW = _words(r"locali[sz]ers?|loc|scouts?|surveys?|topograms?|surview|planning|3.?plane")
_MADE_LATER = _words(r"mips?|minip|projections?|fused|fusion|screen.?(?:save|shot)s?|key.?images?")
_UNCORRECTED = _words(
    r"nac|non?.?ac|no.?atten\w*|uncorrected|uncorr|not.?corrected|without.?ac|ohne.?ac"
)
_ATTENUATION = _words(r"[uµμ].?maps?|mu.?maps?|mrac|ctac.?map|attenuation.?maps?|dixon.?ac")


@dataclass(frozen=True, eq=False)
class SeriesPair:
    """Two series that are proposed for fusion.

    Attributes:
        a: of PET, SPECT or CT.
        b: of MR, or CT beside PET and SPECT.
        reason: why they belong together, one sentence without a full stop.
        same_frame: whether both name one frame of reference, so that they are lined up as acquired.
        coverage: share of A that lies inside of B, by their headers; None where ``same_frame`` is
            False, because it means nothing then.
        others: what B could be instead, the best first.
        equals: those of ``others`` that suit A as well as B does, so that a person has to choose.
        open_side: which source ``equals`` could be; "a" once both were exchanged.
    """

    a: SeriesHeader
    b: SeriesHeader
    reason: str
    _: KW_ONLY
    same_frame: bool
    coverage: float | None = None
    others: tuple[SeriesHeader, ...] = ()
    equals: tuple[SeriesHeader, ...] = ()
    open_side: SourceSide = "b"

    def source(self, side: SourceSide) -> SeriesHeader:
        """A or B."""
        return self.a if side == "a" else self.b

    def swapped(self) -> SeriesPair:
        """The same with A and B exchanged; what is still to be chosen stays so."""
        return SeriesPair(
            self.b,
            self.a,
            self.reason,
            same_frame=self.same_frame,
            equals=self.equals,
            open_side="a" if self.open_side == "b" else "b",
        )

    @property
    def open_choices(self) -> tuple[SeriesHeader, ...]:
        """What suits alike on :attr:`open_side`, so that a person has to choose; else empty."""
        return (self.source(self.open_side), *self.equals) if self.equals else ()

    @property
    def choices(self) -> tuple[SeriesHeader, ...]:
        """Every series that B could be, the present one first."""
        return (self.b, *self.others)

    def with_source(self, side: SourceSide, series: SeriesHeader) -> SeriesPair:
        """The same with another series as A or B, as a person chose; nothing is left to choose."""
        if side == "b":
            return self.with_b(series)
        return paired_by_hand(series, self.b)

    def with_b(self, b: SeriesHeader) -> SeriesPair:
        """The same A with the series ``b``, as a person chose; nothing is left to be chosen."""
        others = tuple(one for one in self.choices if one is not b)
        return replace(paired_by_hand(self.a, b), others=others)


@dataclass(frozen=True, eq=False)
class SeriesLeftover:
    """A series in no pair, and why; one sentence without a full stop."""

    series: SeriesHeader
    reason: str


@dataclass(frozen=True, eq=False)
class SeriesPlan:
    """Attributes:
    pairs: by patient; PET before SPECT before CT; those lined up as acquired first.
    leftovers: every other series, in the order given.
    """

    pairs: tuple[SeriesPair, ...] = ()
    leftovers: tuple[SeriesLeftover, ...] = ()


@dataclass(frozen=True, eq=False)
class _Candidate:
    """What B could be for one A; compared by :attr:`rank`, the greatest is the best."""

    b: SeriesHeader
    same_frame: bool
    coverage: float | None
    rank: tuple[float, ...]


def paired_by_hand(a: SeriesHeader, b: SeriesHeader) -> SeriesPair:
    """Two series that a person chose."""
    same, share = _one_frame(a, b), None
    if same and a.affine is not None and b.affine is not None:
        share = coverage(_grid(a), _grid(b))
    return SeriesPair(a, b, BY_HAND, same_frame=same, coverage=share)


def label(series: SeriesHeader) -> str:
    """Modality and the beginning of the key: what a series is called where nobody may be named."""
    return f"{series.modality} {short_key(series.key)}"


def short_key(key: str) -> str:
    """The beginning of a key, enough to tell series and patients apart by eye."""
    return key[:8]


def pair_series(series: Sequence[SeriesHeader]) -> SeriesPlan:
    """Pairs of series of one patient each, with reasons; no pixel is read.

    Each usable A has one pair, with the best B:

    1. with A's frame of reference before another one;
    2. MR before CT; without an accepted problem; not made for attenuation correction;
    3. of the same study; that covers more of A; with finer pixels.

    Series whose patient is not known go only with those of their frame of reference. In no pair are
    overviews, what was made of other series, series that make no volume, and PET that was not
    attenuation corrected beside one that was.
    """
    why: dict[int, str] = {}
    for index, one in enumerate(series):
        if reason := _unusable(one):
            why[index] = reason
    usable = [index for index in range(len(series)) if index not in why]
    _leave_uncorrected(series, usable, why)
    pairs: list[SeriesPair] = []
    for a in [
        index for index in usable if index not in why and series[index].modality in _PARTNERS
    ]:
        candidates = _candidates(series[a], [series[b] for b in usable if b != a])
        if candidates:
            pairs.append(_pair(series[a], candidates))
    paired = {id(one) for pair in pairs for one in (pair.a, pair.b)}
    for index, one in enumerate(series):
        if index not in why and id(one) not in paired:
            why[index] = _why_alone(one, pairs, [series[other] for other in usable])
    left = [
        SeriesLeftover(one, why[index])
        for index, one in enumerate(series)
        if index in why and id(one) not in paired
    ]
    return SeriesPlan(tuple(sorted(pairs, key=_order)), tuple(left))


def _order(pair: SeriesPair) -> tuple[str, int, bool, float]:
    number = pair.a.number
    return (
        pair.a.patient or pair.b.patient,
        list(_PARTNERS).index(pair.a.modality),
        not pair.same_frame,
        float("inf") if number is None else number,
    )


def _unusable(one: SeriesHeader) -> str:
    """Why a series can be in no pair; "" where it can."""
    if one.problem is not None and not isinstance(one.problem, (MissingSlices, UnevenSlices)):
        return Message.plain(one.problem.why)
    if one.affine is None:
        return Message("its place in the patient is not known")
    if one.samples != 1:
        return Message("it is in colour, as pictures of a screen are")
    if one.modality not in ("PT", "NM", "CT", "MR"):
        return Message("its headers do not say that it is PET, SPECT, CT or MR")
    if _OVERVIEW.search(one.title):
        return Message("it is an overview for planning")
    if _MADE_LATER.search(one.title):
        return Message("it was made of other series")
    return ""


def _leave_uncorrected(
    series: Sequence[SeriesHeader], usable: Sequence[int], why: dict[int, str]
) -> None:
    """PET and SPECT without attenuation correction are left where there is one with it."""
    corrected: dict[tuple[str, Modality], bool] = defaultdict(bool)
    for index in usable:
        one = series[index]
        corrected[one.patient, one.modality] |= not _UNCORRECTED.search(one.title)
    for index in usable:
        one = series[index]
        emitted = one.modality in ("PT", "NM")
        if emitted and _UNCORRECTED.search(one.title) and corrected[one.patient, one.modality]:
            why[index] = Message("it is not attenuation corrected, and another series is")


def _candidates(a: SeriesHeader, others: Sequence[SeriesHeader]) -> list[_Candidate]:
    """What B could be, the best first."""
    found = [made for b in others if (made := _candidate(a, b)) is not None]
    return sorted(found, key=lambda one: one.rank, reverse=True)


def _candidate(a: SeriesHeader, b: SeriesHeader) -> _Candidate | None:
    if b.modality not in _PARTNERS[a.modality] or _strangers(a, b):
        return None
    same, share = _one_frame(a, b), None
    if same:
        share = coverage(_grid(a), _grid(b))
        if not share and not coverage(_grid(b), _grid(a)):
            return None
    assert b.spacing is not None
    rank = (
        float(same),
        -float(_PARTNERS[a.modality].index(b.modality)),
        float(b.problem is None),
        float(not _ATTENUATION.search(b.title)),
        float(bool(a.study) and a.study == b.study),
        round(share or 0.0, 1),
        -b.spacing[1] * b.spacing[2],
    )
    return _Candidate(b, same, share, rank)


def _strangers(a: SeriesHeader, b: SeriesHeader) -> bool:
    """Whether both are of two patients, or may be."""
    if a.patient and b.patient:
        return a.patient != b.patient
    return not _one_frame(a, b)


def _one_frame(a: SeriesHeader, b: SeriesHeader) -> bool:
    return bool(a.frame_of_reference) and a.frame_of_reference == b.frame_of_reference


def _grid(one: SeriesHeader) -> VoxelGrid:
    assert one.affine is not None
    return VoxelGrid(one.shape, one.affine)


def _pair(a: SeriesHeader, candidates: Sequence[_Candidate]) -> SeriesPair:
    best = candidates[0]
    return SeriesPair(
        a,
        best.b,
        Message.joined("; ", _reasons(a, best, len(candidates))),
        same_frame=best.same_frame,
        coverage=best.coverage,
        others=tuple(one.b for one in candidates[1:]),
        equals=tuple(one.b for one in candidates[1:] if one.rank == best.rank),
    )


def _reasons(a: SeriesHeader, best: _Candidate, count: int) -> Iterator[str]:
    name_a, name_b = _NAMES[a.modality], _NAMES[best.b.modality]
    if best.same_frame and best.coverage is not None:
        yield Message("{0} and {1} of one patient in one frame of reference", name_a, name_b)
        yield Message("{0} covers {1} % of {2}", name_b, round(100 * best.coverage), name_a)
    else:
        yield Message(
            "{0} and {1} of one patient, but not of one frame of reference: not registered",
            name_a,
            name_b,
        )
    if count > 1:
        yield Message("the best of {0} that could be B", count)
    for one in (a, best.b):
        if one.problem is not None:
            yield Message("{0}: {1}", _NAMES[one.modality], Message.plain(one.problem.why))
    if _UNCORRECTED.search(a.title):
        yield Message("{0} is not attenuation corrected", _NAMES[a.modality])


_NAMES: dict[Modality, str] = {"PT": "PET", "NM": "SPECT", "CT": "CT", "MR": "MR", "OT": ""}


def _why_alone(
    one: SeriesHeader, pairs: Sequence[SeriesPair], usable: Sequence[SeriesHeader]
) -> str:
    """Why a usable series is in no pair."""
    for pair in pairs:
        if any(other is one for other in pair.others):
            return Message("“{0}” suits {1} better", pair.b.title, _NAMES[pair.a.modality])
    partners = _PARTNERS.get(one.modality) or tuple(
        a for a, wanted in _PARTNERS.items() if one.modality in wanted
    )
    wanted = Message.joined(", ", [_NAMES[modality] for modality in partners])
    if not one.patient:
        return Message("its patient is not known, nor is a series of its frame of reference there")
    of_patient = [other for other in usable if other.patient == one.patient]
    if any(other.modality in partners for other in of_patient):
        return Message("no series of the same patient shares its place or is left for it")
    return Message("the patient has no series of {0}", wanted)

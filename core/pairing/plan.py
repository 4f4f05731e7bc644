"""The result of pairing: pairs with their reasons, and leftovers with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Literal

from core.messages import Message
from core.pairing.study_pairs import (
    BY_HAND,
    SeriesPair,
    could_be_source,
    paired_by_hand,
    short_key,
)
from core.types import SeriesHeader, SourceSide

Trouble = Literal["unmatched", "ambiguous", "unreadable"]


@dataclass(frozen=True, slots=True)
class Match:
    """Two files of one scene, or two volumes of one patient.

    Attributes:
        name: common part of both names, without suffix; never empty.
        a, b: the sources.
        reason: why they belong together, for the user.
        folder: location relative to the given folder, without the part that distinguishes A and B;
            the empty path for the top. Results keep this folder structure.
        sure: whether the names identify A.
        excluded: excluded by the user.
        study: the two series, if the sources are volumes; ``a`` and ``b`` are their first files.
        index: the only axial slice of the volumes that is meant, from 0; None for all.
    """

    name: str
    a: Path
    b: Path
    reason: str
    folder: Path = Path()
    _: KW_ONLY
    sure: bool = True
    excluded: bool = False
    study: SeriesPair | None = None
    index: int | None = None

    @classmethod
    def of_series(cls, study: SeriesPair) -> Match:
        """Two DICOM series, named by keys: titles, files and folders often name a person."""
        a, b = study.a, study.b
        patient = b.patient or a.patient
        folder = Path(f"patient_{short_key(patient)}") if patient else Path()
        name = f"{a.modality}-{b.modality}_{short_key(a.key)}".lower()
        return cls(name, a.files[0], b.files[0], study.reason, folder, study=study)

    @property
    def is_by_hand(self) -> bool:
        """Whether a person put both together."""
        return self.reason == BY_HAND

    def swapped(self) -> Match:
        """The same with A and B exchanged; it is called by what A is then."""
        study = None if self.study is None else self.study.swapped()
        turned = replace(self, a=self.b, b=self.a, sure=True, study=study)
        return turned if study is None else _named_as(turned, study)

    @property
    def files(self) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """All files of A and of B."""
        if self.study is None:
            return (self.a,), (self.b,)
        return self.study.a.files, self.study.b.files

    @property
    def middle(self) -> tuple[Path, Path]:
        """A file of each source that shows it best: of slices in files of their own the middle."""
        a, b = (files[len(files) // 2] for files in self.files)
        return a, b


@dataclass(frozen=True)
class Leftover:
    """A file or folder that is in no pair.

    ``unmatched``: no partner. ``ambiguous``: several candidates. ``unreadable``: cannot be listed.

    Attributes:
        path: the file, or the folder if all of its images are left over for the same reason.
        count: number of images it represents.
    """

    path: Path
    reason: str
    trouble: Trouble = "unmatched"
    count: int = 1


@dataclass(frozen=True)
class PairingPlan:
    """An immutable table of pairs. Changes return a new plan and never touch the files.

    Attributes:
        matches: pairs in the order of folder and name.
        leftovers: files in no pair, each with its reason.
        notes: remarks about the whole for the user, one sentence each.
        suggested_task: the only task that the names of files and folders suggest; "" if they
            suggest none or several.
        series: all series of slices among the files, in a pair or not.
    """

    matches: tuple[Match, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    notes: tuple[str, ...] = ()
    suggested_task: str = ""
    series: tuple[SeriesHeader, ...] = ()

    @property
    def active(self) -> tuple[Match, ...]:
        """Pairs that are not excluded."""
        return tuple(match for match in self.matches if not match.excluded)

    @property
    def loose(self) -> int:
        """Number of images that are in no pair."""
        return sum(item.count for item in self.leftovers)

    @property
    def unmatched(self) -> tuple[Leftover, ...]:
        """Files without a partner."""
        return tuple(item for item in self.leftovers if item.trouble == "unmatched")

    @property
    def ambiguous(self) -> tuple[Leftover, ...]:
        """Files with several candidates."""
        return tuple(item for item in self.leftovers if item.trouble == "ambiguous")

    def swap(self, rows: Collection[int] | None = None) -> PairingPlan:
        """Exchange A and B in ``rows`` (indices of ``matches``), or in all rows if None.

        Raises:
            IndexError: there is no such row.
        """
        return self._changed(rows, _swapped)

    def exclude(self, rows: Collection[int] | None = None) -> PairingPlan:
        """Exclude ``rows``; IndexError as in :meth:`swap`."""
        return self._changed(rows, lambda m: _used(m, False))

    def include(self, rows: Collection[int] | None = None) -> PairingPlan:
        """Include ``rows`` again; IndexError as in :meth:`swap`."""
        return self._changed(rows, lambda m: _used(m, True))

    def pair_by_hand(self, a: Path, b: Path) -> PairingPlan:
        """Pair ``a`` with ``b``; existing pairs that contain either are split.

        Raises:
            ValueError: ``a`` and ``b`` are the same file.
        """
        if a == b:
            raise ValueError("a pair needs two files")
        broken = [m for m in self.matches if _is_broken(m, a, b)]
        kept = [m for m in self.matches if m not in broken]
        freed = {path for m in broken for path in (m.a, m.b)} - {a, b}
        freed -= {path for m in kept for path in (m.a, m.b)}
        folder = broken[0].folder if broken else Path()
        place = self.matches.index(broken[0]) if broken else len(kept)
        known = next((m.study for m in broken if m.study is not None and m.a == a), None)
        kept.insert(place, self._by_hand(a, b, folder, known))
        loose = [item for item in self.leftovers if item.path not in (a, b)]
        why = Message("its pair was taken apart by hand")
        loose += [Leftover(path, why) for path in sorted(freed)]
        return replace(self, matches=tuple(kept), leftovers=tuple(loose))

    def series_for(self, row: int, side: SourceSide) -> tuple[SeriesHeader, ...]:
        """What a source of the study in ``row`` may be: the present series, then what is proposed,
        then all others of its patient or in its frame of reference.

        Raises:
            IndexError: there is no such row.
        """
        study = self.matches[row].study
        if study is None:
            return ()
        now, other = study.source(side), study.b if side == "a" else study.a
        proposed = study.choices if side == "b" else (study.a, *study.equals)
        every = {one.key: one for one in (now, *proposed, *self.series)}
        return tuple(
            one
            for one in every.values()
            if one.key != other.key and (one is now or _may_join(one, other))
        )

    def choose_series(self, row: int, side: SourceSide, series: SeriesHeader) -> PairingPlan:
        """Take another series as A or B of the study in ``row``, or confirm the present one.

        The pair of another A stays as a row that is not used, unless it was made by hand.

        Raises:
            IndexError: there is no such row. ValueError: it is no study, or ``series`` is its
                other source, or another row has these two already.
        """
        match = self.matches[row]
        if match.study is None:
            raise ValueError("only a study has another series")
        chosen = _named_as(match, self._with_series(row, side, series))
        after: tuple[Match, ...] = ()
        if side == "a" and series is not match.study.a and not match.is_by_hand:
            after = (replace(match, excluded=True),)
        matches = (*self.matches[:row], chosen, *after, *self.matches[row + 1 :])
        there = {path for m in matches for path in (m.a, m.b)}
        loose = tuple(item for item in self.leftovers if item.path not in there)
        why = Message("its pair was taken apart by hand")
        freed = dict.fromkeys(path for path in (match.a, match.b) if path not in there)
        loose = (*loose, *(Leftover(path, why) for path in freed))
        return replace(self, matches=matches, leftovers=loose)

    def add_series(self, row: int, series: SeriesHeader) -> PairingPlan:
        """Add a row with A of the study in ``row`` and another B.

        Raises:
            IndexError, ValueError: as :meth:`choose_series`.
        """
        match = self.matches[row]
        if match.study is None:
            raise ValueError("only a study has another series")
        added = _named_as(match, self._with_series(row, "b", series, beside=True))
        matches = (*self.matches[: row + 1], added, *self.matches[row + 1 :])
        loose = tuple(item for item in self.leftovers if item.path != added.b)
        return replace(self, matches=matches, leftovers=loose)

    def _with_series(
        self, row: int, side: SourceSide, series: SeriesHeader, *, beside: bool = False
    ) -> SeriesPair:
        """The study of ``row`` with another source.

        Raises:
            ValueError: as :meth:`choose_series`.
        """
        study = self.matches[row].study
        assert study is not None
        other = study.b if side == "a" else study.a
        if other.key == series.key:
            raise ValueError("A and B have to be two series")
        made = study.with_source(side, series)
        keys = {made.a.key, made.b.key}
        for place, match in enumerate(self.matches):
            if match.study is None or match.excluded or (place == row and not beside):
                continue
            if keys == {match.study.a.key, match.study.b.key}:
                raise ValueError("another row has these series")
        return made

    def _by_hand(self, a: Path, b: Path, folder: Path, known: SeriesPair | None) -> Match:
        reason = BY_HAND
        first = {series.files[0]: series for series in self.series}
        one, other = first.get(a), first.get(b)
        if one is None or other is None:
            return Match(a.stem, a, b, reason, folder)
        study = paired_by_hand(one, other) if known is None else known.with_b(other)
        if "DICOM" in (one.kind, other.kind):
            return Match.of_series(study)
        return Match(a.stem, a, b, reason, folder, study=study)

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


def _swapped(match: Match) -> Match:
    if match.study is not None:
        return match.swapped()
    # Several times as fast as “replace” for thousands of pairs.
    return Match(
        match.name, match.b, match.a, match.reason, match.folder, sure=True,
        excluded=match.excluded, index=match.index,
    )  # fmt: skip


def _used(match: Match, used: bool) -> Match:
    return Match(
        match.name, match.a, match.b, match.reason, match.folder, sure=match.sure,
        excluded=not used, study=match.study, index=match.index,
    )  # fmt: skip


def _named_as(match: Match, study: SeriesPair) -> Match:
    """A study in place of that of ``match``."""
    if "DICOM" in (study.a.kind, study.b.kind):
        return replace(Match.of_series(study), folder=match.folder, excluded=match.excluded)
    a, b = study.a.files[0], study.b.files[0]
    return replace(match, a=a, b=b, reason=study.reason, study=study)


def _may_join(series: SeriesHeader, other: SeriesHeader) -> bool:
    """Whether a person may pair two series: of one patient, or of one frame of reference."""
    if not could_be_source(series):
        return False
    if series.patient and other.patient:
        return series.patient == other.patient
    return bool(series.frame_of_reference) and series.frame_of_reference == other.frame_of_reference


def _is_broken(match: Match, a: Path, b: Path) -> bool:
    """Whether a pair ends when ``a`` and ``b`` are paired; a series may be B of several."""
    if match.study is not None:
        return match.a == a or {match.a, match.b} == {a, b}
    return bool({match.a, match.b} & {a, b})

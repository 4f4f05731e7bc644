"""The result of pairing: pairs with their reasons, and leftovers with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Literal

from core.messages import Message
from core.pairing.study_pairs import SeriesPair, paired_by_hand, short_key
from core.types import SeriesHeader

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
        return self._changed(rows, lambda m: _like(m, m.b, m.a, sure=True, excluded=m.excluded))

    def exclude(self, rows: Collection[int] | None = None) -> PairingPlan:
        """Exclude ``rows``; IndexError as in :meth:`swap`."""
        return self._changed(rows, lambda m: _like(m, m.a, m.b, sure=m.sure, excluded=True))

    def include(self, rows: Collection[int] | None = None) -> PairingPlan:
        """Include ``rows`` again; IndexError as in :meth:`swap`."""
        return self._changed(rows, lambda m: _like(m, m.a, m.b, sure=m.sure, excluded=False))

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

    def choose_b(self, row: int, b: SeriesHeader) -> PairingPlan:
        """Take another series as B of the study in ``row``, or confirm the present one.

        Raises:
            IndexError: there is no such row. ValueError: it is no study, or ``b`` is its A.
        """
        match = self.matches[row]
        if match.study is None or match.study.a is b:
            raise ValueError("only a study has another series")
        chosen = _named_as(match, match.study.with_b(b))
        matches = (*self.matches[:row], chosen, *self.matches[row + 1 :])
        there = {path for m in matches for path in (m.a, m.b)}
        loose = tuple(item for item in self.leftovers if item.path not in there)
        if match.b not in there:
            why = Message("its pair was taken apart by hand")
            loose = (*loose, Leftover(match.b, why))
        return replace(self, matches=matches, leftovers=loose)

    def _by_hand(self, a: Path, b: Path, folder: Path, known: SeriesPair | None) -> Match:
        reason = Message("paired by hand")
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


def _like(match: Match, a: Path, b: Path, *, sure: bool, excluded: bool) -> Match:
    """``match`` with other values; several times as fast as ``replace`` for thousands of pairs."""
    study = match.study
    if study is not None and (a, b) != (match.a, match.b):
        study = study.swapped()
    return Match(
        match.name, a, b, match.reason, match.folder, sure=sure, excluded=excluded, study=study
    )


def _named_as(match: Match, study: SeriesPair) -> Match:
    """A study in place of that of ``match``."""
    if "DICOM" in (study.a.kind, study.b.kind):
        return replace(Match.of_series(study), folder=match.folder, excluded=match.excluded)
    return replace(match, b=study.b.files[0], reason=study.reason, study=study)


def _is_broken(match: Match, a: Path, b: Path) -> bool:
    """Whether a pair ends when ``a`` and ``b`` are paired; a series may be B of several."""
    if match.study is not None:
        return match.a == a or {match.a, match.b} == {a, b}
    return bool({match.a, match.b} & {a, b})

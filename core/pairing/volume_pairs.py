"""Pairs of volumes among files: DICOM series by their headers, NIfTI files by their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from core.errors import InputError, Message
from core.io.volumes import SeriesListing, list_series
from core.pairing.plan import Leftover, Match, PairingPlan
from core.pairing.scan_files import is_dicom_file, is_mask, is_nifti_name
from core.pairing.study_pairs import SeriesPair, label, pair_series
from core.progress import Progress
from core.types import SeriesHeader


@dataclass(frozen=True)
class FoundSeries:
    """What is made of DICOM files.

    Attributes:
        matches: one for each pair of series, in the order of :func:`pair_series`.
        leftovers: series in no pair, and files that hold no image.
        files: all files that are accounted for here; the others are single images.
        series: all series that are volumes, or would be without their problem.
    """

    matches: tuple[Match, ...] = ()
    _: KW_ONLY
    leftovers: tuple[Leftover, ...] = ()
    files: frozenset[Path] = field(default_factory=frozenset)
    series: tuple[SeriesHeader, ...] = ()


def take_volumes(
    files: Iterable[Path], prefer: Sequence[str] = (), progress: Progress | None = None
) -> FoundSeries:
    """The pairs of DICOM series among ``files``, and masks, which are no sources.

    See :func:`core.pairing.study_pairs.pair_series`.

    Series of several slices are looked at, also those whose volume cannot be read; single images
    are left to the pairing by name. No pixel is decoded. ``prefer`` as in
    :func:`core.pairing.finder.pair_paths`.

    Raises:
        InputError: a preferred key is of no series, or of several.
        Cancelled: by ``progress``.
    """
    files = list(files)
    scans = [path for path in files if is_dicom_file(path)]
    text = Message("its name says that it is a mask, not a source")
    masks = [Leftover(path, text) for path in files if is_mask(path)]
    try:
        listing = list_series(scans, progress)
    except InputError:  # not one image is in them, which reading them as pictures will say
        listing = SeriesListing(())
    series = tuple(one for one in listing.series if is_volume(one))
    _check_preferred(series, prefer)
    if not series:
        return FoundSeries(leftovers=tuple(masks), files=frozenset(m.path for m in masks))
    plan = pair_series(series)
    matches = {(m.a, m.b): m for m in map(Match.of_series, _preferred(plan.pairs, prefer))}
    leftovers = [
        Leftover(left.series.files[0], Message("{0}: {1}", label(left.series), left.reason))
        for left in plan.leftovers
    ]
    known = set(scans)
    leftovers += [Leftover(one.path, one.reason) for one in listing.left_out if one.path in known]
    claimed = {path for one in series for path in one.files}
    claimed |= {path for path, *_ in listing.left_out} | {mask.path for mask in masks}
    return FoundSeries(
        tuple(matches.values()),
        leftovers=(*leftovers, *masks),
        files=frozenset(claimed),
        series=series,
    )


def _preferred(pairs: Iterable[SeriesPair], prefer: Sequence[str]) -> Iterator[SeriesPair]:
    """``pairs``, with the only one of the series that could be B that is preferred."""
    for pair in pairs:
        chosen = [b for b in (pair.b, *pair.others) if b.key.startswith(tuple(prefer))]
        if len(chosen) != 1:
            yield pair
        elif chosen[0] is pair.b:
            yield replace(pair, equals=())
        else:
            yield pair.with_b(chosen[0])


def _check_preferred(series: Iterable[SeriesHeader], prefer: Sequence[str]) -> None:
    """Refuse a key that is of no series, or of several.

    Raises:
        InputError: see above.
    """
    keys = [one.key for one in series]
    for key in prefer:
        found = sum(known.startswith(key) for known in keys)
        if found != 1:
            raise InputError(
                Message("The series {0}", key),
                Message.plural(
                    "{0} series has a key that begins so",
                    "{0} series have keys that begin so",
                    found,
                ),
                Message("unifusion inspect lists the keys."),
            )


def is_volume(series: SeriesHeader) -> bool:
    """Whether a series is a volume, or would be without its problem; not a single image."""
    refused = series.problem is not None and len(series.files) > 1
    return series.shape[0] > 1 or refused


def with_nifti_volumes(plan: PairingPlan) -> PairingPlan:
    """``plan``, of which pairs of two NIfTI volumes, made by their names, know their series.

    Files whose header cannot be read stay as they are: reading says why.
    """
    named = {path: None for m in plan.matches for path in (m.a, m.b) if m.study is None}
    named |= {item.path: None for item in plan.leftovers}
    found = {path: _nifti_volume(path) for path in named if is_nifti_name(path)}
    volumes = {path: series for path, series in found.items() if series is not None}
    matches = []
    for match in plan.matches:
        a, b = volumes.get(match.a), volumes.get(match.b)
        if match.study is None and a is not None and b is not None:
            study = SeriesPair(a, b, match.reason, same_frame=False)
            match = replace(match, study=study)
        matches.append(match)
    return replace(plan, matches=tuple(matches), series=(*plan.series, *volumes.values()))


def _nifti_volume(path: Path) -> SeriesHeader | None:
    """What the header of a NIfTI file says; None if it cannot be read, or is of one slice."""
    try:
        (series,) = list_series(path).series
    except InputError:
        return None
    return series if is_volume(series) else None

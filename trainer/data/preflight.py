"""Preflight check of the training data: counts, unreadable and mismatched pairs, and the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, replace

from core.errors import FusionError, InputError, Message, SizeMismatch
from core.fusion.color import split as split_colours
from core.io.values import has_own_window
from core.pairing.plan import Leftover, Match
from core.pairing.study_pairs import label
from core.progress import NullProgress, Progress
from core.types import SourcePair
from core.windows import Window
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPairs
from trainer.data.division import divide_pairs
from trainer.data.pair_reader import EmptySlice, PairReader
from trainer.data.split import DataSplit

_FEW_PAIRS = 10
_WORKERS = 2


@dataclass(frozen=True)
class BadPair:
    """A pair that cannot be used, or that needs attention.

    ``reason`` is one sentence that contains no path.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class PreflightReport:
    """Result of the preflight check.

    Attributes:
        pairs: number of usable pairs, for training and validation together.
        split: how the pairs are divided into training and validation.
        unreadable: pairs with a file that cannot be read.
        mismatched: pairs whose images differ in size; they are left out.
        misaligned: pairs that appear to be shifted against each other, or whose registration is
            doubtful; they are used.
        unpaired: files that are in no pair, each with its reason.
        warnings: remarks about the data as a whole, one sentence each.
        suggested_task: the task that the file names suggest, "" if they suggest none.
        data_bytes: memory that the images will occupy.
        sizes: smallest and largest (width, height).
    """

    pairs: int
    split: DataSplit
    _: KW_ONLY
    unreadable: tuple[BadPair, ...] = ()
    mismatched: tuple[BadPair, ...] = ()
    misaligned: tuple[BadPair, ...] = ()
    unpaired: tuple[Leftover, ...] = ()
    warnings: tuple[str, ...] = ()
    suggested_task: str = ""
    data_bytes: int = 0
    sizes: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))

    @property
    def problems(self) -> int:
        """Number of pairs and files that cannot be used."""
        return len(self.unreadable) + len(self.mismatched) + len(self.unpaired)


@dataclass(frozen=True, kw_only=True)
class _Inspection:
    """Result for one pair: exactly one of ``size``, ``unreadable``, ``mismatched``, ``empty``."""

    size: tuple[int, int] | None = None
    unreadable: str = ""
    mismatched: str = ""
    empty: bool = False
    shift: float = 0.0
    is_doubtful: bool = False
    own_range: Window | None = None
    has_missing_data: bool = False


def run_preflight(
    pairs: RunPairs, config: TrainConfig, progress: Progress | None = None
) -> PreflightReport:
    """Inspect every pair the way :func:`trainer.run.loop.train` will use it.

    Raises:
        InputError: a path does not exist, or no pair is usable. Cancelled: raised by ``progress``.
    """
    progress = progress or NullProgress()
    divided = divide_pairs(pairs, config)
    found, division = divided.found, divided.split
    unpaired = found.unpaired + divided.held_out.unpaired
    every = (*division.train, *division.validation)
    inspections = dict(zip(every, _inspect_all(every, config, progress), strict=True))
    usable = _restricted_to(
        division, {match for match, inspection in inspections.items() if inspection.size}
    )
    if not usable.train:
        reason = next(
            (inspection.unreadable or inspection.mismatched for inspection in inspections.values()),
            "",
        )
        why = Message("not one pair can be used")
        raise InputError(
            ", ".join(map(str, pairs.sources)),
            Message("{0} ({1})", why, reason) if reason else why,
            Message("Choose folders with pairs that can be read, or another way to align them."),
        )
    sizes = [inspection.size for inspection in inspections.values() if inspection.size]
    return PreflightReport(
        len(usable.train) + len(usable.validation),
        usable,
        unreadable=_unreadable(inspections),
        mismatched=tuple(
            BadPair(m.name, k.mismatched) for m, k in inspections.items() if k.mismatched
        ),
        misaligned=tuple(
            BadPair(
                m.name,
                Message("its registration is doubtful")
                if k.is_doubtful
                else Message("B seems to be shifted by about {0:.0f} pixels", k.shift),
            )
            for m, k in inspections.items()
            if k.shift or k.is_doubtful
        ),
        unpaired=unpaired,
        warnings=(
            *found.notes,
            *_study_notes(inspections, config),
            *_warnings(usable, sizes, config),
            *_value_warnings(inspections),
        ),
        suggested_task=found.suggested_task,
        data_bytes=sum(w * h for w, h in sizes) * 4 * config.network.in_channels,
        sizes=(min(sizes), max(sizes)),
    )


def _unreadable(inspections: Mapping[Match, _Inspection]) -> tuple[BadPair, ...]:
    """Pairs that cannot be read; two volumes once, not for each of their slices."""
    bad: dict[object, BadPair] = {}
    for match, inspection in inspections.items():
        if inspection.unreadable:
            name = match.name if match.study is None else label(match.study.a)
            bad.setdefault(match.study or match, BadPair(name, inspection.unreadable))
    return tuple(bad.values())


def _study_notes(inspections: Mapping[Match, _Inspection], config: TrainConfig) -> list[str]:
    """How many slices of how many studies and patients there are, and how many are skipped."""
    slices = {m: k for m, k in inspections.items() if m.study is not None}
    if not slices:
        return []
    used = [match for match, inspection in slices.items() if inspection.size]
    studies = {match.study for match in used}
    patients = {match.study.b.patient or match.study.b.key for match in used if match.study}
    empty = sum(inspection.empty for inspection in slices.values())
    words: list[str] = [
        Message(
            "Volumes: {0} slices out of {1} pairs of series of {2} patients, {3:g} mm or more "
            "apart.",
            len(used),
            len(studies),
            len(patients),
            config.slice_distance,
        )
    ]
    known = {bool(match.study.b.patient or match.study.a.patient) for match in used if match.study}
    if len(known) > 1:
        words.append(
            Message(
                "Some volumes name a patient in their headers and others do not, such as NIfTI "
                "files: if they are of the same patients, leave out one of the two."
            )
        )
    if empty:
        words.append(
            Message.plural(
                "{0} slice is skipped, since one of the sources shows nothing in it.",
                "{0} slices are skipped, since one of the sources shows nothing in them.",
                empty,
            )
        )
    return words


def _restricted_to(division: DataSplit, usable: set[Match]) -> DataSplit:
    return replace(
        division,
        train=tuple(m for m in division.train if m in usable),
        validation=tuple(m for m in division.validation if m in usable),
    )


def _warnings(
    division: DataSplit, sizes: Sequence[tuple[int, int]], config: TrainConfig
) -> list[str]:
    words = [division.note] if division.note else []
    if len(division.train) < _FEW_PAIRS:
        words.append(
            Message.plural(
                "Only {0} pair to train on: the network may learn it by heart.",
                "Only {0} pairs to train on: the network may learn them by heart.",
                len(division.train),
            )
        )
    small = sum(min(size) < config.crop for size in sizes)
    if small:
        words.append(
            Message.plural(
                "{0} picture is smaller than a crop of {1} pixels and is continued by mirroring.",
                "{0} pictures are smaller than a crop of {1} pixels and are continued by "
                "mirroring.",
                small,
                config.crop,
            )
        )
    return words


def _value_warnings(inspections: Mapping[Match, _Inspection]) -> list[str]:
    """Remarks about images with high bit depth and with missing data."""
    words: list[str] = []
    own_ranges = [
        (match.name, inspection.own_range)
        for match, inspection in inspections.items()
        if inspection.own_range
    ]
    if own_ranges:
        name, (low, high) = own_ranges[0]
        words.append(
            Message.plural(
                "In {0} pair black to white is not all that the file could hold, but where its "
                "values lie ({1}: {2:.6g}…{3:.6g}).",
                "In {0} pairs black to white is not all that the files could hold, but where their "
                "values lie ({1}: {2:.6g}…{3:.6g}).",
                len(own_ranges),
                name,
                low,
                high,
            )
        )
    holes = sum(inspection.has_missing_data for inspection in inspections.values())
    if holes:
        words.append(
            Message.plural(
                "{0} pair has pixels without data; they are filled from the other source.",
                "{0} pairs have pixels without data; they are filled from the other source.",
                holes,
            )
        )
    return words


def _inspect_all(
    matches: Sequence[Match], config: TrainConfig, progress: Progress
) -> list[_Inspection]:
    inspections: list[_Inspection] = []
    reader = PairReader(config.task, config.windows, config.align_choice, progress)
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = [pool.submit(_inspect, match, config, reader) for match in matches]
        try:
            for index, future in enumerate(futures):
                progress.check()
                progress.report(index, len(futures), Message("looking at pairs"))
                inspections.append(future.result())
        finally:
            for future in futures:
                future.cancel()
    return inspections


def _inspect(match: Match, config: TrainConfig, reader: PairReader) -> _Inspection:
    try:
        pair = reader.read(match)
        split_colours(pair, config.colour)
    except EmptySlice:
        return _Inspection(empty=True)
    except SizeMismatch as error:
        return _Inspection(mismatched=Message.plain(error.why))
    except FusionError as error:
        return _Inspection(unreadable=Message.plain(error.why or error.what))
    return _Inspection(
        size=pair.a.size,
        shift=_shift(pair, config.task) if pair.transform is None else 0.0,
        is_doubtful=pair.transform is not None and pair.transform.is_doubtful,
        own_range=next((i.window for i in (pair.a, pair.b) if has_own_window(i)), None),
        has_missing_data=pair.valid is not None,
    )


def _shift(pair: SourcePair, task: str) -> float:
    """Mean displacement of the corners of B against A in pixels, 0 unless it is certain."""
    # Late: the window, which is sent the report, does without it.
    from core.registration.quick_check import looks_misaligned

    found = looks_misaligned(pair.a, pair.b, task)
    return found.shift if found.verdict == "shifted" else 0.0

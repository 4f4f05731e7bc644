"""Finds series of scanners in what was opened, and pairs of them. Runs on worker threads.

The core is imported inside the functions: its readers take long to import.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.i18n.translate import plural, tr, translate
from app.pairs.edits import PairKey
from app.preferences.scan_names import SCAN_SUFFIXES, may_be_scan
from core.alignment.choice import AlignChoice
from core.errors import InputError
from core.messages import Message
from core.progress import Progress
from core.tasks import get_task

if TYPE_CHECKING:
    from core.pairing.plan import Match, PairingPlan
    from core.types import PairTransform, SeriesHeader

Frames = tuple[int, int]
"""Which of the volumes of the series of A and B, from 0."""
_LOOKED_AT = 64
"""Files of a folder without a telling suffix whose first bytes are read at most."""

_SOURCES_A = ("PT", "NM", "CT")
_SOURCES_B = ("MR", "CT")
_RANKS = ("PT", "NM", "CT", "MR")
"""Modalities; of two series, A is the one whose modality comes first."""
_WORDS = {
    "PT": ("pet", "fdg", "suv"),
    "NM": ("spect",),
    "CT": ("ct",),
    "MR": ("t1", "t2", "pd", "mr", "mri", "flair", "swi", "dwi", "epi"),
}
"""What file names of volumes without a modality call it."""
_NAMES = {"PT": "PET", "NM": "SPECT"}
_NO_SOURCE = ("mask", "seg", "label", "roi")


@dataclass(frozen=True, eq=False)
class ListedSeries:
    """Two series that may be fused, and why.

    Attributes:
        key: the first file of each, which identify the pair.
        names: what they are called; no names of persons.
        sample: whether they come with the program.
        transform: by which A is brought onto B; None where their millimetres are the same.
        align: how A is brought onto B once they are read, without a transform.
    """

    a: SeriesHeader
    b: SeriesHeader
    reason: str = ""
    _: KW_ONLY
    sample: bool = False
    transform: PairTransform | None = None
    align: AlignChoice | None = None

    @property
    def key(self) -> PairKey:
        """The first file of each series."""
        return self.a.files[0], self.b.files[0]

    @property
    def names(self) -> tuple[str, str]:
        """Modality and title of each series."""
        return series_label(self.a), series_label(self.b)

    def frames_within(self, frames: Frames) -> Frames:
        """``frames``, or the nearest that there are."""
        a, b = (
            min(max(frame, 0), max(count - 1, 0))
            for frame, count in zip(frames, (self.a.frames, self.b.frames), strict=True)
        )
        return a, b

    @property
    def title(self) -> str:
        """Both modalities, then both titles: “PT + MR · FDG + T1”."""
        sides = (self.a, self.b)
        modalities = [one.modality for one in sides if one.modality != "OT"]
        titles = [one.title or one.kind for one in sides]
        return " · ".join(" + ".join(part) for part in (modalities, titles) if part)

    def heading(self, patients: Mapping[str, Path]) -> Path:
        """What the pair is listed under: its patient, by the keys of series, or that it has two."""
        a, b = self.a.patient, self.b.patient
        return Path(tr("Two patients")) if a and b and a != b else patients[self.b.key]

    def swapped(self) -> ListedSeries:
        """The same with A and B exchanged."""
        transform = None if self.transform is None else self.transform.swapped()
        return replace(self, a=self.b, b=self.a, transform=transform)


@dataclass(frozen=True)
class Study:
    """What was found: all series, and the pairs of them.

    Attributes:
        series: all that were found.
        plan: the pairs as they are listed.
        pairs: the same, by their keys.
    """

    series: tuple[SeriesHeader, ...]
    plan: PairingPlan
    pairs: Mapping[PairKey, ListedSeries] = field(default_factory=dict)


class KnownSeries:
    """All series that were found, and the pairs of them."""

    def __init__(self) -> None:
        self._series: dict[Path, SeriesHeader] = {}
        """By their first files."""
        self._pairs: dict[PairKey, ListedSeries] = {}

    def add(self, study: Study) -> None:
        """Make the series and pairs of a study known."""
        self._series.update((one.files[0], one) for one in study.series)
        self._pairs.update(study.pairs)

    def add_pair(self, pair: ListedSeries) -> None:
        """Make a pair known."""
        self._pairs[pair.key] = pair

    def of(self, keys: Collection[str]) -> tuple[SeriesHeader, ...]:
        """The series with these keys; several of one key where its files were found twice."""
        return tuple(one for one in self._series.values() if one.key in keys)

    def pair(self, key: PairKey) -> ListedSeries | None:
        """The pair of two first files, proposed or made by hand; None unless both are known."""
        a, b = (self._series.get(path) for path in key)
        if key not in self._pairs and a is not None and b is not None:
            self._pairs[key] = ListedSeries(a, b)
        return self._pairs.get(key)


def series_label(series: SeriesHeader) -> str:
    """Modality and title: “PT · FDG brain”."""
    modality = "" if series.modality == "OT" else series.modality
    return " · ".join(part for part in (modality, series.title) if part) or series.kind


def find_study(
    paths: Iterable[Path], known: Iterable[SeriesHeader], progress: Progress
) -> Study | None:
    """The series in files and folders, with pairs of them and of series known before.

    None where there are no volumes: neither DICOM nor NIfTI, or single images only.

    Raises:
        FusionError: as :func:`core.io.volumes.list_series` does.
    """
    from core.io.volumes import list_series

    paths = list(paths)
    if not _holds_scans(paths):
        return None
    try:
        listing = list_series(paths, progress)
        found = listing.series
    except InputError:
        if all(path.is_file() for path in paths):
            return None  # its reader says it better
        raise
    if not any(_is_volume(one) for one in found):
        return None
    before = {one.key: one for one in known}
    series = tuple({**before, **{one.key: one for one in found}}.values())
    if len(paths) == 2:  # the person's order is A, B
        series = tuple(sorted(series, key=lambda one: _is_in(one, paths[1])))
    study = _study(series, {one.key for one in found}, in_order=len(paths) == 2)
    return _with_notes(study, _pictures(one.path for one in listing.left_out))


def sample_study(a: Path, b: Path, progress: Progress) -> Study:
    """The series of the sample, with the one pair of them.

    Raises:
        FusionError: as :func:`find_study` does; also where its folders hold no two series.
    """
    found = find_study([a, b], (), progress)
    if found is None or not found.pairs:
        raise InputError(
            Message("There is no sample pair for “{0}”", Message.plain(get_task("mif").title)),
            Message("its files are missing from this installation"),
            Message("Open two pictures of your own, or install the program again."),
        )
    key, pair = next(iter(found.pairs.items()))
    return replace(found, pairs={key: replace(pair, sample=True)})


def _pictures(files: Iterable[Path]) -> int:
    """How many of them are pictures by their suffixes."""
    from core.io import READERS

    wanted = frozenset(READERS.suffixes) - frozenset(SCAN_SUFFIXES)
    return sum(path.suffix.lower() in wanted for path in files)


def _with_notes(study: Study, pictures: int) -> Study:
    if not pictures:
        return study
    text = plural(
        "One picture beside the series was left out: open it by itself.",
        "{0} pictures beside the series were left out: open them by themselves.",
        pictures,
    )
    notes = (*study.plan.notes, text.format(pictures))
    return replace(study, plan=replace(study.plan, notes=notes))


def _is_in(series: SeriesHeader, path: Path) -> bool:
    return any(file == path or path in file.parents for file in series.files)


def _holds_scans(paths: Iterable[Path]) -> bool:
    from core.io.readers.kinds import is_dicom, is_nifti
    from core.io.readers.registry import HEAD_BYTES

    looked_at = 0
    for path in _files(paths):
        if path.name.lower().endswith(SCAN_SUFFIXES) or path.name == "DICOMDIR":
            return True
        if not may_be_scan(path) or looked_at >= _LOOKED_AT:
            continue
        looked_at += 1
        try:
            with path.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
        except OSError:
            continue
        if is_dicom(head) or is_nifti(head):
            return True
    return False


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            for folder, _folders, names in os.walk(path):
                yield from (Path(folder, name) for name in names)
        else:
            yield path


def _is_volume(series: SeriesHeader) -> bool:
    refused = series.problem is not None and len(series.files) > 1
    return (
        series.shape[0] > 1 or refused
    )  # not a single image without a place: it opens as a picture


def _study(series: tuple[SeriesHeader, ...], new: set[str], *, in_order: bool) -> Study:
    """Pairs with at least one new series in them."""
    from core.pairing.plan import Match, PairingPlan
    from core.pairing.study_pairs import pair_series

    proposed = pair_series([one for one in series if _is_volume(one)]).pairs
    found = [ListedSeries(pair.a, pair.b, pair.reason) for pair in proposed]
    pairs = [p for p in (*found, *_named(series)) if p.a.key in new or p.b.key in new]
    fresh = [one for one in series if one.key in new and _is_usable(one)]
    may_be_one = len({one.patient for one in fresh if one.patient}) < 2
    if not pairs and len(fresh) == 2 and (in_order or may_be_one):
        a, b = _in_roles(fresh, in_order=in_order)
        pairs = [ListedSeries(a, b, Message("the two series that were opened"))]
    by_key = {pair.key: pair for pair in pairs}
    folders = _folders(series)
    matches: list[Match] = [
        Match(pair.title, *key, pair.reason, pair.heading(folders)) for key, pair in by_key.items()
    ]
    notes = () if matches else (_lonely(fresh),)
    return Study(series, PairingPlan(tuple(matches), notes=notes, suggested_task="mif"), by_key)


def _in_roles(series: list[SeriesHeader], *, in_order: bool) -> list[SeriesHeader]:
    """A, then B: by their modalities where both have one, else as they were given."""
    kinds = [kind_of(one) for one in series]
    if all(kind in _RANKS for kind in kinds):
        return sorted(series, key=lambda one: _RANKS.index(kind_of(one)))
    return series if in_order or kinds[0] != "MR" else series[::-1]


def _lonely(series: list[SeriesHeader]) -> str:
    if len(series) == 1:
        text = tr("One series was read ({0}). Open its partner as well: a folder or a file.")
        read = text.format(series_label(series[0]))
        problem = series[0].problem
        return read if problem is None else f"{read} {translate(problem.message)}"
    return tr("No PET, SPECT or CT with an MR of the same patient is among these series.")


def _folders(series: tuple[SeriesHeader, ...]) -> dict[str, Path]:
    """“Patient 1”, and “Study 2” where a patient has several, by the keys of the series."""
    patients: dict[str, dict[str, None]] = {}
    for one in series:
        if one.patient and _is_usable(one):
            patients.setdefault(one.patient, {})[one.study] = None
    found = {}
    for one in series:
        studies = list(patients.get(one.patient, ()))
        if one.study not in studies:
            found[one.key] = Path(tr("Unknown patient"))
            continue
        number = list(patients).index(one.patient) + 1
        folder = Path(tr("Patient {0}").format(number))
        if len(studies) > 1:
            folder /= tr("Study {0}").format(studies.index(one.study) + 1)
        found[one.key] = folder
    return found


def _is_usable(series: SeriesHeader) -> bool:
    words = _words(series)
    is_mask = series.kind != "DICOM" and any(word in words for word in _NO_SOURCE)
    return _is_volume(series) and series.samples == 1 and not is_mask


def _words(series: SeriesHeader) -> list[str]:
    cleaned = "".join(c if c.isalnum() else " " for c in series.title.lower())
    return cleaned.split()


def kind_of(series: SeriesHeader) -> str:
    """The modality, or what the name of a file without one says."""
    if series.modality != "OT":
        return series.modality
    words = _words(series)
    return next((kind for kind, said in _WORDS.items() if any(w in said for w in words)), "OT")


def _named(series: tuple[SeriesHeader, ...]) -> list[ListedSeries]:
    """Volumes of one folder that name no modality, by the words in their names: PET with MR."""
    found = []
    usable = [one for one in series if one.modality == "OT" and _is_usable(one)]
    for a in usable:
        for b in usable:
            one, other = kind_of(a), kind_of(b)
            if a.files[0].parent != b.files[0].parent:
                continue  # nothing says that they are of one patient
            if one not in _SOURCES_A or other not in _SOURCES_B or one == other:
                continue
            reason = Message("{0} and {1} by their names", _NAMES.get(one, one), other)
            found.append(ListedSeries(a, b, reason))
    return found

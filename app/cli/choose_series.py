"""Which two series a command is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.io.readers.kinds import is_dicom, is_nifti
from core.io.readers.registry import HEAD_BYTES
from core.io.volumes import list_series
from core.pairing.study_pairs import SeriesPair, pair_series
from core.progress import Progress
from core.types import SeriesHeader


@dataclass(frozen=True, eq=False)
class ChosenSeries:
    """Attributes:
    a, b: the two series.
    notes: what was chosen and why, where there was a choice.
    """

    a: SeriesHeader
    b: SeriesHeader
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of both."""
        return self.a.files + self.b.files


def are_volumes(a: Path, b: Path) -> bool:
    """Whether two sources are to be fused as volumes rather than pixel on pixel.

    They are where one is a folder, and where both are DICOM or NIfTI files that say where they lie
    in the patient.
    """
    if a.is_dir() or b.is_dir():
        return True
    if not (_is_scan(a) and _is_scan(b)):
        return False
    try:
        found = [one for path in (a, b) for one in list_series(path).series]
    except InputError:
        return False  # reading them as pictures says what is wrong
    return all(one.affine is not None for one in found)


def _is_scan(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except (OSError, ValueError):
        return False
    return is_dicom(head) or is_nifti(head)


def choose_series(a: Path, b: Path, keys: tuple[str, str], progress: Progress) -> ChosenSeries:
    """One series of each of two sources.

    Args:
        a, b: files or folders.
        keys: beginnings of the keys of A and B; "" for the only one that fits.
        progress: told of the files looked at; may cancel.

    Raises:
        InputError: a source holds no series, none of that key, or several that fit.
    """
    listed = list_series(a, progress).series
    listed_b = listed if a == b else list_series(b, progress).series
    of_a = _by_key(a, listed, keys[0], "a")
    of_b = _by_key(b, listed_b, keys[1], "b")
    if len(of_a) == len(of_b) == 1:
        return ChosenSeries(of_a[0], of_b[0])
    fitting = _fitting(of_a, of_b)
    if len(fitting) != 1 or any(one.modality == fitting[0].b.modality for one in fitting[0].others):
        raise _several(a, b, of_a, of_b)
    pair = fitting[0]
    chosen = [
        f"{side} is {described(one)}."
        for side, one, among in (("A", pair.a, of_a), ("B", pair.b, of_b))
        if len(among) > 1
    ]
    return ChosenSeries(pair.a, pair.b, (*chosen, f"{pair.reason}."))


def choose_single(path: Path, key: str, progress: Progress) -> SeriesHeader:
    """One series of a source that is used alone: the only one, or the only PET among several.

    Args:
        path: file or folder.
        key: beginning of its key; "" for the only one.
        progress: told of the files looked at; may cancel.

    Raises:
        InputError: there is no series, none of that key, or several.
    """
    found = _by_key(path, list_series(path, progress).series, key, "a")
    functional = [one for one in found if one.modality == "PT"]
    if len(found) > 1 and len(functional) == 1:
        return functional[0]
    if len(found) != 1:
        raise InputError(
            str(path),
            f"it is not clear which series is meant: {_listed(found)}",
            "Name it by --series-a KEY.",
        )
    return found[0]


def described(one: SeriesHeader) -> str:
    """A series for a person to choose from; nobody's name is in it."""
    title = f" “{one.title}”" if one.title else ""
    return f"{one.key} ({one.modality}{title}, {one.shape[0]} slices)"


def _by_key(
    path: Path, series: Sequence[SeriesHeader], key: str, side: str
) -> tuple[SeriesHeader, ...]:
    found = tuple(one for one in series if one.key.startswith(key))
    if key and len(found) != 1:
        raise InputError(
            f"--series-{side} {key}",
            f"{len(found)} series of {path} have a key that begins so",
            f"There are {_listed(series)}.",
        )
    return found


def _listed(series: Iterable[SeriesHeader]) -> str:
    return "; ".join(map(described, series))


def _fitting(a: Sequence[SeriesHeader], b: Sequence[SeriesHeader]) -> list[SeriesPair]:
    """The proposed pairs of one of ``a`` and one of ``b``; what else B could be is of ``b`` too."""
    every = {one.key: one for one in (*a, *b)}
    keys = {one.key for one in a}
    sources = [pair.a for pair in pair_series(list(every.values())).pairs if pair.a.key in keys]
    return [
        pair
        for source in sources
        for pair in pair_series([source, *(one for one in b if one.key != source.key)]).pairs
        if pair.a is source
    ]


def _several(
    a: Path, b: Path, of_a: Sequence[SeriesHeader], of_b: Sequence[SeriesHeader]
) -> InputError:
    sides = [
        (path, side, among)
        for path, side, among in ((a, "a", of_a), (b, "b", of_b))
        if len(among) > 1
    ]
    (path, side, among), *_ = sides
    options = " and ".join(f"--series-{one[1]} KEY" for one in sides)
    return InputError(
        str(path),
        f"it is not clear which series is {side.upper()}: {_listed(among)}",
        f"Name it by {options}.",
    )

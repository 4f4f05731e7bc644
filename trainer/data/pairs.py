"""Finds the pairs of a run, with the rules of a batch and in a reproducible order."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Message
from core.fusion.study_problems import study_problem
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.pairing.datasets import dataset_pairs
from core.pairing.folders import PairingPlan, pair_paths
from core.pairing.known_folders import truth_of
from core.pairing.plan import Leftover, Match
from core.pairing.study_pairs import SeriesPair
from core.tasks import get_task
from trainer.data.pair_reader import BEGINNING, SLICE_DISTANCE, content_key, slices_of


@dataclass(frozen=True)
class FoundPairs:
    """Pairs found in the data, and problems with the remaining files.

    Attributes:
        unpaired: files without a partner or with several candidates.
        notes: remarks about the data as a whole.
        suggested_task: the task that the file names suggest, "" if they suggest none.
    """

    matches: tuple[Match, ...]
    unpaired: tuple[Leftover, ...]
    notes: tuple[str, ...]
    suggested_task: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each file that is not in a pair."""
        return tuple(Message("{0}: {1}", item.path.name, item.reason) for item in self.unpaired)


def find_pairs(
    data: Path | Sequence[Path],
    task: str | None,
    exclude: Sequence[str] = (),
    swapped: bool = False,
    distance: float = SLICE_DISTANCE,
    *,
    dataset: DatasetDescriptor | None = None,
    split: str = "",
    aligns: bool = False,
) -> FoundPairs:
    """Pair the files of ``data``; of pictures without opening them, of series by their headers.

    Two volumes give a pair for each of their slices, as :func:`slices_of` chooses them.

    Args:
        data: folders and files, as accepted by :func:`core.pairing.folders.pair_paths`.
        task: task whose source words take precedence in telling A from B.
        exclude: file-name patterns of pairs to leave out.
        swapped: exchange A and B.
        distance: millimetres between two slices of a volume, at least.
        dataset: how every folder is laid out; None to pair by names.
        split: a split of ``dataset``.
        aligns: pairs are laid on each other, so that frames of reference may differ.

    Raises:
        InputError: a path does not exist, or no pair was found.
    """
    paths = (data,) if isinstance(data, Path) else tuple(data)
    plan = _paired(paths, task, dataset, split)
    if swapped:
        plan = plan.swap()
    refused = {
        m: why
        for m in plan.active
        if m.study and (why := study_problem(m.study, not_registered=aligns))
    }
    usable = [match for match in plan.active if match not in refused]
    # Sorted by plain name: the crops of a step depend on the order of the pairs.
    matches = tuple(
        sorted(
            (m for m in slices_of(usable, distance) if not _excluded(m.name, exclude)),
            key=_order,
        )
    )
    notes = (*plan.notes, *_task_mismatch_notes(plan.suggested_task, task))
    unpaired = (*plan.leftovers, *(_refused(match, why) for match, why in refused.items()))
    found = FoundPairs(matches, unpaired, notes, plan.suggested_task)
    if not matches:
        raise _no_pair(paths, plan, found.problems)
    return found


def _paired(
    paths: Sequence[Path], task: str | None, dataset: DatasetDescriptor | None, split: str
) -> PairingPlan:
    if dataset is None:
        return pair_paths(paths, task, volumes=True)
    plans = [dataset_pairs(dataset, path, split) for path in paths]
    return PairingPlan(
        tuple(match for plan in plans for match in plan.matches),
        tuple(item for plan in plans for item in plan.leftovers),
        tuple(dict.fromkeys(note for plan in plans for note in plan.notes)),
        dataset.task,
    )


def _order(match: Match) -> tuple[str, str, int]:
    """Pictures by folder and name; volumes after them, in an order that no key is in."""
    if match.study is None or match.index is None:
        return match.folder.as_posix(), f"{match.name}\0{match.a.name}", 0
    return "\U0010ffff", content_key(match.study), match.index


def _refused(match: Match, why: str) -> Leftover:
    return Leftover(match.a, Message("{0}: {1}", match.name, why))


def _no_pair(paths: tuple[Path, ...], plan: PairingPlan, problems: tuple[str, ...]) -> InputError:
    reason = (
        Message("no usable pair in it: all are excluded")
        if plan.active
        else Message("no usable pair in it")
    )
    return InputError(
        ", ".join(str(path) for path in paths[:3]),
        Message("{0} ({1})", reason, problems[0]) if problems else reason,
        Message(
            "Give a folder with a/ and b/ holding pictures of the same names, names that differ in "
            "one word, such as x_pet and x_mri, or the PET and the MR series of patients."
        ),
    )


def _task_mismatch_notes(suggested: str, task: str | None) -> tuple[str, ...]:
    """A remark if the names suggest another task than the one that is trained."""
    if not task or suggested in ("", task):
        return ()
    spoken_of, chosen = get_task(suggested), get_task(task)
    return (
        Message(
            "These pictures seem to be of another kind: their names speak of “{0}” ({1}), the "
            "task is “{2}” ({3}).",
            spoken_of.title,
            suggested,
            chosen.title,
            task,
        ),
    )


def _excluded(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def fingerprint(matches: Sequence[Match], truth: bool, copies: bool = False) -> str:
    """SHA-256 over names, sizes and modification times of all files, independent of the folder.

    Args:
        copies: the same for copies of the files, whose times differ: the first 64 KiB of each file
            take the place of the time.

    Raises:
        InputError: a file no longer exists.
    """
    digest = hashlib.sha256()
    studies: set[SeriesPair] = set()
    for match in matches:
        if match.index is not None:
            digest.update(f"slice {match.index}\n".encode())
        if match.study is not None and match.study in studies:
            continue
        paths = [path for files in match.files for path in files]
        if match.study is not None:
            studies.add(match.study)
        elif truth and (path := truth_of(match)) is not None:
            paths.append(path)
        for path in paths:
            try:
                stat = path.stat()
                mark = _beginning(path) if copies else str(stat.st_mtime_ns)
            except OSError as error:
                why = error.strerror or Message("it cannot be read")
                raise InputError(
                    str(path), why, Message("Check that the file is there and may be read.")
                ) from error
            folder = match.folder.as_posix() if match.study is None else ""
            line = f"{folder}|{path.name}|{stat.st_size}|{mark}\n"
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _beginning(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.sha256(stream.read(BEGINNING)).hexdigest()

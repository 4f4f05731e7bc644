"""Finds the pairs of a run, with the rules of a batch and in a reproducible order."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Message
from core.pairing.folders import PairingPlan, pair_paths
from core.pairing.known_folders import truth_of
from core.pairing.plan import Leftover, Match
from core.tasks import get_task


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
) -> FoundPairs:
    """Pair the files of ``data`` without opening them.

    Args:
        data: folders and files, as accepted by :func:`core.pairing.folders.pair_paths`.
        task: task whose source words take precedence in telling A from B.
        exclude: file-name patterns of pairs to leave out.
        swapped: exchange A and B.

    Raises:
        InputError: a path does not exist, or no pair was found.
    """
    paths = (data,) if isinstance(data, Path) else tuple(data)
    plan = pair_paths(paths, task)
    if swapped:
        plan = plan.swap()
    # Sorted by plain name: the crops of a step depend on the order of the pairs.
    matches = tuple(
        sorted(
            (m for m in plan.active if not _excluded(m.name, exclude)),
            key=lambda m: (m.folder.as_posix(), m.name, m.a.name),
        )
    )
    notes = (*plan.notes, *_task_mismatch_notes(plan.suggested_task, task))
    found = FoundPairs(matches, plan.leftovers, notes, plan.suggested_task)
    if not matches:
        raise _no_pair(paths, plan, found.problems)
    return found


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
            "Give a folder with a/ and b/ holding pictures of the same names, or names that differ "
            "in one word, such as x_pet and x_mri."
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


def fingerprint(matches: Sequence[Match], truth: bool) -> str:
    """SHA-256 over names, sizes and modification times of all files, independent of the folder.

    Raises:
        InputError: a file no longer exists.
    """
    digest = hashlib.sha256()
    for match in matches:
        for path in (match.a, match.b, truth_of(match) if truth else None):
            if path is None:
                continue
            try:
                stat = path.stat()
            except OSError as error:
                why = error.strerror or Message("it cannot be read")
                raise InputError(str(path), why) from error
            line = f"{match.folder.as_posix()}|{path.name}|{stat.st_size}|{stat.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()

"""From folders to pairs: paired as in a batch, in an order that never changes."""

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
    """Pairs in the data, and what is wrong with the rest.

    ``unpaired``: files without a partner or with several. ``notes``: about the whole.
    ``suggested_task``: the task that names speak of, "" where they speak of none.
    """

    matches: tuple[Match, ...]
    unpaired: tuple[Leftover, ...]
    notes: tuple[str, ...]
    suggested_task: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """Files in no pair, one sentence each."""
        return tuple(Message("{0}: {1}", item.path.name, item.reason) for item in self.unpaired)


def find_pairs(
    data: Path | Sequence[Path],
    task: str | None,
    exclude: Sequence[str] = (),
    swapped: bool = False,
) -> FoundPairs:
    """Pair everything in ``data``; files are not opened.

    Args:
        data: folders and files, as :func:`core.pairing.folders.pair_paths` takes them.
        task: whose words tell A from B first.
        exclude: file-name patterns of pairs to leave out. swapped: exchange A and B.

    Raises:
        InputError: a path does not exist, or not one pair was found.
    """
    paths = (data,) if isinstance(data, Path) else tuple(data)
    plan = pair_paths(paths, task)
    if swapped:
        plan = plan.swap()
    # By plain name, as ever: the crops of a step depend on the order of the pairs.
    matches = tuple(
        sorted(
            (m for m in plan.active if not _excluded(m.name, exclude)),
            key=lambda m: (m.folder.as_posix(), m.name, m.a.name),
        )
    )
    notes = (*plan.notes, *_another_kind(plan.suggested_task, task))
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


def _another_kind(suggested: str, task: str | None) -> tuple[str, ...]:
    """A remark where names speak of another task than the one that is trained for."""
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
    """sha256 over names, sizes and times of all files, wherever the data lies.

    Raises:
        InputError: a file is gone.
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

"""Finds pairs in files and folders, and pairs whose files are gone. Runs on worker threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.fuse.studies import Study, find_study
from app.pairs.edits import PairKey, key_of
from app.widgets.file_manager import distinct_name
from core.messages import Message
from core.progress import Progress

if TYPE_CHECKING:
    from core.pairing.plan import Match, PairingPlan
    from core.types import SeriesHeader


def find_pairs(paths: list[Path], task: str, progress: Progress) -> PairingPlan:
    """Pair files and folders.

    Raises:
        FusionError: as :func:`core.pairing.folders.pair_paths` does.
    """
    from core.pairing.folders import pair_paths

    progress.report(0, 0, Message("looking for pairs"))
    return pair_paths(paths, task)


def gone_files(keys: list[PairKey], progress: Progress) -> dict[PairKey, str]:
    """The pairs of which a file no longer exists, with the name of that file."""
    names: dict[Path, frozenset[str]] = {}

    def is_gone(path: Path) -> bool:
        folder = path.parent
        if folder not in names:
            names[folder] = _names_in(folder)
        # Each folder is listed only once; a file may be listed in another spelling.
        return path.name not in names[folder] and not path.exists()

    found: dict[PairKey, str] = {}
    for key in keys:
        progress.check()
        missing = [distinct_name(path, key) for path in key if is_gone(path)]
        if missing:
            found[key] = missing[0]
    return found


def _names_in(folder: Path) -> frozenset[str]:
    """The names in a folder, without broken links."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(e.name for e in entries if not e.is_symlink() or e.is_file())
    except OSError:
        return frozenset()


def merged(old: PairingPlan | None, new: PairingPlan) -> tuple[PairingPlan, int]:
    """The old plan extended by new pairs, and the number of pairs that it already had."""
    if old is None:
        return new, 0
    known = {key_of(match) for match in old.matches}
    added = tuple(match for match in new.matches if key_of(match) not in known)
    paired = {path for match in (*old.matches, *added) for path in (match.a, match.b)}
    unpaired = {item.path: item for item in (*old.leftovers, *new.leftovers)}
    leftovers = tuple(item for path, item in unpaired.items() if path not in paired)
    plan = replace(new, matches=(*old.matches, *added), leftovers=leftovers)
    return plan, len(new.matches) - len(added)


@dataclass(frozen=True)
class Listing:
    """A plan indexed for the list; made on a worker, as there may be thousands of pairs."""

    plan: PairingPlan
    by_key: dict[PairKey, Match]
    """Pairs in use, in order."""
    folders: tuple[str, ...]
    """The folders of their files, in order."""

    @classmethod
    def of(cls, plan: PairingPlan) -> Listing:
        """Index a plan."""
        by_key = {key_of(match): match for match in plan.active}
        # Ten times as fast as Path.parent.
        folders = dict.fromkeys(os.path.dirname(path) for key in by_key for path in key)  # noqa: PTH120
        return cls(plan, by_key, tuple(folders))


@dataclass(frozen=True)
class PairSearchResult:
    """New pairs, and the list extended by them."""

    new: PairingPlan
    before: PairingPlan | None
    """The plan it was added to."""
    listing: Listing
    known: int
    """How many of the new pairs were listed already."""
    study: Study | None = None
    """What the pairs are where they are pairs of series."""

    @classmethod
    def of(
        cls, new: PairingPlan, before: PairingPlan | None, study: Study | None = None
    ) -> PairSearchResult:
        """Add ``new`` to ``before``."""
        plan, known = merged(before, new)
        return cls(new, before, Listing.of(plan), known, study)


def find_more(
    paths: list[Path],
    task: str,
    before: Callable[[], PairingPlan | None],
    progress: Progress,
    *,
    task_by_hand: bool = True,
    series: Iterable[SeriesHeader] = (),
    only_series: bool = False,
) -> PairSearchResult | None:
    """Pair files and folders and add them to the current plan.

    Args:
        before: returns the current plan when the search has ended.
        task_by_hand: whether a person chose the task; if not, one that the names suggest is used.
        series: series found before, which new ones may be paired with.
        only_series: return None where there are no series of slices.
    """
    study = find_study(paths, series, progress)
    if study is not None:
        return PairSearchResult.of(study.plan, before(), study)
    if only_series:
        return None
    plan = find_pairs(paths, task, progress)
    if not task_by_hand and plan.suggested_task not in ("", task):
        plan = find_pairs(paths, plan.suggested_task, progress)
    return PairSearchResult.of(plan, before())

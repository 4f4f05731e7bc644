"""The list of pairs: what was found, which is open, and how each is getting on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app.fuse.results import SourceStamp
from app.fuse.state import FuseState, Problem
from app.i18n.translate import plural, translate, translate_all
from app.pairs.edits import PairKey, key_of
from app.widgets.file_manager import told_apart
from app.workers import Runner
from core.errors import FusionError, SizeMismatch
from core.messages import Message
from core.pairing.source_words import suggest_task
from core.progress import Progress
from core.tasks import TASKS

if TYPE_CHECKING:
    from app.fuse.controller import Controller
    from core.pairing.plan import Match, PairingPlan

Badge = Literal["ready", "check", "fused", "failed", "missing"]


@dataclass(frozen=True)
class PairState:
    """How a pair is getting on, and why."""

    badge: Badge
    why: str = ""


def find_pairs(paths: list[Path], task: str, progress: Progress) -> PairingPlan:
    """Pair files and folders. Runs on a worker thread; raises what ``pair_paths`` raises."""
    from core.pairing.folders import pair_paths

    progress.report(0, 0, Message("looking for pairs"))
    return pair_paths(paths, task)


def gone_files(keys: list[PairKey], progress: Progress) -> dict[PairKey, str]:
    """Pairs a file of which is not there any more, with its name."""
    there: dict[Path, frozenset[str]] = {}

    def is_gone(path: Path) -> bool:
        folder = path.parent
        if folder not in there:
            there[folder] = _names_in(folder)
        # A folder is asked once for all its files; a file may be listed under another spelling.
        return path.name not in there[folder] and not path.exists()

    found: dict[PairKey, str] = {}
    for key in keys:
        progress.check()
        missing = [told_apart(path, key) for path in key if is_gone(path)]
        if missing:
            found[key] = missing[0]
    return found


def _names_in(folder: Path) -> frozenset[str]:
    """Names of what is in a folder; of a link that leads nowhere, none."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(e.name for e in entries if not e.is_symlink() or e.is_file())
    except OSError:
        return frozenset()


def merged(old: PairingPlan | None, new: PairingPlan) -> tuple[PairingPlan, int]:
    """The old plan with what is new of another; also how many pairs were known already."""
    if old is None:
        return new, 0
    known = {key_of(match) for match in old.matches}
    fresh = tuple(match for match in new.matches if key_of(match) not in known)
    paired = {path for match in (*old.matches, *fresh) for path in (match.a, match.b)}
    loose = {item.path: item for item in (*old.leftovers, *new.leftovers)}
    leftovers = tuple(item for path, item in loose.items() if path not in paired)
    plan = replace(new, matches=(*old.matches, *fresh), leftovers=leftovers)
    return plan, len(new.matches) - len(fresh)


@dataclass(frozen=True)
class Listing:
    """A plan as the list needs it; of thousands of pairs it takes a worker to make one."""

    plan: PairingPlan
    by_key: dict[PairKey, Match]
    """Pairs in use, in order."""
    folders: tuple[str, ...]
    """Those that their files are in, in order."""

    @classmethod
    def of(cls, plan: PairingPlan) -> Listing:
        """Of a plan."""
        by_key = {key_of(match): match for match in plan.active}
        # Path.parent takes ten times as long.
        folders = dict.fromkeys(os.path.dirname(path) for key in by_key for path in key)  # noqa: PTH120
        return cls(plan, by_key, tuple(folders))


@dataclass(frozen=True)
class PairSearchResult:
    """What was found, and the list with it."""

    new: PairingPlan
    before: PairingPlan | None
    """The plan it was added to."""
    listing: Listing
    known: int
    """So many were listed already."""

    @classmethod
    def of(cls, new: PairingPlan, before: PairingPlan | None) -> PairSearchResult:
        """Add ``new`` to ``before``."""
        plan, known = merged(before, new)
        return cls(new, before, Listing.of(plan), known)


def find_more(
    paths: list[Path],
    task: str,
    before: Callable[[], PairingPlan | None],
    progress: Progress,
    *,
    task_by_hand: bool = True,
) -> PairSearchResult:
    """Pair files and folders and add them to the plan of the moment. For a worker thread.

    Args:
        task_by_hand: a person chose the task; else it is the one that the names speak of, if any.
    """
    plan = find_pairs(paths, task, progress)
    if not task_by_hand and plan.suggested_task not in ("", task):
        plan = find_pairs(paths, plan.suggested_task, progress)
    return PairSearchResult.of(plan, before())


class Pairs(QObject):
    """The plan on show. Selecting a pair opens it; what becomes of it is its badge."""

    plan_changed = Signal()
    state_changed = Signal(object)
    """The key of a pair."""
    current_changed = Signal()
    note_changed = Signal()

    def __init__(
        self, session: FuseState, controller: Controller, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._controller = controller
        self._finder = Runner("pairs", self)
        self._listing: Listing | None = None
        self.note = ""
        """What there is to say of what was dropped last."""
        self.current: PairKey | None = None
        self.is_listed: Callable[[Match], bool] = lambda _match: True
        """Whether a pair passes the filter: keys go to those that are seen."""
        self._states: dict[PairKey, PairState] = {}
        self._tasks: dict[PairKey, str] = {}
        """The tasks that the names of pairs in sight speak of."""
        self._closed = False
        session.outcome_changed.connect(self._outcome_changed)
        session.problem_changed.connect(self._problem_changed)
        session.sources_changed.connect(self._sources_changed)
        session.task_changed.connect(self._task_changed)

    def shutdown(self) -> None:
        """Wait for the thread."""
        self._closed = True
        self._finder.shutdown()

    # --- the list --------------------------------------------------------------------------

    @property
    def plan(self) -> PairingPlan | None:
        """What was found, with what is left out and what has no partner."""
        return self._listing.plan if self._listing is not None else None

    @property
    def _listed(self) -> dict[PairKey, Match]:
        return self._listing.by_key if self._listing is not None else {}

    @property
    def matches(self) -> tuple[Match, ...]:
        """Pairs in use, in order."""
        return tuple(self._listed.values())

    @property
    def folders(self) -> tuple[str, ...]:
        """Those that files of the pairs are in."""
        return self._listing.folders if self._listing is not None else ()

    def add(self, paths: list[Path]) -> None:
        """Find the pairs in files and folders and list them; the first new one is opened."""
        self._session.known_paths.update(paths)
        paths = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
        work = partial(
            find_more,
            paths,
            self._session.task.name,
            lambda: self.plan,
            task_by_hand=self._session.task_by_hand,
        )
        job = self._finder.submit(work)
        job.finished.connect(self._found)
        job.failed.connect(self._fail)
        self._set_note(self.tr("Looking for pairs…"))

    def _set_note(self, note: str) -> None:
        self.note = note
        self.note_changed.emit()

    def _found(self, found: PairSearchResult) -> None:
        if found.before is not self.plan:  # another list came meanwhile
            found = PairSearchResult.of(found.new, self.plan)
        first = next((m for m in found.new.active), None)
        self.note = self._summary(found.new, found.known)
        self.show(found.listing)
        if first is None:
            self._session.set_message(self.note)
        else:
            # In a turn of its own: listing thousands of pairs takes long enough.
            QTimer.singleShot(0, self, partial(self._open_first, key_of(first)))

    def _open_first(self, key: PairKey) -> None:
        if not self._closed:
            self.open(key)

    def _summary(self, new: PairingPlan, known: int) -> str:
        found = len(new.matches)
        text = plural("One pair was found.", "{0} pairs were found.", found)
        said = [text.format(found)]
        if not found:
            said = [self.tr("No pairs were found among these files.")]
        if known:
            text = plural(
                "One of them was listed already.", "{0} of them were listed already.", known
            )
            said.append(text.format(known))
        if new.leftovers:
            text = plural(
                "One file has no partner: see “Pairs…”.",
                "{0} files have no partner: see “Pairs…”.",
                new.loose,
            )
            said.append(text.format(new.loose))
        return " ".join((*said, *translate_all(new.notes)))

    def set_plan(self, plan: PairingPlan) -> None:
        """List the pairs of another plan."""
        self.show(Listing.of(plan))

    def show(self, listing: Listing) -> None:
        """List other pairs; what is known of those that stay is kept."""
        before, self._listing = self._listed, listing
        if self._states:
            keys = {key_of(match) for match in listing.plan.matches}
            self._states = {key: state for key, state in self._states.items() if key in keys}
        self._follow_list(before)
        self.plan_changed.emit()
        # The list keeps rows that are the same as before, and these look the same otherwise.
        for old, new in zip(before.values(), listing.by_key.values(), strict=False):
            if old is not new and old.sure != new.sure:
                self.state_changed.emit(key_of(new))

    def _follow_list(self, before: dict[PairKey, Match]) -> None:
        """The pair on show when its row goes: with A and B exchanged it is opened so, else closed.

        A pair that was never listed stays; if it is listed now, it is the current one.
        """
        shown = self._on_show()
        listed = shown is not None and shown in self._listed
        self.current = shown if listed else None
        if shown is None or listed or shown not in before:
            return
        turned = (shown[1], shown[0])
        if turned in self._listed:
            QTimer.singleShot(0, self, partial(self._open_first, turned))
        else:
            QTimer.singleShot(0, self, partial(self._close_unlisted, shown))

    def _close_unlisted(self, key: PairKey) -> None:
        if not self._closed and self._on_show() == key and key not in self._listed:
            self._controller.close_pictures()

    def state(self, key: PairKey) -> PairState:
        """How a pair is getting on."""
        known, match = self._states.get(key), self._listed.get(key)
        if known is not None:
            return known
        if match is not None and not match.sure:
            why = self.tr("The names do not say which of the two is A.")
            return PairState("check", why)
        suggested = self._task_of(key)
        if suggested not in ("", self._session.task.name):
            task = TASKS[suggested]
            why = self.tr("By their names these are “{0}” and “{1}”: another task.")
            return PairState("check", why.format(translate(task.label_a), translate(task.label_b)))
        return PairState("ready")

    def _task_of(self, key: PairKey) -> str:
        if key not in self._tasks:
            self._tasks[key] = suggest_task(*key)
        return self._tasks[key]

    def _task_changed(self) -> None:
        """Pairs of another task than the one chosen are to be checked."""
        for key, suggested in self._tasks.items():
            if suggested and key in self._listed and key not in self._states:
                self.state_changed.emit(key)

    def _set_state(self, key: PairKey, state: PairState) -> None:
        if self._states.get(key) != state:
            self._states[key] = state
            self.state_changed.emit(key)

    # --- opening ---------------------------------------------------------------------------

    def open(self, key: PairKey) -> None:
        """Open a pair of the list."""
        self.current = key
        self.current_changed.emit()
        self._controller.open_pair(*key)

    def step(self, by: int) -> None:
        """Open the pair so many places on among those that are seen; the ends hold."""
        matches = self.matches
        keys = [key_of(match) for match in matches]
        here = keys.index(self.current) if self.current in keys else (-1 if by > 0 else len(keys))
        ahead = range(here + 1, len(keys)) if by > 0 else range(here - 1, -1, -1)
        seen = [keys[place] for place in ahead if self.is_listed(matches[place])]
        if seen:
            self.open(seen[min(abs(by), len(seen)) - 1])

    def step_folder(self, by: int) -> None:
        """Open the first pair that is seen of the next or previous folder that has one."""
        folders: dict[Path, PairKey | None] = {}
        mine: Path | None = None
        for match in self.matches:
            if folders.get(match.folder) is None:
                folders[match.folder] = key_of(match) if self.is_listed(match) else None
            if key_of(match) == self.current:
                mine = match.folder
        names = list(folders)
        here = names.index(mine) if mine in folders else (-1 if by > 0 else len(names))
        ahead = names[here + 1 :] if by > 0 else names[:here][::-1]
        seen = [first for name in ahead if (first := folders[name]) is not None]
        if seen:
            self.open(seen[min(abs(by), len(seen)) - 1])

    # --- what becomes of them --------------------------------------------------------------

    def _on_show(self) -> PairKey | None:
        """The pair that is selected, whether it can be shown or not."""
        stamp: SourceStamp | None = self._session.sources.stamp
        if stamp is not None:
            return Path(stamp[0][0]), Path(stamp[1][0])
        a, b = self._session.sources.paths
        return (a, b) if a is not None and b is not None else None

    def _sources_changed(self) -> None:
        shown = self._on_show()
        current = shown if shown in self._listed else None
        if current != self.current:
            self.current = current
            self.current_changed.emit()

    def _outcome_changed(self) -> None:
        outcome, shown = self._session.outcome, self._on_show()
        if shown is None or outcome is None or outcome.is_preview:
            return
        if outcome.pair is self._session.sources.pair and shown in self._listed:
            self._set_state(shown, PairState("fused", outcome.method_title))

    def _problem_changed(self) -> None:
        problem = self._session.problem
        if problem is None or self.current is None or self.current not in self._listed:
            return
        if problem.remedy in ("open", "retry", "resample", "tiles", "cpu"):
            badge: Badge = "check" if isinstance(problem.error, SizeMismatch) else "failed"
            if not all(path.exists() for path in self.current):
                badge = "missing"
            self._set_state(self.current, PairState(badge, translate(problem.error.message)))

    def look_again(self) -> None:
        """See which listed files are still there (in the background)."""
        keys = [key_of(match) for match in self.matches]
        if self._closed or not keys:
            return
        job = self._finder.submit(partial(gone_files, keys), key="gone")
        job.finished.connect(partial(self._looked, keys))

    def _looked(self, keys: list[PairKey], gone: dict[PairKey, str]) -> None:
        for key in keys:
            state = self._states.get(key)
            if key in gone:
                why = self.tr("{0} is not there any more.").format(gone[key])
                self._set_state(key, PairState("missing", why))
            elif state is not None and state.badge == "missing":
                self._set_state(key, PairState("ready"))

    def _fail(self, error: FusionError) -> None:
        if not self._closed:
            self._set_note("")
            self._session.set_problem(Problem(error, "open"))

"""The list of pairs: which were found and which one is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Container
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.fuse.pair_alignments import PairAlignments
from app.fuse.pair_search import Listing, PairSearchResult, find_more, gone_files
from app.fuse.pair_states import PairState, PairStates
from app.fuse.reports import Activity
from app.fuse.state import FuseState, Problem
from app.i18n.translate import plural, translate_all
from app.pairs.edits import PairKey, key_of
from app.workers import Job, Runner
from core.alignment.choice import AlignChoice
from core.errors import FusionError
from core.types import SourceSide

if TYPE_CHECKING:
    from app.fuse.controller import Controller
    from core.pairing.plan import Match, PairingPlan
    from core.types import SeriesHeader


_MANY = 50
"""Files from which on a search is shown in the status bar."""


class Pairs(QObject):
    """The plan on screen. Selecting a pair opens it."""

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
        self._search: Job | None = None
        self._activity: Activity | None = None
        self._listing: Listing | None = None
        self._series: tuple[SeriesHeader, ...] = ()
        """All series found so far."""
        self.scans: tuple[Path, ...] = ()
        """The files and folders that they were found in."""
        self.note = ""
        """A summary of the last search."""
        self.current: PairKey | None = None
        self.is_listed: Callable[[Match], bool] = lambda _match: True
        """Whether a pair passes the filter; :meth:`step` skips the others."""
        self._closed = False
        self._states = PairStates(session, lambda: self._listed, self)
        self._states.changed.connect(self.state_changed)
        self.alignments = PairAlignments(session, lambda key: key in self._listed, self)
        """How the listed pairs are laid on each other."""
        self.alignments.changed.connect(self._alignments_changed)
        session.sources_changed.connect(self._sources_changed)

    def shutdown(self) -> None:
        """Wait for the thread."""
        self._closed = True
        self._finder.shutdown()

    # --- the list --------------------------------------------------------------------------

    @property
    def plan(self) -> PairingPlan | None:
        """All pairs found, with those left out and the files without a partner."""
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
        """The folders of the files."""
        return self._listing.folders if self._listing is not None else ()

    def add(self, paths: list[Path], otherwise: Callable[[], None] | None = None) -> None:
        """Find pairs among files and folders, list them and open the first new one.

        Args:
            otherwise: called instead where there are no series of slices among them.
        """
        self._session.known_paths.update(paths)
        paths = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
        work = partial(
            find_more,
            paths,
            self._session.task.name,
            lambda: self.plan,
            task_by_hand=self._session.task_by_hand,
            series=self._series,
            only_series=otherwise is not None,
        )
        job = self._finder.submit(work)
        job.finished.connect(partial(self._found, paths, otherwise))
        job.failed.connect(self._fail)
        job.cancelled.connect(lambda: self._set_note(self.tr("The search was cancelled.")))
        job.progress.connect(self._show_progress)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(self._search_ended)
        self._search = job
        self._set_note(self.tr("Looking for pairs…"))

    def cancel(self) -> None:
        """Stop looking for pairs."""
        if self._search is not None and not self._closed:
            self._search.cancel()

    def _show_progress(self, done: float, total: float, stage: str) -> None:
        """Show a long search in the status bar, unless something else is shown there."""
        running = self._session.running
        if total > _MANY and (running is None or running is self._activity):
            self._activity = Activity(stage, done, total)
            self._session.set_running(self._activity)

    def _search_ended(self, *_answer: object) -> None:
        running = self._session.running
        shown = running is self._activity or (running is not None and running.cancelling)
        if self._activity is not None and shown:
            self._session.set_running(None)
        self._activity = self._search = None

    def _set_note(self, note: str) -> None:
        self.note = note
        self.note_changed.emit()

    def _found(
        self,
        paths: list[Path],
        otherwise: Callable[[], None] | None,
        found: PairSearchResult | None,
    ) -> None:
        if found is None:
            self._set_note("")
            if otherwise is not None:
                otherwise()
            return
        if found.study is not None:
            self._series = found.study.series
            self.scans = tuple(dict.fromkeys((*self.scans, *paths)))
            self._controller.volumes.add(found.study)
        if found.before is not self.plan:  # the list has changed since
            found = PairSearchResult.of(found.new, self.plan, found.study)
        first = self._first(found.new.active)
        self.note = self._summary(found.new, found.known)
        self.show(found.listing)
        if first is None:
            self._session.set_message(self.note)
        else:
            # In its own turn of the event loop: listing thousands of pairs takes long enough.
            QTimer.singleShot(0, self, partial(self._open_first, key_of(first)))

    def _first(self, matches: tuple[Match, ...]) -> Match | None:
        """The pair to open: that of the last session where it is among them, or the first."""
        wanted = next((m for m in matches if self._controller.volumes.is_wanted(key_of(m))), None)
        return wanted or next(iter(matches), None)

    def _open_first(self, key: PairKey) -> None:
        if not self._closed:
            self.open(key)

    def _summary(self, new: PairingPlan, known: int) -> str:
        found = len(new.matches)
        text = plural("One pair was found.", "{0} pairs were found.", found)
        sentences = [text.format(found)]
        if not found:
            sentences = [self.tr("No pairs were found among these files.")]
        if known:
            text = plural(
                "One of them was listed already.", "{0} of them were listed already.", known
            )
            sentences.append(text.format(known))
        if new.leftovers:
            text = plural(
                "One file has no partner: see “Pairs…”.",
                "{0} files have no partner: see “Pairs…”.",
                new.loose,
            )
            sentences.append(text.format(new.loose))
        return " ".join((*sentences, *translate_all(new.notes)))

    def set_plan(self, plan: PairingPlan) -> None:
        """List the pairs of another plan."""
        self.show(Listing.of(plan))

    def show(self, listing: Listing) -> None:
        """List other pairs, keeping the state of those that stay."""
        before, self._listing = self._listed, listing
        keys = {key_of(match) for match in listing.plan.matches}
        self._states.keep_only(keys)
        self.alignments.keep_only(keys)
        self._follow_list(before)
        self.plan_changed.emit()
        # The list keeps rows whose text is unchanged, but their badges may differ.
        for old, new in zip(before.values(), listing.by_key.values(), strict=False):
            if old is not new and old.sure != new.sure:
                self.state_changed.emit(key_of(new))

    def _follow_list(self, before: dict[PairKey, Match]) -> None:
        """Close the pair on screen if it was removed, or reopen it if A and B were exchanged.

        A pair that was not listed before stays open.
        """
        shown = self._session.sources.key
        listed = shown is not None and shown in self._listed
        self.current = shown if listed else None
        if shown is None or listed or shown not in before:
            return
        swapped = (shown[1], shown[0])
        if swapped in self._listed:
            QTimer.singleShot(0, self, partial(self._open_first, swapped))
        else:
            QTimer.singleShot(0, self, partial(self._close_unlisted, shown))

    def _close_unlisted(self, key: PairKey) -> None:
        if not self._closed and self._session.sources.key == key and key not in self._listed:
            self._controller.close_pictures()

    def state(self, key: PairKey) -> PairState:
        """The badge of a pair, and the reason for it, with how it is laid on each other."""
        state, laid = self._states.state(key), self.alignments.text(key)
        return replace(state, laid=laid) if laid else state

    # --- opening ---------------------------------------------------------------------------

    def open(self, key: PairKey) -> None:
        """Open a pair of the list."""
        self.current = key
        self.current_changed.emit()
        laid = self.alignments
        self._controller.open_pair(*key, transform=laid.transform(key), align=laid.choice(key))

    def use_rig(self, rig: str, onto: SourceSide) -> int:
        """Lay all listed pairs of pictures on each other by a rig; returns their number.

        The pair on screen is read again; the others are laid so when they are opened.

        Args:
            rig: its name; "" takes all pairs as they lie.
            onto: the source whose pixels are kept.
        """
        keys = [key for key in self._listed if not self._controller.volumes.knows(key)]
        choice = AlignChoice("rig", name=rig, onto=onto) if rig else AlignChoice()
        self.alignments.choose(keys, choice)
        self._reopen(keys)
        return len(keys)

    def undo_rig(self) -> None:
        """Take the last :meth:`use_rig` back."""
        self.alignments.undo()
        self._reopen(self._listed)

    def _reopen(self, keys: Container[PairKey]) -> None:
        if self.current is not None and self.current in keys:
            self.open(self.current)

    def _alignments_changed(self, keys: Collection[PairKey]) -> None:
        for key in keys:
            self.state_changed.emit(key)

    def step(self, by: int) -> None:
        """Open the pair ``by`` places on among those that pass the filter, or the last one."""
        matches = self.matches
        keys = [key_of(match) for match in matches]
        here = keys.index(self.current) if self.current in keys else (-1 if by > 0 else len(keys))
        ahead = range(here + 1, len(keys)) if by > 0 else range(here - 1, -1, -1)
        seen = [keys[place] for place in ahead if self.is_listed(matches[place])]
        if seen:
            self.open(seen[min(abs(by), len(seen)) - 1])

    def step_folder(self, by: int) -> None:
        """Open the first pair that passes the filter in the next or previous folder with one."""
        folders: dict[Path, PairKey | None] = {}
        current: Path | None = None
        for match in self.matches:
            if folders.get(match.folder) is None:
                folders[match.folder] = key_of(match) if self.is_listed(match) else None
            if key_of(match) == self.current:
                current = match.folder
        names = list(folders)
        here = names.index(current) if current in folders else (-1 if by > 0 else len(names))
        ahead = names[here + 1 :] if by > 0 else names[:here][::-1]
        seen = [first for name in ahead if (first := folders[name]) is not None]
        if seen:
            self.open(seen[min(abs(by), len(seen)) - 1])

    # --- following the session -------------------------------------------------------------

    def _sources_changed(self) -> None:
        shown = self._session.sources.key
        current = shown if shown in self._listed else None
        if current != self.current:
            self.current = current
            self.current_changed.emit()

    def check_files(self) -> None:
        """Check which listed files still exist, in the background."""
        keys = list(self._listed)
        if self._closed or not keys:
            return
        job = self._finder.submit(partial(gone_files, keys), key="gone")
        job.finished.connect(partial(self._states.mark_missing, keys))

    def _fail(self, error: FusionError) -> None:
        if not self._closed:
            self._set_note("")
            self._session.set_problem(Problem(error, "open"))

"""Services of the window: shortcuts, undo, recent files, session, appearance and language."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QBoxLayout, QDialog, QMainWindow

from app.commands.actions import Actions
from app.commands.palette import CommandPalette
from app.commands.shortcut_editor import ShortcutEditor
from app.commands.shortcut_sheet import ShortcutSheet
from app.commands.undo import UndoHistory
from app.fuse.controller import Controller
from app.fuse.pair_search import Listing
from app.fuse.pairs import Pairs
from app.fuse.state import FuseState
from app.fuse.welcome import Welcome
from app.i18n.translate import tr, translate
from app.preferences.recent_files import RecentMenu, RecentPair, RecentPairs
from app.preferences.scan_names import may_be_scan
from app.preferences.session_autosave import PreviousSession, SessionAutosave
from app.preferences.session_file import ListedPair, Snapshot
from app.preferences.settings import Settings
from app.regions.commands import Measuring
from app.shell.docks import STATE_VERSION, Docks, fit_on_screen
from app.shell.palette_entries import palette_entries
from app.shell.unfinished_exports import UnfinishedExports
from app.shell.window_notices import WindowNotices
from app.viewer.display_state import DisplayState
from app.widgets import theme
from app.workers import Runner
from core.errors import FusionError
from core.progress import Progress

_BELOW_TOP_BAR = 1


class WindowServices(QObject):
    """Connects one window to undo, recent files, autosave and settings; knows no pixels."""

    ended = Signal()
    """The window is closing, and everything is stored."""

    def __init__(
        self,
        window: QMainWindow,
        settings: Settings,
        *,
        session: FuseState,
        controller: Controller,
        actions: Actions,
        pairs: Pairs,
        welcome: Welcome,
        docks: Docks,
        column: QBoxLayout,
        regions: Measuring,
        show_fuse_page: Callable[[], None],
    ) -> None:
        """
        Args:
            window: its geometry is stored; parent of the dialogs.
            settings: stored settings.
            welcome: shows the recent pairs.
            docks: their state is stored.
            column: layout of the central widget; cards are inserted below its first item.
            regions: what is drawn on pairs; the session keeps it.
            show_fuse_page: switches to the Fuse workspace.
        """
        super().__init__(window)
        self.settings = settings
        self._window = window
        self._session = session
        self._controller = controller
        self._actions = actions
        self._pairs = pairs
        self._welcome = welcome
        self._docks = docks
        self._regions = regions
        self._show_fuse_page = show_fuse_page
        self.recent = RecentPairs(settings, self)
        self.recent_menu = RecentMenu(self.recent, settings)
        self.history: UndoHistory[DisplayState] = UndoHistory(
            self._session.display, self._session.set_display, parent=self
        )
        self._steps: UndoHistory[Any] = self.history
        """Those that the commands undo and redo."""
        self.autosave: SessionAutosave | None = None
        if settings.folder is not None:
            self.autosave = SessionAutosave(settings.folder, self.snapshot, self)
        self._runner = Runner("services", self)
        self._last: Snapshot | None = None
        self._restoring: Snapshot | None = None
        self._volumes: object = None
        """Those that the slice on show belongs to; None for images."""
        self._ended = False
        self.notices = WindowNotices(settings, self)
        self.cards = self.notices.cards
        self.unfinished = UnfinishedExports(
            session,
            controller,
            notices=self.notices,
            runner=self._runner,
            parent=self,
        )
        column.insertWidget(_BELOW_TOP_BAR, self.cards)
        self._connect()
        self._show_choices()
        self._provide()

    # --- wiring ----------------------------------------------------------------------------

    def _connect(self) -> None:
        actions, session, settings = self._actions, self._session, self.settings
        actions.undo.triggered.connect(lambda: self._steps.undo())
        actions.redo.triggered.connect(lambda: self._steps.redo())
        actions.restore.triggered.connect(self._restore_last)
        actions.reopens.toggled.connect(settings.set_reopens)
        actions.fuse_on_change.toggled.connect(settings.set_fuses_on_change)
        actions.fuse_on_change.toggled.connect(self._controller.on_change.set_enabled)
        actions.check_alignment.toggled.connect(settings.set_checks_alignment)
        actions.palette.triggered.connect(self.show_palette)
        actions.keys.triggered.connect(self.show_keys)
        actions.edit_keys.triggered.connect(
            lambda: self._show(ShortcutEditor(actions, self._window))
        )
        actions.about_use.triggered.connect(self.notices.show_disclaimer)
        for name, action in actions.appearances.items():
            action.triggered.connect(lambda _=False, name=name: self._choose_appearance(name))
        for name, action in actions.languages.items():
            action.triggered.connect(lambda _=False, name=name: self._choose_language(name))
        actions.menus["file"].insertMenu(actions.restore, self.recent_menu)
        self.recent_menu.chosen.connect(self._open_recent)
        self.recent.changed.connect(self._show_recent)
        self._welcome.recent_chosen.connect(
            lambda place: self._open_recent(self.recent.all()[place])
        )
        self._show_recent()
        session.sources_changed.connect(self._sources_changed)
        session.display_settled.connect(lambda: self.history.note(session.display))
        self.history.changed.connect(self._provide)
        for signal in (session.task_changed, session.method_changed, session.display_settled):
            signal.connect(self._note_change)
        self._pairs.plan_changed.connect(self._note_change)
        self._regions.state.settled.connect(self._note_change)
        self._controller.volume_export.unfinished_changed.connect(self._note_change)
        self._controller.key_images.changed.connect(self._note_change)
        actions.apply_keys(settings.keys())
        actions.keys_changed.connect(lambda: settings.set_keys(actions.changed_keys()))
        settings.failed.connect(self._settings_failed)
        if self.autosave is not None:
            self.autosave.failed.connect(self._autosave_failed)
        self._window.installEventFilter(self)
        actions.tidy_menus()

    def _provide(self) -> None:
        present = {
            "undo": self._steps.can_undo,
            "redo": self._steps.can_redo,
            "session": self._last is not None,
        }
        self._actions.provide((name for name, there in present.items() if there), by="services")

    def undo_in(self, history: UndoHistory[Any] | None) -> None:
        """Undo and redo the steps of another history; None for those of the display again."""
        self._steps.changed.disconnect(self._provide)
        self._steps = self.history if history is None else history
        self._steps.changed.connect(self._provide)
        self._provide()

    def _show_choices(self) -> None:
        self._actions.appearances[self.settings.appearance].setChecked(True)
        self._actions.languages[self.settings.language].setChecked(True)
        self._actions.reopens.setChecked(self.settings.reopens)
        self._actions.fuse_on_change.setChecked(self.settings.fuses_on_change)
        self._actions.check_alignment.setChecked(self.settings.checks_alignment)

    def _show(self, dialog: QDialog) -> None:
        dialog.open()

    def show_palette(self) -> None:
        """Open the command palette."""
        more = palette_entries(
            session=self._session,
            controller=self._controller,
            pairs=self._pairs,
            recent=self.recent,
            open_recent=self._open_recent,
            show_fuse_page=self._show_fuse_page,
        )
        self._show(CommandPalette(self._actions, self._window, more))

    def show_keys(self) -> None:
        """Open the list of shortcuts."""
        sheet = ShortcutSheet(self._actions, self._window)
        sheet.edit_requested.connect(self._actions.edit_keys.trigger)
        self._show(sheet)

    # --- start and end ---------------------------------------------------------------------

    def place_window(self) -> None:
        """Restore the geometry of the window and its docks. Call before it is shown."""
        geometry, state = self.settings.blob("window/geometry"), self.settings.blob("window/state")
        # Qt itself moves a window onto a screen if its own one is not connected any more.
        if geometry.isEmpty() or not self._window.restoreGeometry(geometry):
            fit_on_screen(self._window)
        if not state.isEmpty():
            self._window.restoreState(state, STATE_VERSION)

    def begin(self, a: Path | None = None, b: Path | None = None) -> None:
        """Open the given files, else the last session if the user chose so, else a sample."""
        controller = self._controller
        controller.start()
        previous = self.autosave.begin() if self.autosave is not None else PreviousSession()
        self._last = previous.snapshot
        if self._last is not None:  # whatever is opened, or else the next session has none of them
            self._regions.store.take(self._last.regions)
            controller.key_images.restore(self._last.key_images)
        self._provide()
        given = [path for path in (a, b) if path is not None]
        if any(path.is_dir() or may_be_scan(path) for path in given):
            self._pairs.add(given, partial(self._open_given, a, b))
        elif given:
            self._open_given(a, b)
        elif self._last is not None and self.settings.reopens and not previous.crashed:
            self.restore(self._last)
        else:
            controller.open_sample()
        self._show_previous(previous)
        self.unfinished.offer(previous.exports)

    def _open_given(self, a: Path | None, b: Path | None) -> None:
        """Open images, or wait for the second one."""
        if a is not None and b is not None:
            self._controller.open_pair(a, b, task_known=self._session.task_by_hand)
        elif a is not None:
            self._controller.replace_side("a", a)
        elif b is not None:
            self._controller.replace_side("b", b)

    def _show_previous(self, previous: PreviousSession) -> None:
        if previous.crashed and previous.snapshot is not None and not previous.of_earlier:
            self._offer_restore(previous.snapshot)
        if previous.notice:
            self.notices.show_notice("notice", previous.notice)
        if self.settings.is_damaged:
            text = self.tr("The settings could not be read. Everything is as delivered.")
            self.notices.show_notice("settings", text)
        if self.settings.folder is not None and not self.settings.acknowledged:
            self.notices.show_disclaimer()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Store everything when the window closes."""
        if event.type() == QEvent.Type.Close and not self._ended:
            self._ended = True
            self.settings.set_blob("window/geometry", self._window.saveGeometry())
            self.settings.set_blob("window/state", self._docks.state())
            self.settings.sync()
            self._runner.shutdown()
            if self.autosave is not None:
                self.autosave.end()
            self.ended.emit()
        return False

    # --- session ---------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The current session."""
        session = self._session
        return Snapshot(
            session.task.name,
            session.method,
            *self._origins(),
            pairs=tuple(
                ListedPair(m.a, m.b, m.name, m.folder)
                for m in self._pairs.matches
                if not self._controller.volumes.knows((m.a, m.b))
            ),
            display=session.display,
            scans=self._pairs.scans,
            slice=self._controller.volumes.on_show,
            transform=session.sources.transform,
            regions=self._regions.store.kept,
            exports=self._controller.volume_export.unfinished,
            key_images=self._controller.key_images.all,
        )

    def _origins(self) -> tuple[Path | None, Path | None]:
        """The selected files, shown or not; None for a sample, and for series."""
        sources = self._session.sources
        no_files = sources.sample or self._controller.volumes.is_open
        return (None, None) if no_files else sources.paths

    def restore(self, snapshot: Snapshot) -> None:
        """Open the files of a snapshot with its display settings, once they are found."""
        job = self._runner.submit(partial(_located, snapshot))
        job.finished.connect(partial(self._restore_located, len(snapshot.scans)))
        job.failed.connect(self._session_lost)

    def _restore_located(self, stored_scans: int, snapshot: Snapshot) -> None:
        if self._ended:
            return
        if len(snapshot.scans) < stored_scans:
            self._session_lost()
        controller = self._controller
        self._restoring = snapshot
        self._session.set_task(snapshot.task)
        self._session.set_method(snapshot.method)
        if snapshot.pairs:
            job = self._runner.submit(partial(_listing_of, snapshot.pairs))
            job.finished.connect(self._pairs.show)
        controller.key_images.restore(snapshot.key_images)
        if snapshot.scans:
            controller.volumes.restore(snapshot.slice, snapshot.transform)
            self._pairs.add([path for path in snapshot.scans if isinstance(path, Path)])
        a, b = snapshot.a, snapshot.b
        if isinstance(a, Path) and isinstance(b, Path):
            controller.open_pair(a, b, task_known=True, transform=snapshot.transform)
        elif isinstance(a, Path):
            controller.replace_side("a", a)
        elif isinstance(b, Path):
            controller.replace_side("b", b)

    def _session_lost(self, _error: object = None) -> None:
        text = self.tr("Scans of the last session are no longer where they were. Open them again.")
        self._session.set_message(text)

    def _restore_last(self) -> None:
        self.cards.remove("restore")
        if self._last is not None:
            self.restore(self._last)

    def _offer_restore(self, snapshot: Snapshot) -> None:
        text = self.tr("The program did not end properly last time. It had open: {0}")
        answers = (("restore", self.tr("Reopen")), ("no", self.tr("No, thanks")))
        card = self.notices.ask("restore", text.format(snapshot.label), answers, "history")
        card.answered.connect(partial(self._answer_restore, snapshot))

    def _answer_restore(self, snapshot: Snapshot, answer: str) -> None:
        if answer == "restore":
            self.restore(snapshot)

    def _sources_changed(self) -> None:
        wanted, sources = self._restoring, self._session.sources
        a, b = self._origins()
        shown = sources.requested == (None, None)
        is_slice = sources.slice is not None
        same_kind = wanted is not None and is_slice == bool(wanted.slice.a)
        if wanted is not None and shown and same_kind and (a, b) == (wanted.a, wanted.b):
            self._restoring = None
            self._session.set_display(wanted.display.checked())
        if shown and a is not None and b is not None:
            self.recent.add(a, b, self._session.task.name)
        # Display changes of the previous images must not be undone on other ones.
        volumes = sources.slice.volumes if sources.slice is not None else None
        if volumes is None or volumes is not self._volumes:
            self.history.clear(self._session.display)
        self._volumes = volumes
        self._note_change()

    def _note_change(self) -> None:
        if self.autosave is not None:
            self.autosave.note_change()

    def _autosave_failed(self, error: FusionError) -> None:
        text = self.tr("The session cannot be kept. {0}").format(translate(error.message))
        self.notices.show_notice("keeping", text)

    def _settings_failed(self, error: FusionError) -> None:
        text = self.tr("The settings cannot be kept. {0}").format(translate(error.message))
        self.notices.show_notice("settings", text)

    def _show_recent(self) -> None:
        rows = [(pair.label, pair.a) for pair in self.recent.all()]
        self._welcome.show_recent(rows)

    def _open_recent(self, pair: RecentPair) -> None:
        gone = [path for path in (pair.a, pair.b) if not path.exists()]
        if gone:
            text = self.tr("{0} is not there any more. It was taken off the list of recent files.")
            self._session.set_message(text.format(gone[0]))
            self.recent.forget(pair)
            return
        self._session.set_task(pair.task)
        self._controller.open_pair(pair.a, pair.b, task_known=True)

    # --- appearance and language -----------------------------------------------------------

    def _choose_appearance(self, name: str) -> None:
        for appearance in ("system", "light", "dark"):
            if name == appearance:
                self.settings.set_appearance(appearance)
                theme.set_appearance(appearance)

    def _choose_language(self, name: str) -> None:
        if name != self.settings.language:
            self.settings.set_language(name)
            self._session.set_message(self.tr("The language changes at the next start."))


def _located(snapshot: Snapshot, progress: Progress) -> Snapshot:
    return snapshot.located()


def _listing_of(pairs: tuple[ListedPair, ...], progress: Progress) -> Listing:
    # Imported on a worker thread: its package imports the codecs.
    from core.pairing.plan import Match, PairingPlan

    reason = tr("from the last session")
    matches = (Match(pair.name, pair.a, pair.b, reason, pair.folder) for pair in pairs)
    return Listing.of(PairingPlan(tuple(matches)))

"""The state of the Fuse workspace, with signals. No widget, no thread, no engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.engine import EngineInfo, default_method
from app.fuse.reports import Activity, Offer, Problem, Remedy
from app.fuse.results import LoadedSource, Outcome, Palettes, Sources, with_result
from app.viewer.display_state import DisplayState, FeatureView
from app.viewer.pyramid import RenderedImage
from app.widgets.file_manager import file_of
from app.widgets.privacy import without_names
from core.errors import FusionError
from core.fusion.protocol import MethodInfo
from core.pairing.source_words import suggest_task
from core.tasks import TASKS, TaskSpec, get_task
from core.windows import Window, Windows

if TYPE_CHECKING:
    from core.retention import Retention
    from core.types import FusionResult

__all__ = [
    "Activity",
    "EngineInfo",
    "FuseState",
    "LoadedSource",
    "Offer",
    "Outcome",
    "Problem",
    "Remedy",
    "Side",
    "Sources",
    "default_method",
    "without_names",
]

Side = Literal["a", "b"]


class FuseState(QObject):
    """What is open, selected and displayed. Setters do nothing if nothing changes."""

    task_changed = Signal()
    method_changed = Signal()
    engine_changed = Signal()
    sources_changed = Signal()
    outcome_changed = Signal()
    stale_changed = Signal(bool)
    running_changed = Signal()
    problem_changed = Signal()
    notices_changed = Signal()
    feature_view_changed = Signal()
    features_changed = Signal()
    results_changed = Signal()
    """The list of results has changed, or which of them is on screen."""
    retention_changed = Signal()
    """What a result loses of its sources has been measured, or another result is on screen."""
    display_changed = Signal()
    display_settled = Signal()
    """Like ``display_changed``, but emitted only once per gesture, at its end."""

    def __init__(self, task: str, method: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task = get_task(task)
        self._method = method
        self.engine: EngineInfo | None = None
        self.sources = Sources()
        self.outcome: Outcome | None = None
        self.results: tuple[Outcome, ...] = ()
        self._retentions: WeakKeyDictionary[FusionResult, Retention] = WeakKeyDictionary()
        self.display = DisplayState()
        self.running: Activity | None = None
        self.problem: Problem | None = None
        self.message = ""
        self.offer: Offer | None = None
        self.task_by_hand = False
        """Whether the task was chosen by a person and not by the program."""
        self.known_paths: set[Path] = set()
        self._stale = False
        self._outdated: tuple[bool, ...] = ()
        self._last_shown: dict[Side, RenderedImage] = {}

    # --- task and method -------------------------------------------------------------------

    @property
    def task(self) -> TaskSpec:
        """The selected task."""
        return self._task

    @property
    def method(self) -> str:
        """The selected method; "" for the task's default."""
        return self._method

    def set_task(self, name: str) -> None:
        """Select a task; the method falls back to that task's default."""
        if name == self._task.name:
            return
        self._task = TASKS[name]
        self._method = ""
        self.task_changed.emit()
        self._update_stale()

    def switch_task(self, name: str) -> None:
        """Select a task; a classical method stays selected, as it can fuse every task."""
        method = self.method
        stays = self.is_classical(method)
        self.set_task(name)
        if stays:
            self.set_method(method)

    @property
    def suggested_task(self) -> str:
        """The task that the names of the selected files suggest; "" for none, or for a sample."""
        a, b = self.sources.paths
        if a is None or b is None or self.sources.sample or self.sources.slice is not None:
            return ""
        return suggest_task(a, b)

    def set_method(self, name: str) -> None:
        """Select a pack or baseline by the name the engine gave it."""
        if name == self._method:
            return
        self._method = name
        self.method_changed.emit()
        self._update_stale()

    def is_classical(self, name: str) -> bool:
        """True where ``name`` is a classical method, not a pack."""
        return any(m.name == name and m.kind == "baseline" for m in self.methods)

    @property
    def methods(self) -> tuple[MethodInfo, ...]:
        """The methods for the selected task; empty until the engine has been made."""
        return tuple(self.engine.methods.get(self._task.name, ())) if self.engine else ()

    def resolved_method(self) -> str:
        """The name of the selected method, or of the default; "" while that is unknown."""
        default = default_method(self.methods, self._task)
        return self._method or (default.name if default is not None else "")

    def set_engine(self, info: EngineInfo) -> None:
        """Set what is known of the engine."""
        self.engine = info
        self.engine_changed.emit()
        self._update_stale()

    # --- sources and results ---------------------------------------------------------------

    def set_sources(
        self,
        sources: Sources,
        *,
        keep_outcome: bool = False,
        results: tuple[Outcome, ...] = (),
        selected: str = "",
        windows: Windows | None = None,
    ) -> None:
        """Show other sources.

        Args:
            keep_outcome: keep the old results, which are stale then.
            results: results that these sources already have; ``selected`` is the key of the one
                to show.
            windows: the windows that the sources were last displayed in, if any.
        """
        self.sources = sources
        self.message = ""
        self.offer = None
        self._keep_windows(windows)
        self.sources_changed.emit()
        if not keep_outcome and (self.results or results):
            self.results = results
            self.outcome = next((r for r in results if r.key == selected), None)
            self.outcome = self.outcome or (results[-1] if results else None)
            self.outcome_changed.emit()
            self.results_changed.emit()
        self.notices_changed.emit()
        self._update_stale()

    def _keep_windows(self, windows: Windows | None) -> None:
        """Restore the windows of a pair that was displayed before.

        Otherwise keep the window of a side if its new image is of the same kind as the last one.
        """
        display = self.display
        sides: tuple[tuple[Side, LoadedSource | None], ...] = (
            ("a", self.sources.a),
            ("b", self.sources.b),
        )
        for index, (side, loaded) in enumerate(sides):
            if loaded is None:
                continue
            now = loaded.rendered
            was = self._last_shown.get(side)
            self._last_shown[side] = now
            if windows is not None:
                display = display.with_pane(side, window=windows[index])
            elif was is not None and was is not now and _kind(was) != _kind(now):
                display = display.with_pane(side, window=None)
        self.set_display(display)

    def window_of(self, side: Side) -> Window | None:
        """The window that a source is displayed and fused in; None if there is no source."""
        loaded = self.sources.a if side == "a" else self.sources.b
        if loaded is None:
            return None
        return self.display.pane(side).window or loaded.image.window

    @property
    def windows(self) -> Windows:
        """The windows of both sources, as displayed now."""
        return self.window_of("a"), self.window_of("b")

    @property
    def palettes(self) -> Palettes | None:
        """The palettes that slices of volumes are displayed and fused in; None for images."""
        if self.sources.slice is None:
            return None
        return self.display.a.palette, self.display.b.palette

    def set_outcome(self, outcome: Outcome) -> None:
        """Add a result to those of the pair, and show it."""
        self.results = with_result(self.results, outcome)
        self.outcome = outcome
        self.outcome_changed.emit()
        self.results_changed.emit()
        self.notices_changed.emit()
        self._update_stale()

    @property
    def retention(self) -> Retention | None:
        """What the result on screen loses of its sources; None while it is not known."""
        return self.retention_of(self.outcome)

    def retention_of(self, outcome: Outcome | None) -> Retention | None:
        """What a result loses of its sources; None while it is not known."""
        return None if outcome is None else self._retentions.get(outcome.result)

    def set_retention(self, outcome: Outcome, found: Retention) -> None:
        """Set what a result loses."""
        self._retentions[outcome.result] = found
        self.retention_changed.emit()

    def add_result(self, outcome: Outcome) -> None:
        """Insert a classical result before the others without showing it."""
        if all(outcome.key != old.key for old in self.results):
            self.results = (replace(outcome, is_preview=False), *self.results)
            self.results_changed.emit()

    def select_result(self, key: str) -> None:
        """Show another result of this pair, and select its method."""
        found = next((r for r in self.results if r.key == key), None)
        if found is None or found is self.outcome:
            return
        self.outcome = found
        self.outcome_changed.emit()
        self.results_changed.emit()
        if found.result.task == self._task.name and found.requested_method:
            self.set_method(found.requested_method)
        self.notices_changed.emit()
        self._update_stale()

    def remove_result(self, key: str) -> None:
        """Remove a result, unless it is the last one."""
        left = tuple(r for r in self.results if r.key != key)
        if not left or len(left) == len(self.results):
            return
        self.results = left
        if self.outcome is not None and self.outcome.key == key:
            self.select_result(left[-1].key)
        else:
            self.results_changed.emit()

    # --- display ---------------------------------------------------------------------------

    def set_display(self, display: DisplayState, *, settled: bool = True) -> None:
        """Change the display.

        Args:
            settled: False during a drag, True at its end. Undo steps between settled states.
        """
        old, self.display = self.display, display
        if display != old:
            self.display_changed.emit()
            if display.features != old.features:
                self.feature_view_changed.emit()
            if (display.a, display.b) != (old.a, old.b):
                self._update_stale()
        if settled:
            self.display_settled.emit()

    @property
    def feature_view(self) -> FeatureView:
        """The view of the adapter features."""
        return self.display.features

    def set_feature_view(self, view: FeatureView) -> None:
        """Select another view of the features; ``features_changed`` follows once it is rendered."""
        if view != self.display.features:
            self.set_display(replace(self.display, features=view))

    def set_feature_image(self, of: Outcome, image: RenderedImage, view: FeatureView) -> None:
        """Set a newly rendered feature image, unless its result was removed."""
        if of not in self.results:
            return
        drawn = replace(of, images={**of.images, "features": image}, feature_view=view)
        self.results = tuple(drawn if r is of else r for r in self.results)
        if self.outcome is of:
            self.outcome = drawn
            self.features_changed.emit()

    @property
    def is_stale(self) -> bool:
        """True if the result on screen was made from other sources, windows, task or method."""
        return self._stale

    def is_outdated(self, outcome: Outcome) -> bool:
        """True if a result was made from other sources, in other windows or for another task."""
        if outcome.result.task != self._task.name or outcome.pair is not self.sources.pair:
            return True
        return (outcome.fused_windows, outcome.palettes) != (self.windows, self.palettes)

    def _update_stale(self) -> None:
        stale = False
        if self.outcome is not None and not self.outcome.is_preview:
            chosen = self.resolved_method()
            stale = self.is_outdated(self.outcome) or bool(
                chosen and not _same_method(chosen, self.outcome)
            )
        outdated = tuple(self.is_outdated(result) for result in self.results)
        if (stale, outdated) != (self._stale, self._outdated):
            self._stale, self._outdated = stale, outdated
            self.stale_changed.emit(stale)

    # --- progress and messages --------------------------------------------------------------

    def set_running(self, running: Activity | None) -> None:
        """Set the work in progress; None for none."""
        if running != self.running:
            self.running = running
            self.running_changed.emit()

    def set_problem(self, problem: Problem | None) -> None:
        """Set the error to show; None for none."""
        if problem is not self.problem:
            self.problem = problem
            self.problem_changed.emit()

    def show_error(self, error: FusionError, remedy: Remedy = "") -> None:
        """Show an error with the action that may help and the file that it names."""
        self.set_problem(Problem(error, remedy, file_of(error, self.known_paths)))

    def set_message(self, message: str) -> None:
        """Set a sentence to show that is no error; "" for none."""
        if message != self.message:
            self.message = message
            self.notices_changed.emit()

    def set_offer(self, offer: Offer | None) -> None:
        """Set a question to the person; None for none."""
        if offer != self.offer:
            self.offer = offer
            self.notices_changed.emit()

    @property
    def is_empty(self) -> bool:
        """True while no image is open or selected."""
        return self.sources.is_empty

    @property
    def notices(self) -> tuple[str, ...]:
        """All sentences for the notice bar: message, notes of the reader, notes of the result.

        The notes of a slice's result are in Info alone: a bar that comes and goes would move the
        panes while slices are scrolled through.
        """
        own = (self.message,) if self.message else ()
        result = self.outcome.result.notes if self.outcome and not self.sources.slice else ()
        return tuple(dict.fromkeys((*own, *self.sources.notes, *result)))


def _kind(shown: RenderedImage) -> tuple[object, ...]:
    """What must be equal for a window to have the same meaning."""
    return shown.unit, shown.window, shown.extent


def _same_method(chosen: str, outcome: Outcome) -> bool:
    # A pack given as a file is requested by path, but the result has its name.
    return chosen in (outcome.result.method, outcome.requested_method)

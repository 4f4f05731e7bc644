"""All results of the pair on screen side by side with both sources, linked in zoom and place."""

from __future__ import annotations

from functools import partial
from math import ceil

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from app.fuse.active_pane import ActivePane
from app.fuse.export import notice_of
from app.fuse.pane_texts import SOURCES, result_info, source_info, source_title
from app.fuse.results import Outcome
from app.fuse.retention import alarm_mark, alarm_text
from app.fuse.scenes import scene_of
from app.fuse.state import FuseState
from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink

_GAP = 6
_LEAST_WIDTH, _LEAST_HEIGHT = 150, 120
_HEADER = 28
"""Height of a pane without its canvas, in pixels."""
_RESULT = "result:"


def columns_for(count: int, room: QSize, image: tuple[int, int], aspect: float = 1.0) -> int:
    """The number of columns in which ``count`` panes show an image largest; at least one.

    Args:
        room: size of the grid in pixels.
        image: width and height of the image in pixels; (0, 0) for none.
        aspect: height of a pixel divided by its width.
    """
    width, height = max(image[0], 1), max(image[1], 1) * aspect
    best, found = (0.0, 0), 1
    for columns in range(1, max(count, 1) + 1):
        rows = ceil(count / columns)
        wide = (room.width() - _GAP * (columns - 1)) / columns
        tall = max((room.height() - _GAP * (rows - 1)) / rows, _LEAST_HEIGHT) - _HEADER
        # Of equally large ones fewer rows: they may have to be scrolled.
        shown = min(wide / width, tall / height), -rows
        if (wide >= _LEAST_WIDTH or columns == 1) and shown > best:
            best, found = shown, columns
    return found


class ResultsBoard(QScrollArea):
    """A grid of panes: A, B, and every result under the name of its method.

    The pane of the result on screen is marked; a click puts another one on screen, so that the
    inspector, the status bar and all commands are about it.
    """

    maximise_requested = Signal(str)
    """“a”, “b” or “fused”, after its result was put on screen."""
    tag_clicked = Signal(str)
    """What a pane's tag stands for, as of :attr:`app.viewer.pane.Pane.tag_clicked`."""
    window_dragged = Signal(str, QPointF, bool)
    """“a”, “b” or “fused”; then as :attr:`app.viewer.canvas.Canvas.window_dragged`."""

    def __init__(
        self, session: FuseState, link: ViewLink, active: ActivePane, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            link: position of all panes.
            active: the pane that keys apply to; it follows the clicks on this board.
        """
        super().__init__(parent)
        self._session, self._link, self._active = session, link, active
        self.panes: dict[str, Pane] = {}
        """By “a”, “b”, and “result:” with the key of a result; those on show."""
        self._places: tuple[tuple[str, ...], int] = ((), 0)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("All results side by side"))
        content = self._content = QWidget()
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self.setWidget(content)
        # The page shows through where there is no pane.
        for part in (content, self.viewport()):
            part.setAutoFillBackground(False)
        for signal in (
            session.sources_changed,
            session.results_changed,
            session.outcome_changed,
            session.stale_changed,
            session.display_changed,
            session.running_changed,
            session.retention_changed,
        ):
            signal.connect(self.refresh)
        active.changed.connect(self._mark)
        link.size_changed.connect(self._arrange)
        self.hide()

    @property
    def is_wanted(self) -> bool:
        """Whether this layout is chosen, and there is a result."""
        return self._session.display.layout == "results" and bool(self._session.results)

    def refresh(self) -> None:
        """Show the sources and all results, where this layout is chosen."""
        session = self._session
        if not self.is_wanted:
            for name in tuple(self.panes):
                self._drop(name)
            return
        results = {f"{_RESULT}{one.key}": one for one in session.results}
        wanted = (*SOURCES, *results)
        for name in [name for name in self.panes if name not in wanted]:
            self._drop(name)
        for name in wanted:
            if name not in self.panes:
                self._add(name)
            self._show(name, results.get(name))
        self._arrange()
        self._mark()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the number of columns anew."""
        super().resizeEvent(event)
        self._arrange()

    # --- panes -----------------------------------------------------------------------------

    def _add(self, name: str) -> None:
        pane = self.panes[name] = Pane(name, self._link)
        side = name if name in SOURCES else "fused"
        pane.canvas.focused.connect(partial(self._choose, name))
        pane.canvas.window_dragged.connect(partial(self.window_dragged.emit, side))
        pane.maximise_requested.connect(partial(self._maximise, name))
        pane.tag_clicked.connect(self.tag_clicked)

    def _drop(self, name: str) -> None:
        pane = self.panes.pop(name)
        self._grid.removeWidget(pane)
        pane.hide()
        pane.deleteLater()
        self._places = ((), 0)

    def _show(self, name: str, outcome: Outcome | None) -> None:
        session, pane = self._session, self.panes[name]
        display, running = session.display, session.running
        pane.set_scene(scene_of(session, name))
        pane.canvas.set_aids(display.crosshair, display.magnifier)
        pane.canvas.set_dimmed(running is not None and not running.fusing)
        if outcome is None:
            loaded = session.sources.a if name == "a" else session.sources.b
            pane.set_title(source_title(session, name))
            pane.set_info(source_info(loaded) if loaded is not None else "")
            return
        pane.set_title(outcome.method_title)
        pane.title.setToolTip(result_info(outcome))
        pane.set_info("" if outcome.is_stored else result_info(outcome).partition(" · ")[2])
        pane.canvas.set_badge(notice_of(outcome))
        stale = self.tr("Stale") if session.is_outdated(outcome) else ""
        pane.set_tag("stale", stale, self.tr("Made from other sources, windows or another task."))
        tip = self.tr("Spots of the sources that it hardly shows; click to outline them.")
        found = session.retention_of(outcome)
        pane.set_tag("lost", alarm_text(found), tip, alarm_mark(found))

    def _arrange(self) -> None:
        if not self.panes:
            return
        names = tuple(name for name in self._ordered() if name in self.panes)
        size = self.viewport().size()
        columns = columns_for(len(names), size, self._link.size, self._link.aspect)
        if (names, columns) == self._places:
            return
        self._places = names, columns
        for name in names:
            self._grid.removeWidget(self.panes[name])
        rows = ceil(len(names) / columns)
        for place, name in enumerate(names):
            self._grid.addWidget(self.panes[name], *divmod(place, columns))
            self.panes[name].show()
        for row in range(max(self._grid.rowCount(), rows)):
            self._grid.setRowStretch(row, int(row < rows))
        for column in range(max(self._grid.columnCount(), columns)):
            self._grid.setColumnStretch(column, int(column < columns))
        self._content.setMinimumHeight(rows * (_LEAST_HEIGHT + _GAP) - _GAP)
        self._reserve(names)

    def _ordered(self) -> tuple[str, ...]:
        return (*SOURCES, *(f"{_RESULT}{one.key}" for one in self._session.results))

    def _reserve(self, names: tuple[str, ...]) -> None:
        """Keep room below all images for the longest notice, so that they stay of one size."""
        notices = [notice_of(one) for one in self._session.results]
        if notices:
            self.panes[names[-1]].canvas.reserve(max(notices, key=len))

    # --- which result is on screen -----------------------------------------------------------

    def _mark(self, *_: object) -> None:
        outcome, active = self._session.outcome, self._active.name
        shown = f"{_RESULT}{outcome.key}" if outcome is not None else ""
        current = active if active in SOURCES else shown
        for name, pane in self.panes.items():
            pane.set_active(name == current)

    def _choose(self, name: str, passing: bool = False) -> None:
        if name.startswith(_RESULT):
            self._session.select_result(name.removeprefix(_RESULT))
        self._active.choose(name if name in SOURCES else "fused", passing)
        self._mark()

    def _maximise(self, name: str) -> None:
        self._choose(name)
        self.maximise_requested.emit(name if name in SOURCES else "fused")

"""The commands that change the display: compare modes, windows, crosshair and magnifier."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSignalBlocker, Signal
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence

from app.commands.registry import native, plain
from app.fuse.scenes import image_of
from app.fuse.state import FuseState
from app.i18n.translate import tr, translate
from app.viewer.display_state import CompareMode, Layout
from app.viewer.pyramid import RenderedImage
from app.viewer.window_presets import deviation_window, percentile_window
from core.units.presets import presets_for
from core.windows import Window

if TYPE_CHECKING:
    from app.commands.actions import Actions
    from app.fuse.page import FusePage

_OPACITY_STEP = 0.1


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None  # there is a window
    return application


class DisplayCommands(QObject):
    """Connects the display commands of the window to the session's display."""

    announced = Signal(str)
    """A sentence that says what was switched on or off."""

    def __init__(self, session: FuseState, view: FusePage, actions: Actions) -> None:
        super().__init__(view)
        self._session = session
        self._view = view
        self._actions = actions
        self._before_blink: CompareMode = "off"
        self._before_results: Layout = "all"
        self._holding = False
        session.display_changed.connect(self._show)

    def connect_actions(self) -> None:
        """Connect the actions of the display commands."""
        actions = self._actions
        modes: tuple[tuple[str, CompareMode], ...] = (
            ("curtain", "curtain"),
            ("checkerboard", "checker"),
            ("difference", "difference"),
        )
        for name, mode in modes:
            getattr(actions, name).triggered.connect(lambda _=False, mode=mode: self.toggle(mode))
        actions.blink.triggered.connect(self._blink)
        actions.overlay.triggered.connect(self._overlay)
        actions.less_opaque.triggered.connect(lambda: self._opacity(-_OPACITY_STEP))
        actions.more_opaque.triggered.connect(lambda: self._opacity(_OPACITY_STEP))
        actions.invert.triggered.connect(self._invert)
        actions.side_by_side.triggered.connect(self._side_by_side)
        actions.crosshair.triggered.connect(lambda on: self._set(crosshair=on))
        actions.magnifier.triggered.connect(lambda on: self._set(magnifier=on))
        actions.lost.triggered.connect(lambda on: self._set(lost=on))
        for number, action in enumerate(actions.presets):
            action.triggered.connect(lambda _=False, number=number: self._preset(number))
        self._name_presets()
        self._session.sources_changed.connect(self._name_presets)
        self._view.active.changed.connect(lambda _name: self._name_presets())
        for action in (
            actions.curtain,
            actions.checkerboard,
            actions.difference,
            actions.overlay,
            actions.crosshair,
            actions.magnifier,
            actions.lost,
        ):
            action.triggered.connect(partial(self._tell, action))
        self._show()

    def _tell(self, action: QAction) -> None:
        """Announce what an action has switched, and the key that switches it back."""
        keys = native(self._actions.keys_of(action.data()))
        if action is self._actions.overlay:
            on = self._overlay_shown
            text = self.tr("Overlay shown.") if on else self.tr("Overlay hidden.")
            more = self.tr("{0} hides it.") if on else self.tr("{0} shows it again.")
        else:
            on, title = action.isChecked(), plain(action.text())
            text = (self.tr("{0}: on.") if on else self.tr("{0}: off.")).format(title)
            more = self.tr("{0} switches it off.") if on else self.tr("{0} switches it on again.")
        self.announced.emit(f"{text} {more.format(keys)}" if keys else text)

    @property
    def _overlay_shown(self) -> bool:
        compare = self._session.display.compare
        return compare.mode == "overlay" and compare.overlaid

    def _set(self, **changes: object) -> None:
        self._session.set_display(replace(self._session.display, **changes))  # type: ignore[arg-type]

    def toggle(self, mode: CompareMode) -> None:
        """Turn a compare mode on, or off if it is on."""
        display = self._session.display
        wanted: CompareMode = "off" if display.compare.mode == mode else mode
        self._session.set_display(display.with_compare(mode=wanted, overlaid=True))
        self._show()

    def _side_by_side(self) -> None:
        """Show all results side by side, or again the layout from before."""
        layout = self._session.display.layout
        if layout != "results":
            self._before_results = layout
        self._view.maximise()
        self._set(layout=self._before_results if layout == "results" else "results")
        self._show()

    # --- blinking --------------------------------------------------------------------------

    def _blink(self) -> None:
        display = self._session.display
        if display.compare.mode == "blink":
            self._end_blink()
            return
        self._before_blink = display.compare.mode
        self._holding = True
        _application().installEventFilter(self)
        self._session.set_display(display.with_compare(mode="blink"), settled=False)
        self._show()

    def _end_blink(self) -> None:
        self._holding = False
        _application().removeEventFilter(self)
        display = self._session.display
        if display.compare.mode == "blink":
            self._session.set_display(display.with_compare(mode=self._before_blink), settled=False)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """End blinking when its key is released, whichever widget receives the event."""
        if self._holding and event.type() == QEvent.Type.KeyRelease:
            assert isinstance(event, QKeyEvent)
            keys = self._actions.blink.shortcuts()
            if not event.isAutoRepeat() and QKeySequence(event.keyCombination()) in keys:
                self._end_blink()
        return False

    # --- overlay ---------------------------------------------------------------------------

    def _overlay(self) -> None:
        compare = self._session.display.compare
        if compare.mode == "overlay":
            changed = self._session.display.with_compare(overlaid=not compare.overlaid)
        else:
            changed = self._session.display.with_compare(mode="overlay", overlaid=True)
        self._session.set_display(changed)
        self._show()

    def _opacity(self, step: float) -> None:
        display = self._session.display
        if display.compare.mode != "overlay":
            display = display.with_compare(mode="overlay", overlaid=True)
            step = 0.0
        opacity = round(min(max(display.compare.opacity + step, 0.0), 1.0), 2)
        self._session.set_display(display.with_compare(opacity=opacity, overlaid=True))

    # --- windows ---------------------------------------------------------------------------

    def _target(self) -> str:
        pane = self._view.active.use()
        pane = pane[-1] if pane.startswith("recon_") else pane
        return pane if pane in ("a", "b", "fused") else "fused"

    def _invert(self) -> None:
        display = self._session.display
        pane = self._target()
        inverted = display.pane(pane).palette == "inverted"
        palette = "grey" if inverted else "inverted"
        self._session.set_display(display.with_pane(pane, palette=palette))
        title = self._view.panes[pane].title.text()
        text = self.tr("{0}: as it is.") if inverted else self.tr("{0}: grey values inverted.")
        self.announced.emit(text.format(title))

    def _preset(self, number: int) -> None:
        pane = self._target()
        shown = image_of(self._session, pane)
        if shown is None:
            return
        choices = _volume_presets(self._session, pane)
        if not choices:
            self._view.set_window(pane, PRESETS[number](shown))
        elif number < len(choices):
            name, window = choices[number]
            self._view.set_window(pane, window)
            self.announced.emit(f"{self._view.panes[pane].title.text()}: {name}")

    def _name_presets(self) -> None:
        """Call the presets what they are for the active pane."""
        choices = _volume_presets(self._session, self._view.active.name[-1:])
        for number, action in enumerate(self._actions.presets):
            if not choices:
                action.setText(_preset_name(self, number))
            elif number < len(choices):
                action.setText(self.tr("Window: {0}").format(choices[number][0]))
            else:
                action.setText(self.tr("Window preset {0}").format(number + 1))

    # --- state to actions ------------------------------------------------------------------

    def _show(self) -> None:
        display, actions = self._session.display, self._actions
        compare = display.compare
        for action, on in (
            (actions.curtain, compare.mode == "curtain"),
            (actions.blink, compare.mode == "blink"),
            (actions.checkerboard, compare.mode == "checker"),
            (actions.difference, compare.mode == "difference"),
            (actions.side_by_side, display.layout == "results"),
            (actions.crosshair, display.crosshair),
            (actions.magnifier, display.magnifier),
            (actions.lost, display.lost),
        ):
            with QSignalBlocker(action):
                action.setChecked(on)
        shown = self._overlay_shown
        actions.overlay.setText(self.tr("Hide overlay") if shown else self.tr("Show overlay"))


def _volume_presets(session: FuseState, pane: str) -> list[tuple[str, Window | None]]:
    """Names and windows for the keys from 1 on, where a source is a volume with an absolute unit.

    The last one is the volume's own window.
    """
    view = session.sources.slice
    if view is None or pane not in ("a", "b"):
        return []
    volume = view.volumes.native["ab".index(pane)]
    known = presets_for(volume.modality, volume.unit)
    if not known:
        return []
    own: list[tuple[str, Window | None]] = [(tr("as opened"), None)]
    return [(translate(preset.name), preset.window) for preset in known] + own


def _share(shown: RenderedImage, low: float, high: float) -> Window:
    start, end = shown.window
    return start + low * (end - start), start + high * (end - start)


PRESETS = (
    lambda _shown: None,
    lambda shown: percentile_window(shown, 1, 99),
    lambda shown: percentile_window(shown, 5, 95),
    lambda shown: _share(shown, 0.0, 0.5),
    lambda shown: _share(shown, 0.25, 0.75),
    lambda shown: _share(shown, 0.5, 1.0),
    lambda shown: _share(shown, 0.0, 0.25),
    lambda shown: _share(shown, 0.75, 1.0),
    lambda shown: deviation_window(shown, 2.0),
)
"""Window presets, for the keys from 1 on: functions from an image to a window."""


def _preset_name(owner: QObject, number: int) -> str:
    names = (
        owner.tr("Window: the file's own"),
        owner.tr("Window: middle 98 % of pixels"),
        owner.tr("Window: middle 90 % of pixels"),
        owner.tr("Window: dark half"),
        owner.tr("Window: middle half"),
        owner.tr("Window: bright half"),
        owner.tr("Window: darkest quarter"),
        owner.tr("Window: brightest quarter"),
        owner.tr("Window: mean ± 2 standard deviations"),
    )
    return names[number]

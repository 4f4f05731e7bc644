"""What the panes of the Fuse workspace show: images, titles, tags, and texts where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject

from app.commands.registry import CommandRegistry
from app.fuse.export import notice_of
from app.fuse.feature_pane import FeaturePane
from app.fuse.pane_texts import (
    SOURCES,
    no_data_tag,
    registration_tag,
    result_info,
    result_placeholder,
    slice_info,
    source_info,
    source_placeholder,
    source_title,
    waiting_text,
)
from app.fuse.recon_pane import ReconPane
from app.fuse.retention import alarm_mark, alarm_text
from app.fuse.scenes import scene_of
from app.fuse.state import FuseState
from app.i18n.numbers import filled
from app.viewer.pane import Pane

_FROM_RESULT = ("fused", "recon_a", "recon_b", "features")


class PaneContents(QObject):
    """Brings the panes up to date with the session; :class:`app.fuse.page.FusePage` says when."""

    def __init__(
        self,
        session: FuseState,
        panes: Mapping[str, Pane],
        keys: CommandRegistry,
        parent: QObject,
    ) -> None:
        """
        Args:
            panes: by the names of :data:`app.fuse.page.PANES`.
            keys: the keys of commands that texts mention.
        """
        super().__init__(parent)
        self._session = session
        self._panes = panes
        self._keys = keys

    def show_keys(self) -> None:
        """Update the texts that mention keys."""
        key = self._keys.key_of("view.maximise")
        for pane in self._panes.values():
            pane.show_key(key)
        self._show_source_placeholders()
        self.show_stale()

    def show_task(self) -> None:
        """Name the panes for another task."""
        self._show_titles()
        self._panes["fused"].set_title(self.tr("Fused"))
        self._panes["recon_a"].set_title(self.tr("Reconstruction A"))
        self._panes["recon_b"].set_title(self.tr("Reconstruction B"))
        self._panes["features"].set_title(self.tr("Features"))
        self._show_source_placeholders()
        for name in SOURCES:
            self._panes[name].title.setToolTip(self.tr("Source {0}").format(name.upper()))

    def show_display(self) -> None:
        """Show windows, palettes, comparison and aids that were chosen."""
        display = self._session.display
        for name, pane in self._panes.items():
            self.show_scene(name)
            pane.canvas.set_aids(display.crosshair, display.magnifier)
            if isinstance(pane, ReconPane):
                pane.show_residual(display.residuals)
        self._show_compare_tag()

    def show_compared(self) -> None:
        """Show the fused pane anew, which may be compared with another result."""
        self.show_scene("fused")
        self._show_compare_tag()

    def show_sources(self) -> None:
        """Show other sources, or what is being read."""
        sources = self._session.sources
        self._show_titles()
        for side, (name, loaded) in enumerate(zip("ab", (sources.a, sources.b), strict=True)):
            self.show_scene(name)
            named = sources.requested_name(side) or (loaded.image.name if loaded else "")
            described = named
            if sources.slice is not None:
                described, named = slice_info(sources.slice, side)
            elif loaded:
                described = source_info(loaded)
            self._panes[name].set_info(described, named, Path(named).stem)
        self._show_registration()
        self._show_source_placeholders()
        self._show_result_placeholders()

    def _show_titles(self) -> None:
        for name in SOURCES:
            self._panes[name].set_title(source_title(self._session, name))

    def _show_source_placeholders(self) -> None:
        key = self._keys.key_of("file.open")
        for name in SOURCES:
            self._panes[name].canvas.set_placeholder(source_placeholder(self._session, name, key))

    def _show_result_placeholders(self) -> None:
        for name in _FROM_RESULT:
            self._panes[name].canvas.set_placeholder(result_placeholder(self._session, name))

    def show_scene(self, name: str) -> None:
        """Show the image of one pane anew."""
        self._panes[name].set_scene(scene_of(self._session, name))

    def _show_compare_tag(self) -> None:
        compare = self._session.display.compare
        scene = scene_of(self._session, "fused")
        wanted = compare.mode != "off" and compare.overlaid
        missing = wanted and scene is not None and not scene.is_compared
        self._panes["fused"].set_tag(
            "missing",
            self.tr("Nothing to compare") if missing else "",
            self.tr("One of the two pictures chosen is not there for this pair."),
        )

    def _show_registration(self) -> None:
        """Say whether volumes may not lie on each other, and which has no data in the slice."""
        text, tip = registration_tag(self._session.sources.slice)
        view = self._session.sources.slice
        is_moved = view is not None and view.volumes.are_apart
        for name in ("a", "b", "fused"):
            said = (text, tip) if name != "a" or is_moved else ("", "")
            self._panes[name].set_tag("registration", *said)
        for side in ("a", "b"):
            self._panes[side].set_tag("data", *no_data_tag(self._session.sources.slice, side))

    def show_outcome(self) -> None:
        """Show another result, or none."""
        outcome = self._session.outcome
        for name in _FROM_RESULT:
            self.show_scene(name)
        self._show_result_placeholders()
        fused = self._panes["fused"]
        title = outcome.method_title if outcome else ""
        fused.set_info(result_info(outcome) if outcome else "", title)
        preview = outcome is not None and outcome.is_preview
        fused.set_tag(
            "preview",
            self.tr("Classical preview") if preview else "",
            self.tr("A classical method, shown until the model has finished."),
        )
        fused.canvas.set_badge(notice_of(outcome) if outcome else "")
        for name, closeness in zip(
            ("recon_a", "recon_b"), outcome.recon_psnr if outcome else (None, None), strict=True
        ):
            known = closeness is not None
            text = filled(self.tr("PSNR {0:.1f} dB"), closeness) if known else ""
            self._panes[name].set_info(text)
        features = outcome.result.features_a if outcome else None
        pane = self._panes["features"]
        if isinstance(pane, FeaturePane):
            pane.set_channels(len(features) if features is not None else 0)
        self.show_stale()
        self.show_running()

    def show_lost(self) -> None:
        """Outline what the result loses, if wanted, and say it where it is much."""
        self.show_scene("fused")
        tip = self.tr("Spots of the sources that it hardly shows; click to outline them.")
        found = self._session.retention
        self._panes["fused"].set_tag("lost", alarm_text(found), tip, alarm_mark(found))

    def show_stale(self) -> None:
        """Mark the result where it is of other sources, windows or another task."""
        key = self._keys.key_of("fuse.run")
        tip = self.tr("Sources, windows, task or method changed since. Press Fuse to renew.")
        if key:
            tip = self.tr("Sources, windows, task or method changed since. {0} fuses anew.")
        stale = self.tr("Stale") if self._session.is_stale else ""
        self._panes["fused"].set_tag("stale", stale, tip.format(key))

    def show_running(self) -> None:
        """Dim what is being read or fused."""
        running = self._session.running
        fusing = running is not None and running.fusing
        loading = running is not None and not running.fusing
        outcome = self._session.outcome
        preview = outcome is not None and outcome.is_preview
        for name, pane in self._panes.items():
            from_result = name in _FROM_RESULT
            pane.canvas.set_dimmed(loading or (from_result and fusing and not preview))
            waiting = loading or (from_result and fusing)
            pane.canvas.set_waiting(waiting, waiting_text(self._session, name))

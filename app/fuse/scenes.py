"""The scene of each pane, derived from the session."""

from __future__ import annotations

from dataclasses import replace

from app.fuse.retention import outline_groups
from app.fuse.state import FuseState, Outcome
from app.i18n.translate import tr
from app.viewer.display_state import MAX_RANGE_FACTOR, PaneDisplay
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.outlines import OutlineGroup
from app.viewer.pyramid import RenderedImage
from app.viewer.slice_scene import SliceMarks, SliceScene
from core.windows import Window


def image_of(session: FuseState, operand: str) -> RenderedImage | None:
    """The image of an operand: the name of a pane, or “result:” and the key of a result."""
    if operand in ("a", "b"):
        side = session.sources.a if operand == "a" else session.sources.b
        return side.rendered if side is not None else None
    if operand.startswith("result:"):
        key = operand.partition(":")[2]
        found = next((r for r in session.results if r.key == key), None)
        return found.images.get("fused") if found is not None else None
    return session.outcome.images.get(operand) if session.outcome is not None else None


def name_of(session: FuseState, operand: str) -> str:
    """The displayed name of an operand."""
    names = {
        "a": "A",
        "b": "B",
        "fused": tr("Fused"),
        "recon_a": "Â",
        "recon_b": "B̂",
        "features": tr("Features"),
    }
    if operand.startswith("result:"):
        key = operand.partition(":")[2]
        return next((r.method_title for r in session.results if r.key == key), "–")
    return names.get(operand, operand)


def operands(session: FuseState) -> list[tuple[str, str]]:
    """The operands that can be compared now, each with its name."""
    found = [
        (name, name_of(session, name))
        for name in ("a", "b", "fused", "recon_a", "recon_b")
        if image_of(session, name) is not None
    ]
    others = [r for r in session.results if r is not session.outcome]
    return found + [(f"result:{r.key}", r.method_title) for r in others]


def window_of(session: FuseState, pane: str) -> Window:
    """The window of a pane, in the unit of its image."""
    display = session.display.pane(pane)
    shown = image_of(session, pane)
    if shown is None:
        return (0.0, 1.0)
    if display.window is None and pane.startswith("recon_"):
        display = replace(display, window=session.window_of("a" if pane == "recon_a" else "b"))
    if display.window is None:
        return shown.window
    if not pane.startswith("recon_") or session.outcome is None:
        return display.window
    # A reconstruction maps the window that its source was fused in to [0, 1].
    low, high = session.outcome.fused_windows["ab".index(pane[-1])]
    return (display.window[0] - low) / (high - low), (display.window[1] - low) / (high - low)


def layer_of(session: FuseState, operand: str) -> Layer | None:
    """An operand with the window and palette of its pane."""
    shown = image_of(session, operand)
    if shown is None:
        return None
    pane = "fused" if operand.startswith("result:") else operand
    display: PaneDisplay = session.display.pane(pane)
    window = display.window if operand.startswith("result:") else window_of(session, operand)
    window = window or shown.window
    # Differences compare sources in the windows they are displayed, and fused, in.
    difference_range = window if operand in ("a", "b") else None
    return Layer(shown, window, display.palette, name_of(session, operand), difference_range)


def scene_of(session: FuseState, pane: str) -> ImageScene | SliceScene | None:
    """The scene of a pane; None if there is nothing to show."""
    scene, shown = _scene_of(session, pane), session.sources.slice
    if scene is None or shown is None:
        return scene
    marks = SliceMarks(
        shown.axes.letters, shown.axes.spacing[2], shown.pixel if shown.is_marked else None
    )
    return SliceScene(scene, marks)


def _scene_of(session: FuseState, pane: str) -> ImageScene | None:
    base = layer_of(session, pane)
    if base is None:
        return None
    if pane in ("recon_a", "recon_b") and session.display.residuals:
        source = layer_of(session, pane[-1])
        return ImageScene(base, source, "difference", span=session.display.compare.span)
    if pane == "fused":
        return replace(_compared(session, base), outlined=_lost(session, session.outcome))
    if pane.startswith("result:"):
        found = next((one for one in session.results if f"result:{one.key}" == pane), None)
        return ImageScene(base, outlined=_lost(session, found))
    return ImageScene(base)


def _lost(session: FuseState, outcome: Outcome | None) -> tuple[OutlineGroup, ...]:
    """The spots that a result loses, where they are to be outlined."""
    return outline_groups(session.retention_of(outcome)) if session.display.lost else ()


def _compared(session: FuseState, base: Layer) -> ImageScene:
    compare = session.display.compare
    if compare.mode == "off" or (compare.mode == "overlay" and not compare.overlaid):
        return ImageScene(base)
    first, second = layer_of(session, compare.first), layer_of(session, compare.second)
    if first is None or second is None:
        return ImageScene(base)
    return ImageScene(
        first,
        second,
        compare.mode,
        position=compare.position,
        opacity=compare.opacity,
        span=compare.span,
    )


def dragged_window(shown: RenderedImage, start: Window, right: float, down: float) -> Window:
    """The window after a drag: to the right it gets wider, upwards the image gets brighter.

    A change of the level keeps the width, and may move the window off the data.

    Args:
        start: the window when the button was pressed.
        right, down: the distance in screen pixels; 300 correspond to the image's own window.
    """
    per_pixel = (shown.window[1] - shown.window[0]) / 300
    width = max(start[1] - start[0] + right * per_pixel, per_pixel)
    middle = (start[0] + start[1]) / 2 + down * per_pixel
    return fitted(shown, (middle - width / 2, middle + width / 2))


def fitted(shown: RenderedImage, window: Window) -> Window:
    """A window limited to a sensible width and distance from the data.

    For quantities that are never negative (activity, SUV) the low end is at least 0.
    """
    least, most = shown.extent
    size = (most - least) or 1.0
    width = min(max(window[1] - window[0], size / 1000), MAX_RANGE_FACTOR * size)
    middle = (window[0] + window[1]) / 2
    middle = min(max(middle, least - MAX_RANGE_FACTOR * size), most + MAX_RANGE_FACTOR * size)
    low, high = window
    if (low + high) / 2 != middle or high - low != width:
        low, high = middle - width / 2, middle + width / 2
    if shown.has_floor and low < 0:
        low, high = 0.0, high - low
    return low, high

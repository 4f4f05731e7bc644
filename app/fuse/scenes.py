"""What each pane shows, worked out from the session."""

from __future__ import annotations

from dataclasses import replace

from app.fuse.state import FuseState
from app.i18n.translate import tr
from app.viewer.display_state import FARTHEST, PaneDisplay
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.pyramid import RenderedImage
from core.windows import Window


def image_of(session: FuseState, operand: str) -> RenderedImage | None:
    """The image an operand names: a pane's, or “result:” and the key of another result."""
    if operand in ("a", "b"):
        side = session.sources.a if operand == "a" else session.sources.b
        return side.rendered if side is not None else None
    if operand.startswith("result:"):
        key = operand.partition(":")[2]
        found = next((r for r in session.results if r.key == key), None)
        return found.images.get("fused") if found is not None else None
    return session.outcome.images.get(operand) if session.outcome is not None else None


def name_of(session: FuseState, operand: str) -> str:
    """What an operand is called on screen."""
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
    """What can be compared now: operand and name."""
    found = [
        (name, name_of(session, name))
        for name in ("a", "b", "fused", "recon_a", "recon_b")
        if image_of(session, name) is not None
    ]
    others = [r for r in session.results if r is not session.outcome]
    return found + [(f"result:{r.key}", r.method_title) for r in others]


def window_of(session: FuseState, pane: str) -> Window:
    """The window a pane is shown in, in the unit of its own image."""
    look = session.display.look(pane)
    shown = image_of(session, pane)
    if shown is None:
        return (0.0, 1.0)
    if look.window is None and pane.startswith("recon_"):
        look = replace(look, window=session.window_of("a" if pane == "recon_a" else "b"))
    if look.window is None:
        return shown.window
    if not pane.startswith("recon_") or session.outcome is None:
        return look.window
    # A reconstruction is 0 to 1 where its source goes through the window it was fused in.
    low, high = session.outcome.fused_windows["ab".index(pane[-1])]
    return (look.window[0] - low) / (high - low), (look.window[1] - low) / (high - low)


def layer_of(session: FuseState, operand: str) -> Layer | None:
    """An operand, dressed as its pane is."""
    shown = image_of(session, operand)
    if shown is None:
        return None
    pane = "fused" if operand.startswith("result:") else operand
    look: PaneDisplay = session.display.look(pane)
    window = look.window if operand.startswith("result:") else window_of(session, operand)
    window = window or shown.window
    # In differences a source counts as it is seen, and so as it is fused.
    counts = window if operand in ("a", "b") else None
    return Layer(shown, window, look.palette, name_of(session, operand), counts)


def scene_of(session: FuseState, pane: str) -> ImageScene | None:
    """The scene of a pane; None where there is nothing to show."""
    base = layer_of(session, pane)
    if base is None:
        return None
    if pane in ("recon_a", "recon_b") and session.display.residuals:
        source = layer_of(session, pane[-1])
        return ImageScene(base, source, "difference", span=session.display.compare.span)
    if pane == "fused":
        return _compared(session, base)
    return ImageScene(base)


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
    """A window after a drag: to the right widens it, upwards makes the image brighter.

    A change of the level leaves the width as it is, and may take the window out of the data.

    Args:
        shown: the image.
        start: the window when the button went down.
        right, down: screen pixels since then; 300 cover the image's own window.
    """
    per_pixel = (shown.window[1] - shown.window[0]) / 300
    width = max(start[1] - start[0] + right * per_pixel, per_pixel)
    middle = (start[0] + start[1]) / 2 + down * per_pixel
    return fitted(shown, (middle - width / 2, middle + width / 2))


def fitted(shown: RenderedImage, window: Window) -> Window:
    """A window that is not empty and not lost far from the data; its width stays as it is.

    Of quantities that are never negative (activity, SUV) the low end stays at 0 or above.
    """
    least, most = shown.extent
    size = (most - least) or 1.0
    width = min(max(window[1] - window[0], size / 1000), FARTHEST * size)
    middle = (window[0] + window[1]) / 2
    middle = min(max(middle, least - FARTHEST * size), most + FARTHEST * size)
    low, high = window
    if (low + high) / 2 != middle or high - low != width:
        low, high = middle - width / 2, middle + width / 2
    if shown.has_floor and low < 0:
        low, high = 0.0, high - low
    return low, high

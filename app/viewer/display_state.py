"""How things are shown: one frozen value, so that undo is a history of such values."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal

from core.fusion.feature_maps import FeatureMode
from core.windows import Window

"""Low and high end of the display, in the image's own unit."""

FARTHEST = 4.0
"""So many times its whole range a window may be wide, or lie away from an image's values."""

AdapterName = Literal["a", "b"]
CompareMode = Literal["off", "curtain", "blink", "checker", "difference", "overlay"]
Layout = Literal["all", "row", "focus", "single"]

COMPARE_MODES: tuple[CompareMode, ...] = (
    "off",
    "curtain",
    "blink",
    "checker",
    "difference",
    "overlay",
)
LAYOUTS: tuple[Layout, ...] = ("all", "row", "focus", "single")

_BASE = {"recon_a": "a", "recon_b": "b"}
"""A reconstruction is shown as its source is."""


@dataclass(frozen=True)
class FeatureView:
    """How adapter features are shown."""

    adapter: AdapterName = "a"
    mode: FeatureMode = "pca"
    channel: int = 0


@dataclass(frozen=True)
class PaneDisplay:
    """Window and palette of a pane; a window of None is the image's own."""

    window: Window | None = None
    palette: str = "grey"


@dataclass(frozen=True)
class Compare:
    """How two images are compared on the fused pane.

    Attributes:
        mode: the way.
        first, second: “a”, “b”, “fused”, “recon_a”, “recon_b”, or “result:” and a result's key.
        position: of the curtain, as a share of the image's width.
        opacity: of the second image over the first.
        overlaid: False while the overlay is switched off for a look at what is under it.
        span: differences are shown from −span to +span; sources are 0 to 1 in their own window.
    """

    mode: CompareMode = "off"
    first: str = "a"
    _: KW_ONLY
    second: str = "fused"
    position: float = 0.5
    opacity: float = 0.5
    overlaid: bool = True
    span: float = 0.25


@dataclass(frozen=True, kw_only=True)
class DisplayState:
    """Everything a person can change about the view of a pair, zoom apart."""

    a: PaneDisplay = field(default_factory=PaneDisplay)
    b: PaneDisplay = field(default_factory=PaneDisplay)
    fused: PaneDisplay = field(default_factory=PaneDisplay)
    compare: Compare = field(default_factory=Compare)
    features: FeatureView = field(default_factory=FeatureView)
    layout: Layout = "all"
    residuals: bool = False
    crosshair: bool = False
    magnifier: bool = False

    def look(self, pane: str) -> PaneDisplay:
        """The look of a pane; reconstructions have their source's, features the plain one."""
        name = _BASE.get(pane, pane)
        return getattr(self, name) if name in ("a", "b", "fused") else PaneDisplay()

    def with_look(self, pane: str, **changes: Any) -> DisplayState:
        """The same, with another window or palette of a pane."""
        name = _BASE.get(pane, pane)
        if name not in ("a", "b", "fused"):
            return self
        changed: PaneDisplay = replace(getattr(self, name), **changes)
        values: dict[str, Any] = {name: changed}
        return replace(self, **values)

    def checked(self) -> DisplayState:
        """The same without what could not be shown: empty windows, places outside the image."""
        state = self
        for pane in ("a", "b", "fused"):
            window = self.look(pane).window
            if window is not None and not window[0] < window[1]:
                state = state.with_look(pane, window=None)
        compare = self.compare
        return state.with_compare(
            position=min(max(compare.position, 0.0), 1.0),
            opacity=min(max(compare.opacity, 0.0), 1.0),
            span=compare.span if 0 < compare.span <= 1 else Compare().span,
        )

    def with_compare(self, **changes: Any) -> DisplayState:
        """The same, compared in another way."""
        return replace(self, compare=replace(self.compare, **changes))

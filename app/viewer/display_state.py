"""The display settings, as one frozen value: undo is a history of such values."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal

from core.fusion.feature_maps import FeatureMode
from core.windows import Window

MAX_RANGE_FACTOR = 4.0
"""Largest width of a window, and distance from the data, in ranges of the image's values."""

AdapterName = Literal["a", "b"]
CompareMode = Literal["off", "curtain", "blink", "checker", "difference", "overlay"]
Layout = Literal["all", "row", "focus", "single", "planes", "results"]

COMPARE_MODES: tuple[CompareMode, ...] = (
    "off",
    "curtain",
    "blink",
    "checker",
    "difference",
    "overlay",
)
LAYOUTS: tuple[Layout, ...] = ("all", "row", "focus", "single", "planes", "results")

_BASE = {"recon_a": "a", "recon_b": "b"}
"""A reconstruction is displayed like its source."""


@dataclass(frozen=True)
class FeatureView:
    """What is displayed of the adapter features."""

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
        mode: how they are compared.
        first, second: “a”, “b”, “fused”, “recon_a”, “recon_b”, or “result:” and a result's key.
        position: of the curtain, as a share of the image's width.
        opacity: of the second image over the first.
        overlaid: False while the overlay is hidden to see what is under it.
        span: differences are displayed from −span to +span, for windows mapped to [0, 1].
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
    """Everything that can be changed about the display of a pair, except for zoom and position."""

    a: PaneDisplay = field(default_factory=PaneDisplay)
    b: PaneDisplay = field(default_factory=PaneDisplay)
    fused: PaneDisplay = field(default_factory=PaneDisplay)
    compare: Compare = field(default_factory=Compare)
    features: FeatureView = field(default_factory=FeatureView)
    layout: Layout = "all"
    residuals: bool = False
    crosshair: bool = False
    magnifier: bool = False
    lost: bool = False
    """Whether spots that the fused image loses are outlined on it."""

    def pane(self, pane: str) -> PaneDisplay:
        """The display of a pane; reconstructions share that of their source, features have none."""
        name = _BASE.get(pane, pane)
        return getattr(self, name) if name in ("a", "b", "fused") else PaneDisplay()

    def with_pane(self, pane: str, **changes: Any) -> DisplayState:
        """The same with another ``window`` or ``palette`` of a pane."""
        name = _BASE.get(pane, pane)
        if name not in ("a", "b", "fused"):
            return self
        changed: PaneDisplay = replace(getattr(self, name), **changes)
        values: dict[str, Any] = {name: changed}
        return replace(self, **values)

    def checked(self) -> DisplayState:
        """The same without invalid values: empty windows, positions outside the image."""
        state = self
        for pane in ("a", "b", "fused"):
            window = self.pane(pane).window
            if window is not None and not window[0] < window[1]:
                state = state.with_pane(pane, window=None)
        compare = self.compare
        return state.with_compare(
            position=min(max(compare.position, 0.0), 1.0),
            opacity=min(max(compare.opacity, 0.0), 1.0),
            span=compare.span if 0 < compare.span <= 1 else Compare().span,
        )

    def with_compare(self, **changes: Any) -> DisplayState:
        """The same with other compare settings."""
        return replace(self, compare=replace(self.compare, **changes))

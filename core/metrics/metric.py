"""What is known about a metric besides its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Literal

from core.errors import Message
from core.metrics.filters import Luma

Direction = Literal["higher", "lower"]
MetricGroup = Literal[
    "information", "features", "structure", "perception", "agreement", "statistics"
]
Definition = Literal["literature", "authors", "paper"]

METRIC_GROUPS: Mapping[MetricGroup, str] = MappingProxyType(
    {
        "information": Message("Information theory"),
        "features": Message("Edges and gradients"),
        "structure": Message("Structural similarity"),
        "perception": Message("Human perception"),
        "agreement": Message("Agreement of grey levels"),
        "statistics": Message("The fused picture alone"),
    }
)
"""Titles of the groups in the order in which they are listed.

The first four are those of Liu et al., IEEE Trans. Pattern Anal. Mach. Intell. 2012. "agreement"
has errors and correlations with the sources, "statistics" what is computed without the sources.
"""

DEFINITIONS: Mapping[Definition, str] = MappingProxyType(
    {
        "literature": Message("as the literature defines it"),
        "authors": Message("as the code of the UniFusion authors computes it"),
        "paper": Message("as Table 1 of the UniFusion paper prints it"),
    }
)
"""Whose definition a metric follows, for display after its title."""


@dataclass(frozen=True)
class Metric:
    """A metric and its properties.

    Attributes:
        name: key in :data:`METRICS`, column heading, name on the command line.
        title: name to display.
        group: key of :data:`METRIC_GROUPS`.
        direction: whether higher or lower values are better.
        bounds: minimum and maximum.
        reference: publication that defines it.
        explanation: one line for non-experts.
        function: ``(a, b, f) -> float`` on uint8 H×W luma: sources A and B, fused F. Finite, or
            :data:`core.metrics.UNDEFINED` (NaN) where the metric has no value.
        definition: whose definition it follows, a key of :data:`DEFINITIONS`.
        variant_of: name of the metric of which this is another definition; empty if there is none.
        undefined_when: sentence that says on which pictures it has no value; empty if on none.
        version: raised whenever its values change, so that kept scores are not mixed with new ones.
        symbol: heading to display instead of the name; empty for the name.
    """

    name: str
    title: str
    _: KW_ONLY
    group: MetricGroup
    direction: Direction
    bounds: tuple[float, float]
    reference: str
    explanation: str
    function: Callable[[Luma, Luma, Luma], float]
    definition: Definition = "literature"
    variant_of: str = ""
    undefined_when: str = ""
    version: int = 1
    symbol: str = ""

    @property
    def heading(self) -> str:
        """Short heading of a column."""
        return self.symbol or self.name.replace("_", "-")


RELEASE = "code published with UniFusion (arXiv 2603.14214)"
"""Reference of metrics that follow the authors' code."""

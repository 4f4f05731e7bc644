"""Metrics of edges and fine detail."""

from __future__ import annotations

import cv2
import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane, correlate, is_constant
from core.metrics.metric import Metric
from core.metrics.undefined import UNDEFINED, ratio
from core.types import Plane

_SMOOTH = np.array([1.0, 2.0, 1.0])
_DIFFERENCE = np.array([-1.0, 0.0, 1.0])


def _sobel(x: Luma, border: int) -> tuple[Plane, Plane]:
    """Horizontal and vertical Sobel responses (weights 1, 2, 1, unscaled)."""
    plane = as_plane(x)
    across = correlate(plane, _SMOOTH, _DIFFERENCE, border)
    down = correlate(plane, _DIFFERENCE, _SMOOTH, border)
    return across, down


def _quotient(x: Plane, y: Plane) -> Plane:
    """The smaller over the larger, pixel by pixel; 1 where both are zero."""
    larger = np.maximum(x, y)
    safe = np.where(larger > 0, larger, 1.0)
    return np.asarray(np.where(larger > 0, np.minimum(x, y) / safe, 1.0), dtype=np.float64)


def _strength_and_angle(x: Luma) -> tuple[Plane, Plane]:
    """Edge strength, and angle in (−π/2, π/2]; a pixel without horizontal response has π/2."""
    across, down = _sobel(x, cv2.BORDER_CONSTANT)
    upright = across == 0
    angle = np.arctan(-down / np.where(upright, 1.0, across))
    return np.hypot(across, down), np.where(upright, np.pi / 2, angle)


def _kept(strength: Plane, angle: Plane, strength_f: Plane, angle_f: Plane) -> Plane:
    """Preservation of each source edge in F, in [0, 0.98]: equations 4 to 7 of the paper."""
    similarity = 1.0 - np.abs(angle - angle_f) / (np.pi / 2)
    by_strength = 0.9994 / (1.0 + np.exp(-15.0 * (_quotient(strength, strength_f) - 0.5)))
    by_angle = 0.9879 / (1.0 + np.exp(-22.0 * (similarity - 0.8)))
    return np.asarray(by_strength * by_angle, dtype=np.float64)


def qabf(a: Luma, b: Luma, f: Luma) -> float:
    """Preservation of edges of both sources, weighted by edge strength; in [0, 1].

    Xydeas and Petrović, Electronics Letters 2000, with their constants; zeros outside the image.
    The authors' code sets the strength ratio of two exactly equal edges to the strength itself;
    here it is 1, as defined (the scores differ by less than one part in a thousand).
    Undefined if both sources are constant: their only edges would be those of the picture's border.
    """
    if is_constant(a) and is_constant(b):
        return UNDEFINED
    strength_f, angle_f = _strength_and_angle(f)
    kept = total = 0.0
    for source in (a, b):
        strength, angle = _strength_and_angle(source)
        kept += float((_kept(strength, angle, strength_f, angle_f) * strength).sum())
        total += float(strength.sum())
    return ratio(kept, total)


def _petrovic_edges(x: Luma) -> tuple[Plane, Plane]:
    """Sobel strength on an eighth scale and angle; the image is mirrored at its border."""
    across, down = _sobel(x, cv2.BORDER_REFLECT_101)
    return np.hypot(across, down) / 8.0, np.arctan2(across, down)


def _petrovic_kept(strength: Plane, angle: Plane, strength_f: Plane, angle_f: Plane) -> Plane:
    # Angles are those of undirected lines, so the similarity has the period π.
    apart = np.abs(angle - angle_f) % np.pi
    similarity = np.abs(apart - np.pi / 2) * 2 / np.pi
    both = (strength > 0) & (strength_f > 0)
    relative = np.where(both, _quotient(strength, strength_f), 0.0)
    by_strength = 0.9999 / (1.0 + np.exp(-19.0 * (relative - 0.5)))
    by_angle = 0.9995 / (1.0 + np.exp(-22.0 * (similarity - 0.5)))
    return np.asarray(np.sqrt(by_strength * by_angle), dtype=np.float64)


def nabf(a: Luma, b: Luma, f: Luma) -> float:
    """Artefacts: share of the edge strength of F that neither source has; in [0, 1].

    Petrović and Xydeas 2005, as modified by Shreyamsha Kumar (Signal, Image and Video Processing
    2013), with his constants: source edges weaker than 2 do not count, the others with exponent
    1.5. Undefined if no source edge counts.
    """
    strength_f, angle_f = _petrovic_edges(f)
    edges = [_petrovic_edges(source) for source in (a, b)]
    stronger = (strength_f > edges[0][0]) & (strength_f > edges[1][0])
    artefacts = total = 0.0
    for strength, angle in edges:
        weight = np.where(strength >= 2.0, strength**1.5, 0.0)
        lost = 1.0 - _petrovic_kept(strength, angle, strength_f, angle_f)
        artefacts += float((stronger * lost * weight).sum())
        total += float(weight.sum())
    return ratio(artefacts, total)


def _slope(plane: Plane, axis: int) -> Plane:
    """Central differences along ``axis``, one-sided at the border; 0 for a side of one pixel."""
    if plane.shape[axis] < 2:
        return np.zeros_like(plane)
    return np.asarray(np.gradient(plane, axis=axis), dtype=np.float64)


def ag(a: Luma, b: Luma, f: Luma) -> float:
    """Average gradient of F: mean of √((gx² + gy²) / 2), central differences, in grey levels.

    Cui et al., Optics Communications 2015, as in published Python code. Older papers use forward
    differences, which give larger scores (about twice on noise), so the two cannot be compared.
    """
    plane = as_plane(f)
    return float(np.sqrt((_slope(plane, 0) ** 2 + _slope(plane, 1) ** 2) / 2.0).mean())


def sf(a: Luma, b: Luma, f: Luma) -> float:
    """Spatial frequency of F: root of the sum of mean squared row and column differences.

    Eskicioglu and Fisher, IEEE Trans. Commun. 1995; each mean is over all existing differences.
    """
    plane = as_plane(f)
    squares = (np.diff(plane, axis=axis) ** 2 for axis in (0, 1))
    return float(np.sqrt(sum(float(s.mean()) for s in squares if s.size)))


ENTRIES = (
    Metric(
        "Qabf",
        Message("Edge preservation"),
        group="features",
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Xydeas and Petrović, Electronics Letters 2000",
        explanation=Message(
            "How well the edges of both sources survive, in strength and direction."
        ),
        function=qabf,
        undefined_when=Message("Not defined if neither source has an edge."),
        symbol="Q_AB/F",
    ),
    Metric(
        "Nabf",
        Message("Artefacts"),
        group="features",
        direction="lower",
        bounds=(0.0, 1.0),
        reference="Shreyamsha Kumar, Signal, Image and Video Processing 2013",
        explanation=Message("Edges in the fused picture that neither source has."),
        function=nabf,
        undefined_when=Message("Not defined if neither source has an edge that counts."),
        symbol="N_AB/F",
    ),
    Metric(
        "AG",
        Message("Average gradient"),
        group="statistics",
        direction="higher",
        bounds=(0.0, 255.0),
        reference="Cui et al., Optics Communications 2015",
        explanation=Message(
            "How steep the changes between neighbouring pixels are: sharpness, or noise."
        ),
        function=ag,
    ),
    Metric(
        "SF",
        Message("Spatial frequency"),
        group="statistics",
        direction="higher",
        bounds=(0.0, 255.0 * 2.0**0.5),
        reference="Eskicioglu and Fisher, IEEE Trans. Commun. 1995",
        explanation=Message("How much fine detail there is: sharpness, or noise."),
        function=sf,
    ),
)

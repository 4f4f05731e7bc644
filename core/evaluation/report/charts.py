"""Charts of values by method: distributions, scatter of two metrics, values per picture.

Each returns a matplotlib figure that is not known to pyplot. :func:`svg_of` and
:func:`core.evaluation.report.pdf_chart.chart_of` turn it into what a page needs. Colours are those
of Okabe and Ito, which colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.printable import one_line, valid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c8c3c")
"""Colours of the methods in order; they repeat with other markers."""
_MARKERS = "osD^vPX*"
_INK, _RULE = "#010101", "#a1a2a3"
"""Colours that :func:`svg_of` replaces with those of the page."""
_WIDTH = 7.0
_LONGEST = 28
_MOST_DOTS = 400
_SETTINGS: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
}

Values = npt.NDArray[np.float64]


@contextmanager
def chart_settings() -> Iterator[None]:
    """Matplotlib's settings while a chart is made and while it is drawn.

    Characters that its font lacks cause no warning: pages bring other fonts.
    """
    import matplotlib as mpl

    settings: Any = _SETTINGS
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def distribution_chart(
    values: Mapping[str, Sequence[float]], *, label: str, single: Mapping[str, float] | None = None
) -> Figure:
    """Box and violin of each method's values, with the mean (diamond) and the median (line).

    The box holds the middle half of the values; whiskers reach the last value within 1.5 times its
    length. Undefined values (NaN) are left out.

    Args:
        values: by name of the method, first on top.
        label: what the values are.
        single: single numbers without a distribution, by name, below the methods: hollow diamonds.
    """
    single = single or {}
    rows = len(values) + len(single)
    with chart_settings():
        figure, axes = _axes(0.9 + 0.42 * max(rows, 1))
        for index, series in enumerate(values.values()):
            _distribution(axes, _defined(series), index, _colour(index))
        for index, value in enumerate(single.values(), len(values)):
            axes.plot([value], [index], "D", markersize=5, markerfacecolor="none",
                      markeredgecolor=_INK, markeredgewidth=1.0)  # fmt: skip
        axes.set_yticks(range(rows), [short_name(name) for name in (*values, *single)])
        axes.set_ylim(rows - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=_RULE, linewidth=0.4, alpha=0.5)
        axes.set_xlabel(label)
        return figure


def _distribution(axes: Axes, values: Values, place: int, colour: str) -> None:
    if not values.size:
        return
    if values.size > 2 and np.ptp(values) > 1e-9 * np.abs(values).max():
        violin = axes.violinplot(
            [values], [place], orientation="horizontal", widths=0.8, showextrema=False
        )
        bodies: Any = violin["bodies"]
        for body in bodies:
            body.set(facecolor=colour, edgecolor="none", alpha=0.3)
    line = {"color": colour, "linewidth": 1.0}
    axes.boxplot(
        [values],
        positions=[place],
        orientation="horizontal",
        widths=0.26,
        showmeans=True,
        manage_ticks=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": _INK, "linewidth": 1.6},
        meanprops={"marker": "D", "markersize": 4.5, "markerfacecolor": colour,
                   "markeredgecolor": _INK, "markeredgewidth": 0.6},
        flierprops={"marker": ".", "markersize": 3, "markerfacecolor": colour,
                    "markeredgecolor": "none"},
    )  # fmt: skip


def scatter_chart(
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, label_x: str, label_y: str
) -> Figure:
    """Two metrics against each other: a dot per picture, a large marker for the mean.

    Pictures on which either is undefined (NaN) are left out; of more than 400 pictures every second
    (third …) has a dot. Means are over all.

    Args:
        values: x and y by name of the method.
        label_x, label_y: what the values are.
    """
    with chart_settings():
        figure, axes = _axes(max(4.2, _legend_height(len(values))))
        for index, (name, (x, y)) in enumerate(values.items()):
            colour, marker = _colour(index), _marker(index)
            pairs = np.array([x, y], dtype=np.float64).reshape(2, -1)
            pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
            if not pairs.size:
                continue
            dots = pairs[:, :: -(-pairs.shape[1] // _MOST_DOTS)]
            axes.plot(*dots, "o", color=colour, markersize=3.5, markeredgewidth=0, alpha=0.6)
            axes.plot(
                *pairs.mean(axis=1, keepdims=True), marker, color=colour, markersize=8,
                markeredgecolor=_INK, markeredgewidth=0.7, label=short_name(name), zorder=3,
            )  # fmt: skip
        axes.set(xlabel=label_x, ylabel=label_y)
        _finish(axes)
        return figure


def lines_chart(values: Mapping[str, Sequence[float]], *, label: str, label_x: str) -> Figure:
    """The values of each method, picture by picture; a gap where one is undefined (NaN).

    Args:
        values: by name of the method, in the order of the pictures.
        label, label_x: what the values and the positions are.
    """
    from matplotlib.ticker import MaxNLocator

    with chart_settings():
        figure, axes = _axes(max(3.2, _legend_height(len(values))))
        for index, (name, series) in enumerate(values.items()):
            colour, marker = _colour(index), _marker(index)
            line = axes.plot(
                np.arange(1, len(series) + 1), series, color=colour, linewidth=1.0,
                label=short_name(name),
            )  # fmt: skip
            if len(series) <= 60:
                line[0].set(marker=marker, markersize=3.5, markeredgewidth=0)
        axes.set(xlabel=label_x, ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _finish(axes)
        return figure


def short_name(name: str) -> str:
    """``name`` in one line of at most 28 characters, for the margin of a chart."""
    text = one_line(valid(name))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _axes(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure((_WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0.0)
    return figure, axes


def _legend_height(entries: int) -> float:
    """In inches."""
    return 0.4 + 0.19 * entries


def _finish(axes: Axes) -> None:
    axes.grid(color=_RULE, linewidth=0.4, alpha=0.5)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)


def _defined(values: Sequence[float]) -> Values:
    every = np.array(values, dtype=np.float64)
    return every[np.isfinite(every)]


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _marker(index: int) -> str:
    return _MARKERS[(index + index // len(COLOURS)) % len(_MARKERS)]


_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_OWN_STYLE = re.compile(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NUMBERED_ID = re.compile(r' id="[A-Za-z][A-Za-z0-9]*_\d+"')
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"')
_HEIGHT = re.compile(r'(<svg[^>]*?) height="[^"]*"')
_FONT = re.compile(r"'DejaVu Sans'[^;\"]*")


def svg_of(figure: Figure, title: str) -> str:
    """``figure`` as an ``<svg>`` element for an HTML page, the same for the same figure.

    Text and lines have the colour of the surrounding text and ``--rule``; the width follows the
    page. Rules that matplotlib states for all elements are left to the page:
    ``stroke-linejoin: round; stroke-linecap: butt``.

    Args:
        title: description for those who cannot see it.
    """
    from html import escape

    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with chart_settings():
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata=nothing)
    text = buffer.getvalue()
    for pattern in (_PROLOGUE, _OWN_STYLE, _METADATA, _NUMBERED_ID):
        text = pattern.sub("", text)
    for pattern in (_SIZE, _HEIGHT):
        text = pattern.sub(r"\1", text, count=1)
    text = _FONT.sub("inherit", text)
    text = text.replace(_INK, "currentColor").replace(_RULE, "var(--rule)")
    label = escape(one_line(valid(title)))
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()

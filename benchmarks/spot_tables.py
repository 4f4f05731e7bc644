"""Tables of :mod:`benchmarks.planted_spots`, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.spot_planting import CONTRASTS, METHODS, SIZES, FusedImage, Known, Measured
from core.retention import ALARM, KEPT

SHOWN = ("pack", *METHODS)
STRONG, GONE = 20.0, 0.3
"""ΔE from which a planted spot is strong, and the share below which it is gone."""
_SAMPLES = 400
_LEAST = 3
"""Planted spots of an image by which it is known whether much is lost."""

Rates = tuple[float, float]
"""Sensitivity and specificity."""


def rates(rows: Sequence[Known], threshold: float) -> Rates:
    """Of the weaker spots, the share that is noticed; of the others, that which is not."""
    return _rates([row.found < threshold for row in rows], [row.is_weaker for row in rows])


def best_threshold(rows: Sequence[Known]) -> float:
    """The threshold of the greatest sum of both rates, in steps of 0.05."""
    steps = np.arange(0.2, 0.91, 0.05)
    return float(steps[np.argmax([sum(rates(rows, step)) for step in steps])])


def area(scores: Sequence[float], is_bad: Sequence[bool]) -> float:
    """Area under the ROC curve: how often a bad one has the higher score; NaN if all are alike."""
    values, chosen = np.array(scores), np.array(is_bad, np.bool_)
    bad, good = values[chosen, np.newaxis], values[~chosen]
    if not bad.size or not good.size:
        return float("nan")
    return float((bad > good).mean() + 0.5 * (bad == good).mean())


def interval(parts: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """95 % of what a share would be with other pairs like these (bootstrap).

    Args:
        parts: of each pair, how many of how many.
    """
    counts = np.array(parts, np.float64).reshape(-1, 2)
    drawn = np.random.default_rng(0).integers(len(counts), size=(_SAMPLES, len(counts)))
    hits, all_of_them = counts[drawn].sum(axis=1).T
    shares = hits[all_of_them > 0] / all_of_them[all_of_them > 0]
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def _rates(said: Sequence[bool], true: Sequence[bool]) -> Rates:
    is_said, is_true = np.array(said, np.bool_), np.array(true, np.bool_)
    yes = float(is_said[is_true].mean()) if is_true.any() else float("nan")
    return yes, float((~is_said[~is_true]).mean()) if not is_true.all() else float("nan")


def _interval(counted: Iterable[tuple[str, bool]]) -> tuple[float, float]:
    """As :func:`interval`, of spots: the pair of each, and whether it counts."""
    found: dict[str, tuple[int, int]] = {}
    for pair, counts in counted:
        hits, whole = found.get(pair, (0, 0))
        found[pair] = hits + counts, whole + 1
    return interval(list(found.values()))


def visible_table(images: Sequence[FusedImage]) -> list[str]:
    """Per cent visible with its interval, and the median share, by group, source and spot."""
    lines = [
        f"| group, source | pairs, spots | {' | '.join(SHOWN)} |",
        f"| --- | ---: |{' ---: |' * len(SHOWN)}",
    ]
    planted = [(one, k) for one in images for k in one.known]
    kinds: dict[str, list[tuple[FusedImage, Known]]] = {}
    for group in sorted({one.group for one in images}):
        for side in "ab":
            own = [(one, k) for one, k in planted if (one.group, one.side) == (group, side)]
            kinds[f"{group}, {side.upper()}"] = own
    medical = [(one, k) for one, k in planted if one.task == "mif"]
    for size in SIZES:
        kinds[f"medical, {size:g} mm"] = [(one, k) for one, k in medical if k.spot.size == size]
    for contrast in CONTRASTS:
        own = [(one, k) for one, k in medical if k.spot.contrast == contrast]
        kinds[f"medical, {contrast:g} ΔE"] = own
    for title, spots in kinds.items():
        cells, head = [], ""
        for method in SHOWN:
            of_method = [(one.pair, k) for one, k in spots if one.method == method]
            low, high = _interval((pair, k.is_visible) for pair, k in of_method)
            shown = np.mean([k.is_visible for _, k in of_method])
            share = np.median([k.share for _, k in of_method])
            cells.append(f"{100 * shown:.0f} [{100 * low:.0f}, {100 * high:.0f}] ({share:.2f})")
            head = f"{len({pair for pair, _ in of_method})}, {len(of_method)}"
        lines.append(f"| {title} | {head} | {' | '.join(cells)} |")
    return lines


def detector_table(images: Sequence[FusedImage], part: str) -> list[str]:
    """How well weaker spots are noticed, by method."""
    lines = [
        "| pairs | method | spots | weaker | found | area | sensitivity | specificity | error | "
        "area, visible |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for method in (*SHOWN, "all"):
        own = [one for one in images if method in ("all", one.method)]
        spots = [k for one in own for k in one.known]
        there = [k for k in spots if not np.isnan(k.found)]
        error = float(np.median([abs(k.found - min(k.share, 1)) for k in there]))
        scores = [-np.nan_to_num(k.found, nan=2.0) for k in spots]
        weaker = [k.is_weaker for k in spots]
        judged = [(one.pair, k) for one in own for k in one.known]
        notices = _interval((pair, k.found < KEPT) for pair, k in judged if k.is_weaker)
        passes = _interval((pair, not k.found < KEPT) for pair, k in judged if not k.is_weaker)
        cells = [
            f"{area(scores, weaker):.2f}",
            *(
                f"{rate:.2f} [{low:.2f}, {high:.2f}]"
                for rate, (low, high) in zip(rates(spots, KEPT), (notices, passes), strict=True)
            ),
            f"{error:.2f}",
            f"{area(scores, [not k.is_visible for k in spots]):.2f}",
        ]
        head = f"{part} | {method} | {len(spots)} | {sum(weaker)} | {len(there) / len(spots):.0%}"
        lines.append(f"| {head} | {' | '.join(cells)} |")
    return lines


def lost_share(measured: Measured) -> float:
    """Share of the spots that are lost, weighed by contrast, as the program has it."""
    whole = sum(contrast for contrast, _, _ in measured)
    lost = sum(contrast for contrast, share, _ in measured if share < KEPT)
    return lost / whole if whole else 0.0


def largest_loss(measured: Measured) -> float:
    """ΔE that the spot which lost most has lost."""
    lost = (contrast * (1 - share) for contrast, share, _ in measured if share < KEPT)
    return max(lost, default=0.0)


def strongest_gone(measured: Measured) -> float:
    """ΔE of the strongest spot that is gone."""
    return max((contrast for contrast, share, _ in measured if share < GONE), default=0.0)


@dataclass(frozen=True)
class _Image:
    """One image of one source: what is true, and what was measured."""

    group: str
    much: bool
    strong: bool
    measured: Measured


def _sides(images: Iterable[FusedImage]) -> list[_Image]:
    found = []
    for one in images:
        if one.side is None or len(one.known) < _LEAST:
            continue
        whole = sum(k.spot.contrast for k in one.known)
        weaker = sum(k.spot.contrast for k in one.known if k.is_weaker)
        strong = any(k.spot.contrast >= STRONG and k.share < GONE for k in one.known)
        measured = one.a if one.side == "a" else one.b
        found.append(_Image(one.group, weaker > ALARM * whole, strong, measured))
    return found


def _threshold(scores: Sequence[float], true: Sequence[bool]) -> float:
    """That of the greatest sum of both rates."""
    steps = np.unique(scores)
    values, is_true = np.array(scores), np.array(true, np.bool_)
    if is_true.all() or not is_true.any():
        return ALARM
    sums = [(values > s)[is_true].mean() + (values <= s)[~is_true].mean() for s in steps]
    return float(steps[int(np.argmax(sums))])


def alarm_table(train: Sequence[FusedImage], val: Sequence[FusedImage]) -> list[str]:
    """How well rules for an alarm tell what is known of the planted spots of an image."""
    learnt, tested = _sides(train), _sides(val)
    truths: tuple[tuple[str, Callable[[_Image], bool]], ...] = (
        ("more than 25 % weaker", lambda one: one.much),
        ("a strong one is gone", lambda one: one.strong),
    )
    rules: tuple[tuple[str, Callable[[Measured], float]], ...] = (
        ("share that is lost", lost_share),
        ("ΔE lost by one spot", largest_loss),
        ("ΔE of a spot that is gone", strongest_gone),
    )
    lines = [
        "| true is | rule | threshold | images | true | area | sensitivity | specificity |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]

    for truth, is_true in truths:
        known, of_train = [is_true(one) for one in tested], [is_true(one) for one in learnt]
        for rule, score in rules:
            scores = [score(one.measured) for one in tested]
            roc = f"{area(scores, known):.2f}"
            best = _threshold([score(one.measured) for one in learnt], of_train)
            if score is lost_share:
                head = f"{truth} | {rule} (used) | {ALARM:.2f}"
                lines.append(_alarm_row(head, roc, [s > ALARM for s in scores], known))
            said = [s > best for s in scores]
            lines.append(_alarm_row(f"{truth} | {rule} | {best:.2f}", roc, said, known))
            own = _thresholds_of_groups(learnt, score, is_true)
            said = [s > own[one.group] for s, one in zip(scores, tested, strict=True)]
            lines.append(_alarm_row(f"{truth} | {rule} | of each group", "–", said, known))
    for group in sorted({one.group for one in tested}):
        there = [one for one in tested if one.group == group]
        scores, known = [lost_share(one.measured) for one in there], [one.much for one in there]
        head = f"{truths[0][0]} | share that is lost, {group} | {ALARM:.2f}"
        said = [s > ALARM for s in scores]
        lines.append(_alarm_row(head, f"{area(scores, known):.2f}", said, known))
    return lines


def _thresholds_of_groups(
    learnt: Sequence[_Image], score: Callable[[Measured], float], is_true: Callable[[_Image], bool]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in {one.group for one in learnt}:
        there = [one for one in learnt if one.group == group]
        scores = [score(one.measured) for one in there]
        found[group] = _threshold(scores, [is_true(one) for one in there])
    return found


def _alarm_row(head: str, roc: str, said: Sequence[bool], true: Sequence[bool]) -> str:
    yes, no = _rates(said, true)
    return f"| {head} | {len(true)} | {sum(true)} | {roc} | {yes:.2f} | {no:.2f} |"


def plain_table(images: Sequence[FusedImage]) -> list[str]:
    """What is lost in pairs without planted spots, and how often that is an alarm."""
    lines = [
        "| group | method | pairs | spots in A | lost | spots in B | lost | alarms |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    plain = [one for one in images if one.side is None]
    for group in sorted({one.group for one in plain}):
        for method in SHOWN:
            own = [one for one in plain if (one.group, one.method) == (group, method)]
            cells = []
            for found in ([one.a for one in own], [one.b for one in own]):
                spots = np.mean([len(one) for one in found])
                cells.append(f"{spots:.0f} | {100 * np.mean(list(map(lost_share, found))):.0f} %")
            alarms = sum(max(lost_share(one.a), lost_share(one.b)) > ALARM for one in own)
            lines.append(f"| {group} | {method} | {len(own)} | {' | '.join(cells)} | {alarms} |")
    return lines

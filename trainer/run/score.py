"""Combines several validation scores into one score that selects the best state of a run."""

from __future__ import annotations

from collections.abc import Mapping

SCORED = {"Qabf": 0.1, "VIF": 0.1, "MI": 0.5}
"""The scores that count, all better when higher, and the least each is divided by."""


def score(scores: Mapping[str, float], start: Mapping[str, float]) -> float:
    """The mean of Qabf, VIF and MI, each as a multiple of its value before training.

    1 is the start, 1.05 is five per cent better on average. A start near zero, as random weights
    have it, counts as :data:`SCORED` says, so that no score drowns the others.
    """
    ratios = [
        scores[name] / max(start[name], least)
        for name, least in SCORED.items()
        if name in scores and name in start
    ]
    return sum(ratios) / len(ratios) if ratios else 0.0

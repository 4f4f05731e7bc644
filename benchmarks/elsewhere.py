"""Means of packs and peers that were measured elsewhere, on pictures not in this repository.

They are entries ``[[elsewhere]]`` of ``peers.toml``, one for each set of pictures. They stand in
tables of their own and enter no mean over the validation pairs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).with_name("peers.toml")
TITLE = "Measured elsewhere, on pictures that are not in this repository"


@dataclass(frozen=True)
class ElsewhereMeans:
    """Means over a set of pictures.

    Attributes:
        task: the task of the set.
        title: name of the set. pairs: its number of pairs; 0 if unknown.
        methods: means by metric, by method.
        note: what a reader must know.
    """

    task: str
    title: str
    pairs: int
    methods: Mapping[str, Mapping[str, float]]
    note: str = ""


def elsewhere(task: str) -> tuple[ElsewhereMeans, ...]:
    """All sets of a task, in the order of the file."""
    raw = tomllib.loads(PEERS.read_text(encoding="utf-8"))["elsewhere"]
    return tuple(
        ElsewhereMeans(
            one["task"], one["set"], one.get("pairs", 0), one["methods"], one.get("note", "")
        )
        for one in raw
        if one["task"] == task
    )


def elsewhere_tables(task: str) -> list[str]:
    """The tables of a task as Markdown lines, best bold; [] without any."""
    lines: list[str] = []
    for one in elsewhere(task):
        count = f"{one.pairs} pairs" if one.pairs else "number of pairs not known"
        metrics = list(dict.fromkeys(name for row in one.methods.values() for name in row))
        lines += [f"{one.title} ({count}). {one.note}".strip(), ""]
        lines += [f"| method | {' | '.join(f'{name} ↑' for name in metrics)} |"]
        lines += [f"| --- |{' ---: |' * len(metrics)}"]
        best = {name: max(row.get(name, 0.0) for row in one.methods.values()) for name in metrics}
        for method, row in one.methods.items():
            cells = (_cell(row.get(name), best[name]) for name in metrics)
            lines.append(f"| {method} | {' | '.join(cells)} |")
        lines.append("")
    return [f"### {TITLE}", "", *lines] if lines else []


def _cell(value: float | None, best: float) -> str:
    if value is None:
        return "–"
    decimals = max(len(f"{value:g}".partition(".")[2]), 2 if value >= 2 else 3)
    text = f"{value:.{decimals}f}"
    return f"**{text}**" if value == best else text

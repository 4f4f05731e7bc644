"""Time that sorting and filtering a large table of scores takes on the window's thread.

    QT_QPA_PLATFORM=offscreen python benchmarks/evaluate_table.py --rows 10000

The table of the Evaluate workspace, in its own view, beside the same table sorted by Qt's proxy
model, which compares two rows at a time. Every action is repeated and its median given, in
milliseconds of wall time: the action itself, and painting the view after it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QApplication, QTableView

from app.evaluate.pair_model import PairScoreModel
from app.widgets.plain_table import plain_table
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)
from core.metrics import MAIN_METRICS

GOAL_MS = 100.0
_METHODS = 10
_UNDEFINED = 0.02
"""Share of the values that are NaN."""


def scores(rows: int) -> EvaluationResult:
    """A result of ten methods whose table has ``rows`` rows, with random values."""
    rng = np.random.default_rng(0)
    names = [f"scene{place:05}" for place in range(rows // _METHODS)]
    pairs = tuple(PairDescription(name, Path("a"), Path("b")) for name in names)
    methods = []
    for method in range(_METHODS):
        values = rng.random((len(names), len(MAIN_METRICS)))
        values[rng.random(values.shape) < _UNDEFINED] = np.nan
        found = tuple(
            PairScore(name, dict(zip(MAIN_METRICS, row, strict=True)), seconds=float(row[0]))
            for name, row in zip(names, values.tolist(), strict=True)
        )
        methods.append(MethodScores(MethodDescription(f"method {method}", "folder"), found))
    return EvaluationResult(tuple(methods), pairs, MAIN_METRICS)


def measured(table: QTableView, act: Callable[[int], object], repeats: int) -> float:
    """Median time in ms of ``act``, which is told the number of the repetition, and of painting."""
    times = []
    for repeat in range(repeats):
        started = time.perf_counter()
        act(repeat)
        table.viewport().repaint()
        QApplication.processEvents()
        times.append(1000 * (time.perf_counter() - started))
    return median(times)


def sort(model: QAbstractItemModel, column: int, repeat: int) -> None:
    """Sort ascending and descending in turn, so that every repetition sorts."""
    orders = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
    model.sort(column, orders[repeat % 2])


def shown(table: QTableView) -> QTableView:
    """The table on screen."""
    table.resize(1000, 700)
    table.show()
    QApplication.processEvents()
    return table


def report(rows: int, repeats: int) -> str:
    """Measure, and write the table of the results."""
    model = PairScoreModel()
    model.show_result(scores(rows))
    own = shown(plain_table(model, (170, 130)))
    # A model of its own: a proxy sorts again whenever its source does.
    source = PairScoreModel()
    source.show_result(scores(rows))
    proxy = QSortFilterProxyModel()
    proxy.setSourceModel(source)
    other = shown(plain_table(proxy, (170, 130)))
    lines = [
        "# The table of scores",
        "",
        f"{model.rowCount()} rows ({_METHODS} methods), {len(MAIN_METRICS)} metrics, "
        f"{os.cpu_count()} cores, {sys.platform}, by `python benchmarks/evaluate_table.py`. "
        f"Median of {repeats}, with painting; at most {GOAL_MS:g} ms are allowed.",
        "",
        "| Action | ms | Qt's proxy model, ms | ratio |",
        "| --- | ---: | ---: | ---: |",
    ]
    slowest = 0.0
    columns = (("pair", 0), ("method", 1), (MAIN_METRICS[0], 2), (MAIN_METRICS[1], 3))
    for name, column in columns:
        ours = measured(own, partial(sort, model, column), repeats)
        theirs = measured(other, partial(sort, proxy, column), 2)
        lines.append(f"| Sort by {name} | {ours:.1f} | {theirs:.0f} | {theirs / ours:.0f} |")
        slowest = max(slowest, ours)
    words = ("scene0001", "")
    for name, act in (
        ("Filter by a word, and no more", lambda k: model.set_words(words[k % 2])),
        ("Milliseconds instead of values", lambda k: model.show_times(k % 2 == 0)),
    ):
        ours = measured(own, act, repeats)
        lines.append(f"| {name} | {ours:.1f} | | |")
        slowest = max(slowest, ours)
    kept = "kept" if slowest <= GOAL_MS else "not kept"
    return "\n".join([*lines, "", f"Slowest: {slowest:.1f} ms, {kept}.", ""])


def main() -> None:
    """Measure and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    application = QApplication(sys.argv[:1])
    text = report(options.rows, options.repeats)
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    application.quit()


if __name__ == "__main__":
    main()

"""The Evaluate workspace: run, tables, charts, worst pairs, opening in Fuse, reports."""

from __future__ import annotations

import os
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.evaluate.charts import _density, outliers
from app.evaluate.pair_model import PairScoreModel
from app.evaluate.settings import ChosenMethod, EvaluationChoices, load_choices, save_choices
from app.evaluate.tasks import write_report
from core.errors import OutputError
from core.evaluation.result import EvaluationResult, MethodDescription, MethodScores, PairScore
from core.progress import NullProgress
from tests.app.evaluate.conftest import WAIT


@pytest.fixture
def shown(page, result, qtbot):
    """The page with a result on show."""
    choices = EvaluationChoices("ivif", "/pairs", (ChosenMethod("classical", "average"),))
    page.evaluation.set_choices(choices)
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.evaluation.show_result(result, choices)
    return page


def row_of(model, method: str) -> int:
    names = (model.index(row, 0).data() for row in range(model.rowCount()))
    return next(row for row, name in enumerate(names) if name == method)


def test_best_is_bold_second_underlined_and_significance_is_marked(shown):
    model = shown.results.summary
    column = next(k for k in range(model.columnCount()) if model.metric_at(k) == "MI")
    best, second = (model.index(row_of(model, name), column) for name in ("best", "mid"))
    assert best.data(Qt.ItemDataRole.FontRole).bold()
    assert second.data(Qt.ItemDataRole.FontRole).underline()
    # Seven pairs, all differences of one sign: p = 2 / 2**7, times two after Holm.
    assert best.data().endswith("*")
    assert "0.0312" in best.data(Qt.ItemDataRole.ToolTipRole)
    assert not second.data().endswith("*"), "the reference is not compared with itself"
    low = model.index(row_of(model, "low"), column + 1)
    assert "1 pair" in low.data(Qt.ItemDataRole.ToolTipRole), "undefined values are counted"


def test_sorting_by_a_metric_and_another_reference(shown, qtbot):
    results = shown.results
    column = next(k for k in range(99) if results.summary.metric_at(k) == "MI")
    results.methods.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    proxy = results.methods.model()
    assert [proxy.index(row, 0).data() for row in range(3)] == ["low", "mid", "best"]
    with qtbot.waitSignal(shown.evaluation.analysis_changed, timeout=WAIT):
        shown.evaluation.set_reference("low")
    assert shown.evaluation.analysis.reference == "low"
    assert {one.method for one in shown.evaluation.analysis.comparisons} == {"mid", "best"}


def test_scores_are_sorted_with_undefined_last_and_filtered(result):
    model = PairScoreModel()
    model.show_result(result)
    assert model.rowCount() == 24
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        model.sort(3, order)
        values = [model.row_at(k).score.values.get("PSNR", float("nan")) for k in range(24)]
        assert isnan(values[-1])
        assert isnan(values[-2])
        assert [*map(isnan, values)].count(True) == 2
        assert values[0] == (10 if order == Qt.SortOrder.AscendingOrder else 60)
    model.set_words("P3")
    assert {model.row_at(k).score.pair for k in range(model.rowCount())} == {"p3"}
    failed = PairScoreModel()
    failed.show_result(result)
    failed.set_words("mid")
    note = failed.columnCount() - 1
    notes = {failed.index(k, note).data() for k in range(failed.rowCount())}
    assert notes == {"", "it broke"}


def test_outliers_are_those_beyond_the_fences():
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0, np.nan])
    assert outliers(values).tolist() == [False, False, False, False, True, False]


def test_worst_pairs_and_charts_name_the_pair(shown, qtbot):
    table = shown.results.atlas.table
    first = table.model().index(0, 0)
    assert first.data().startswith("p3\n")
    with qtbot.waitSignal(shown.pair_wanted) as opened:
        table.activated.emit(first)
    request = opened.args[0]
    assert [name for name, _path in request.results] == ["mid", "best", "low"]
    charts = shown.results.charts
    for kind in range(charts.kind.count()):
        charts.kind.setCurrentIndex(kind)
        charts.kind.activated.emit(kind)
    assert charts._pair(3) == "p3"


def test_an_outlier_opens_in_fuse_with_all_methods(shown, window, qtbot):
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        shown.results.pair_opened.emit("p3")
    qtbot.waitUntil(lambda: len(window.session.results) == 3, timeout=WAIT)
    assert window.workspaces.current == "fuse"
    assert [one.result.method for one in window.session.results] == ["mid", "best", "low"]
    assert window.session.problem is None
    assert window.view.results.isVisibleTo(window)
    assert len(window.view.results.panes) == 5


def test_other_choices_mark_the_result_until_they_are_back(shown):
    before = shown.evaluation.choices
    assert not shown.stale.isVisibleTo(shown)
    shown.evaluation.set_choices(replace(before, metrics=("MI",)))
    assert shown.stale.isVisibleTo(shown)
    shown.evaluation.set_choices(before)
    assert not shown.stale.isVisibleTo(shown)


def test_reports_are_written_by_their_ending(shown, tmp_path, qtbot):
    for name, start in (("r.csv", b"method,"), ("r.tex", b"")):
        with qtbot.waitSignal(shown.evaluation.written, timeout=WAIT):
            shown.evaluation.export(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with qtbot.waitSignal(shown.evaluation.failed, timeout=WAIT):
        shown.evaluation.export(tmp_path / "r.docx")
    assert shown.card.isVisibleTo(shown)


def test_choices_survive_a_session(tmp_path):
    choices = EvaluationChoices(
        "mff", "/x", (ChosenMethod("command", "p {a} {b} {out}", "p"),), metrics=("MI",)
    )
    save_choices(tmp_path, choices, NullProgress())
    assert load_choices(tmp_path, NullProgress()) == choices
    (tmp_path / "evaluation.json").write_text("[1]")
    assert load_choices(tmp_path, NullProgress()) is None


def test_the_samples_are_evaluated_by_one_click(page, qtbot):
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.sample.click()
    assert page.evaluation.errors == 0
    assert page.results.summary.rowCount() == 3
    assert page.stack.currentWidget() is page.results


def test_a_folder_that_is_missing_is_a_card(page, qtbot):
    choices = EvaluationChoices("mif", "/no/such", (ChosenMethod("classical", "average"),))
    page.evaluation.set_choices(choices)
    with qtbot.waitSignal(page.evaluation.failed, timeout=WAIT):
        page.start.click()
    assert "/no/such" in page.card.title.text()
    assert page.start.isVisibleTo(page)


def test_thousands_of_rows_are_sorted_by_arrays(pairs):
    rng = np.random.default_rng(1)
    scores = tuple(PairScore(f"p{k:04}", {"MI": float(v)}) for k, v in enumerate(rng.random(2000)))
    one = MethodScores(MethodDescription("m", "folder"), scores)
    model = PairScoreModel()
    model.show_result(EvaluationResult((one,), pairs, ("MI",)))
    model.sort(2, Qt.SortOrder.DescendingOrder)
    values = [model.row_at(k).score.values["MI"] for k in range(2000)]
    assert values == sorted(values, reverse=True)


def test_what_is_missing_and_the_test_are_said_beside_the_table(shown, qtbot):
    results = shown.results
    assert results.about.text() == (
        "Means over the 7 pairs that every method was scored on, of 8 in all"
    )
    assert results.missing.toPlainText() == "mid failed on p7: it broke"
    assert results.missing.isVisibleTo(results)
    text = results.explanation.text()
    assert "Each method was compared with mid on the same pairs" in text
    assert "may still be too small to matter" in text
    with qtbot.waitSignal(shown.evaluation.analysis_changed, timeout=WAIT):
        shown.evaluation.set_reference("low")
    assert "compared with low" in results.explanation.text()


def test_times_of_the_metrics_are_shown_instead_of_values(result):
    timed = [
        replace(
            scores,
            pairs=tuple(
                replace(one, milliseconds={"MI": 1.5 + place, "Nabf": 2.0})
                for place, one in enumerate(scores.pairs)
            ),
        )
        for scores in result.methods
    ]
    model = PairScoreModel()
    model.show_result(replace(result, methods=tuple(timed)))
    values = model.index(0, 2).data()
    assert "1.5 ms" in {model.index(k, 2).data(Qt.ItemDataRole.ToolTipRole) for k in range(24)}
    model.show_times(True)
    assert model.headerData(2, Qt.Orientation.Horizontal) == "MI (ms)"
    model.sort(2, Qt.SortOrder.DescendingOrder)
    assert model.index(0, 2).data() == "8.5"
    assert model.index(0, 3).data() == "–", "PSNR was not measured"
    model.show_times(False)
    model.sort(0, Qt.SortOrder.AscendingOrder)
    assert model.index(0, 2).data() == values


def test_times_are_said_below_the_table(shown, result, qtbot):
    timed = replace(result.methods[0].pairs[0], milliseconds={"MI": 3.25})
    first = replace(result.methods[0], pairs=(timed, *result.methods[0].pairs[1:]))
    with qtbot.waitSignal(shown.evaluation.analysis_changed, timeout=WAIT):
        shown.evaluation.show_result(
            replace(result, methods=(first, *result.methods[1:])), shown.evaluation.choices
        )
    text = shown.results.explanation.text()
    assert text.endswith("Milliseconds of a metric per pair: MI 3.2")


def test_commands_follow_what_is_possible(shown, window, qtbot):
    actions = window.actions_.of_pages
    enabled = {name for name, action in actions.items() if action.isEnabled()}
    assert enabled == {"evaluate.run", "evaluate.export"}
    assert all(action.isVisible() for action in actions.values())
    shown.results.tabs.setCurrentWidget(shown.results.scores.parentWidget())
    shown.results.scores.selectRow(0)
    assert actions["evaluate.open"].isEnabled()
    chosen = shown.results.current_pair
    with qtbot.waitSignal(shown.pair_wanted) as opened:
        actions["evaluate.open"].trigger()
    assert opened.args[0].a.stem == chosen
    assert window.workspaces.current == "fuse"
    assert not any(action.isEnabled() for action in actions.values())
    assert window.actions_.menus["evaluate"].menuAction().isVisible()


def test_an_evaluation_is_cancelled_by_its_command(page, window, qtbot):
    page.evaluate_samples()
    qtbot.waitUntil(lambda: page.evaluation.phase == "running", timeout=WAIT)
    with qtbot.waitSignals([page.evaluation.cancelled], timeout=WAIT):
        window.actions_.of_pages["evaluate.cancel"].trigger()
    assert window.actions_.of_pages["evaluate.run"].isEnabled()


def test_a_violin_is_widest_where_values_are_most_often():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 900), rng.normal(8, 1, 300)])
    heights, shares = _density(values)
    assert shares.max() == 1.0
    assert abs(heights[shares.argmax()]) < 0.5
    # The second hill has a third of the values, and the kernel is narrow.
    near = shares[np.abs(heights - 8).argmin()]
    assert near == pytest.approx(1 / 3, abs=0.08)
    assert shares[np.abs(heights - 4).argmin()] < 0.1
    assert _density(np.array([2.0, 2.0]))[1].tolist() == [1.0, 1.0]


def test_lines_count_pairs_from_one_and_axes_speak_the_language(shown, german):
    charts = shown.results.charts
    charts.kind.setCurrentIndex(charts.kind.findData("lines"))
    charts.kind.activated.emit(0)
    line = charts.plot.getPlotItem().listDataItems()[0]
    assert line.getData()[0].tolist() == [1, 2, 3, 4, 5, 6, 7]
    axis = charts.plot.getPlotItem().getAxis("left")
    assert axis.tickStrings([0.5, 1.0], 1, 0.5) == ["0,5", "1,0"]
    assert axis.labelText == "MI ↑"


def test_columns_hold_their_titles(shown):
    for table in (shown.results.methods, shown.results.scores):
        header = table.horizontalHeader()
        for column in range(1, header.count()):
            assert header.sectionSize(column) >= header.sectionSizeHint(column), column
    assert shown.results.methods.columnWidth(0) == 140
    assert shown.results.atlas.table.columnWidth(0) == 210


def test_a_report_never_replaces_what_it_is_about(result, tmp_path):
    fused = result.methods[0].pairs[0].fused
    os.link(fused, tmp_path / "report.csv")
    before = fused.read_bytes()
    with pytest.raises(OutputError, match="are read for this"):
        write_report(result, tmp_path / "report.csv", "", (), NullProgress())
    assert fused.read_bytes() == before

"""Groups, quoted means and scores of other tasks in the window, from choice to report."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest
from pyqtgraph import ScatterPlotItem
from PySide6.QtCore import Qt

from app.evaluate.controller import EvaluationController
from app.evaluate.more_scores import MoreScoresForm
from app.evaluate.settings import ChosenMethod, EvaluationChoices, load_choices, save_choices
from app.evaluate.summary_model import SORT_ROLE
from core.evaluation.groups import BY_PREFIX
from core.evaluation.result import QuotedMeans, SetColumn
from core.progress import NullProgress
from tests.app.conftest import gradient, write_png
from tests.app.evaluate.conftest import WAIT

METHODS = (ChosenMethod("classical", "average"), ChosenMethod("classical", "maximum"))


@pytest.fixture
def choices(tmp_path: Path) -> EvaluationChoices:
    """Four pairs of two kinds, with a file of each kind of further scores."""
    for place, name in enumerate(("ct_1", "ct_2", "pet_1", "pet_2")):
        for side in "ab":
            picture = gradient(40 + 8 * place, 32)
            if side == "b":
                picture = picture[:, ::-1]
            write_png(tmp_path / "pairs" / side / f"{name}.png", picture)
    quoted = tmp_path / "peers.toml"
    quoted.write_text('source = "Theirs, Table 1."\n[mif]\nNet = { MI = 2.5 }\n')
    scores = tmp_path / "boxes.csv"
    scores.write_text("method,mAP50,mAP\naverage,0.25,0.5\nmaximum,0.75,0.125\n")
    return EvaluationChoices(
        "mif",
        str(tmp_path / "pairs"),
        METHODS,
        metrics=("MI", "SSIM"),
        group_by=BY_PREFIX,
        quoted=str(quoted),
        downstream=(str(scores),),
    )


def evaluate(page, choices, qtbot):
    page.evaluation.set_choices(choices)
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.evaluation.start()
    return page.results


def column_of(model, metric: str) -> int:
    return next(k for k in range(model.columnCount()) if model.metric_at(k) == metric)


def test_all_of_them_are_in_the_tables(page, choices, qtbot):
    results = evaluate(page, choices, qtbot)
    model = results.summary
    names = [model.index(row, 0).data() for row in range(model.rowCount())]
    assert names == ["average", "maximum", "Net (quoted)"]
    better = model.index(1, column_of(model, "mAP50"))
    assert better.data() == "0.7500"
    assert better.data(Qt.ItemDataRole.FontRole).bold()
    assert model.index(2, column_of(model, "MI")).data() == "2.5"
    assert model.index(2, column_of(model, "mAP50")).data() == "–"
    assert model.index(2, 0).data(Qt.ItemDataRole.ToolTipRole) == "peers.toml: Theirs, Table 1."
    text = results.explanation.text()
    assert "mAP50, mAP: one value for the whole set" in text
    assert "(quoted): means that were measured elsewhere" in text
    assert results.tabs.isTabVisible(results.tabs.indexOf(results._group_page))
    groups = results.grouped
    rows = [
        tuple(groups.index(row, column).data() for column in range(3))
        for row in range(groups.rowCount())
    ]
    assert rows == [
        ("All pairs", "average", "4"),
        ("All pairs", "maximum", "4"),
        ("All pairs", "Net (quoted)", "–"),
        ("ct", "average", "2"),
        ("ct", "maximum", "2"),
        ("pet", "average", "2"),
        ("pet", "maximum", "2"),
    ]
    ct = page.evaluation.analysis.groups[1].rows[0].cells["MI"]
    assert groups.index(3, 3).data() == f"{ct.mean:.4f} ({ct.low:.4f} to {ct.high:.4f})"
    assert "Groups of fewer than 6 pairs" in results.group_remarks.text()


def test_undefined_comes_last_in_either_order(page, choices, qtbot):
    results = evaluate(page, choices, qtbot)
    proxy = results.methods.model()
    column = column_of(results.summary, "SSIM")
    assert isnan(results.summary.index(2, column).data(SORT_ROLE)), "Net was not measured so"
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        results.methods.sortByColumn(column, order)
        assert proxy.index(2, 0).data() == "Net (quoted)"
    column = column_of(results.summary, "MI")
    results.methods.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    shown = [proxy.index(row, column).data(SORT_ROLE) for row in range(3)]
    assert shown == sorted(shown, reverse=True)


def test_charts_show_a_group_and_single_numbers(page, choices, qtbot):
    charts = evaluate(page, choices, qtbot).charts
    assert [charts.first.itemData(k) for k in range(charts.first.count())] == [
        "MI", "SSIM", "mAP50", "mAP",
    ]  # fmt: skip

    def show(kind: str, first: str, second: str = "", group: str = "") -> None:
        for box, data in (
            (charts.kind, kind), (charts.first, first), (charts.second, second),
            (charts.group, group),
        ):  # fmt: skip
            box.setCurrentIndex(max(0, box.findData(data)))
        charts.kind.activated.emit(0)

    def hollow() -> list[tuple[float, float]]:
        found = [one for one in charts.plot.getPlotItem().items if isinstance(one, ScatterPlotItem)]
        shown = (one for one in found if one.opts["brush"].style() == Qt.BrushStyle.NoBrush)
        return [tuple(float(axis[0]) for axis in one.getData()) for one in shown]

    show("box", "MI")
    assert (2.0, 2.5) in hollow()
    low, high = charts.plot.getPlotItem().viewRange()[0]
    assert (low, high) == pytest.approx((-0.6, 2.6)), "room for the names at both ends"
    ticks = charts.plot.getPlotItem().getAxis("bottom")._tickLevels[0]
    assert ticks == [(0, "average"), (1, "maximum"), (2, "Net\n(quoted)")]
    assert charts.legend.isHidden()
    show("lines", "MI")
    assert "Net&nbsp;(quoted)" in charts.legend.text()
    show("box", "mAP")
    assert hollow() == [(0.0, 0.5), (1.0, 0.125)]
    show("scatter", "mAP50", "mAP")
    assert hollow() == [(0.25, 0.5), (0.75, 0.125)]
    show("lines", "SSIM", group="pet")
    line = charts.plot.getPlotItem().listDataItems()[0]
    whole = page.evaluation.analysis.result
    assert line.getData()[1].tolist() == whole.values("SSIM")[0][2:].tolist()
    assert charts._pair(0) == "pet_1"


def test_charts_show_the_values_that_the_means_are_over(page, result, qtbot):
    """“low” has no PSNR on p0, which no mean of PSNR is over."""
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.evaluation.show_result(result, page.evaluation.choices)
    charts = page.results.charts
    charts.kind.setCurrentIndex(charts.kind.findData("lines"))
    charts.first.setCurrentIndex(charts.first.findData("PSNR"))
    charts.kind.activated.emit(0)
    line = charts.plot.getPlotItem().listDataItems()[0]
    assert line.getData()[0].tolist() == [2, 3, 4, 5, 6, 7]


def test_what_was_scored_is_not_scored_again_for_them(choices, tmp_path, qtbot):
    evaluation = EvaluationController("mif", tmp_path / "home")
    try:
        evaluation.set_choices(replace(choices, group_by="", quoted="", downstream=()))
        with qtbot.waitSignal(evaluation.analysis_changed, timeout=WAIT):
            evaluation.start()
        assert evaluation._fresh == 8
        assert evaluation.analysis.groups == ()
        evaluation.set_choices(choices)
        assert evaluation.is_stale
        with qtbot.waitSignal(evaluation.analysis_changed, timeout=WAIT):
            evaluation.start()
        assert evaluation._fresh == 0
        assert len(evaluation.analysis.groups) == 3
    finally:
        evaluation.shutdown()


def test_reports_of_the_window_hold_them_and_replace_none(page, choices, qtbot, tmp_path):
    evaluate(page, choices, qtbot)
    with qtbot.waitSignal(page.evaluation.written, timeout=WAIT):
        page.evaluation.export(tmp_path / "r.tex")
    text = (tmp_path / "r.tex").read_text()
    assert "Net (quoted)" in text
    assert "2 pairs of pet" in text
    assert "mAP" in text
    before = Path(choices.downstream[0]).read_bytes()
    with qtbot.waitSignal(page.evaluation.failed, timeout=WAIT):
        page.evaluation.export(Path(choices.downstream[0]))
    assert Path(choices.downstream[0]).read_bytes() == before


def test_a_file_that_does_not_fit_is_a_card(page, choices, qtbot):
    bad = Path(choices.quoted)
    bad.write_text("[ivif]\nNet = { MI = 1 }\n")
    page.evaluation.set_choices(choices)
    with qtbot.waitSignal(page.evaluation.failed, timeout=WAIT):
        page.evaluation.start()
    assert page.card.isVisibleTo(page)
    assert "no means for the task" in page.card.text.text()


def test_they_survive_a_session(choices, tmp_path):
    save_choices(tmp_path, choices, NullProgress())
    assert load_choices(tmp_path, NullProgress()) == choices
    assert set(map(Path, (choices.quoted, *choices.downstream))) < set(choices.paths)


def test_the_form_asks_for_files_and_clears_them(choices, qtbot):
    form = MoreScoresForm(replace(choices, group_by="", quoted="", downstream=()))
    qtbot.addWidget(form)
    assert form.body.isHidden()
    form.fold.click()
    assert not form.body.isHidden()
    form.changed.connect(form.show_choices)
    changed: list[EvaluationChoices] = []
    form.changed.connect(changed.append)
    form.quoted.choose.click()
    form.dialog.filesSelected.emit([choices.quoted])
    form.dialog.close()
    form.downstream.choose.click()
    form.dialog.filesSelected.emit(list(choices.downstream))
    form.dialog.close()
    form.groups.setCurrentIndex(form.groups.count() - 1)
    form.groups.activated.emit(0)
    assert form.groups.currentData() == "", "as long as none was chosen"
    form.dialog.filesSelected.emit(["/x/groups.csv"])
    form.dialog.close()
    assert changed[-1] == replace(choices, group_by="/x/groups.csv")
    assert form.groups.currentText() == "groups.csv"
    assert form.quoted.names.text() == "peers.toml"
    form.quoted.clear.click()
    form.downstream.clear.click()
    assert (changed[-1].quoted, changed[-1].downstream) == ("", ())


def test_the_window_says_it_in_german(page, result, qtbot, german):
    whole = replace(
        result,
        pairs=tuple(replace(pair, group="Tag") for pair in result.pairs),
        set_columns=(SetColumn("mIoU", {"best": 0.5}, "masks.csv"),),
        quoted=(QuotedMeans("Net", {"MI": 1.5}, "peers.toml", "Tag"),),
    )
    with qtbot.waitSignal(page.evaluation.analysis_changed, timeout=WAIT):
        page.evaluation.show_result(whole, page.evaluation.choices)
    results = page.results
    assert "ein Wert für die ganze Menge" in results.explanation.text()
    assert "an anderer Stelle gemessen" in results.group_remarks.text()
    assert results.grouped.index(6, 1).data() == "Net (zitiert)"
    assert results.grouped.index(6, 3).data() == "1,5"


def test_nothing_is_cut_off_in_german_in_a_small_window(german, window, choices, qtbot):
    window.workspaces.show_page("evaluate")
    page = window.workspaces.page("evaluate")
    page.evaluation.set_choices(choices)
    form = page.choices
    assert window.width() == 1024
    qtbot.waitUntil(lambda: form.more.quoted.names.isVisible(), timeout=WAIT)
    for button in (form.add, form.remove, form.browse):
        assert button.width() >= button.sizeHint().width(), button.text()
    names = form.more.quoted.names
    assert names.shown_text(names.width()) == "peers.toml"

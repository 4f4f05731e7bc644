"""Axes of the charts: a scale for each, with title and unit, and true numbers at them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.train.chart import Chart
from app.train.charts import Charts
from app.train.curves import CurveStore
from app.widgets import theme
from tests.app.widgets.test_theme import READABLE, contrast


def drawn(qtbot, curves: CurveStore) -> Chart:
    chart = Chart("x", scale="big", right_curves=frozenset(("lower",)), right_scale="small")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show_curves(curves)
    chart.show()
    return chart


def test_losses_of_another_magnitude_have_an_axis_of_their_own(qtbot):
    curves = CurveStore()
    for step in range(0, 50, 10):
        curves.add(step, {"upper": 100.0 + step, "lower": 0.1 + step / 1000})
    chart = drawn(qtbot, curves)
    item = chart.plot.getPlotItem()
    low, high = item.getViewBox().viewRange()[1]
    assert 95 < low < 100
    assert 140 < high < 145
    low, high = chart._right_view.viewRange()[1]
    assert 0.09 < low < 0.1
    assert 0.14 < high < 0.15
    assert item.getAxis("right").isVisible()
    assert item.getAxis("right").labelText == "small"
    assert item.getAxis("left").labelText == "big"
    assert item.getAxis("bottom").labelText == "Step"
    chart._lines["lower"].box.setChecked(False)
    assert not item.getAxis("right").isVisible()
    chart.set_log(True)
    chart._lines["lower"].box.setChecked(True)
    assert np.allclose(chart._right_view.viewRange()[1], np.log10([0.1, 0.14]), atol=0.02)


def test_steps_are_whole_numbers_however_few_there_are(qtbot):
    curves = CurveStore()
    for step in (0, 1, 2):
        curves.add(step, {"upper": float(step)})
    chart = drawn(qtbot, curves)
    axis = chart.plot.getPlotItem().getAxis("bottom")
    ticks = [v for _, values in axis.tickValues(-0.3, 2.3, 400) for v in values]
    assert sorted(ticks) == [0, 1, 2]
    assert axis.tickStrings([0, 1, 12_000], 1, 1) == ["0", "1", "12\u202f000"]


def test_every_chart_of_a_run_says_what_its_axes_are(qtbot, page):
    charts: Charts = page.run.charts
    for chart in charts.all:
        item = chart.plot.getPlotItem()
        assert item.getAxis("bottom").labelText == "Step"
        assert item.getAxis("left").labelText


def span(box) -> tuple[float, float]:
    low, high = box.viewRange()[1]
    return low, high


SCORES = (
    {"Qabf": 0.79, "MI": 3.85, "VIF": 0.94, "reconstruction_psnr": 39.0, "score": 1.0},
    {"Qabf": 0.80, "MI": 3.76, "VIF": 0.93, "reconstruction_psnr": 38.0, "score": 0.99},
)


def test_scores_of_different_units_share_no_axis(qtbot, page):
    """Ratios at the left, bits at the right, decibels in a chart of their own."""
    page.show_step(2)
    for step, scores in enumerate(SCORES):
        page.state.scores.add(25 * step, scores)
    page.state.curves_replaced.emit()
    QApplication.processEvents()
    charts: Charts = page.run.charts
    fused, rebuilt = charts.scores, charts.reconstruction
    assert list(fused.readings(0)) == ["Qabf", "MI", "VIF", "score"]
    assert list(rebuilt.readings(0)) == ["reconstruction_psnr"]
    low, high = span(fused.plot.getPlotItem().getViewBox())
    assert 0.7 < low < 0.79
    assert 1.0 < high < 1.05
    low, high = span(fused._right_view)
    assert 3.7 < low < 3.76
    assert 3.85 < high < 3.9
    low, high = span(rebuilt.plot.getPlotItem().getViewBox())
    assert 37.5 < low < 38
    assert 39 < high < 39.5
    item = fused.plot.getPlotItem()
    assert "bits" in item.getAxis("right").labelText
    assert "no unit" in item.getAxis("left").labelText
    assert "dB" in rebuilt.plot.getPlotItem().getAxis("left").labelText
    charts.judged.tabs.setCurrentIndex(1)
    assert rebuilt.isVisible()
    assert not fused.isVisible()


def test_a_network_that_rebuilds_nothing_has_no_chart_of_it(qtbot, page):
    page.show_step(2)
    tabs = page.run.charts.judged.tabs
    assert not tabs.isTabVisible(1)
    page.state.scores.add(0, {"Qabf": 0.79})
    page.state.curves_changed.emit()
    assert not tabs.isTabVisible(1)
    page.state.scores.add(25, SCORES[1])
    page.state.curves_changed.emit()
    assert tabs.isTabVisible(1)


def test_a_chart_shows_what_came_while_it_was_hidden(qtbot, page):
    page.show_step(2)
    charts: Charts = page.run.charts
    for step in (1, 2):
        page.state.rates.add(step, {"lr_lower": 4e-4, "lr_upper": 3e-4})
    page.state.curves_changed.emit()
    charts.which.tabs.setCurrentIndex(1)
    assert charts.rates.isVisible()
    low, high = span(charts.rates.plot.getPlotItem().getViewBox())
    assert 2.9e-4 < low < 3e-4
    assert 4e-4 < high < 4.1e-4


@pytest.mark.parametrize("side", ["left", "right"])
def test_numbers_at_an_axis_are_the_numbers_of_the_curve(qtbot, side):
    """Whatever the theme: a rate of 0.0004 is not “400”."""
    curves = CurveStore()
    for step in (0, 10):
        curves.add(step, {"lower" if side == "right" else "upper": 2e-4 + step * 2e-5})
    chart = drawn(qtbot, curves)
    for look in ("light", "dark"):
        theme.set_appearance(look)
        QApplication.processEvents()
        axis = chart.plot.getPlotItem().getAxis(side)
        assert axis.tickStrings([2e-4, 4e-4], axis.autoSIPrefixScale, 1e-4) == ["2e-4", "4e-4"]
    theme.set_appearance("system")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0, 5e-5, 3.5e-4], ["0", "5e-5", "3.5e-4"]),
        ([0.00999, 0.001], ["9.99e-3", "1e-3"]),
        ([0.05, 0.1], ["0.05", "0.10"]),
        ([-10.0, 25.0], ["-10", "25"]),
    ],
)
def test_small_numbers_are_short_and_written_alike(qtbot, values, texts):
    axis = drawn(qtbot, CurveStore()).plot.getPlotItem().getAxis("left")
    spacing = min(abs(one - other) for one, other in pairwise(values))
    assert axis.tickStrings(values, 1.0, spacing) == texts


@pytest.mark.parametrize("look", ["light", "dark"])
def test_curves_can_be_told_apart_and_the_axis_of_one_has_its_colour(qtbot, look):
    theme.set_appearance(look)
    names = ("intensity", "gradient", "ssim", "edge", "artefact", "information", "consistency")
    curves = CurveStore()
    for step in (0, 1):
        curves.add(step, {name: 1.0 + step for name in (*names, "upper", "lower")})
    chart = drawn(qtbot, curves)
    colours = {chart._colour(line.number).name() for line in chart._lines.values()}
    assert len(colours) == 9
    ground = QColor(theme.colours().surface)
    assert all(contrast(QColor(name), ground) >= READABLE for name in colours)
    lower = chart._lines["lower"]
    axis = chart.plot.getPlotItem().getAxis("right")
    assert axis.textPen().color().name() == chart._colour(lower.number).name()
    assert lower.main.opts["pen"].dashPattern() == [4, 2]
    assert chart._lines["upper"].main.opts["pen"].style() == Qt.PenStyle.SolidLine
    theme.set_appearance("system")

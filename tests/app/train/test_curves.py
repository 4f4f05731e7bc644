"""Curves: growing, thinned without losing peaks, smoothed, read at the pointer, exported."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox

from app.train.chart import Chart
from app.train.curves import Curve, CurveStore, as_csv, reduced, smoothed
from app.train.images import as_image
from app.train.preview_strip import PreviewStrip


def filled(count: int, *names: str) -> CurveStore:
    rng = np.random.default_rng(3)
    curves = CurveStore()
    steps = np.arange(1.0, count + 1)
    for name in names or ("upper",):
        curves.fill(name, steps, 1 + rng.random(count))
    return curves


def test_a_curve_grows_beyond_its_first_room_and_keeps_order():
    curve = Curve()
    for step in range(1, 1001):
        curve.add(step, step / 2)
    assert len(curve) == 1000
    np.testing.assert_array_equal(curve.steps, np.arange(1, 1001))
    np.testing.assert_array_equal(curve.values, np.arange(1, 1001) / 2)


def test_steps_said_again_take_the_place_of_those_before():
    curve = Curve()
    for step in (1, 2, 3, 4, 5):
        curve.add(step, step)
    curve.add(3, 30)
    assert curve.steps.tolist() == [1, 2, 3]
    assert curve.values.tolist() == [1, 2, 30]


def test_the_value_at_a_step_is_that_of_the_nearest_point():
    curve = Curve()
    assert curve.at(3) is None
    curve.add(10, 1.0)
    curve.add(20, 2.0)
    assert [curve.at(x) for x in (-5, 14, 16, 99)] == [1.0, 1.0, 2.0, 2.0]


def test_an_old_curve_is_taken_without_what_is_no_number_and_grows_on():
    curves = CurveStore()
    curves.fill("x", np.array([1.0, 2.0, 3.0]), np.array([5.0, np.nan, 7.0]))
    curves.add(4, {"x": 8.0})
    assert curves["x"].steps.tolist() == [1, 3, 4]
    assert curves["x"].values.tolist() == [5, 7, 8]


@pytest.mark.parametrize("span", [1, 2, 7, 50])
def test_smoothing_is_the_mean_of_the_last_points(span):
    values = np.random.default_rng(1).random(40)
    wanted = [values[max(0, k + 1 - span) : k + 1].mean() for k in range(40)]
    np.testing.assert_allclose(smoothed(values, span), wanted)


def test_thinning_keeps_every_peak_and_the_order():
    steps = np.arange(100_000.0)
    values = np.random.default_rng(2).random(100_000)
    values[54_321], values[98_765] = 50.0, -50.0
    x, y = reduced(steps, values, 0, 100_000, 500)
    assert len(x) <= 2 * 501 + 500
    assert (np.diff(x) > 0).all()
    assert y.max() == 50
    assert y.min() == -50
    np.testing.assert_array_equal(values[x.astype(int)], y)
    # Looked at closely, nothing is left out, and the line goes on beyond both edges.
    near, _ = reduced(steps, values, 1000, 1100, 500)
    np.testing.assert_array_equal(near, np.arange(999, 1102))


def test_the_table_has_a_row_for_each_step():
    losses, scores = CurveStore(), CurveStore()
    losses.add(1, {"upper": 0.5, "lower": 0.25})
    losses.add(2, {"upper": 0.125})
    scores.add(2, {"Qabf": 0.75})
    read = list(csv.DictReader(io.StringIO(as_csv({"loss": losses, "validation": scores}))))
    assert read == [
        {"step": "1", "loss/upper": "0.5", "loss/lower": "0.25", "validation/Qabf": ""},
        {"step": "2", "loss/upper": "0.125", "loss/lower": "", "validation/Qabf": "0.75"},
    ]


@pytest.fixture
def chart(qtbot) -> Chart:
    made = Chart("Losses", hidden=frozenset(("MI",)))
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    return made


def drawn(chart: Chart, name: str) -> tuple[np.ndarray, np.ndarray]:
    return chart._lines[name].main.getOriginalDataset()


def shown(chart: Chart) -> tuple[float, float]:
    (left, right), _ = chart.plot.getPlotItem().getViewBox().viewRange()
    return left, right


def test_a_chart_follows_until_a_person_zooms_and_again_when_told(chart):
    curves = filled(50)
    chart.show_curves(curves)
    assert shown(chart)[1] >= 50
    curves.add(500, {"upper": 1.0})
    chart.refresh()
    assert shown(chart)[1] >= 500
    chart.plot.getPlotItem().getViewBox().setXRange(10, 20, padding=0)
    curves.add(5000, {"upper": 1.0})
    chart.refresh()
    assert shown(chart) == (10, 20)
    chart.show_all()
    assert shown(chart)[1] >= 5000


def test_a_hundred_thousand_points_are_drawn_with_few(chart):
    curves = filled(100_000, "upper", "lower")
    chart.show_curves(curves)
    x, y = drawn(chart, "upper")
    assert len(x) < 4 * chart.width()
    assert y.max() == curves["upper"].values.max()
    chart.plot.getPlotItem().getViewBox().setXRange(100, 150, padding=0)
    assert drawn(chart, "upper")[0].tolist() == list(range(99, 152))


def test_legend_hides_and_quiet_curves_wait_to_be_asked_for(chart):
    chart.show_curves(filled(30, "Qabf", "MI"))
    assert chart.shows("Qabf")
    assert not chart.shows("MI")
    box = chart._lines["MI"].box
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert chart.shows("MI")
    assert len(drawn(chart, "MI")[0]) == 30
    chart._lines["Qabf"].box.click()
    assert list(chart.readings(10)) == ["MI"]


def test_other_curves_leave_nothing_of_those_before(chart):
    chart.show_curves(filled(30, "Qabf", "VIF"))
    QApplication.processEvents()
    chart.show_curves(filled(30, "upper"))
    QApplication.processEvents()
    boxes = [box for box in chart.legend.findChildren(QCheckBox) if box.isVisibleTo(chart)]
    assert [box.text() for box in boxes] == ["upper (fusion)"]


def test_smoothing_and_logarithm_change_what_is_drawn(chart):
    curves = CurveStore()
    for step, value in enumerate((4.0, 0.0, 8.0), 1):
        curves.add(step, {"upper": value})
    chart.show_curves(curves)
    chart.set_smoothing(2)
    assert drawn(chart, "upper")[1].tolist() == [4, 2, 4]
    chart.set_smoothing(1)
    chart.set_log(True)
    values = drawn(chart, "upper")[1]
    assert values[0] == 4
    assert np.isnan(values[1])
    low, high = chart.plot.getPlotItem().getViewBox().viewRange()[1]
    assert low < np.log10(4) < np.log10(8) < high


def test_the_pointer_reads_values_at_its_step(qtbot, chart):
    chart.show_curves(filled(100, "upper", "lower"))
    QApplication.processEvents()
    view = chart.plot.getPlotItem().getViewBox()
    with qtbot.waitSignal(chart.step_hovered, timeout=5000) as caught:
        chart._moved(view.mapViewToScene(QPointF(42, 1.5)))
    assert caught.args[0] == pytest.approx(42, abs=0.01)
    chart.show_crosshair(caught.args[0])
    wanted = {name: chart.curves[name].at(42) for name in ("upper", "lower")}
    assert chart.readings(42) == wanted
    assert chart._cross.isVisible()
    chart.step_hovered.connect(chart.show_crosshair)
    QApplication.sendEvent(chart, QEvent(QEvent.Type.Leave))
    assert not chart._cross.isVisible()


def test_a_picture_of_the_chart_has_its_lines(chart):
    empty = chart.image()
    chart.show_curves(filled(200))
    QApplication.processEvents()
    full = chart.image()
    assert full.size() == empty.size()
    assert full != empty


def test_strip_pictures_are_true_and_small_enough_to_show():
    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None, :, None].repeat(4, axis=0)
    image = as_image(ramp)
    assert (image.width(), image.height()) == (64, 4)
    assert [image.pixelColor(x, 2).red() for x in (0, 63)] == [0, 255]
    assert image.pixelColor(21, 1).green() == round(21 / 63 * 255)
    large = as_image(np.full((2048, 1024, 3), 0.5, np.float32))
    assert (large.width(), large.height()) == (256, 512)
    assert large.pixelColor(9, 9).blue() == 128
    strange = as_image(np.array([[[np.nan], [2.0], [-1.0]]], np.float32))
    assert [strange.pixelColor(x, 0).red() for x in range(3)] == [0, 255, 0]


def test_the_strip_scales_all_alike_and_says_what_is_to_come(qtbot):
    strip = PreviewStrip("To come")
    qtbot.addWidget(strip)
    strip.resize(430, 200)
    assert strip.accessibleName() == "To come"
    image = as_image(np.zeros((50, 100, 1), np.float32))
    strip.show_images((image,) * 4, ("A", "B", "Fused now", "Fused at the start"))
    boxes = strip.boxes()
    assert {box.size().toTuple() for box in boxes} == {(103, 51)}
    assert all(strip.rect().contains(box) for box in boxes)
    assert "Fused now" in strip.accessibleName()

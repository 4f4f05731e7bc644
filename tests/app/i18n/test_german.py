"""The German window: no English sentence is left in it, and numbers have a comma."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QToolButton, QTreeView

from app.i18n import language
from app.i18n.numbers import filled, listed, number, read
from app.i18n.translate import translate
from app.pairs.table import PairDialog
from app.train import formatting
from app.viewer.number_box import NumberBox
from app.viewer.painter import short
from core.errors import InputError, Message
from core.io import read_image
from core.messages import from_data, to_data
from core.pairing.folders import pair_paths
from tests.app.conftest import gradient, write_png
from tests.app.german import english_in, left_over

pytestmark = pytest.mark.usefixtures("german")


def test_the_search_for_english_finds_it():
    assert english_in("A: CMYK was converted to RGB.")
    assert english_in("Fuse")
    assert english_in("pet.png: it cannot be read (denied). Check the disk and the name.")
    assert english_in("A: CMYK wurde in RGB umgewandelt.") == ""
    assert english_in("Fusionieren · 12,5 s") == ""


def test_a_list_of_numbers_with_decimal_commas_is_told_apart():
    place = listed(number(value, ".1f") for value in (-0.5, 17.5, 8.0))
    assert place == "-0,5; 17,5; 8,0"
    QLocale.setDefault(QLocale(QLocale.Language.English))
    assert listed(("0.5", "8")) == "0.5, 8"


def test_a_fused_pair_leaves_no_english(opened, qtbot):
    tabs = opened.inspector
    for place in range(tabs.count()):
        tabs.setCurrentIndex(place)
        assert left_over(opened) == {}, tabs.tabText(place)


def test_what_a_reader_noted_is_said_in_german(window, qtbot, tmp_path):
    a = tmp_path / "pet_1.png"
    rgba = np.dstack([gradient(64, 48)] * 3 + [gradient(64, 48)])
    a.write_bytes(cv2.imencode(".png", rgba)[1].tobytes())
    b = write_png(tmp_path / "mri_1.png", gradient(64, 48))
    with qtbot.waitSignal(window.controller.idle, timeout=10_000):
        window.controller.open_pair(a, b)
    assert "Durchsichtige Bereiche wurden auf Schwarz gelegt." in window.view.notice.text.text()
    assert left_over(window) == {}


def test_what_a_file_could_not_keep_is_said_in_german(opened, qtbot, tmp_path):
    with qtbot.waitSignal(opened.session.notices_changed, timeout=10_000):
        opened.controller.save(tmp_path / "fused.bmp")
    assert "BMP hat keinen Platz" in opened.view.notice.text.text()
    assert left_over(opened) == {}


def test_an_error_card_is_german(window, qtbot, tmp_path, files):
    (tmp_path / "pet_1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with qtbot.waitSignal(window.session.problem_changed, timeout=10_000):
        window.controller.open_pair(*files)
    assert window.session.problem is not None
    assert left_over(window) == {}


@pytest.fixture
def muddle(tmp_path: Path) -> Path:
    """A folder in which every reason for a pair and against one occurs."""
    root = tmp_path / "muddle"
    names = (
        "one/x_pet.png", "one/x_mri.png", "one/scan.png", "one/scan_1.png",
        "two/a/same.png", "two/b/same.png", "two/a/Capital.png", "two/b/capital.png",
        "two/a/twice.png", "two/b/twice.png", "two/b/twice.bmp", "two/a/alone.png",
        "three/ct.png", "three/mri_final.png", "four/n_1.png", "four/n_2.png", "four/n_3.png",
        "five/k_vis.png", "five/k_ir.png", "five/l_ir.png", "six/m.png", "six/m.bmp",
        "seven/q_a.png", "seven/q_b.png", "seven/q_c.png", "eight/u/z.png", "eight/v/z.png",
        "nine/gt/s.png", "nine/ir/s.png", "nine/vis/s.png",
    )  # fmt: skip
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (root / "notes.doc").write_bytes(b"x")
    return root


def test_every_reason_for_a_pair_or_against_one_is_german(qtbot, muddle):
    plans = [pair_paths([folder]) for folder in sorted(muddle.iterdir()) if folder.is_dir()]
    plans += [pair_paths([muddle]), pair_paths([muddle / "one/scan.png", muddle / "six/m.bmp"])]
    whole = plans[-2]
    plans.append(whole.pair_by_hand(whole.leftovers[0].path, whole.matches[0].b))
    kinds = set()
    for plan in plans:
        texts = [m.reason for m in plan.matches] + [item.reason for item in plan.leftovers]
        for text in (*texts, *plan.notes):
            assert isinstance(text, Message), text
            assert translate(text) != text
            assert english_in(translate(text)) == ""
            kinds.add(text.template)
        dialog = PairDialog(plan)
        qtbot.addWidget(dialog)
        dialog.show()
        assert left_over(dialog) == {}
    assert len(kinds) >= 12


def test_a_reason_says_in_german_which_words_differ(muddle):
    (match,) = pair_paths([muddle / "five"]).matches
    assert match.reason == "differ only in ir/vis"
    assert translate(match.reason) == "unterscheiden sich nur in ir/vis"


def test_what_was_kept_in_english_is_said_in_german_later(tmp_path):
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / "fehlt.png")
    kept = json.dumps(to_data(caught.value.message))
    again = from_data(json.loads(kept))
    assert again == str(caught.value)
    assert translate(again) == (
        f"{tmp_path / 'fehlt.png'}: diese Datei gibt es nicht. Namen und Ordner prüfen."
    )


# --- numbers -------------------------------------------------------------------------------------


def test_the_metrics_have_a_comma(opened, qtbot):
    inspector = opened.inspector
    inspector.setCurrentWidget(inspector.metrics)
    qtbot.waitUntil(lambda: "," in inspector.metrics.value("SSIM"), timeout=10_000)
    shown = inspector.metrics.value("SSIM")
    assert "." not in shown
    assert 0 <= read(shown) <= 1


def test_values_under_the_pointer_and_the_window_have_a_comma(opened):
    opened.status.show_pixel(QPoint(20, 10))
    fused = opened.status.readout.text().rpartition("Fusioniert")[2]
    assert "0," in fused
    tab = opened.inspector.display_tab
    tab.choose("fused")
    assert tab.high.text() == "1,000"


def test_numbers_follow_the_language(qapp):
    assert number(1234567.25, ",.1f") == "1.234.567,2"
    assert filled("{0:.1f} dB in {1}, {2}", 41.25, "a.b", 12) == "41,2 dB in a.b, 12"
    assert short(0.125) == "0,125"
    assert short(-2.5) == "−2,5"
    assert formatting.pace(0.3) == "3,33 Schritte je Sekunde"
    assert formatting.count(12_000) == "12.000"
    assert formatting.memory(2.5e9) == "2,5 GB"
    assert read("0,5") == read("0.5") == 0.5
    language.install(qapp, "en")
    assert number(1234567.25, ",.1f") == "1,234,567.2"
    assert formatting.count(12_000) == "12\u202f000"
    assert read("0,5") == read("0.5") == 0.5


def test_a_swiss_or_austrian_system_keeps_its_own_signs():
    swiss = language.locale_of("de", QLocale("de_CH"))
    assert swiss.decimalPoint() == "."
    assert language.locale_of("de", QLocale("fr_FR")).decimalPoint() == ","
    assert language.locale_of("en", QLocale("de_DE")).decimalPoint() == "."


@pytest.mark.parametrize(("spoken", "sign"), [("de", ","), ("en", ".")])
@pytest.mark.parametrize(("typed", "value"), [("0.5", 0.5), ("0,5", 0.5), ("-2.75", -2.75)])
def test_a_number_may_be_typed_with_either_sign(qapp, qtbot, typed, value, spoken, sign):
    language.install(qapp, spoken)
    box = NumberBox()
    qtbot.addWidget(box)
    box.setDecimals(3)
    box.setRange(-10, 10)
    box.selectAll()
    QTest.keyClicks(box, typed)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == value
    assert box.text() == f"{value:.3f}".replace(".", sign)


def test_qt_s_own_file_dialogs_speak_german(qtbot, german, tmp_path):
    dialog = QFileDialog(None, "x", str(tmp_path))
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    qtbot.addWidget(dialog)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.show()
    said = {label.text() for label in dialog.findChildren(QLabel) if label.isVisible()}
    assert said == {"&Suchen in:", "Datei&name:", "Datei&typ:"}
    buttons = {button.text() for button in dialog.findChildren(QPushButton)}
    assert buttons == {"S&peichern", "Abbrechen"}
    tips = {one.toolTip() for one in dialog.findChildren(QToolButton) if one.isVisible()}
    assert {"Zurück", "Übergeordneter Ordner", "Neuen Ordner anlegen"} <= tips
    model = dialog.findChild(QTreeView).model()
    heads = [model.headerData(k, Qt.Orientation.Horizontal) for k in range(model.columnCount())]
    assert heads == ["Name", "Größe", "Art", "Geändert"]

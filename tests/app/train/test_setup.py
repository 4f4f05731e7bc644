"""Before a run: pictures looked at, settings checked, loaded and saved, and the way there."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from app.train.formatting import duration, memory, pace
from app.train.view_models import get, put
from app.widgets import theme
from core.io.transforms import write_transform
from core.models.backbone import Dinov3Backbone
from core.models.config import BackboneConfig
from core.tasks import TASKS
from core.types import Transform
from resources import PACKS
from tests.app.shell.test_window import drop
from tests.app.train.conftest import WAIT, prepare, settings_file
from tests.trainer.runs import make_pairs
from trainer.config.config import train_adapter
from trainer.config.form import FIELDS
from trainer.config.settings_file import load_config


def reported(qtbot, page) -> None:
    qtbot.waitUntil(
        lambda: page.state.report is not None or page.state.problem is not None, timeout=WAIT
    )


def rows(page) -> dict[str, tuple[str, str]]:
    return {row.name: (row.part, row.reason) for row in page.state.report.rows}


# --- data --------------------------------------------------------------------------------------


def test_a_dropped_folder_is_looked_at_and_start_becomes_possible(qtbot, page, data):
    assert page.data.welcome.isVisible()
    assert not page.start.start.isEnabled()
    assert "step 1" in page.start.missing.text()
    drop(page.data.welcome, data)
    reported(qtbot, page)
    assert page.state.problem is None
    assert not page.start.start.isEnabled()
    page.task_mismatch.buttons["mif"].click()
    assert page.data.table.isVisible()
    assert not page.data.welcome.isVisible()
    assert page.state.report.count("train") + page.state.report.count("validation") == 6
    assert page.steps[0].done
    assert page.start.start.isEnabled()
    qtbot.waitUntil(lambda: page.state.cost is not None, timeout=WAIT)
    assert page.state.cost.seconds_per_step > 0
    assert page.start.cost.text().startswith("About ")
    assert f"Computes in {page.state.cost.precision}: in a test" in page.start.cost.text()
    assert page.state.cost.reason in page.start.reason.text()


def test_unreadable_mismatched_and_lonely_files_are_named(qtbot, page, data):
    (data / "a" / "pair1.png").write_bytes(b"no picture")
    grey = np.zeros((20, 30), np.uint8)
    (data / "b" / "pair2.png").write_bytes(cv2.imencode(".png", grey)[1].tobytes())
    (data / "b" / "pair3.png").unlink()
    page.training.preparing.set_data([data])
    reported(qtbot, page)
    found = rows(page)
    assert found["pair1"][0] == found["pair2"][0] == "problem"
    assert "48" in found["pair2"][1]
    assert found["pair3.png"][0] == "problem"
    assert page.state.report.count("problem") == 3
    assert "3 left out" in page.data.facts.text()
    page.data.only.setChecked(True)
    assert page.data.rows.rowCount() == 3
    assert all(reason for _, reason in (found[n] for n in ("pair1", "pair2", "pair3.png")))


def test_a_folder_without_pairs_is_a_card_with_a_way_on(qtbot, page, tmp_path):
    (tmp_path / "empty").mkdir()
    page.training.preparing.set_data([tmp_path / "empty"])
    reported(qtbot, page)
    assert page.card.isVisible()
    assert "empty" in page.card.title.text()
    assert page.card.action.text() == "Choose other pictures"
    assert page.steps[0].warns
    assert not page.start.start.isEnabled()


def test_a_folder_that_is_gone_is_told(qtbot, page, tmp_path):
    page.training.preparing.set_data([tmp_path / "nowhere"])
    reported(qtbot, page)
    assert "nowhere" in page.card.title.text()


def test_slices_of_a_patient_stay_together_whatever_the_share(qtbot, page, tmp_path):
    for number in range(5):
        make_pairs(tmp_path / "set" / f"patient{number}", 2)
    page.training.preparing.set_data([tmp_path / "set"])
    for percent in (20, 40):
        page.data.share.setValue(percent)
        reported(qtbot, page)
        report = page.state.report
        assert report.by == "patient"
        parts: dict[str, set[str]] = {}
        for row in report.rows:
            parts.setdefault(row.group, set()).add(row.part)
        assert len(parts) == 5
        assert all(len(part) == 1 for part in parts.values())
        assert report.count("validation") == percent / 10
    assert "by patient (5)" in page.data.facts.text()


def test_a_folder_of_its_own_takes_the_place_of_the_share(qtbot, page, data, tmp_path):
    own = make_pairs(tmp_path / "own", 2)
    page.training.preparing.set_data([data])
    page.training.preparing.set_validation(own)
    reported(qtbot, page)
    assert page.state.report.count("train") == 6
    assert page.state.report.count("validation") == 2
    assert not page.data.share.isEnabled()


# --- settings ----------------------------------------------------------------------------------


def test_every_setting_has_a_control_with_name_and_help(page):
    form = page.settings.advanced
    assert set(form.rows) == {field.name for field in FIELDS} - {"init", "backbone", "device"}
    for row in form.rows.values():
        assert row.control.accessibleName()
        assert row.control.toolTip()
    assert [card.text() for card in page.settings.presets.values()] == [
        "Quick look",
        "Fine-tune",
        "Paper",
    ]


def test_presets_fill_the_form_and_a_change_is_nobodys_preset(page):
    page.training.preparing.choose_parent(None)
    QTest.mouseClick(page.settings.presets["paper"], Qt.MouseButton.LeftButton)
    wanted = {"steps": 10_000, "batch": 16, "crop": 128, "lr_upper": 2e-4, "ema": 0.999}
    assert {name: page.state.settings[name] for name in wanted} == wanted
    assert page.settings.advanced.rows["steps"].control.value() == 10_000
    assert page.settings.presets["paper"].isChecked()
    page.settings.advanced.rows["steps"].control.setValue(50)
    assert page.state.settings["steps"] == 50
    assert not any(card.isChecked() for card in page.settings.presets.values())


def test_what_is_wrong_is_said_beside_the_setting_and_start_waits(qtbot, page, data):
    prepare(qtbot, page, data)
    form, state = page.settings.advanced, page.state
    rate = form.rows["lr_lower"]
    rate.control.setText("1e-9")
    rate.control.editingFinished.emit()
    assert "lower level must learn faster" in rate.fault.text()
    assert page.steps[1].warns
    assert not page.start.start.isEnabled()
    rate.control.setText("four")
    rate.control.editingFinished.emit()
    assert "number" in rate.fault.text()
    rate.control.setText("0.004")
    rate.control.editingFinished.emit()
    assert state.faults == {}
    assert state.settings["lr_lower"] == 0.004
    assert page.start.start.isEnabled()


def test_the_four_ablations_can_be_switched(page):
    page.training.preparing.choose_parent(None)
    form = page.settings.advanced
    for name in ("bilevel", "network.adapter", "network.reconstruction"):
        assert get(page.state.settings, name) is True
        form.rows[name].control.click()
        assert get(page.state.settings, name) is False
    page.training.preparing.set_value("network.backbone.kind", "dinov3")
    assert get(page.state.settings, "network.backbone.dim") == 384
    assert "DINOv3" in page.state.faults["backbone"]
    assert not page.steps[1].done
    assert get(page.state.settings, "network.backbone.reduction") == 2  # as fits its stride
    assert page.settings.network.currentData() == "dinov3-compact"
    page.training.preparing.set_value("network.backbone.kind", "none")
    assert get(page.state.settings, "network.backbone.kind") == "none"
    assert get(page.state.settings, "network.backbone.dim") == 128
    assert "backbone" not in page.state.faults


@pytest.mark.parametrize("name", ["compact", "dinov3-compact", "paper"])
def test_every_network_can_be_chosen(page, name):
    page.training.preparing.choose_parent(None)
    box = page.settings.network
    box.setCurrentIndex(box.findData(name))
    box.activated.emit(box.currentIndex())
    networks = page.state.capabilities.networks
    assert sorted(networks) == sorted(box.itemData(k) for k in range(box.count()))
    assert page.state.settings["network"] == networks[name]
    assert box.currentData() == name
    assert page.settings.backbone.isVisibleTo(page.settings) == (name != "compact")


def weights(folder: Path, kind: str) -> Path:
    """A file for DINOv3 ViT-S/16: whole (its tensors are zeros on a sparse disk), or wrong."""
    path = folder / f"{kind}.safetensors"
    if kind == "foreign":
        path.write_bytes((PACKS / "mif-compact.safetensors").read_bytes())
        return path
    with torch.device("meta"):
        state = Dinov3Backbone(BackboneConfig()).vit.state_dict()
    size, name = (1, "I8") if kind == "int8" else (2, "F16")
    header, end = {}, 0
    for key, tensor in state.items():
        begin, end = end, end + tensor.numel() * size
        header[key] = {"dtype": name, "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + (end // 2 if kind == "truncated" else end))
    return path


@pytest.mark.parametrize("kind", ["whole", "foreign", "int8", "truncated", "missing", "text"])
def test_a_file_that_is_no_dinov3_is_told_at_once_and_gets_no_tick(qtbot, page, tmp_path, kind):
    state, preparing = page.state, page.training.preparing
    preparing.choose_parent(None)
    preparing.set_network("paper")
    path = tmp_path / f"{kind}.safetensors"
    if kind == "text":
        path.write_text("no weights")
    elif kind != "missing":
        path = weights(tmp_path, kind)
    preparing.set_value("backbone", str(path))
    assert "being looked at" in state.faults["backbone"]  # by a worker: nothing is known yet
    assert not page.steps[1].done
    qtbot.waitUntil(lambda: "being looked at" not in state.faults.get("backbone", ""), timeout=WAIT)
    note = page.settings.backbone.note
    if kind == "whole":
        assert state.faults == {}
        assert page.steps[1].done
        assert not note.property("warns")
        return
    assert page.steps[1].warns
    assert not page.steps[1].done
    assert note.property("warns")
    wanted = {"missing": "not there", "text": "read", "truncated": "ends before its last tensor"}
    assert wanted.get(kind, "Not a vit_small_patch16_dinov3") in note.text()
    preparing.set_value("backbone", str(weights(tmp_path, "whole")))
    qtbot.waitUntil(lambda: state.faults == {}, timeout=WAIT)


def test_a_window_by_hand_is_entered_checked_and_kept(qtbot, page, data):
    prepare(qtbot, page, data)
    row = page.settings.advanced.rows["window_a"]
    for text in ("2", "29300"):
        row.control.low.setText(text)
        row.control.low.textEdited.emit(text)
    assert page.state.settings["window_a"] == ("29300", "")
    assert "two numbers" in row.fault.text()
    assert row.control.low.text() == "29300"
    assert not page.start.start.isEnabled()
    row.control.high.setText("30900")
    row.control.high.textEdited.emit("30900")
    assert page.state.settings["window_a"] == (29300.0, 30900.0)
    assert page.state.faults == {}
    page.training.preparing.choose_preset("quick")
    assert page.state.settings["window_a"] == (29300.0, 30900.0)
    for line in (row.control.low, row.control.high):
        line.setText("")
        line.textEdited.emit("")
    assert page.state.settings["window_a"] is None
    assert page.state.faults == {}


def test_pictures_are_looked_at_once_the_settings_can_be_used(qtbot, page, data, tmp_path):
    prepare(qtbot, page, data)
    page.training.preparing.set_value("window_b", ("7", ""))
    page.training.preparing.survey()
    page.training.preparing.set_data([make_pairs(tmp_path / "other", 4)])
    qtbot.wait(300)
    assert page.state.problem is None
    assert page.state.report is None
    assert "cannot be used" not in page.steps[0].body
    page.training.preparing.set_value("window_b", (0.0, 255.0))
    reported(qtbot, page)
    assert page.state.problem is None
    assert page.state.report.count("train") + page.state.report.count("validation") == 4


@pytest.mark.parametrize("there", [True, False])
def test_the_tensorboard_switch_is_there_or_says_what_to_do(qtbot, page, monkeypatch, there):
    real = importlib.util.find_spec
    spec = SimpleNamespace() if there else None
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: spec if name == "tensorboard" else real(name)
    )
    with qtbot.waitSignal(page.state.capabilities_changed, timeout=WAIT):
        page.training.preparing.open()
    page.show_step(1)
    page.settings.toggle.setChecked(True)
    assert page.settings.board.isVisible() is there
    assert page.settings.no_board.isVisible() is not there
    assert "pip install tensorboard" in page.settings.no_board.text()
    if there:
        page.settings.board.click()
        assert page.state.tensorboard


def test_the_network_of_a_parent_is_fixed(page, home):
    page.training.preparing.choose_parent(home / "packs" / "tiny.safetensors")
    assert get(page.state.settings, "network.channels") == 8
    assert not page.settings.advanced.rows["network.channels"].control.isEnabled()
    page.training.preparing.choose_parent(None)
    assert page.settings.advanced.rows["network.channels"].control.isEnabled()


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_saved_settings_are_those_the_command_line_reads(qtbot, page, tmp_path, suffix):
    for name, value in {"exclude": ["a_*", 'q"\\*'], "lr_lower": 1e-3, "jitter": 0.5}.items():
        page.training.preparing.set_value(name, value)
    path = tmp_path / f"mine.{suffix}"
    with qtbot.waitSignal(page.state.message_changed, timeout=WAIT):
        page.training.preparing.save(path)
    saved = load_config(path)
    assert saved == train_adapter.validate_python(page.state.settings)
    assert saved.exclude == ("a_*", 'q"\\*')


def test_a_bad_settings_file_is_told_and_changes_nothing(qtbot, page, tmp_path):
    before = page.state.settings
    path = tmp_path / "bad.toml"
    path.write_text("task = 'mif'\nsteps = -3\n", encoding="utf-8")
    with qtbot.waitSignal(page.state.problem_changed, timeout=WAIT):
        page.training.preparing.load(path)
    assert "steps" in page.card.title.text()
    assert page.state.settings == before


def test_dotted_values():
    values = {"a": {"b": {"c": 1, "d": 2}}}
    assert get(values, "a.b.c") == 1
    assert get(values, "a.x.c") is None
    assert put(values, "a.b.c", 5) == {"a": {"b": {"c": 5, "d": 2}}}
    assert values["a"]["b"]["c"] == 1
    assert put({"losses": None}, "losses.edge", 1) == {"losses": {"edge": 1}}


def test_numbers_as_people_say_them():
    assert [duration(s) for s in (0.2, 89, 91, 5399, 5500, 36_000, 200_000)] == [
        "1 s",
        "89 s",
        "2 min",
        "90 min",
        "1.5 h",
        "10 h",
        "2.3 days",
    ]
    assert [memory(b) for b in (3.2e8, 2.34e9)] == ["320 MB", "2.3 GB"]
    assert [pace(s) for s in (0.0, 0.25, 3.14159)] == ["", "4 steps per second", "3.14 s per step"]


# --- the page ----------------------------------------------------------------------------------


def test_the_keyboard_reaches_and_names_everything(qtbot, page, data):
    prepare(qtbot, page, data)
    page.settings.toggle.setChecked(True)
    kinds = (QAbstractButton, QLineEdit, QSpinBox, QComboBox)
    for place in range(3):
        page.show_step(place)
        QApplication.processEvents()
        for kind in kinds:
            for widget in page.findChildren(kind):
                inner = widget.parent()
                if isinstance(inner, (QSpinBox, QComboBox)) or not widget.isVisibleTo(page):
                    continue
                if "qt_" in widget.objectName() or widget.inherits("QTableCornerButton"):
                    continue
                label = getattr(widget, "text", str)()
                assert widget.accessibleName() or label or widget.toolTip(), widget
                assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus or not widget.isEnabled(), (
                    label,
                    widget,
                )
    page.show_step(0)
    page.steps[0].setFocus()
    QTest.keyClick(page.steps[0], Qt.Key.Key_Down)
    assert page.stack.currentIndex() == 1


@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_fits_1024_by_768_in_both_looks(qtbot, page, data, look):
    prepare(qtbot, page, data)
    theme.set_appearance(look)
    page.resize(1024, 660)
    page.settings.toggle.setChecked(True)
    for place in range(3):
        page.show_step(place)
        QApplication.processEvents()
        assert page.size().toTuple() == (1024, 660)
        for widget in (page.start, page.stack, *page.steps):
            assert inside(widget, page)
    theme.set_appearance("system")


def inside(widget: QWidget, page: QWidget) -> bool:
    return page.rect().contains(widget.mapTo(page, widget.rect().bottomRight()))


def test_a_settings_file_brings_its_task(qtbot, page, tmp_path: Path):
    page.training.preparing.load(settings_file(tmp_path, task="mff"))
    qtbot.waitUntil(lambda: page.state.data.task == "mff", timeout=WAIT)
    assert page.data.task.currentData() == "mff"
    assert page.state.settings["task"] == "mff"


# --- what kind of pictures ---------------------------------------------------------------------


def worded(folder: Path, words: tuple[str, str]) -> Path:
    """Four pairs in one folder, whose names differ in a word."""
    pairs = make_pairs(folder.with_name("source"), 4)
    folder.mkdir()
    for side, word in zip("ab", words, strict=True):
        for path in (pairs / side).iterdir():
            (folder / f"{path.stem}_{word}.png").write_bytes(path.read_bytes())
    return folder


def test_the_kind_is_what_the_names_say_while_nobody_said_anything_else(qtbot, page, tmp_path):
    page.training.preparing.choose_preset("quick")
    page.training.preparing.set_data([worded(tmp_path / "night", ("ir", "vis"))])
    qtbot.waitUntil(lambda: bool(page.state.samples), timeout=WAIT)
    assert page.state.data.task == "ivif"
    assert page.data.task.currentData() == "ivif"
    assert page.state.settings["task"] == "ivif"
    assert "Infrared" in page.state.message
    assert not page.task_mismatch.isVisible()


def test_names_against_a_choice_are_a_card_and_not_an_order(qtbot, page, tmp_path):
    preparing = page.training.preparing
    preparing.choose_task("mif")
    preparing.set_data([worded(tmp_path / "night", ("ir", "vis"))])
    reported(qtbot, page)
    assert page.state.data.task == "mif"
    assert page.task_mismatch.isVisible()
    assert "Infrared" in page.task_mismatch.text.text()
    assert page.start.start.isEnabled()
    page.task_mismatch.buttons["keep"].click()
    assert not page.task_mismatch.isVisible()
    assert page.state.data.task == "mif"
    preparing.set_share(0.5)
    reported(qtbot, page)
    assert page.task_mismatch.isVisible()
    page.task_mismatch.buttons["change"].click()
    reported(qtbot, page)
    assert page.state.data.task == "ivif"
    assert not page.task_mismatch.isVisible()


def test_where_names_say_nothing_the_kind_is_asked_once(qtbot, page, data, tmp_path):
    preparing, state = page.training.preparing, page.state
    preparing.set_data([data])
    reported(qtbot, page)
    assert page.task_mismatch.isVisible()
    assert [b.text() for b in page.task_mismatch.buttons.values()] == [
        task.title for task in TASKS.values()
    ]
    assert "what kind" in page.start.missing.text()
    assert page.steps[0].warns
    page.training.start()
    assert state.phase == "setup"
    QTest.mouseClick(page.task_mismatch.buttons["mff"], Qt.MouseButton.LeftButton)
    reported(qtbot, page)
    assert state.data.task == state.settings["task"] == "mff"
    assert not page.task_mismatch.isVisible()
    assert page.steps[0].done
    assert page.start.start.isEnabled()
    # Asked anew for other pictures, and never again for these.
    preparing.set_data([make_pairs(tmp_path / "other", 6)])
    reported(qtbot, page)
    assert page.task_mismatch.isVisible()
    QTest.mouseClick(page.task_mismatch.buttons["mif"], Qt.MouseButton.LeftButton)
    reported(qtbot, page)
    preparing.set_data([data])
    reported(qtbot, page)
    assert state.data.task == "mff"
    assert not page.task_mismatch.isVisible()
    preparing.set_share(0.5)
    reported(qtbot, page)
    assert not page.task_mismatch.isVisible()


def test_a_kind_that_was_said_before_is_not_asked(qtbot, page, data, tmp_path):
    page.training.preparing.choose_task("mef")
    page.training.preparing.set_data([data])
    reported(qtbot, page)
    assert not page.task_mismatch.isVisible()
    assert page.state.data.task == "mef"
    page.training.preparing.set_data([worded(tmp_path / "night", ("ir", "vis"))])
    qtbot.waitUntil(lambda: page.state.data.task == "ivif", timeout=WAIT)
    assert not page.task_mismatch.isVisible()


def test_some_pairs_are_shown_as_they_will_be_learnt_from(qtbot, page, data):
    page.training.preparing.set_data([data])
    qtbot.waitUntil(lambda: bool(page.state.samples), timeout=WAIT)
    shown = page.data.samples
    assert shown.isVisible()
    assert len(shown.samples) == 4
    assert all(sample.a is not None and sample.b is not None for sample in shown.samples)
    # Each picture has its structure in another half: A is not B.
    first = shown.samples[0]
    assert first.a != first.b
    page.training.preparing.set_swapped(True)
    qtbot.waitUntil(lambda: bool(page.state.samples), timeout=WAIT)
    assert shown.samples[0].a == first.b
    page.training.preparing.set_data([])
    assert not shown.isVisible()


def test_a_number_is_shown_as_it_is_or_refused_and_never_cut_to_fit(page):
    for field in FIELDS:
        if field.kind != "int" or field.name not in page.settings.advanced.rows:
            continue
        row = page.settings.advanced.rows[field.name]
        for value in (field.minimum, field.maximum, field.minimum - 7, field.maximum + 7):
            if isinstance(row.control, QSpinBox) and value >= 2**31:
                continue
            row.show_value(value)
            shown = row.control.value() if isinstance(row.control, QSpinBox) else None
            assert (shown if shown is not None else int(row.control.text())) == value, field.name


def test_a_file_that_only_names_its_pack_gets_the_pack_s_network(qtbot, page, tmp_path, home):
    path = tmp_path / "bare.toml"
    path.write_text('task = "mif"\ninit = "tiny"\nsteps = 7\n')
    with qtbot.waitSignal(page.state.settings_changed, timeout=WAIT):
        page.training.preparing.load(path)
    qtbot.waitUntil(lambda: page.state.settings.get("steps") == 7, timeout=WAIT)
    assert page.state.parent_pack == home / "packs" / "tiny.safetensors"
    assert page.state.settings["network"] == dict(page.state.parent_choice.network)
    path.write_text('task = "mif"\ninit = "nowhere.safetensors"\nsteps = 8\n')
    page.training.preparing.load(path)
    qtbot.waitUntil(lambda: page.state.settings.get("steps") == 8, timeout=WAIT)
    assert "nowhere" in page.state.message


# --- looks -------------------------------------------------------------------------------------


def middles(form: QFormLayout) -> dict[str, tuple[int, int]]:
    """Half the height of each name and of the first line of its field, by name."""
    found = {}
    for row in range(form.rowCount()):
        name = form.itemAt(row, QFormLayout.ItemRole.LabelRole).widget()
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole).widget()
        if not name.isVisible() or not name.text():
            continue
        while field.layout() is not None:  # its own first control, not what is said below
            first = field.layout().itemAt(0)
            field = first.widget() or first.layout().itemAt(0).widget()
        root = name.parentWidget()
        ends = [part.mapTo(root, part.rect().center()).y() for part in (name, field)]
        found[name.text()] = (ends[0], ends[1])
    return found


def test_names_of_settings_stand_at_half_the_height_of_their_fields(page):
    page.show_step(1)
    page.training.preparing.choose_parent(None)
    page.training.preparing.set_network("paper")
    page.settings.toggle.click()
    page.training.preparing.set_value("batch", 0)  # a fault is told below its field
    QApplication.processEvents()
    forms = [page.settings._form, *page.settings.advanced.findChildren(QFormLayout)]
    found = {name: ends for form in forms for name, ends in middles(form).items()}
    assert len(found) > 25
    assert {"DINOv3 file", "Crops per step", "Window of A", "Compare with truth"} <= set(found)
    assert {name: ends for name, ends in found.items() if abs(ends[0] - ends[1]) > 1} == {}


def test_what_was_said_before_goes_with_the_next_pictures(qtbot, page, data, tmp_path):
    page.state.set_message("Nothing was changed.")
    assert page.message.isVisible()
    page.training.preparing.set_data([tmp_path / "nothing here"])
    qtbot.waitUntil(lambda: page.state.problem is not None, timeout=WAIT)
    assert not page.message.isVisible()
    assert page.state.message == ""


def test_pairs_are_laid_on_each_other_as_in_a_batch(qtbot, page, data, tmp_path):
    prepare(qtbot, page, data)
    state, panel = page.state, page.data
    page.training.preparing.stop()  # what the run costs is no matter here
    assert panel.crop.isHidden()
    by = Transform.of("translation", [[1, 0, 3], [0, 1, 0], [0, 0, 1]])
    write_transform(tmp_path / "t.tfm", by)
    before = state.report
    panel.align.choose_file(str(tmp_path / "t.tfm"))
    qtbot.waitUntil(lambda: state.report is not before, timeout=WAIT)
    assert state.settings["align"] == f"file {tmp_path / 't.tfm'}"
    assert not panel.crop.isHidden()
    # B lies 3 pixels to the left of A: some pixels have no data there.
    qtbot.waitUntil(lambda: state.report is not None, timeout=WAIT)
    assert any("without data" in str(note) for note in state.report.notes)
    panel.crop.click()
    assert state.settings["align_crop"] is True
    # A way that is gone is said when the pairs are looked at.
    panel.align.choose_file(str(tmp_path / "gone.tfm"))
    qtbot.waitUntil(lambda: state.problem is not None, timeout=WAIT)
    assert "gone.tfm" in str(state.problem)
    page.training.preparing.choose_preset("fine")  # it is about the data, like windows
    assert state.settings["align"].endswith("gone.tfm")

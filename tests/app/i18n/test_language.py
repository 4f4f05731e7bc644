"""Texts: all of them found, all of them translated, and the window speaks them."""

from __future__ import annotations

import gettext
import json
import string
import time

import numpy as np
import pytest
from babel.messages.catalog import Catalog
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from app.i18n import language
from app.i18n.translate import plural, tr, translate
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from core.baselines import BASELINES
from core.io.nodata import note_of
from core.messages import from_data, to_data
from core.metrics import DEFINITIONS, METRIC_GROUPS, METRICS
from core.tasks import TASKS
from tests.app.catalogue import all_texts
from tools.i18n.update import (
    is_translated,
    languages,
    path_of,
    read,
    source_of,
    template,
    update,
)
from trainer.config.config import TrainConfig
from trainer.config.form import FIELDS, validate, values_of
from trainer.config.presets import PRESETS

SAME_IN_GERMAN = {
    "Scheduler",
    "MASTER_ADDR {0}",
    "MASTER_PORT {0}",
    "DICOM (DIMSE)",
    "Patient",
    "Port",
    "Ellipse",
    "Region",
    "MTV",
    "Minimum",
    "Peak (1 cm³)",
    "SD",
    "TLG",
    "DICOM",
    "Ablation",
    "Rig: {0}",
    "Test",
    "{0} ms",
    "Adapter",
    "Encoder",
    "axial",
    "mm",
    "SUV",
    "SUV ≥ {0:g}",
    "sagittal",
    "A",
    "Computer",
    "PSNR (dB)",
    "B",
    "OK",
    "&OK",
    "RGB",
    "PET",
    "PET / SPECT / CT",
    "Pixel",
    "Viridis",
    "Inferno",
    "Filter",
    "Format",
    "Info",
    "Maximum",
    "Name",
    "Palette",
    "PSNR {0:.1f} dB",
    "Â, PSNR",
    "B̂, PSNR",
    "1/x",
    "Axial",
    "Patient {0}",
    "Sagittal",
    "Tag",
    "Tags",
    "Export",
    "GPU {0}",
    "Gradient",
    "Problem",
    "{0} GB",
    "{0} MB",
    "{0} s",
}
"""Texts whose translation is the English text. Everything else that is alike was forgotten."""


def placeholders(text: str) -> set[str]:
    return {f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(text) if name}


def forms(text) -> list[tuple[str, str]]:
    """(English, translation) of a text; of a counted one, each form beside the one for many."""
    if isinstance(text.id, tuple):
        return [(text.id[-1], form) for form in text.string]
    return [(text.id, text.string)]


@pytest.fixture(scope="module")
def texts():
    return template()


@pytest.fixture(scope="module")
def german():
    return read(path_of("de"), "de")


def test_the_catalogue_has_every_text_in_german(german, texts):
    """When this fails: python -m tools.i18n.update, then fill in what is empty."""
    wanted = {(text.id, text.context) for text in texts if text.id}
    known = {(text.id, text.context) for text in german if text.id}
    assert sorted(map(str, wanted - known)) == []
    assert sorted(map(str, known - wanted)) == []
    assert [text.id for text in german if text.id and not is_translated(text)] == []


def test_the_files_are_what_an_update_would_write(german, texts, tmp_path):
    path = path_of("de", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(path_of("de").read_bytes())
    update("de", texts, tmp_path)
    assert path.read_bytes() == path_of("de").read_bytes()
    assert path.with_suffix(".mo").read_bytes() == path_of("de").with_suffix(".mo").read_bytes()


def test_translations_are_not_the_english_text_and_keep_its_placeholders(german):
    for text in german:
        for source, done in forms(text) if text.id else ():
            assert source != done or source in SAME_IN_GERMAN, source
            assert source.endswith("…") == done.endswith("…"), source
            if isinstance(text.id, tuple):  # “one pair” needs no number
                assert placeholders(done) <= placeholders(source), source
            else:
                assert placeholders(done) == placeholders(source), source
        if isinstance(text.id, tuple):
            assert placeholders(text.string[-1]) == placeholders(text.id[1]), text.id


def test_the_window_speaks_german(qapp, qtbot, engine, samples):
    try:
        assert language.install(qapp, "de") == "de"
        window = MainWindow(lambda: engine, samples, "mif")
        qtbot.addWidget(window)
        titles = [action.text() for action in window.menuBar().actions() if action.isVisible()]
        assert titles[0] == "&Datei"
        assert window.actions_.fuse.text() == "Fusionieren"
        assert window.actions_.fuse.toolTip().startswith("Fusionieren (")
        assert window.view.panes["recon_a"].title.text() == "Rekonstruktion A"
        assert translate("encoding") == "Kodieren"
    finally:
        assert language.install(qapp, "en") == "en"
    assert translate("encoding") == "encoding"
    assert translate("") == ""


@pytest.mark.parametrize(
    ("choice", "wanted", "expected"),
    [
        ("system", ["de-AT", "en-US"], "de"),
        ("system", ["fr-FR", "de"], "de"),
        ("system", ["fr-FR"], "en"),
        ("system", ["en_GB", "de-DE"], "en"),
        ("system", [], "en"),
        ("de", ["en"], "de"),
        ("en", ["de"], "en"),
        ("xx", ["de"], "de"),
        ("system", ["pt-BR"], "pt_BR"),
    ],
)
def test_the_language_follows_the_choice_then_the_system(choice, wanted, expected):
    assert language.available() == ("en", "de")
    assert language.resolved(choice, wanted, ("en", "de", "pt_BR")) == expected


def test_what_the_engine_says_is_among_the_texts():
    said = all_texts()
    assert {task.title for task in TASKS.values()} <= said
    assert {"loading the model", "encoding", "fusing", "reconstructing", "done"} <= said
    words = {w for f in FIELDS for w in (f.title, f.help, f.unit, f.group) if w.strip(" ×1")}
    assert words | {p.title for p in PRESETS} | {p.description for p in PRESETS} <= said
    for m in METRICS.values():
        assert {m.title, m.explanation, METRIC_GROUPS[m.group], DEFINITIONS[m.definition]} <= said
        assert not m.undefined_when or m.undefined_when in said
    assert {b.title for b in BASELINES.values()} <= said


def test_what_is_wrong_with_a_setting_is_said_in_german(qapp):
    values = values_of(TrainConfig("mif"))
    faults = validate({**values, "steps": 0, "crop": 100, "lr_upper": "x"})
    language.install(qapp, "de")
    said = sorted(translate(fault) for fault in faults.values())
    language.install(qapp, "en")
    assert said == [
        "muss ein Vielfaches von 16 sein",
        "muss eine Zahl sein",
        "muss mindestens 1 sein",
    ]


# --- catalogues --------------------------------------------------------------------------------


@pytest.fixture
def polish(qapp, texts, tmp_path, monkeypatch):
    """A third language, with three plural forms, of which only a few texts are translated."""
    folder = tmp_path / "i18n"
    some = Catalog(locale="pl")
    some.add(("{0} pair", "{0} pairs"), ("{0} para", "{0} pary", "{0} par"))
    some.add(
        ("{0} pixel holds no data and is filled from the other source.",
         "{0} pixels hold no data and are filled from the other source."),
        ("{0} piksel", "{0} piksele", "{0} pikseli"),
    )  # fmt: skip
    some.add("Fuse", "Połącz")
    some.add("Cancel", "Anuluj")
    some.add("Fit", "Dopasuj")
    some.add("Fit", "Całość", context="button")
    path = path_of("pl", folder)
    path.parent.mkdir(parents=True)
    path.write_bytes(source_of(some))
    update("pl", texts, folder)
    monkeypatch.setattr(language, "FOLDER", folder)
    assert language.available() == ("en", "pl")
    assert language.install(qapp, "pl") == "pl"
    yield folder
    monkeypatch.undo()
    assert language.install(qapp, "en") == "en"


def test_a_third_language_is_a_file_and_no_code(polish, qtbot, engine, samples, tmp_path):
    settings = Settings(tmp_path)
    settings.set_language("pl")
    assert settings.language == "pl"
    settings.set_language("de")  # of which there is no catalogue here
    assert settings.language == "system"
    window = MainWindow(lambda: engine, samples, "mif")
    qtbot.addWidget(window)
    assert {name: a.text() for name, a in window.actions_.languages.items()} == {
        "system": "As the system",
        "en": "English",
        "pl": "Polski",
    }
    assert window.actions_.fuse.text() == "Połącz"
    assert window.actions_.save.text().startswith("Save"), "what is missing is English"


def test_plurals_are_those_of_the_language(polish):
    said = [plural("{0} pair", "{0} pairs", n).format(n) for n in (1, 2, 5, 22)]
    assert said == ["1 para", "2 pary", "5 par", "22 pary"]
    notes = [note_of(np.arange(9) >= n, [])[0] for n in (1, 3, 6)]
    assert notes[0] == "1 pixel holds no data and is filled from the other source."
    assert [translate(note) for note in notes] == ["1 piksel", "3 piksele", "6 pikseli"]
    kept = [from_data(json.loads(json.dumps(to_data(note)))) for note in notes]
    assert [translate(note) for note in kept] == ["1 piksel", "3 piksele", "6 pikseli"]
    assert plural("{0} thing", "{0} things", 5) == "{0} things", "what is missing is English"


def test_counted_texts_of_older_records_are_translated(german, qapp):
    old = {
        "said": ["{0} pairs have pixels without data; they are filled from the other source.", 4]
    }
    language.install(qapp, "de")
    said = translate(from_data(old))
    language.install(qapp, "en")
    assert said.startswith("4 Paare")


def test_a_context_tells_texts_apart_that_are_alike(polish):
    widget = QWidget()
    assert widget.tr("Fit", "button") == "Całość"
    assert widget.tr("Fit") == tr("Fit") == "Dopasuj"
    assert widget.tr("Fuse", "no such context") == "Połącz"


def test_texts_of_qt_itself_are_translated(polish):
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    text = buttons.button(QDialogButtonBox.StandardButton.Cancel).text()
    assert text.replace("&", "") in ("Anuluj", "Cancel")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Anuluj"
    assert QCoreApplication.translate("QPlatformTheme", "Retry") == "Retry"


@pytest.mark.parametrize(
    "content", [b"", b"no catalogue at all", b"\xde\x12\x04\x95" + b"\xff" * 40]
)
def test_a_damaged_catalogue_leaves_the_program_english(polish, qapp, content):
    gettext._translations.clear()
    path_of("pl", polish).with_suffix(".mo").write_bytes(content)
    assert language.install(qapp, "pl") == "pl"
    assert translate("Fuse") == "Fuse"


def test_an_update_keeps_translations_adds_what_is_new_and_drops_what_is_gone(tmp_path):
    package = tmp_path / "app"
    package.mkdir()
    source = package / "one.py"
    source.write_text(
        'self.tr("kept")\nself.tr("two " "pieces")\nowner.tr("Fit", "button")\n'
        'Message("{0}: {1}", Message("inner"), 3)\nMessage.plural("{0} x", "{0} xs", n)\n'
        '_A = template("later {0}")\nprint("not this")\n',
        "utf-8",
    )
    (package / "cli").mkdir()
    (package / "cli" / "two.py").write_text('tr("English for ever")\n', "utf-8")
    found = {(text.id, text.context) for text in template(tmp_path)}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert found - {(text.id, text.context) for text in template(empty)} == {
        ("kept", None),
        ("two pieces", None),
        ("Fit", "button"),
        ("inner", None),
        (("{0} x", "{0} xs"), None),
        ("later {0}", None),
    }
    known = Catalog(locale="de")
    known.add("kept", "behalten")
    known.add("gone", "weg")
    path = path_of("de", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(source_of(known))
    made = update("de", template(tmp_path), tmp_path)
    assert made.get("kept").string == "behalten"
    assert made.get("gone") is None
    assert not is_translated(made.get("two pieces"))
    assert languages(tmp_path) == ["de"]


def test_texts_are_looked_up_fast(qapp):
    """The window asks for some hundreds while it starts."""
    language.install(qapp, "de")
    asked = sorted(all_texts())
    start = time.perf_counter()
    for text in asked:
        QCoreApplication.translate("MainWindow", text)
    passed = time.perf_counter() - start
    language.install(qapp, "en")
    assert passed / len(asked) < 50e-6

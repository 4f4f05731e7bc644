"""Texts: all of them found, all of them translated, and the window speaks them."""

from __future__ import annotations

import string
import textwrap

import pytest
from PySide6.QtCore import QTranslator

from app.i18n import language
from app.i18n.translate import translate
from app.shell.main_window import MainWindow
from core.tasks import TASKS
from tools.i18n.engine_messages import STAGES
from tools.i18n.extract import Text, find
from tools.i18n.update import FOLDER, ROOT, read_ts, release, wanted_texts, write_ts
from trainer.config.config import TrainConfig
from trainer.config.form import FIELDS, validate, values_of
from trainer.config.presets import PRESETS

SAME_IN_GERMAN = {
    "A",
    "B",
    "OK",
    "&OK",
    "RGB",
    "PSNR (dB)",
    "PET",
    "PET / SPECT / CT",
    "Pixel",
    "Viridis",
    "Inferno",
    "Computer",
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
    "Export",
    "GPU {0}",
    "Gradient",
    "Problem",
    "{0} GB",
    "{0} MB",
    "{0} s",
}
"""Texts whose translation is the English text. Everything else that is alike was forgotten."""


@pytest.fixture(scope="module")
def german() -> dict[Text, str]:
    return read_ts(FOLDER / "unifusion_de.ts")


def placeholders(text: str) -> list[str]:
    return sorted(f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(text) if name)


def test_every_text_of_the_window_can_be_looked_up():
    _texts, unread = find(ROOT)
    # translate() hands on what the engine says: those texts are listed by engine_texts().
    said = [
        u for u in unread if u.code.startswith("translate(") or u.file == "app/i18n/translate.py"
    ]
    assert [u for u in unread if u not in said] == []


def test_every_text_has_a_german_translation(german):
    """When this fails: python -m tools.i18n.update, then fill in what is unfinished."""
    wanted = wanted_texts()
    assert sorted(wanted - german.keys()) == []
    assert sorted(german.keys() - wanted) == []
    assert sorted(text for text, done in german.items() if not done.strip()) == []


def test_translations_are_not_the_english_text_and_keep_its_placeholders(german):
    alike = {text.source for text, done in german.items() if text.source == done}
    assert sorted(alike - SAME_IN_GERMAN) == []
    wrong = [t for t, done in german.items() if placeholders(t.source) != placeholders(done)]
    assert wrong == []
    cut = [t for t, done in german.items() if t.source.endswith("…") != done.endswith("…")]
    assert cut == []


def test_what_qt_reads_was_made_from_these_translations(qapp, german):
    translator = QTranslator()
    assert translator.load(str(FOLDER / "unifusion_de.qm"))
    old = {t: translator.translate(t.context, t.source) for t in german}
    assert {t: (old[t], done) for t, done in german.items() if old[t] != done} == {}


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
    ],
)
def test_the_language_follows_the_choice_then_the_system(choice, wanted, expected):
    assert language.available() == ("en", "de")
    assert language.resolved(choice, wanted, ("en", "de")) == expected


def test_what_the_engine_says_is_among_the_texts(german):
    said = {text.source for text in german if text.context == "core"}
    assert {task.title for task in TASKS.values()} | set(STAGES) <= said
    words = {w for f in FIELDS for w in (f.title, f.help, f.group) if w}
    assert words | {p.title for p in PRESETS} | {p.description for p in PRESETS} <= said


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


# --- the finder --------------------------------------------------------------------------------


def test_texts_are_found_in_every_way_they_are_written(tmp_path):
    package = tmp_path / "app"
    package.mkdir()
    (package / "one.py").write_text(
        textwrap.dedent(
            """
            def tr(text):
                return QCoreApplication.translate("jobs", text)
            class First(QWidget):
                def show(self, name):
                    self.tr("in a class")
                    self.tr("two " "pieces")
                    self.tr(name)
                    tr("by a helper")
                    class Inner:
                        def deep(self): self.tr("deeper")
            class Second:
                def show(self): self.tr("in another")
            def name(owner): return owner.tr("of its module")
            QCoreApplication.translate("direct", "said directly")
            """
        ),
        encoding="utf-8",
    )
    (package / "two.py").write_text("from app.one import tr as _\n_('imported')\n", "utf-8")
    texts, unread = find(tmp_path)
    assert texts == {
        Text("First", "in a class"),
        Text("First", "two pieces"),
        Text("jobs", "by a helper"),
        Text("Inner", "deeper"),
        Text("Second", "in another"),
        Text("First", "of its module"),
        Text("direct", "said directly"),
        Text("jobs", "imported"),
    }
    assert [(u.file, u.code) for u in unread] == [("app/one.py", "self.tr(name)")]


def test_translations_survive_the_file_and_reach_qt(qapp, tmp_path):
    path = tmp_path / "unifusion_xx.ts"
    known = {
        Text("A", 'with <&> "quotes"\nand lines'): "mit <&> „Zeichen“\nund Zeilen",
        Text("A", "open"): "",
        Text("B", "open"): "offen",
    }
    write_ts(path, "de", known)
    assert read_ts(path) == known
    release(path)
    translator = QTranslator()
    assert translator.load(str(path.with_suffix(".qm")))
    assert translator.translate("B", "open") == "offen"
    assert translator.translate("A", "open") in ("", None)
    assert translator.translate("A", 'with <&> "quotes"\nand lines').startswith("mit <&>")
    # What is loaded is read from the disk as it is needed, and outlives an update.
    old = path.with_suffix(".qm").stat().st_ino
    kept = path.with_name("kept.qm")
    kept.hardlink_to(path.with_suffix(".qm"))
    before = kept.read_bytes()
    write_ts(path, "de", {Text("B", "open"): "auf"})
    release(path)
    assert kept.stat().st_ino == old != path.with_suffix(".qm").stat().st_ino
    assert kept.read_bytes() == before
    assert translator.translate("B", "open") == "offen"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "kept.qm",
        "unifusion_xx.qm",
        "unifusion_xx.ts",
    ]

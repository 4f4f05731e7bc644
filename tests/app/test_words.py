"""What the engine says reaches the person in their language: names, stages, errors."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTranslator

from app.i18n.translate import translate, translate_error
from core.errors import FusionError, InputError, Message, SizeMismatch
from core.io import read_image
from tools.i18n.engine_messages import engine_texts, error_texts, speakers_in
from tools.i18n.update import ROOT


class Backwards(QTranslator):
    """Says the engine's words backwards, placeholders apart."""

    def __init__(self):
        super().__init__()
        self.known = engine_texts()

    def translate(self, context, text, disambiguation=None, n=-1):
        if context != "core" or text not in self.known:
            return None
        return " ".join(word if "{" in word else word[::-1] for word in text.split(" "))


@pytest.fixture
def backwards(qapp):
    translator = Backwards()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def test_an_error_is_said_in_the_other_language_with_its_values(backwards):
    what, why, remedy = translate_error(SizeMismatch((640, 480), (320, 200)))
    assert what == "ehT owt serutcip reffid ni ezis"
    assert why == "A si {}×{} slexip dna B si {}×{}".replace("{}×{}", "640×480", 1).replace(
        "{}×{}", "320×200", 1
    )
    assert remedy.startswith("elpmaseR B")


def test_errors_from_real_files_are_translatable_and_the_name_stays(backwards, tmp_path: Path):
    path = tmp_path / "Ümlaut {0}.png"
    path.write_bytes(b"")
    with pytest.raises(InputError) as caught:
        read_image(path)
    what, why, _ = translate_error(caught.value)
    assert what == str(path)
    assert why == "eht elif si ytpme"
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / "none.png")
    assert translate_error(caught.value)[1] == "ereht si on hcus elif"


def test_said_is_the_english_text_wherever_nobody_translates():
    text = Message("{0} of {1}", "a {brace}", 3)
    assert text == "a {brace} of 3"
    assert str(FusionError(text, Message("because {0}", 1))) == "a {brace} of 3: because 1."
    again = pickle.loads(pickle.dumps(text))  # noqa: S301
    assert (again, again.template, again.values) == (text, "{0} of {1}", ("a {brace}", 3))
    assert translate(text) == text
    assert FusionError(f" {text} ").what == text


def test_the_templates_of_common_errors_are_among_the_texts():
    texts = error_texts()
    assert "A is {0}×{1} pixels and B is {2}×{3}" in texts
    assert "A picture of {0}×{1} pixels does not fit {2}" in texts
    assert "Cannot write {0}" in texts
    assert "Get the pack again, or choose another one." in texts, "a constant by its name"
    assert texts < engine_texts()


def test_texts_chosen_by_a_condition_or_given_back_by_a_function_are_found():
    texts = error_texts()
    assert "Choose a smaller picture or close other programs." in texts, "one of two remedies"
    assert "this build of torch has no CUDA" in texts, "what _why_no_cuda() gives back"
    assert "a CUDA GPU is present" in texts, "the reason of a device"
    assert "looking at pairs" in texts, "a stage"
    assert not {"cpu", "cuda", "mif", "safetensors"} & texts, "names are no texts"


def test_the_trainer_is_read_too():
    texts = engine_texts()
    assert {"this run is going on already", "the memory ran out while timing a step"} <= texts
    assert {"Crops per step", "per step", "Quick look", "sharper"} <= texts
    assert {"must be at least {0}", "must be a whole number"} <= texts
    assert not {"fp32", "dinov3", "1", "×", ""} & texts


_GIVE_SAID = {
    "Match": 3,
    "Leftover": 1,
    "BadPair": 1,
    "Todo": 1,
    "Change": 2,
    "DeviceChoice": 2,
    "BrokenPack": 1,
    "damaged": 1,
    "check_frames": 2,
    "_left": 1,
    "_note": 0,
}
"""Calls by which reasons and notes are given, and the place of the text."""


def test_errors_of_every_kind_are_collected():
    texts = error_texts()
    assert "Bring that pack back, choose another folder, or begin anew." in texts  # OtherPack
    assert "Free some space, then go on with the batch." in texts  # DiskFull


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("core", "trainer"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield f"{path.name}:{node.lineno}", node


def _name(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _has_words(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and any(sign.isalpha() for sign in part.value)
        for part in ast.walk(node)
    )


def test_no_text_for_people_is_put_together_where_it_could_not_be_looked_up():
    """An f-string with words in it stays English: a Message with a literal template does not."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for package in ("core", "trainer")
        for path in (ROOT / package).rglob("*.py")
    ]
    speakers = speakers_in(trees)
    assert {"Message", "InputError", "DiskFull", "Diverged"} <= speakers
    wrong = [
        f"{where} {ast.unparse(given)}"
        for where, node in _calls()
        if _name(node) in speakers
        for given in (*node.args, *(word.value for word in node.keywords))
        for part in ast.walk(given)
        if isinstance(part, ast.JoinedStr) and _has_words(part)
    ]
    assert wrong == []


def test_reasons_and_notes_are_texts_with_a_template():
    wrong = []
    for where, node in _calls():
        place = _GIVE_SAID.get(_name(node))
        given = node.args[place : place + 1] if place is not None else []
        given += [w.value for w in node.keywords if w.arg in ("reason", "note", "notes", "text")]
        for text in given if place is not None else ():
            is_literal = isinstance(text, (ast.Constant, ast.JoinedStr)) and _has_words(text)
            wrong += [f"{where} {ast.unparse(text)}"] if is_literal else []
    assert wrong == []


def test_notes_are_appended_as_texts_with_a_template():
    holders = {"notes", "problems", "warnings", "words"}
    wrong = [
        f"{where} {ast.unparse(node)}"
        for where, node in _calls()
        if _name(node) == "append"
        and getattr(getattr(node.func, "value", None), "id", "") in holders
        and isinstance(node.args[0], (ast.Constant, ast.JoinedStr))
        and where.partition(":")[0] != "evaluation.py"  # tables of the command line
    ]
    assert wrong == []


def test_embedded_packs_titles_are_among_the_texts():
    assert "PET, SPECT or CT with MRI (compact)" in engine_texts()

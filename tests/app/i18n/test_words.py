"""What the engine says reaches the person in their language: names, stages, errors."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path

import pytest

from app.i18n import language
from app.i18n.translate import translate, translate_error
from core.errors import FusionError, InputError, Message, SizeMismatch
from core.io import read_image
from tests.app.catalogue import all_texts
from tools.i18n.update import ROOT


class Backwards(NullTranslations):
    """Says the program's words backwards, placeholders apart."""

    def gettext(self, message):
        if message not in all_texts():
            return message
        return " ".join(word if "{" in word else word[::-1] for word in message.split(" "))


@pytest.fixture
def backwards(monkeypatch):
    monkeypatch.setattr(language, "_current", Backwards())


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
    texts = all_texts()
    assert "A is {0}×{1} pixels and B is {2}×{3}" in texts
    assert "A picture of {0}×{1} pixels does not fit {2}" in texts
    assert "Cannot write {0}" in texts
    assert "Get the pack again, or choose another one." in texts, "a constant by its name"


def test_texts_chosen_by_a_condition_or_given_back_by_a_function_are_found():
    texts = all_texts()
    assert "Choose a smaller picture or close other programs." in texts, "one of two remedies"
    assert "this build of torch has no CUDA" in texts, "what _why_no_cuda() gives back"
    assert "a CUDA GPU is present" in texts, "the reason of a device"
    assert "looking at pairs" in texts, "a stage"
    assert not {"cpu", "cuda", "mif", "safetensors"} & texts, "names are no texts"


def test_the_trainer_is_read_too():
    texts = all_texts()
    assert {"this run is going on already", "the memory ran out while timing a step"} <= texts
    assert {"Crops per step", "per step", "Quick look", "sharper"} <= texts
    assert {"must be at least {0}", "must be a whole number"} <= texts
    assert not {"fp32", "dinov3", "1", "×", ""} & texts


_GIVE_SAID = {
    "Match": 3,
    "Leftover": 1,
    "BadPair": 1,
    "record": 1,
    "DeviceChoice": 2,
    "BrokenPack": 1,
    "damaged": 1,
    "check_frames": 2,
    "_left": 1,
    "_note": 0,
}
"""Calls by which reasons and notes are given, and the place of the text."""


def test_errors_of_every_kind_are_collected():
    texts = all_texts()
    assert "Bring that pack back, choose another folder, or begin anew." in texts  # OtherPack
    assert "Free some space, then go on with the batch." in texts  # DiskFull


def _trees(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.parent.name != "cli" and path.stem != "display_server":  # which speak English
                yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def _calls(*packages: str) -> Iterator[tuple[str, ast.Call]]:
    for name, tree in _trees(*(packages or ("core", "trainer"))):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{name}:{node.lineno}", node


def _name(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _has_words(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and any(sign.isalpha() for sign in part.value)
        for part in ast.walk(node)
    )


def _errors() -> set[str]:
    """Names of all errors for people."""
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for _, tree in _trees("app", "core", "trainer")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    errors = {"FusionError"}
    while more := {name for name, its in bases.items() if its & errors} - errors:
        errors |= more
    return errors


def _literals(value: ast.expr) -> Iterator[ast.expr]:
    """Literal texts with words that ``value`` may be, not those inside of calls."""
    if isinstance(value, ast.IfExp):
        yield from (*_literals(value.body), *_literals(value.orelse))
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _literals(part)
    elif isinstance(value, (ast.Constant, ast.JoinedStr)) and _has_words(value):
        yield value


def test_errors_and_stages_are_made_of_texts_that_can_be_looked_up():
    """A plain literal or an f-string with words stays English: a Message does not."""
    errors = _errors()
    assert {"InputError", "DiskFull", "Diverged"} <= errors
    wrong = [
        f"{where} {ast.unparse(text)}"
        for where, node in _calls("app", "core", "trainer")
        if _name(node) in errors or _name(node) in ("report", "stage")
        for given in (*node.args, *(word.value for word in node.keywords))
        for text in _literals(given)
    ]
    assert wrong == []


def test_every_text_to_be_translated_is_a_literal_where_babel_finds_it():
    own = {"translate.py", "messages.py"}  # which hand on what they are given
    wrong = []
    for name, tree in _trees("app", "core", "trainer"):
        constants = {
            node.targets[0].id
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _name(node.value) == "template"
        }
        for node in ast.walk(tree):
            places = {"tr": 1, "Message": 1, "template": 1, "plural": 2}
            count = places.get(_name(node), 0) if isinstance(node, ast.Call) else 0
            for text in node.args[:count] if count and name not in own else ():
                literal = isinstance(text, ast.Constant) and isinstance(text.value, str)
                if not literal and getattr(text, "id", "") not in constants:
                    wrong.append(f"{name}:{node.lineno} {ast.unparse(node)}")
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
    assert "PET, SPECT or CT with MRI (compact)" in all_texts()

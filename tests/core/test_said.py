"""Texts that remember their template and values: joined, kept as JSON, read back."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from core.errors import FusionError, InputError, SizeMismatch
from core.messages import Message, from_data, to_data


def test_a_text_is_its_english_to_all_who_do_not_ask() -> None:
    text = Message("{0} of {1:.1f}", "a {brace}", 2.25)
    assert text == "a {brace} of 2.2"
    assert {text: 1}["a {brace} of 2.2"] == 1
    assert json.loads(json.dumps([text])) == ["a {brace} of 2.2"]


def test_texts_are_kept_with_template_and_values_through_json() -> None:
    inner = Message("{0}/ and {1}/", "ä", "b")
    text = Message("no file of that name in {0}, {1}, {2}, {3}", inner, 3, 0.5, Path("x/y"))
    data = json.loads(json.dumps(to_data(text)))
    assert data == {
        "said": [
            "no file of that name in {0}, {1}, {2}, {3}",
            {"said": ["{0}/ and {1}/", "ä", "b"]},
            3,
            0.5,
            "x/y",
        ]
    }
    again = from_data(data)
    assert again == text
    assert isinstance(again, Message)
    assert again.template == text.template
    assert isinstance(again.values[0], Message)
    assert to_data(again) == data


def test_names_that_are_no_valid_unicode_are_kept() -> None:
    text = Message("Cannot write {0}", Path("caf\udce9.png"))
    assert from_data(json.loads(json.dumps(to_data(text)))) == text


def test_plain_texts_are_kept_as_they_are() -> None:
    assert to_data("a {brace}") == from_data("a {brace}") == "a {brace}"


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        [],
        {},
        {"said": []},
        {"said": [1]},
        {"said": ["{0} {1}", 1]},
        {"other": ["x"]},
        {"said": ["{0} pair"], "many": "{0} pairs"},
        {"said": ["{0} pair", "x"], "many": "{0} pairs"},
        {"said": ["{0} pair", 1], "many": 2},
    ],
)
def test_what_is_no_text_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="no text"):
        from_data(data)


def test_braces_of_a_plain_text_are_no_placeholders() -> None:
    text = Message.plain("{name}")
    assert (text, text.template) == ("{name}", "{{name}}")
    assert Message.plain(text) is text


def test_joined_texts_stay_texts() -> None:
    parts = [Message("batch {0}", 4), "plain {x}"]
    text = Message.joined("; ", parts)
    assert text == "batch 4; plain {x}"
    assert isinstance(text.values[0], Message)
    assert pickle.loads(pickle.dumps(text)) == text  # noqa: S301
    assert Message.joined(", ", []) == ""


def test_an_error_is_one_paragraph_that_knows_its_parts() -> None:
    error = InputError("/a {b}.png", Message("it holds {0} {1}", 2, Message("pages")), "Save one.")
    assert str(error) == error.message == "/a {b}.png: it holds 2 pages. Save one."
    assert from_data(to_data(error.message)) == str(error)
    assert str(FusionError("Really?")) == "Really?"
    assert str(FusionError("What", "why")) == "What: why."
    assert str(SizeMismatch((2, 3), (4, 5))).startswith("The two pictures differ in size: A is 2×3")


def test_a_counted_text_chooses_between_one_and_many() -> None:
    texts = [Message.plural("{0} pair in {1}", "{0} pairs in {1}", n, "x") for n in (0, 1, 2)]
    assert texts == ["0 pairs in x", "1 pair in x", "2 pairs in x"]
    for text in texts:
        assert (text.template, text.many) == ("{0} pair in {1}", "{0} pairs in {1}")
        for again in (
            pickle.loads(pickle.dumps(text)),  # noqa: S301
            from_data(json.loads(json.dumps(to_data(text)))),
        ):
            assert isinstance(again, Message)
            assert again == text
            assert (again.template, again.many) == (text.template, text.many)
            assert again.values == text.values


def test_a_count_of_numpy_is_kept_as_a_number() -> None:
    text = Message.plural("{0} pixel", "{0} pixels", np.int64(3))
    assert from_data(json.loads(json.dumps(to_data(text)))) == "3 pixels"


@dataclass(frozen=True)
class Card:
    title: str = Message("Fuse")


def test_texts_without_values_do_wherever_a_text_does() -> None:
    assert Card() == Card("Fuse")
    assert json.dumps(asdict(Card())) == '{"title": "Fuse"}'
    assert TypeAdapter(Card).validate_python({"title": Message("Fuse")}) == Card()
    assert asdict(pickle.loads(pickle.dumps(Card()))) == {"title": "Fuse"}  # noqa: S301

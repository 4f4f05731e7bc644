"""Cards: what is shown, what is answered, and where the buttons are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.cards import Card, CardStack, ErrorCard

ANSWERS = (("yes", "Yes"), ("no", "No"))


@pytest.fixture
def place(qtbot):
    """A shown parent, whose layout holds the cards."""
    parent = QWidget()
    QVBoxLayout(parent)
    qtbot.addWidget(parent)
    parent.resize(900, 300)
    parent.show()
    return parent


def put(place: QWidget, card: Card) -> Card:
    place.layout().addWidget(card)
    place.layout().activate()
    return card


def test_a_card_without_texts_is_hidden_and_shown_with_one(place):
    card = put(place, Card(answers=ANSWERS))
    assert not card.isVisible()
    card.show_message("Go on?", "A question")
    assert card.isVisible()
    assert card.accessibleName() == "A question. Go on?"
    card.show_message("Go on?")
    assert card.isVisible()
    assert not card.title.isVisible()
    card.show_message("")
    assert not card.isVisible()


def test_answers_carry_their_names_and_can_be_replaced(qtbot, place):
    card = put(place, Card("Go on?", ANSWERS, recommended="yes"))
    assert card.buttons["yes"].objectName() == "fuseButton"
    with qtbot.waitSignal(card.answered) as caught:
        card.buttons["no"].click()
    assert caught.args == ["no"]
    old = card.buttons["yes"]
    card.show_message("Again?")
    assert card.buttons["yes"] is old, "the same answers keep their buttons and the focus"
    card.show_message("Again?", answers=(("later", "Later"),))
    assert list(card.buttons) == ["later"]


@pytest.mark.parametrize("width", [900, 500])
def test_buttons_are_below_the_text_in_a_narrow_card(qtbot, place, width):
    card = put(place, Card("Go on?", ANSWERS, title="A question"))
    place.resize(width, 300)
    narrow = width < 720
    qtbot.waitUntil(lambda: (card.buttons["yes"].y() > card.text.geometry().bottom()) == narrow)


def test_dismissing_hides_a_card_and_reports_it(qtbot, place):
    card = put(place, Card("Done", closable=True))
    with qtbot.waitSignal(card.dismissed):
        card.close_button.click()
    assert not card.isVisible()


def test_the_close_button_is_last_in_the_tab_order(place):
    card = put(place, ErrorCard())
    card.show_error("It failed", "no reason", "Try again", "retry", "Retry", has_file=True)
    parts = [card.action, card.show_file, card.copy, card.close_button]
    for before, after in pairwise(parts):
        assert before.nextInFocusChain() is after


def test_a_remedy_is_named_by_the_button(qtbot, place):
    card = put(place, ErrorCard())
    card.show_error("It failed", "no reason", "Try again", "retry", "Retry")
    assert card.text.text() == "No reason. Try again."
    assert not card.show_file.isVisible()
    with qtbot.waitSignal(card.action_requested) as caught:
        card.action.click()
    assert caught.args == ["retry"]
    card.show_error("It failed", "no reason", "", "", "")
    assert not card.action.isVisible()


def test_a_stack_has_one_card_of_each_name(qtbot, place):
    stack = CardStack()
    place.layout().addWidget(stack)
    assert not stack.isVisible()
    first = stack.add("a", Card("one"))
    second = stack.add("a", Card("two"))
    assert not first.isVisible()
    assert second.isVisible()
    assert stack.cards == {"a": second}
    stack.remove("a")
    stack.remove("never there")
    assert not stack.isVisible()

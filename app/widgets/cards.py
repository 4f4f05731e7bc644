"""Inline messages: cards with a title, a text and buttons. They never block the window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets import theme

Severity = Literal["error", "notice", "hint", "plain"]

_STYLES: dict[Severity, tuple[str, str]] = {
    "error": ("errorCard", "error_border"),
    "notice": ("noticeCard", "notice_text"),
    "hint": ("hintCard", "muted"),
    "plain": ("pane", "text"),
}
"""Object name in the style sheet and colour of the icon."""
_NARROW = 720
_TITLED_MARGIN, _UNTITLED_MARGIN = 8, 4


class Card(QFrame):
    """An icon, a title, a text, and a row of buttons; each part but the text is optional.

    A card without title and text is hidden. Buttons are below the text in a card narrower than
    720 px, else at its right.
    """

    answered = Signal(str)
    """Name of the button that was pressed."""
    dismissed = Signal()
    """The close button was pressed; the card is hidden by then."""

    def __init__(
        self,
        text: str = "",
        answers: Sequence[tuple[str, str]] = (),
        icon: str = "information-outline",
        parent: QWidget | None = None,
        *,
        title: str = "",
        severity: Severity = "notice",
        recommended: str = "",
        closable: bool = False,
        stacked: bool = False,
    ) -> None:
        """
        Args:
            answers: name and label of each button.
            icon: name in the Material Design set; "" for none.
            recommended: name of the button that is emphasised; "" for none.
            closable: whether there is a close button.
            stacked: the buttons are below the text at any width, at the left.
        """
        super().__init__(parent)
        name, colour = _STYLES[severity]
        self.setObjectName(name)
        self._recommended = recommended
        self._answers: tuple[tuple[str, str], ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        self.title, self.text = text_label("paneTitle"), text_label()
        self._stacked = stacked
        self._icon = QLabel()
        if icon:
            theme.set_icon(self._icon, icon, colour)
        self._lay_out(closable)
        self._icon.setVisible(bool(icon))
        self._set_texts(text, title)
        self.set_answers(answers)
        if not text and not title:
            self.hide()

    def _lay_out(self, closable: bool) -> None:
        self.body = QVBoxLayout()
        """Title and text, one below the other; subclasses may add widgets."""
        self.body.setSpacing(2)
        self.body.addWidget(self.title)
        self.body.addWidget(self.text)
        self._content, self._row = QHBoxLayout(), QHBoxLayout()
        for layout in (self._content, self._row):
            layout.setSpacing(8)
        self._content.addWidget(self._icon)
        self._content.addLayout(self.body, 1)
        self.close_button: QToolButton | None = None
        if closable:
            close = self.close_button = QToolButton()
            theme.set_icon(close, "close")
            close.setToolTip(self.tr("Dismiss message"))
            close.setAccessibleName(self.tr("Dismiss message"))
            close.clicked.connect(self._dismiss)
            self._row.addWidget(close)
        self._outer = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._outer.setSpacing(8)
        self._outer.addLayout(self._content, 1)
        self._outer.addLayout(self._row)

    def show_message(
        self, text: str, title: str = "", answers: Sequence[tuple[str, str]] | None = None
    ) -> None:
        """Change the texts, and the buttons unless ``answers`` is None; no text hides the card."""
        self._set_texts(text, title)
        if answers is not None:
            self.set_answers(answers)
        self.setVisible(bool(text or title))

    def _set_texts(self, text: str, title: str) -> None:
        for label, content in ((self.title, title), (self.text, text)):
            label.setText(content)
            label.setVisible(bool(content))
        whole = f"{title}. {text}" if title and text else title or text
        self.setAccessibleName(whole)
        for button in self.buttons.values():
            button.setAccessibleDescription(whole)
        margin = _TITLED_MARGIN if title else _UNTITLED_MARGIN
        self._outer.setContentsMargins(10, margin, 8, margin)
        top = Qt.AlignmentFlag.AlignTop if title else Qt.AlignmentFlag(0)
        self._content.setAlignment(self._icon, top)

    def set_answers(self, answers: Sequence[tuple[str, str]]) -> None:
        """Replace the buttons by those of these names and labels."""
        if tuple(answers) == self._answers:
            return
        for button in self.buttons.values():
            button.hide()
            button.deleteLater()
        self.buttons, self._answers = {}, tuple(answers)
        for place, (name, label) in enumerate(answers):
            button = self.buttons[name] = QPushButton(label)
            button.setAccessibleDescription(self.accessibleName())
            if name == self._recommended:
                button.setObjectName("fuseButton")
            button.clicked.connect(lambda _=False, name=name: self.answered.emit(name))
            self._row.insertWidget(place, button)
        last = () if self.close_button is None else (self.close_button,)
        for before, after in pairwise((*self.buttons.values(), *last)):
            QWidget.setTabOrder(before, after)
        self._arrange(self.width())

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the buttons below the text where there is no space beside it."""
        super().resizeEvent(event)
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        below = self._stacked or (self._row.count() > 1 and width < _NARROW)
        directions = QBoxLayout.Direction
        direction = directions.TopToBottom if below else directions.LeftToRight
        if direction != self._outer.direction():
            flags = Qt.AlignmentFlag
            alignment = flags.AlignLeft if self._stacked else flags.AlignRight
            self._outer.setDirection(direction)
            self._outer.setAlignment(self._row, alignment if below else flags(0))


class ErrorCard(Card):
    """What failed and why, a remedy, the file concerned, and details to copy."""

    action_requested = Signal(str)
    """Name of the remedy."""
    file_requested = Signal()
    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            icon="alert-circle-outline", parent=parent, severity="error", closable=True
        )
        self._remedy = ""
        self.set_answers(
            (
                ("action", ""),
                ("file", self.tr("Show file")),
                ("copy", self.tr("Copy details")),
            )
        )
        self.action, self.show_file, self.copy = self.buttons.values()
        self.show_file.setToolTip(self.tr("Open the folder this file is in"))
        self.copy.setToolTip(self.tr("Copy a description for a report; file names are left out"))
        self.action.clicked.connect(lambda: self.action_requested.emit(self._remedy))
        self.show_file.clicked.connect(self.file_requested)
        self.copy.clicked.connect(self.copy_requested)

    def show_error(
        self,
        what: str,
        why: str,
        remedy_text: str,
        remedy: str,
        label: str,
        *,
        has_file: bool = False,
    ) -> None:
        """Show an error; ``label`` is the text of the remedy's button, "" for none."""
        self._remedy = remedy
        self.show_file.setVisible(has_file)
        self.action.setText(label)
        self.action.setVisible(bool(label))
        self.show_message(" ".join(_sentence(part) for part in (why, remedy_text) if part), what)


class CardStack(QWidget):
    """Cards by name, one below the other, newest last; hidden while there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, Card] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.hide()

    def add(self, name: str, card: Card) -> Card:
        """Show ``card`` in place of the one of that name; returns it."""
        self.remove(name)
        self.cards[name] = card
        self._column.addWidget(card)
        card.show()
        self.show()
        return card

    def remove(self, name: str) -> None:
        """Remove a card, if there is one of that name."""
        card = self.cards.pop(name, None)
        if card is not None:
            card.hide()
            card.deleteLater()
        self.setVisible(bool(self.cards))


def text_label(name: str = "") -> QLabel:
    """A label for plain text that wraps and can be selected, with an object name."""
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."

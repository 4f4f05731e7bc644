"""Inline messages above the panes: an error card, a yellow bar, a quiet line."""

from __future__ import annotations

from collections.abc import Sequence

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


def _text_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label


def _close_button(name: str) -> QToolButton:
    button = QToolButton()
    theme.set_icon(button, "close")
    button.setToolTip(name)
    button.setAccessibleName(name)
    return button


class _Folding(QBoxLayout):
    """Words with buttons at their right; in a narrow place the buttons are below them."""

    _NARROW = 720

    def __init__(self, owner: QWidget, left: int, top: int) -> None:
        super().__init__(QBoxLayout.Direction.LeftToRight, owner)
        self.setContentsMargins(left, top, 8, top)
        self.setSpacing(8)
        self.words = QHBoxLayout()
        self.buttons = QHBoxLayout()
        for inner in (self.words, self.buttons):
            inner.setSpacing(8)
        self.addLayout(self.words, 1)
        self.addLayout(self.buttons)

    def fold(self, width: int) -> None:
        """Lay out anew for a width; without buttons there is nothing to put elsewhere."""
        several = self.buttons.count() > 1
        folded = QBoxLayout.Direction.TopToBottom
        wanted = folded if several and width < self._NARROW else QBoxLayout.Direction.LeftToRight
        if wanted != self.direction():
            self.setDirection(wanted)
            right = Qt.AlignmentFlag.AlignRight
            self.setAlignment(self.buttons, right if wanted == folded else Qt.AlignmentFlag(0))


class TitledCard(QFrame):
    """A sign, a title with a sentence or two below it, and to their right what one can do."""

    def __init__(self, kind: str, icon: str, colour: str, parent: QWidget | None = None) -> None:
        """
        Args:
            kind: object name, by which the style sheet knows it.
            icon, colour: of the sign.
        """
        super().__init__(parent)
        self.setObjectName(kind)
        sign = QLabel()
        theme.set_icon(sign, icon, colour)
        self.title, self.text = _text_label(), _text_label()
        self.title.setObjectName("errorTitle")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        self.outer = _Folding(self, 10, 8)
        self.row = self.outer.buttons
        self.outer.words.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        self.outer.words.addLayout(words, 1)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons go below the words where there is no room beside them."""
        super().resizeEvent(event)
        self.outer.fold(event.size().width())

    def say(self, title: str, text: str) -> None:
        """Show title and text; an empty title takes the card away."""
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setAccessibleName(f"{title}. {text}")
        self.setVisible(bool(title))


class ErrorCard(TitledCard):
    """What failed, why, the one action that helps, the file it is about, and details to copy."""

    action_requested = Signal(str)
    """The remedy's name."""
    file_requested = Signal()
    copy_requested = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("errorCard", "alert-circle-outline", "error_border", parent)
        self._remedy = ""
        self.action = QPushButton()
        self.action.clicked.connect(lambda: self.action_requested.emit(self._remedy))
        self.show_file = QPushButton(self.tr("Show file"))
        self.show_file.setToolTip(self.tr("Open the folder this file is in"))
        self.show_file.clicked.connect(self.file_requested)
        self.copy = QPushButton(self.tr("Copy details"))
        self.copy.setToolTip(self.tr("Copy a description for a report; file names are left out"))
        self.copy.clicked.connect(self.copy_requested)
        close = _close_button(self.tr("Dismiss error"))
        close.clicked.connect(self.dismissed)
        for widget in (self.action, self.show_file, self.copy, close):
            self.row.addWidget(widget)

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
        """Show an error; ``label`` is the action button's text, "" for none."""
        self.show_file.setVisible(has_file)
        self._remedy = remedy
        self.action.setText(label)
        self.action.setVisible(bool(label))
        self.say(what, " ".join(_sentence(part) for part in (why, remedy_text) if part))


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


class MessageBar(QFrame):
    """A line of text with a close button: the yellow bar, or the quiet coach line.

    It may put something to the person: then there are buttons to answer with.
    """

    dismissed = Signal()
    answered = Signal(str)
    """The name of the answer."""

    def __init__(self, kind: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(kind)
        sign = QLabel()
        theme.set_icon(sign, icon, "notice_text" if kind == "noticeBar" else "muted")
        self.text = _text_label()
        close = _close_button(self.tr("Dismiss message"))
        close.clicked.connect(self._dismiss)
        self._layout = _Folding(self, 10, 3)
        self._layout.words.addWidget(sign)
        self._layout.words.addWidget(self.text, 1)
        self._layout.buttons.addWidget(close)
        self.buttons: dict[str, QPushButton] = {}
        self._answers: tuple[tuple[str, str], ...] = ()
        self.hide()

    def show_text(self, text: str, answers: Sequence[tuple[str, str]] = ()) -> None:
        """Show ``text``; "" hides the bar.

        Args:
            answers: name and label of each button; the first one is the expected one.
        """
        self.text.setText(text)
        if tuple(answers) != self._answers:
            self._offer(tuple(answers))
        self.setVisible(bool(text))

    def _offer(self, answers: tuple[tuple[str, str], ...]) -> None:
        for button in self.buttons.values():
            button.hide()
            button.deleteLater()
        self.buttons, self._answers = {}, answers
        for name, label in answers:
            button = self.buttons[name] = QPushButton(label)
            button.clicked.connect(lambda _=False, name=name: self.answered.emit(name))
            self._layout.buttons.insertWidget(self._layout.buttons.count() - 1, button)
        self._layout.fold(self.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons go below the words where there is no room beside them."""
        super().resizeEvent(event)
        self._layout.fold(event.size().width())

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()

"""A question inside the page, with its answers as buttons: never a box in the way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app import theme


class AskCard(QFrame):
    """What it is about, one or two sentences, and a button for each answer."""

    answered = Signal(str)
    """The answer's name."""

    def __init__(
        self,
        answers: Sequence[tuple[str, str]],
        icon: str = "help-circle-outline",
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            answers: name and button text of each; the first is the one to recommend.
        """
        super().__init__(parent)
        self.setObjectName("noticeBar")
        sign = QLabel()
        theme.set_icon(sign, icon, "notice_text")
        self.title, self.text = QLabel(), QLabel()
        self.title.setObjectName("errorTitle")
        for label in (self.title, self.text):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.buttons: dict[str, QPushButton] = {}
        for number, (name, text) in enumerate(answers):
            button = self.buttons[name] = QPushButton(text)
            if not number:
                button.setObjectName("fuseButton")
            button.clicked.connect(lambda _=False, name=name: self.answered.emit(name))
            layout.addWidget(button)
        self.hide()

    def ask(self, title: str, text: str) -> None:
        """Show the question; an empty title takes it away."""
        self.title.setText(title)
        self.text.setText(text)
        self.setAccessibleName(f"{title}. {text}")
        self.setVisible(bool(title))

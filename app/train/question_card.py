"""A question inside the page, with its answers as buttons: never a box in the way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.widgets.message_bars import TitledCard


class AskCard(TitledCard):
    """What it is about, one or two sentences, and a button for each answer."""

    answered = Signal(str)
    """The answer's name."""

    def __init__(
        self,
        answers: Sequence[tuple[str, str]],
        icon: str = "help-circle-outline",
        parent: QWidget | None = None,
        *,
        recommends: bool = True,
    ) -> None:
        """
        Args:
            answers: name and button text of each; the first is the one to recommend, unless
                ``recommends`` is False.
        """
        super().__init__("noticeBar", icon, "notice_text", parent)
        self.buttons: dict[str, QPushButton] = {}
        for number, (name, text) in enumerate(answers):
            button = self.buttons[name] = QPushButton(text)
            if recommends and not number:
                button.setObjectName("fuseButton")
            button.clicked.connect(lambda _=False, name=name: self.answered.emit(name))
            self.row.addWidget(button)

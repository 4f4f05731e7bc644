"""An inline card: one thing to say, and buttons to answer it. Never a box that blocks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from app.widgets import theme


class Card(QFrame):
    """A line with answers as buttons. Whoever put it there takes it away once it is answered."""

    answered = Signal(str)
    """The name of the answer."""

    def __init__(
        self,
        text: str,
        answers: tuple[tuple[str, str], ...],
        icon: str = "information-outline",
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            text: what to say.
            answers: name and label of each button; the first one is the expected one.
        """
        super().__init__(parent)
        self.setObjectName("noticeBar")
        self.setAccessibleName(text)
        sign = QLabel()
        theme.set_icon(sign, icon, "notice_text")
        self.text = QLabel(text)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(sign)
        layout.addWidget(self.text, 1)
        self.buttons: dict[str, QPushButton] = {}
        for name, label in answers:
            button = self.buttons[name] = QPushButton(label)
            button.setAccessibleDescription(text)
            button.clicked.connect(lambda _=False, name=name: self.answered.emit(name))
            layout.addWidget(button)

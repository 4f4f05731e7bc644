"""Fields for an optional window: the values of a source that are black and white."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.i18n.numbers import number, read
from core.windows import Window


class WindowRow(QWidget):
    """Low and high end; both empty to use each file's own window."""

    edited = Signal()

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        """Args: ``side``: “A” or “B”."""
        super().__init__(parent)
        self.low, self.high = QLineEdit(), QLineEdit()
        names = (
            self.tr("Value of {0} that is black").format(side),
            self.tr("Value of {0} that is white").format(side),
        )
        places = (self.tr("black"), self.tr("white"))
        tip = self.tr(
            "Values of {0}, in its own numbers, that are black and white in all pairs. Left empty, "
            "each picture's own values decide."
        ).format(side)
        self.setFocusProxy(self.low)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for line, name, place in zip((self.low, self.high), names, places, strict=True):
            line.setAccessibleName(name)
            line.setAccessibleDescription(tip)
            line.setPlaceholderText(place)
            line.setToolTip(tip)
            line.textEdited.connect(self._validate)
            row.addWidget(line)

    @property
    def ends(self) -> Window | None:
        """The window entered; None if both fields are empty or do not form a window."""
        typed = self._typed()
        return typed if typed is not None and typed[0] < typed[1] else None

    @property
    def entered(self) -> Window | tuple[str, str] | None:
        """The window entered, None if both fields are empty, or the texts of an invalid window."""
        texts = self.low.text().strip(), self.high.text().strip()
        return self.ends or (texts if any(texts) else None)

    def show_window(self, window: Window | None) -> None:
        """Show a window; None empties the fields. An equal one keeps its text."""
        if window == self.ends:
            return
        texts = ("", "") if window is None else tuple(number(end, ".9g") for end in window)
        for line, text in zip((self.low, self.high), texts, strict=True):
            line.setText(text)
        self._validate(notify=False)

    def _typed(self) -> Window | None:
        try:
            return read(self.low.text()), read(self.high.text())
        except ValueError:
            return None

    def _validate(self, _text: str = "", *, notify: bool = True) -> None:
        """Mark the fields if their texts do not form a window."""
        typed = bool(self.low.text().strip() or self.high.text().strip())
        wrong = typed and self.ends is None
        for line in (self.low, self.high):
            if line.property("warns") != wrong:
                line.setProperty("warns", wrong)
                line.style().unpolish(line)
                line.style().polish(line)
        if notify:
            self.edited.emit()

    @property
    def problem(self) -> str:
        """What is wrong with the texts, or ""."""
        if not (self.low.text().strip() or self.high.text().strip()):
            return ""
        typed = self._typed()
        if typed is None:
            return self.tr("Give two numbers, one for black and one for white, or none.")
        return "" if typed[0] < typed[1] else self.tr("Black must be the smaller number.")

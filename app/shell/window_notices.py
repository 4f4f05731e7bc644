"""Notices and questions in cards at the top of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from app.preferences.settings import Settings
from app.widgets.cards import Card, CardStack


class WindowNotices(QObject):
    """Fills a stack of cards; a card goes once it is answered."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        """
        Args:
            settings: know whether the disclaimer was acknowledged.
        """
        super().__init__(parent)
        self._settings = settings
        self.cards = CardStack()
        self.cards.setContentsMargins(8, 6, 8, 0)

    def show_disclaimer(self) -> None:
        """Show what the program is not for, until that is acknowledged."""
        text = self.tr(
            "For research only. This program is not a medical device: its pictures are made by a "
            "network or by arithmetic and must not guide diagnosis or treatment."
        )
        card = self.ask("research", text, (("ok", self.tr("I understand")),))
        card.answered.connect(lambda _answer: self._settings.acknowledge())

    def show_notice(self, name: str, text: str) -> None:
        """Show ``text``, instead of an earlier notice of the same name."""
        self.ask(name, text, (("ok", self.tr("OK")),), "alert-outline")

    def ask(self, name: str, text: str, answers: Sequence[tuple[str, str]], icon: str = "") -> Card:
        """Show a card with buttons.

        Args:
            answers: name and text of each button.
            icon: as in :func:`app.widgets.theme.set_icon`; "" for that of cards.
        """
        card = Card(text, answers, icon) if icon else Card(text, answers)
        card.answered.connect(lambda _answer: self.cards.remove(name))
        return self.cards.add(name, card)

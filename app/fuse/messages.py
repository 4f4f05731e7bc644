"""The bars above the panes: an error with its remedy, notices, a hint for newcomers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.commands.registry import CommandRegistry
from app.fuse.state import FuseState
from app.i18n.translate import translate_all, translate_error
from app.widgets.cards import Card, ErrorCard
from app.widgets.file_manager import distinct_name
from core.errors import FusionError


def reason_of(error: FusionError, path: Path, both: Iterable[Path | None]) -> str:
    """Why a file is not shown. An error of the other file names that file."""
    what, why, _remedy = translate_error(error)
    known = [one for one in both if one is not None]
    alike = sum(one.name == path.name for one in known) > 1
    if what in ("", str(path)) or (what == path.name and not alike):
        return why[:1].upper() + why[1:]
    for one in known:
        what = what.replace(str(one), distinct_name(one, known))
    return ": ".join(part for part in (what, why) if part)


class Messages(QObject):
    """Shows problem and notices of a session in three bars; their parent lays them out."""

    def __init__(
        self, session: FuseState, keys: CommandRegistry, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._keys = keys
        self._coach_dismissed = False
        self.card = ErrorCard()
        self.notice = Card(icon="alert-outline", closable=True)
        self.coach = Card(severity="hint", closable=True)
        self.bars: tuple[QWidget, ...] = (self.card, self.notice, self.coach)
        """From top to bottom."""
        session.problem_changed.connect(self._show_problem)
        session.notices_changed.connect(self._show_notices)
        session.sources_changed.connect(self._show_coach)
        keys.keys_changed.connect(self._show_coach)
        self.notice.dismissed.connect(self._dismiss_notice)
        self.coach.dismissed.connect(self._dismiss_coach)

    def _show_problem(self) -> None:
        problem = self._session.problem
        if problem is None:
            self.card.hide()
            return
        labels = {
            "resample": self.tr("Resample B onto A"),
            "open": self.tr("Open other files"),
            "retry": self.tr("Retry"),
            "tiles": self.tr("Retry in tiles"),
            "cpu": self.tr("Use CPU"),
            "save": self.tr("Save elsewhere"),
            "reload": self.tr("Read again"),
            "export": self.tr("Export elsewhere"),
            "damaged": self.tr("Show what is there"),
            "gap": self.tr("Accept the gap"),
            "uneven": self.tr("Accept the distances"),
            "patients": self.tr("Accept two patients"),
        }
        label = labels.get(problem.remedy, "")
        (what, why, remedy), path = translate_error(problem.error), problem.path
        # Show the name only; the whole path is in the tool tip, and in Info.
        named, both = what, self._session.sources.requested
        for one in (path, *both):
            if one is not None:
                named = named.replace(str(one), distinct_name(one, both))
        self.card.title.setToolTip(what)
        self.card.show_error(named, why, remedy, problem.remedy, label, has_file=path is not None)

    def _show_notices(self) -> None:
        offer = self._session.offer
        own = (offer.text,) if offer is not None else ()
        lines = translate_all((*own, *self._session.notices))
        self.notice.show_message("\n".join(lines), answers=offer.answers if offer else ())

    def _dismiss_notice(self) -> None:
        self._session.set_offer(None)
        self._session.set_message("")

    def _show_coach(self) -> None:
        sample = self._session.sources.sample and not self._coach_dismissed
        key = self._keys.key_of("file.open")
        text = self.tr("This is a sample pair. Drop two images of your own here.")
        if key:
            text = self.tr("This is a sample pair. Drop two images of your own here, or press {0}.")
        self.coach.show_message(text.format(key) if sample else "")

    def _dismiss_coach(self) -> None:
        self._coach_dismissed = True

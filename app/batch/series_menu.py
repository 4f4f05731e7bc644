"""The series that a source of a study could be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from app.batch.controller import BatchController
from app.batch.pair_edits import PairEdits
from app.batch.row_text import series_text
from app.i18n.translate import translate

if TYPE_CHECKING:
    from core.pairing.study_pairs import SeriesPair
    from core.types import SeriesHeader, SourceSide


class SeriesMenu(QMenu):
    """The present series, which is ticked, and what it could be instead, the best first."""

    chosen = Signal(object)
    """The :class:`core.types.SeriesHeader`."""

    def __init__(
        self,
        title: str,
        choices: Sequence[SeriesHeader],
        present: SeriesHeader | None,
        parent: QWidget,
    ) -> None:
        """
        Args:
            present: the one that is ticked; None for none.
        """
        super().__init__(title, parent)
        for series in choices:
            text = series_text(series)
            if series.problem is not None:
                text = f"{text} ({translate(series.problem.why)})"
            action = self.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(series is present)
            action.triggered.connect(lambda _=False, series=series: self.chosen.emit(series))


class SeriesChooser(QObject):
    """Lets series of the patient be chosen for rows of the table, by a menu at the pointer."""

    def __init__(self, batch: BatchController, edits: PairEdits, parent: QWidget) -> None:
        """
        Args:
            parent: of the menus.
        """
        super().__init__(parent)
        self._batch, self._edits, self._widget = batch, edits, parent
        self.menu: SeriesMenu | None = None

    def ask(self, row: int, side: SourceSide) -> None:
        """Ask for another series as A or B of a study."""
        study = self._study(row)
        if study is not None and self._batch.pairing is not None:
            is_open = bool(study.equals) and study.open_side == side
            present = None if is_open else study.source(side)
            choices = self._batch.pairing.series_for(row, side)
            title = self.tr("Series as {0}").format(side.upper())
            self._show(title, choices, present, partial(self._edits.choose_series, row, side))

    def ask_added(self, row: int) -> None:
        """Ask for one more series that A of a study is paired with, in a row of its own."""
        study = self._study(row)
        if study is not None and self._batch.pairing is not None:
            every = self._batch.pairing.series_for(row, "b")
            choices = [one for one in every if one is not study.b]
            title = self.tr("One more B for this A")
            self._show(title, choices, None, partial(self._edits.add_series, row))

    def _study(self, row: int) -> SeriesPair | None:
        pairing = self._batch.pairing
        known = pairing is not None and 0 <= row < len(pairing.matches)
        return pairing.matches[row].study if pairing is not None and known else None

    def _show(
        self,
        title: str,
        choices: Sequence[SeriesHeader],
        present: SeriesHeader | None,
        then: Callable[[SeriesHeader], None],
    ) -> None:
        menu = self.menu = SeriesMenu(title, choices, present, self._widget)
        menu.chosen.connect(then)
        menu.popup(QCursor.pos())

"""The series that could be B of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.batch.row_text import series_text
from app.i18n.translate import translate

if TYPE_CHECKING:
    from core.pairing.study_pairs import SeriesPair


class SeriesMenu(QMenu):
    """The present B, which is ticked, and what it could be instead, the best first."""

    chosen = Signal(object)
    """The :class:`core.types.SeriesHeader`."""

    def __init__(self, study: SeriesPair, parent: QWidget) -> None:
        super().__init__(self.tr("Series as B"), parent)
        for series in study.choices:
            text = series_text(series)
            if series.problem is not None:
                text = f"{text} ({translate(series.problem.why)})"
            action = self.addAction(text.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(series is study.b and not study.equals)
            action.triggered.connect(lambda _=False, series=series: self.chosen.emit(series))

"""The worst pairs as a table: a row per pair, a column per source and method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QImage

from app.evaluate.tasks import Analysis
from app.i18n.numbers import localised
from app.widgets.plain_table import ModelIndex
from core.types import PairTransform

if TYPE_CHECKING:
    from core.evaluation.report.atlas import Worst

IMAGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""The thumbnail of a cell as a QImage; None while it is not there."""
CAPTION_ROLE = IMAGE_ROLE + 1
"""Text below the thumbnail."""
WORST_ROLE = IMAGE_ROLE + 2
"""Whether the method of a cell is one that scored worst on the pair."""
PAIR = 0
_NO_PARENT = QModelIndex()


@dataclass(frozen=True)
class _Row:
    """A pair with the files of its cells; None where an image was not kept."""

    pair: str
    reasons: tuple[Worst, ...]
    files: tuple[Path | None, ...]
    values: tuple[dict[str, float], ...]
    """Scores by metric, one per method."""
    transform: PairTransform | None = None
    """By which one source lies on the other one."""


class AtlasModel(QAbstractTableModel):
    """Asks for a thumbnail when the view first paints its cell."""

    wanted = Signal(object)
    """Two files whose thumbnails are needed: a key of a :class:`ThumbnailLoader`."""

    def __init__(self) -> None:
        super().__init__()
        self._every: tuple[_Row, ...] = ()
        self._rows: tuple[_Row, ...] = ()
        self._methods: tuple[str, ...] = ()
        self._has_truth = False
        self._metric = ""
        self._images: dict[Path, QImage | None] = {}

    def show_analysis(self, analysis: Analysis | None) -> None:
        """Show other pairs; None for none."""
        self.beginResetModel()
        self._images.clear()
        self._methods = ()
        self._every = () if analysis is None else self._made(analysis)
        self._choose_rows()
        self.endResetModel()

    def show_metric(self, metric: str) -> None:
        """Show the worst pairs by ``metric`` alone, worst first; "" for those of all metrics."""
        self.beginResetModel()
        self._metric = metric
        self._choose_rows()
        self.endResetModel()

    def _made(self, analysis: Analysis) -> tuple[_Row, ...]:
        result = analysis.result
        described = {pair.name: pair for pair in result.pairs}
        shown = [described[pair] for pair in analysis.worst]
        self._has_truth = any(pair.truth is not None for pair in shown)
        self._methods = tuple(scores.method.name for scores in result.methods)
        scored = [scores.scored() for scores in result.methods]
        rows = []
        for pair in shown:
            found = [scores.get(pair.name) for scores in scored]
            fused = [one.fused if one is not None else None for one in found]
            truth = (pair.truth,) if self._has_truth else ()
            values = tuple(dict(one.values) if one is not None else {} for one in found)
            reasons = tuple(analysis.worst[pair.name])
            files = (pair.a, pair.b, *truth, *fused)
            rows.append(_Row(pair.name, reasons, files, values, pair.transform))
        return tuple(rows)

    @property
    def moved(self) -> dict[tuple[Path, Path], PairTransform]:
        """By which one source is shown on the other one, by the files of the pair."""
        return {
            (a, b): row.transform
            for row in self._every
            for a, b in [row.files[:2]]
            if row.transform is not None and a is not None and b is not None
        }

    def _choose_rows(self) -> None:
        metric = self._metric
        if not metric:
            self._rows = self._every
            return
        ranked = [
            (place, row)
            for row in self._every
            for place in [next((one.value for one in row.reasons if one.metric == metric), None)]
            if place is not None
        ]
        from core.evaluation.tables import direction_of

        ranked.sort(key=lambda item: item[0], reverse=direction_of(metric) == "lower")
        self._rows = tuple(row for _value, row in ranked)

    def pair_at(self, row: int) -> str:
        """Name of the pair of a row."""
        return self._rows[row].pair

    def set_images(self, key: tuple[Path, Path], images: tuple[QImage | None, ...]) -> None:
        """Show thumbnails that were made."""
        self._images.update(zip(key, images, strict=True))
        if self._rows:
            last = self.index(len(self._rows) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 1), last, [IMAGE_ROLE])

    # --- the model -------------------------------------------------------------------------

    @property
    def _first_method(self) -> int:
        return 4 if self._has_truth else 3

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of pairs."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Pair, A, B, ground truth where there is any, and the methods."""
        return self._first_method + len(self._methods) if self._methods else 0

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Names of sources and methods."""
        roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        if orientation != Qt.Orientation.Horizontal or role not in roles:
            return None
        if section >= self._first_method:
            return self._methods[section - self._first_method]
        return (self.tr("Pair"), "A", "B", self.tr("Ground truth"))[section]

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name and reasons of a pair; thumbnail, caption and mark of the others."""
        row, column = self._rows[index.row()], index.column()
        texts = (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        )
        if column == PAIR:
            return "\n".join((row.pair, *map(_reason, row.reasons))) if role in texts else None
        if role == IMAGE_ROLE:
            return self._image(row, column - 1)
        if role == CAPTION_ROLE:
            return self._caption(row, column)
        if role == WORST_ROLE:
            return bool(self._worst(row, column))
        if role in texts[1:]:
            title = self.headerData(column, Qt.Orientation.Horizontal)
            worst = (
                self.tr("worst in {0}").format(_reason(one)) for one in self._worst(row, column)
            )
            return "\n".join((str(title), *worst))
        return None

    def _image(self, row: _Row, place: int) -> QImage | None:
        path = row.files[place]
        if path is None or path in self._images:
            return self._images.get(path) if path is not None else None
        a, b = row.files[:2]
        if row.transform is not None and place < 2 and a is not None and b is not None:
            self.wanted.emit((a, b))  # each is drawn with regard to the other one
            return None
        # Thumbnails come in twos: this one, and the next of the row that is not there.
        drawn = row.files if row.transform is None else row.files[2:]
        others = [one for one in drawn if one not in (None, path) and one not in self._images]
        self.wanted.emit((path, others[0] if others else path))
        return None

    def _caption(self, row: _Row, column: int) -> str:
        from core.evaluation.tables import format_value, heading_of

        if row.files[column - 1] is None:
            return self.tr("not kept")
        place = column - self._first_method
        if place < 0:
            return ""
        if self._metric:
            value = row.values[place].get(self._metric, float("nan"))
            return f"{heading_of(self._metric)} {localised(format_value(value))}"
        return ", ".join(heading_of(one.metric) for one in self._worst(row, column))

    def _worst(self, row: _Row, column: int) -> tuple[Worst, ...]:
        place = column - self._first_method
        if place < 0:
            return ()
        found = (one for one in row.reasons if one.method == self._methods[place])
        return tuple(one for one in found if self._metric in ("", one.metric))


def _reason(worst: Worst) -> str:
    from core.evaluation.tables import format_value, heading_of

    return f"{heading_of(worst.metric)} {localised(format_value(worst.value))}, {worst.method}"

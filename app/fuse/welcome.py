"""The welcome page, which the Fuse workspace shows while nothing is open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import translate
from app.widgets import theme
from app.widgets.choice_card import ChoiceCard
from app.widgets.drop import DropZone
from app.widgets.elided_label import ElidedLabel
from core.tasks import TASKS

_MOST_RECENT = 4
_WIDEST, _NARROWEST = 820, 300
_ROOM_FOR_FOUR = 700
_MARGIN, _ZONE_MARGIN, _GAP = 16, 20, 8


class RecentEntry(QPushButton):
    """A button that opens a recent pair."""

    def __init__(self, label: str, folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recentEntry")
        self.setAccessibleName(label)
        self.setToolTip(folder)
        self.setMinimumHeight(30)
        self.name = ElidedLabel()
        self.name.setText(label)
        self.name.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 10, 0)
        layout.addWidget(self.name, 1)


class Welcome(QScrollArea):
    """Drop zone, tasks, recent pairs, and a hint."""

    open_requested = Signal()
    folder_requested = Signal()
    sample_requested = Signal()
    task_chosen = Signal(str)
    recent_chosen = Signal(int)
    """Index of an entry in the argument of :meth:`show_recent`."""
    files_dropped = Signal(object)
    """list[Path]"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.zone = self._make_zone()
        self.cards = {
            name: ChoiceCard(translate(task.title), translate(task.description), icon=task.icon)
            for name, task in TASKS.items()
        }
        self._group = QButtonGroup(self)
        for name, card in self.cards.items():
            self._group.addButton(card)
            card.clicked.connect(lambda _=False, name=name: self.task_chosen.emit(name))
        self.recent: list[RecentEntry] = []
        self._recent_pairs: tuple[tuple[str, Path], ...] = ()
        self._recent_listed: tuple[tuple[str, Path], ...] | None = None
        self._recent_title = QLabel(self.tr("Opened before"))
        self._recent_title.setObjectName("sectionTitle")
        self._recent_rows = QVBoxLayout()
        self._recent_rows.setSpacing(2)
        self.coach = QLabel(self.tr("Drop your own images here: they stay on this computer."))
        self.coach.setObjectName("hint")
        self.coach.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.coach.setWordWrap(True)
        self._lay_out()
        self.show_recent(())

    def _make_zone(self) -> DropZone:
        zone = DropZone()
        zone.setObjectName("welcomeZone")
        zone.setAcceptDrops(True)
        zone.files_dropped.connect(self.files_dropped)
        icon = QLabel()
        theme.set_icon(icon, "tray-arrow-down", "accent")
        icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = QLabel(self.tr("Drop two pictures of one scene, or a folder of pairs"))
        title.setObjectName("welcomeTitle")
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title.setWordWrap(True)
        self.open = QPushButton(self.tr("Open files…"))
        self.open.setObjectName("fuseButton")
        self.open.clicked.connect(self.open_requested)
        self.folder = QPushButton(self.tr("Open folder…"))
        self.folder.clicked.connect(self.folder_requested)
        self.sample = QPushButton(self.tr("Open sample"))
        self.sample.clicked.connect(self.sample_requested)
        row = self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(_GAP)
        row.addStretch(1)
        for button in (self.open, self.folder, self.sample):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(zone)
        layout.setContentsMargins(_ZONE_MARGIN, 26, _ZONE_MARGIN, 26)
        layout.setSpacing(12)
        layout.addWidget(icon)
        layout.addWidget(title)
        layout.addLayout(row)
        return zone

    def _lay_out(self) -> None:
        self._tasks = QGridLayout()
        self._tasks.setSpacing(8)
        self._arrange(len(self.cards))
        heading = QLabel(self.tr("What kind of pair is it?"))
        heading.setObjectName("sectionTitle")
        column = self._column = QWidget()
        column.setMaximumWidth(_WIDEST)
        column.setMinimumWidth(_NARROWEST)
        inner = QVBoxLayout(column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(10)
        inner.addWidget(self.zone)
        inner.addWidget(self.coach)
        inner.addSpacing(4)
        inner.addWidget(heading)
        inner.addLayout(self._tasks)
        inner.addSpacing(4)
        inner.addWidget(self._recent_title)
        inner.addLayout(self._recent_rows)
        page = QWidget()
        page.setObjectName("welcomePage")
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(column, 12)
        across.addStretch(1)
        outer = QVBoxLayout(page)
        outer.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        outer.addStretch(1)
        outer.addLayout(across)
        outer.addStretch(2)
        self.setWidget(page)

    def _arrange(self, columns: int) -> None:
        for place, card in enumerate(self.cards.values()):
            self._tasks.addWidget(card, place // columns, place % columns)
            self._tasks.setColumnStretch(place, int(place < columns))
        self._columns = columns

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the tasks in rows of four or two, and the buttons in a row or a column."""
        super().resizeEvent(event)
        self._fit_buttons(self.viewport().width() - 2 * _MARGIN)
        columns = 4 if self.viewport().width() >= _ROOM_FOR_FOUR else 2
        if columns != self._columns:
            self._arrange(columns)

    def _fit_buttons(self, room: int) -> None:
        """Make the column wide enough for its buttons, or stack them if ``room`` is too narrow."""
        buttons = (self.open, self.folder, self.sample)
        texts = sum(button.sizeHint().width() for button in buttons)
        needed = texts + 2 * (_GAP + _ZONE_MARGIN) + 2 * len(buttons)
        beside = needed <= room
        direction = QBoxLayout.Direction
        self._buttons.setDirection(direction.LeftToRight if beside else direction.TopToBottom)
        self._column.setMinimumWidth(max(_NARROWEST, needed) if beside else _NARROWEST)

    def show_task(self, name: str) -> None:
        """Mark the selected task."""
        self.cards[name].setChecked(True)

    def show_recent(self, pairs: Sequence[tuple[str, Path]]) -> None:
        """Set the recent pairs, newest first, as (label, path of A)."""
        self._recent_pairs = tuple(pairs[:_MOST_RECENT])
        if self.isVisible():
            self._list_recent()

    def showEvent(self, event: QShowEvent) -> None:
        """Update the recent pairs, which is postponed while the page is hidden."""
        self._list_recent()
        super().showEvent(event)

    def _list_recent(self) -> None:
        if self._recent_pairs == self._recent_listed:
            return
        self._recent_listed = self._recent_pairs
        for entry in self.recent:
            self._recent_rows.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        self.recent = []
        for place, (label, path) in enumerate(self._recent_pairs):
            entry = RecentEntry(label, str(path.parent))
            entry.clicked.connect(lambda _=False, place=place: self.recent_chosen.emit(place))
            self._recent_rows.addWidget(entry)
            self.recent.append(entry)
        self._recent_title.setVisible(bool(self.recent))

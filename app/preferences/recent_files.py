"""Files opened before: their paths and the task, nothing of what is in them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from app.preferences.settings import Settings
from app.widgets.file_manager import distinct_name
from core.tasks import TASKS

_MOST = 10
_NAME = "recent/pairs"


@dataclass(frozen=True)
class RecentPair:
    """Two files that were opened together, and for which task."""

    a: Path
    b: Path
    task: str

    @property
    def is_whole(self) -> bool:
        """False where a path means another file in another folder."""
        return self.a.is_absolute() and self.b.is_absolute()

    @property
    def label(self) -> str:
        """Both names, with the folder where the names alone are alike."""
        if self.a.name == self.b.name:
            return f"{distinct_name(self.a, [self.b])} + {distinct_name(self.b, [self.a])}"
        names = f"{self.a.name} + {self.b.name}"
        return f"{self.a.parent.name}/{names}" if self.a.parent.name else names


class RecentPairs(QObject):
    """The last ten pairs, newest first. Off means: none is kept, and none is shown."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    def all(self) -> list[RecentPair]:
        """The pairs, newest first; those whose files have gone are still listed."""
        if not self._settings.keeps_recent:
            return []
        try:
            rows = json.loads(self._settings.text(_NAME) or "[]")
            found = [RecentPair(Path(a), Path(b), str(task)) for a, b, task in rows]
        except (ValueError, TypeError, RecursionError):
            return []
        return [pair for pair in found if pair.task in TASKS and pair.is_whole][:_MOST]

    def add(self, a: Path, b: Path, task: str) -> None:
        """Put a pair on top."""
        if not self._settings.keeps_recent:
            return
        new = RecentPair(Path(os.path.abspath(a)), Path(os.path.abspath(b)), task)  # noqa: PTH100
        a, b = new.a, new.b
        self._keep([new, *(pair for pair in self.all() if (pair.a, pair.b) != (a, b))])

    def forget(self, pair: RecentPair) -> None:
        """Take one pair off the list."""
        self._keep([other for other in self.all() if other != pair])

    def clear(self) -> None:
        """Forget all."""
        self._keep([])

    def set_kept(self, kept: bool) -> None:
        """Switch the list on or off; off forgets it."""
        if not kept:
            self.clear()
        self._settings.set_keeps_recent(kept)
        self.changed.emit()

    def _keep(self, pairs: list[RecentPair]) -> None:
        rows = [[str(pair.a), str(pair.b), pair.task] for pair in pairs[:_MOST]]
        self._settings.set_text(_NAME, json.dumps(rows, ensure_ascii=False) if rows else "")
        self.changed.emit()


class RecentMenu(QMenu):
    """“Open recent”: the pairs, then what can be done with the list."""

    chosen = Signal(object)
    """A :class:`RecentPair`."""

    def __init__(self, recent: RecentPairs, settings: Settings) -> None:
        super().__init__()
        self._recent = recent
        self._settings = settings
        self.setTitle(self.tr("Open recent"))
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Make the entries anew."""
        self.clear()
        pairs = self._recent.all()
        for pair in pairs:
            # A single ampersand would be taken as the mark of a mnemonic.
            entry = self.addAction(pair.label.replace("&", "&&"))
            entry.setToolTip(f"{pair.a}\n{pair.b}")
            entry.triggered.connect(lambda _=False, pair=pair: self.chosen.emit(pair))
        if not pairs:
            self.addAction(self.tr("No files yet")).setEnabled(False)
        self.addSeparator()
        clear = self.addAction(self.tr("Clear this list"))
        clear.setEnabled(bool(pairs))
        clear.triggered.connect(self._recent.clear)
        keep = self.addAction(self.tr("Keep a list of opened files"))
        keep.setCheckable(True)
        keep.setChecked(self._settings.keeps_recent)
        keep.toggled.connect(self._recent.set_kept)

"""The list of recently opened pairs: paths and task, no contents, and no scans.

Files of scanners and their folders are often named after patients, so these pairs are not listed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from app.preferences.scan_names import may_be_scan
from app.preferences.settings import Settings
from app.widgets.file_manager import distinct_name
from core.tasks import TASKS

_MOST = 10
_NAME = "recent/pairs"


@dataclass(frozen=True)
class RecentPair:
    """Two files that were opened together, and their task."""

    a: Path
    b: Path
    task: str

    @property
    def has_absolute_paths(self) -> bool:
        """False where a path is relative, and so depends on the working directory."""
        return self.a.is_absolute() and self.b.is_absolute()

    @property
    def is_of_scans(self) -> bool:
        """Whether a file may be that of a scanner, by its name."""
        return may_be_scan(self.a) or may_be_scan(self.b)

    @property
    def label(self) -> str:
        """Both file names, with their folders where the names are equal."""
        if self.a.name == self.b.name:
            return f"{distinct_name(self.a, [self.b])} + {distinct_name(self.b, [self.a])}"
        names = f"{self.a.name} + {self.b.name}"
        return f"{self.a.parent.name}/{names}" if self.a.parent.name else names


class RecentPairs(QObject):
    """The last ten pairs, newest first. If switched off, none is stored or shown."""

    changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        kept = self.all()
        if any(pair.is_of_scans for pair in kept):  # of a former version
            self._keep([pair for pair in kept if not pair.is_of_scans])

    def all(self) -> list[RecentPair]:
        """The pairs, newest first, including those whose files are missing."""
        if not self._settings.keeps_recent:
            return []
        try:
            rows = json.loads(self._settings.text(_NAME) or "[]")
            found = [RecentPair(Path(a), Path(b), str(task)) for a, b, task in rows]
        except (ValueError, TypeError, RecursionError):
            return []
        return [pair for pair in found if pair.task in TASKS and pair.has_absolute_paths][:_MOST]

    def add(self, a: Path, b: Path, task: str) -> None:
        """Add a pair at the top."""
        if not self._settings.keeps_recent:
            return
        new = RecentPair(Path(os.path.abspath(a)), Path(os.path.abspath(b)), task)  # noqa: PTH100
        if new.is_of_scans:
            return
        a, b = new.a, new.b
        self._keep([new, *(pair for pair in self.all() if (pair.a, pair.b) != (a, b))])

    def forget(self, pair: RecentPair) -> None:
        """Remove a pair."""
        self._keep([other for other in self.all() if other != pair])

    def clear(self) -> None:
        """Remove all pairs."""
        self._keep([])

    def set_kept(self, kept: bool) -> None:
        """Switch the list on or off; off clears it."""
        if not kept:
            self.clear()
        self._settings.set_keeps_recent(kept)
        self.changed.emit()

    def _keep(self, pairs: list[RecentPair]) -> None:
        rows = [[str(pair.a), str(pair.b), pair.task] for pair in pairs[:_MOST]]
        self._settings.set_text(_NAME, json.dumps(rows, ensure_ascii=False) if rows else "")
        self.changed.emit()


class RecentMenu(QMenu):
    """The menu “Open recent”: the pairs, then commands for the list."""

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
        """Rebuild the entries."""
        self.clear()
        pairs = self._recent.all()
        for pair in pairs:
            # A single ampersand would mark a mnemonic.
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
